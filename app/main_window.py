"""The window: a canvas in the middle, what acts on it around it.

`MainWindow()` is complete and starts no process: `start_engine` does, which `app.start` calls after the first paint. A
window has one document at most; a second document has a second window.

The first window of a program is seen before it is complete. Before its first paint: colours, size and place, menus, tool
bar, the titles of the docks and the place to drop a photo (window_frame.py). After it: settings, canvas, tools, filling
and the contents of docks and bars (window_parts.py, which also says who listens to whom). What menus do is in handlers/.

Every part has an ``objectName`` by which tests and the saved layout find it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QMenu, QStackedWidget, QWidget

from app.action_table import Need
from app.actions import ActionRegistry
from app.errors import OUR_FAULT, explain
from app.handlers.layout import LayoutHandlers
from app.icons import refresh_icons
from app.panels.message_bar import Answer, Level, Message, MessageBar, Topic
from app.panels.recovery_offer import RecoveryOffer
from app.panels.status import StatusBar
from app.panels.tool_bar import ToolBar
from app.panels.tool_options import ToolOptions
from app.panels.welcome import Welcome
from app.recent import recent_files
from app.shared_worker import acquire_worker, release_worker
from app.theme import ThemeName, apply_theme
from app.window_frame import DOCKS, build_frame
from app.window_place import next_place

if TYPE_CHECKING:
    from app.background import Background
    from app.canvas.tools.context import Change, ToolContext
    from app.canvas.view import CanvasView
    from app.document.document import Document
    from app.document.events import Event
    from app.fill import FillController
    from app.handlers.files import FileHandlers
    from app.handlers.masks import MaskHandlers
    from app.handlers.notices import NoticeHandlers
    from app.handlers.recovery import RecoveryHandlers
    from app.handlers.retarget import RetargetHandlers
    from app.handlers.saving import SaveHandlers
    from app.handlers.tools import ToolHandlers
    from app.handlers.view import ViewHandlers
    from app.message_ends import MessageEnds
    from app.panels.engine_status import EngineStatus
    from app.panels.history import HistoryPanel
    from app.panels.inpaint import InpaintPanel
    from app.panels.layers import LayersPanel
    from app.panels.results import ResultsStrip
    from app.settings import Settings, SettingsStore
    from app.worker import EngineWorker

__all__ = ["DOCKS", "MainWindow"]

VARIANTS = 4


class MainWindow(QMainWindow):
    """One document and everything to work on it.

    Args:
        is_frame_first: make the frame only, and the rest after the first paint; otherwise all is made at once.
    """

    first_painted = Signal()
    """The window was seen for the first time and is complete; what may wait until then starts now."""
    document_changed = Signal(object)
    """Another `Document`, or None, is open."""

    windows: ClassVar[list["MainWindow"]] = []
    """Every window that is open."""

    # Made by window_frame.py:
    theme: ThemeName
    recovery: RecoveryOffer
    welcome: Welcome
    stack: QStackedWidget
    messages: MessageBar
    tool_bar: ToolBar
    tool_options: ToolOptions
    status: StatusBar
    docks: dict[str, QDockWidget]
    recent_menu: QMenu

    # Made by window_parts.py:
    store: "SettingsStore"
    worker: "EngineWorker"
    background: "Background"
    fill: "FillController"
    canvas: "CanvasView"
    context: "ToolContext"
    files: "FileHandlers"
    saving: "SaveHandlers"
    masks: "MaskHandlers"
    view: "ViewHandlers"
    tools: "ToolHandlers"
    recoveries: "RecoveryHandlers"
    notices: "NoticeHandlers"
    retargeting: "RetargetHandlers"
    ends: "MessageEnds"
    engine_status: "EngineStatus"
    inpaint: "InpaintPanel"
    layers: "LayersPanel"
    history: "HistoryPanel"
    results: "ResultsStrip"

    def __init__(self, *, is_frame_first: bool = False) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Pentimento")
        self.document: Document | None = None
        self._stop_observing = lambda: None
        self._is_painted = False
        self._is_complete = False
        self._waits = 0
        self._dialogs: dict[str, QWidget] = {}
        self.registry = ActionRegistry(self, self.show_error)
        self.arrangement = LayoutHandlers(self)
        build_frame(self)
        MainWindow.windows.append(self)
        if not is_frame_first:
            self._complete()

    def _complete(self) -> None:
        """Put into the frame what the window works with."""
        from app.window_parts import build_parts

        build_parts(self, acquire_worker())
        self._stop_settings = self.store.observe(self.apply_settings)
        self.apply_settings(self.store.value)
        self.tools.choose("brush")
        self.context.restore_brushes(self.store.value.brushes)
        self.set_document(None)
        self._is_complete = True
        self.notices.listen()

    # The document ----------------------------------------------------------------------------------------------------

    def set_document(self, document: "Document | None") -> None:
        """Show another document, or none; the one before is let go."""
        if self.document is not None:
            self.fill.cancel()  # an answer would find its document closed
        before, self.document = self.document, document
        self._stop_observing()
        self._stop_observing = (
            document.observe(self._document_changed) if document is not None else lambda: None
        )
        if not self.notices.is_in_front:
            self.messages.put_away()
        for part in (self.canvas, self.fill, self.inpaint, self.results, self.layers, self.history):
            part.set_document(document)
        self.saving.follow(document)
        if before is not None:
            before.close()
        self.view.set_wipe(False)
        self.stack.setCurrentWidget(self.welcome if document is None else self.canvas)
        self.messages.raise_()  # the stack puts its widget in front
        self.tool_bar.setEnabled(document is not None)
        self.tool_options.setEnabled(document is not None)
        if document is not None:
            self.context.fit_brushes(document.size_hw)
            self.canvas.setFocus()
        self._tell_size()
        self.status.set_zoom(self.canvas.viewport.scale)
        self.refresh()
        self.document_changed.emit(document)

    def _tell_size(self) -> None:
        """Size and kind of the picture, in the status line."""
        document, detail = self.document, ""
        if document is not None:
            names = {"L": "grey", "LA": "grey with alpha", "RGB": "RGB", "RGBA": "RGB with alpha"}
            detail = f"{names[document.mode]}, {16 if document.is_deep else 8} bits"
            detail += ", with a colour profile" if document.icc_profile else ""
        self.status.set_size(document.size_hw if document is not None else None, detail)

    def refresh(self) -> None:
        """Title and actions as the document is now."""
        document = self.document
        if document is None:
            self.setWindowTitle("Pentimento")
            self.setWindowModified(False)
        else:
            self.setWindowTitle(f"{document.name}[*] - Pentimento")
            self.setWindowModified(document.is_modified)
        state: dict[Need, bool] = {
            "document": document is not None,
            "hole": self.fill.state.can_fill or (document is not None and self.retargeting.is_on),
            "result": document is not None and document.current_result_id is not None,
            "undo": document is not None and (document.can_undo or self.retargeting.can_take_back),
            "redo": document is not None and document.can_redo,
        }
        self.registry.set_state(state)
        for key, label in (("undo", "undo_label"), ("redo", "redo_label")):
            words = getattr(document, label) if document is not None else ""
            self.registry[key].setText(f"&{key.capitalize()} {words}".rstrip())

    def undo(self) -> None:
        """Take back the last step; before that, a shape that no picture was remade in yet."""
        if self.retargeting.take_back():
            return
        if self.document is not None:
            self.document.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        if self.document is not None:
            self.document.redo()

    def _document_changed(self, event: "Event") -> None:
        from app.document.events import CanvasChanged, CurrentResultChanged, HistoryChanged, Saved

        self.ends.heard(event)
        if isinstance(event, CanvasChanged):
            self._tell_size()
        if isinstance(event, (HistoryChanged, Saved, CurrentResultChanged)):
            if (
                isinstance(event, CurrentResultChanged)
                and event.result_id is None
                and self.canvas.wipe is not None
            ):
                self.view.set_wipe(False)
            self.refresh()

    def tools_changed(self, change: "Change") -> None:
        """A stroke that is done is filled, or kept while the rest is remade."""
        if change == "committed":
            (self.retargeting if self.retargeting.is_on else self.fill).stroke_committed()

    # Filling ---------------------------------------------------------------------------------------------------------

    def start_engine(self) -> None:
        """Start the engine's process; everything else works before it answers."""
        self.worker.start()

    def fill_now(self) -> None:
        """Fill the hole, or remake the picture: what the panel in front is for."""
        if self.retargeting.is_on:
            self.retargeting.remake()
        else:
            self.fill.fill()

    def fill_variants(self) -> None:
        """Fill several times with other seeds, or remake the picture as often."""
        if self.retargeting.is_on:
            self.retargeting.controller.remake_variants(VARIANTS)
        else:
            self.fill.fill_variants(VARIANTS)

    def set_live(self, is_live: bool) -> None:
        """Fill after each stroke, or only when asked."""
        self.fill.set_live(is_live)

    def hide_result(self) -> None:
        """Show the picture without a result."""
        self.fill.show_result(None)

    def cancel(self) -> None:
        """Esc: a stroke first, then what runs, then the message that is shown."""
        if self.canvas.cancel_gesture():
            return
        if self.retargeting.cancel():
            return
        if self.fill.state.is_busy:
            self.fill.cancel()
        elif self.messages.message is not None:
            self.messages.put_away()

    def engine_died(self, reason: str, is_starting: bool) -> None:
        """Say that the engine stopped, and whether it comes back by itself."""
        sentence = _sentence(reason)
        if is_starting:
            next_step = "Your document is untouched, and jobs that wait go on."
            title = "The engine stopped and is starting again"
            self.notify("warning", title, sentence, next_step, about="engine")
        else:
            next_step = (
                "Your document is untouched. The next fill tries again; 'pentimento doctor' tells more."
            )
            self.notify("error", "The engine does not start", sentence, next_step, about="engine")

    # Saying things ---------------------------------------------------------------------------------------------------

    def say(self, words: str, *, stays: bool = False, about: Topic = "") -> None:
        """Say something in the status bar: for a while, or until what it speaks of is over."""
        self.status.say(words, about=about, stays=stays)

    def settle(self, *topics: Topic) -> None:
        """What was said of these is over: it goes from the status bar and from above the canvas."""
        self.status.settle(*topics)
        self.messages.settle(*topics)

    def notify(
        self,
        level: Level,
        title: str,
        sentence: str = "",
        next_step: str = "",
        answers: Sequence[Answer] = (),
        *,
        about: Topic = "",
    ) -> None:
        """Say something above the canvas."""
        self.messages.show_message(Message(level, title, sentence, next_step, about=about), answers)

    def show_error(self, error: BaseException, about: Topic = "request") -> None:
        """The one door for everything that goes wrong: what, and what to do. Faults of ours go to the log as well.

        Args:
            error: what was raised.
            about: what it kept from being done; when that is over, so is the message. A request goes with the next step.
        """
        explanation = explain(error)
        if explanation.exit_code == OUR_FAULT:
            from app.console import write_traceback

            path = write_traceback(error, ["window"])
            where = f"The details are in {path}." if path else "The log could not be written."
            self.notify(
                "error",
                "Something went wrong",
                f"{type(error).__name__}: {error}",
                f"This is our fault. {where}",
            )
            return
        name = explanation.name
        is_path = "/" in name or "\\" in name or "." in name
        title = Path(name).name if is_path else _sentence(name, "")
        sentence, next_step = _sentence(explanation.sentence), _sentence(explanation.next_step)
        self.notify("error", title, sentence, next_step, about=about)

    @property
    def is_waiting(self) -> bool:
        """Whether a document is being opened."""
        return self._waits > 0

    def begin_wait(self, words: str) -> None:
        """Something is being opened; the window still answers."""
        self._waits += 1
        self.say(words, stays=True, about="open")
        if self._waits == 1:
            self.setCursor(Qt.CursorShape.BusyCursor)

    def end_wait(self) -> None:
        """It is there, or it failed."""
        self._waits -= 1
        if self._waits == 0:
            self.status.settle("open")
            self.unsetCursor()

    def guarded(self, call: Callable[..., object]) -> Callable[..., None]:
        """A slot whose exceptions come to the door for errors."""

        def slot(*args: object) -> None:
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001  (Qt would swallow it)
                self.show_error(error)

        return slot

    # Settings and dialogs --------------------------------------------------------------------------------------------

    def apply_settings(self, settings: "Settings") -> None:
        """Take the settings in force."""
        from app.keys import keys_in_force

        if settings.theme != self.theme:
            self.theme = settings.theme
            application = QApplication.instance()
            if isinstance(application, QApplication) and application.property("theme") != settings.theme:
                application.setProperty("theme", settings.theme)
                apply_theme(application, settings.theme)
            self.refresh_theme()
        self.registry.set_keys(keys_in_force(settings.key_profile, settings.own_keys))
        open_keys = self.registry["open"].shortcuts()
        if open_keys:
            self.welcome.set_open_key(open_keys[0])
        self.view.show_mask()
        if self.fill.is_live != settings.is_live:
            self.fill.set_live(settings.is_live)
        if self.fill.settings.quality != settings.quality:
            self.fill.change_settings(quality=settings.quality)
        self.registry.set_checked("live", settings.is_live)

    def refresh_theme(self) -> None:
        """Colour icons and marks anew."""
        if self._is_painted:
            refresh_icons(self)
        for part in (self.messages, self.recovery, self.welcome):
            part.refresh_theme()
        self.history.refresh()

    def show_settings(self) -> None:
        """Open the settings."""
        from app.dialogs.settings_dialog import SettingsDialog

        self._show_dialog("settings", lambda: SettingsDialog(self.store, self))

    def show_keys(self) -> None:
        """Open the dialog that changes keys."""
        from app.dialogs.key_dialog import KeyDialog

        self._show_dialog("keys", lambda: KeyDialog(self.store, self))

    def show_shortcuts(self) -> None:
        """Open the sheet of all keys."""
        from app.dialogs.shortcut_sheet import ShortcutSheet

        self._show_dialog("shortcuts", lambda: ShortcutSheet(self.registry, self.show_keys, self))

    def show_about(self) -> None:
        """Open the page about the program."""
        from app.dialogs.about import About

        self._show_dialog("about", lambda: About(self))

    def _show_dialog(self, name: str, make: object) -> None:
        before = self._dialogs.pop(name, None)
        if before is not None:
            before.close()
            before.deleteLater()
        dialog: QWidget = make()  # type: ignore[operator]
        self._dialogs[name] = dialog
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    # Windows and panels ----------------------------------------------------------------------------------------------

    def new_window(self) -> "MainWindow":
        """Open a second window."""
        window = MainWindow()
        window.move(next_place(window.size(), self.screen().availableGeometry(), self.pos()))
        window.show()
        window.start_engine()
        return window

    def come_forward(self) -> None:
        """Show this window in front of the others."""
        self.showNormal() if self.isMinimized() else self.show()
        self.raise_()
        self.activateWindow()

    def quit(self) -> None:
        """Close every window, those that are saved first a little later; what the user wants to keep open ends it."""
        for window in tuple(MainWindow.windows):
            if not window.close() and not window.saving.is_leaving:
                return

    def refresh_recent(self) -> None:
        """Show the files that were open last, in the menu and at the start."""
        paths = recent_files()
        self.welcome.set_recent(paths)
        self.recent_menu.clear()
        for path in paths:
            action = self.recent_menu.addAction(path.name)
            action.setToolTip(str(path))
            action.triggered.connect(lambda _=False, path=path: self.files.open_paths([path]))
        self.recent_menu.setEnabled(bool(paths))

    # Layout, first paint, closing ------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Tell once that the window was seen."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self._after_first_paint)

    def _after_first_paint(self) -> None:
        if self not in MainWindow.windows:
            return  # closed as soon as it was seen
        if not self._is_complete:
            self._complete()
        refresh_icons(self)  # menus have theirs from here on
        self.first_painted.emit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the window manager out of full screen."""
        if event.type() == QEvent.Type.WindowStateChange:
            self.registry.set_checked("full_screen", self.isFullScreen())
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ask about unsaved changes; then let go of everything."""
        event.ignore()  # until the end: a fault on the way leaves the window, and the work in it, where it is
        if not self._is_complete:
            MainWindow.windows.remove(self)
            super().closeEvent(event)
            return
        if not self.saving.leave(lambda: self.set_document(None)):
            self.saving.close_window_after_save()
            return
        self.arrangement.save()
        self.store.change(brushes=self.context.brushes())
        for dialog in self._dialogs.values():
            dialog.close()
        self._stop_settings()
        self.notices.close()
        self.background.close()
        self.recoveries.close()
        self.retargeting.close()
        self.fill.cancel()
        if self in MainWindow.windows:
            MainWindow.windows.remove(self)
            release_worker()
        super().closeEvent(event)
        self.deleteLater()  # each window takes 8 MiB, which Qt would keep until the program ends


def _sentence(words: str, end: str = ".") -> str:
    """Words of an error as a sentence: a capital in front and a full stop behind."""
    words = " ".join(words.split())
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else end)
