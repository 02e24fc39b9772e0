import gc
import warnings

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QWidget,
)

from app.actions import ActionRegistry
from app.background import Background
from app.document.document import Document
from app.errors import DocumentError
from app.fill import FillController
from app.fill_jobs import FillJobs
from app.main_window import DOCKS, MainWindow
from app.retarget import RetargetController
from app.settings import settings_store
from app.theme import DARK, LIGHT
from engine.errors import PictureError
from engine.pictures import Picture


def a_document(size_hw=(60, 80)) -> Document:
    pixels = np.random.default_rng(3).integers(0, 255, (*size_hw, 3)).astype(np.uint8)
    return Document.from_picture(Picture(pixels, "RGB"), name="photo")


@pytest.fixture
def opened(window, qtbot) -> MainWindow:
    window.set_document(a_document())
    qtbot.wait(10)
    return window


def drag(window: MainWindow, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A stroke with the mouse, between two points of the picture."""
    view = window.canvas
    points = [QPoint(*(round(part) for part in view.viewport.to_view(*xy))) for xy in (start, end)]
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[0])
    middle = (points[0] + points[1]) / 2
    QTest.mouseMove(view, middle)
    QTest.mouseMove(view, points[1])
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[1])


# The window ----------------------------------------------------------------------------------------------------------


def test_every_timer_and_controller_belongs_to_its_window(window) -> None:
    """Without an owner, a thread that collects garbage could sweep one and leave its timers running."""
    kinds = (QTimer, ActionRegistry, Background, FillController, FillJobs, RetargetController)
    before = {id(one) for one in gc.get_objects()}
    other = window.new_window()
    other.set_document(a_document())
    other.tools.choose("retarget")
    made = [one for one in gc.get_objects() if type(one) in kinds and id(one) not in before]
    assert {type(one) for one in made} == set(kinds)
    assert [one for one in made if one.parent() is None] == []


def test_a_closed_window_gives_its_memory_back(window, qtbot) -> None:
    other = window.new_window()
    assert other.close()
    qtbot.waitUntil(lambda: not shiboken6.isValid(other))


def test_a_new_window_is_empty_and_starts_nothing(window) -> None:
    assert window.document is None
    assert window.stack.currentWidget() is window.welcome
    assert window.windowTitle() == "Pentimento"
    assert not window.worker.requests


def test_the_window_says_once_that_it_was_seen(window, qtbot) -> None:
    with (
        qtbot.waitSignal(window.first_painted, timeout=2000)
        if not window._is_painted
        else qtbot.assertNotEmitted(window.first_painted)
    ):
        window.repaint()


@pytest.mark.parametrize("name", [name for name, _, _ in DOCKS])
def test_docks_can_be_found_by_name(window, name) -> None:
    assert window.findChild(QWidget, name) is window.docks[name]
    assert window.docks[name].widget() is not None


def test_every_control_has_a_name_for_a_screen_reader(opened) -> None:
    opened.show_settings()
    opened.show_keys()
    opened.show_shortcuts()
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
    nameless = []
    for window in QApplication.topLevelWidgets():
        for control in window.findChildren(QWidget):
            # What Qt makes inside its own controls is read as a part of them.
            is_inner = isinstance(control.parentWidget(), (QAbstractSpinBox, QComboBox, QLineEdit))
            is_inner = is_inner or control.objectName().startswith("qt_") or isinstance(control, QScrollBar)
            name = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
            if isinstance(control, kinds) and not is_inner and not name:
                nameless.append(
                    (type(control).__name__, control.objectName(), control.parentWidget().objectName())
                )
    assert nameless == []


def test_the_theme_changes_while_the_window_is_open(window, qapp) -> None:
    settings_store().change(theme="light")
    assert qapp.palette().window().color().name() == LIGHT.window
    settings_store().change(theme="dark")
    assert qapp.palette().window().color().name() == DARK.window


def test_panels_hide_and_come_back(opened) -> None:
    opened.registry["hide_panels"].trigger()
    assert all(dock.isHidden() for dock in opened.docks.values())
    opened.registry["hide_panels"].trigger()
    assert not any(dock.isHidden() for dock in opened.docks.values())


def test_the_layout_is_kept_until_it_is_reset(window, qtbot) -> None:
    window.docks["results_dock"].hide()
    window.close()
    again = MainWindow()
    assert again.docks["results_dock"].isHidden()
    again.arrangement.reset()
    assert not again.docks["results_dock"].isHidden()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config/settings.json", b"[" * 200_000),
        ("state/recent.json", b'{"format": 99}'),
        ("state/window.json", b"\xff" * 9),
    ],
)
def test_a_window_opens_past_files_of_its_own_that_cannot_be_used_and_says_so(
    monkeypatch, worker, document, own_folders, name, content
) -> None:
    from app import main_window, settings

    monkeypatch.setattr(main_window, "acquire_worker", lambda: worker)
    monkeypatch.setattr(main_window, "release_worker", lambda: None)
    monkeypatch.setattr(settings, "_STORES", {})
    path = own_folders / name
    path.parent.mkdir()
    path.write_bytes(content)
    window = MainWindow()
    window.show()
    assert window.messages.message.level == "warning"
    assert f"{path.name}.set-aside" in window.messages.message.next_step
    assert path.with_name(f"{path.name}.set-aside").read_bytes() == content
    window.set_document(document)
    assert window.messages.message is not None  # opening a picture neither ends nor hides it
    on_it = window.messages.geometry().center()
    assert (
        window.messages.isAncestorOf(window.stack.childAt(on_it))
        or window.stack.childAt(on_it) is window.messages
    )
    window.cancel()
    assert window.messages.message is None
    window.saving.ask_save = lambda: "discard"
    assert window.close()


def places(window: MainWindow) -> dict[str, QRect]:
    """Where everything is that the frame shows."""
    QApplication.processEvents()
    shown = [*window.docks.values(), window.tool_bar, window.tool_options, window.status, window.welcome]
    return {
        part.objectName(): QRect(part.mapTo(window, QPoint()), part.size())
        for part in shown
        if not part.visibleRegion().isEmpty()
    }


@pytest.mark.parametrize("is_arranged", [False, True])
def test_nothing_moves_when_the_frame_is_filled(window, monkeypatch, is_arranged) -> None:
    """The first window is seen before it has its parts; they come into the places that are kept for them."""
    if is_arranged:
        window.resize(790, 700)  # Qt's offscreen screen is 800 px wide
        window.docks["history_dock"].hide()
        window.resizeDocks([window.docks["inpaint_dock"]], [310], Qt.Orientation.Horizontal)
        window.resizeDocks([window.docks["layers_dock"]], [200], Qt.Orientation.Vertical)
        QApplication.processEvents()
        window.close()
    monkeypatch.setattr(MainWindow, "_after_first_paint", lambda _self: None)
    first = MainWindow(is_frame_first=True)
    first.show()
    frame = places(first)
    first._complete()
    assert places(first) == frame
    assert len(frame) >= 7


def test_the_first_window_is_complete_when_it_says_that_it_was_seen(window, qtbot) -> None:
    first = MainWindow(is_frame_first=True)
    with qtbot.waitSignal(first.first_painted, timeout=5000):
        first.show()
    assert first.stack.currentWidget() is first.welcome
    assert first.inpaint.isVisible()
    assert first.registry["open"].shortcuts()


def test_a_fault_while_closing_leaves_the_window_open(opened, monkeypatch) -> None:
    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(opened.arrangement, "save", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        opened.close()
    monkeypatch.undo()
    assert opened.isVisible()


def test_a_window_that_is_closed_as_soon_as_it_is_seen_is_gone(window) -> None:
    first = MainWindow(is_frame_first=True)
    first.show()
    assert first.close()
    QApplication.processEvents()
    assert MainWindow.windows == [window]


def test_the_first_window_has_the_colours_of_the_last(window, qapp) -> None:
    settings_store().change(theme="light")
    window.close()
    qapp.setProperty("theme", None)
    first = MainWindow(is_frame_first=True)
    assert qapp.property("theme") == "light"
    assert first.palette().window().color().name() == LIGHT.window
    settings_store().change(theme="dark")
    first.close()
    MainWindow()
    assert qapp.palette().window().color().name() == DARK.window


def test_f6_walks_through_the_areas(opened, qtbot) -> None:
    opened.activateWindow()
    opened.canvas.setFocus()
    seen = []
    for _ in range(6):
        opened.arrangement.focus_next()
        seen.append(opened.focusWidget())
    assert len(set(map(id, seen))) >= 4
    opened.arrangement.focus_previous()
    assert opened.focusWidget() is seen[-2]


def test_a_second_window_has_a_document_of_its_own(opened) -> None:
    other = opened.new_window()
    assert other is not opened
    assert other.document is None
    assert opened.document is not None
    assert MainWindow.windows == [opened, other]


# A document ----------------------------------------------------------------------------------------------------------


def test_a_document_fills_the_window(opened) -> None:
    assert opened.stack.currentWidget() is opened.canvas
    assert opened.windowTitle() == "photo[*] - Pentimento"
    assert opened.registry["save"].isEnabled()
    assert opened.status.findChild(QWidget, "status_size").text() == "80 × 60 px"
    assert opened.layers.list.model().rowCount() == 3


def test_a_stroke_masks_and_undo_takes_it_back(opened) -> None:
    coverage = opened.document.mask_layer.planes["coverage"]
    drag(opened, (20, 20), (60, 40))
    assert coverage.max() == 255
    assert opened.isWindowModified()
    assert opened.registry["undo"].isEnabled()
    assert "rush" in opened.registry["undo"].text()
    opened.registry["undo"].trigger()
    assert coverage.max() == 0
    opened.registry["redo"].trigger()
    assert coverage.max() == 255


def test_a_stroke_starts_a_live_fill(opened, qtbot) -> None:
    drag(opened, (20, 20), (60, 40))
    qtbot.waitUntil(lambda: len(opened.worker.requests) > 0)
    assert opened.worker.requests[1].is_live


def test_ctrl_enter_fills_on_request(opened, qtbot) -> None:
    opened.fill.set_live(False)
    drag(opened, (20, 20), (60, 40))
    qtbot.wait(20)
    assert not opened.worker.requests
    opened.activateWindow()
    QTest.keyClick(opened, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(opened.worker.requests) == 1)
    assert not opened.worker.requests[1].is_live
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    assert not opened.worker.waiting


@pytest.mark.parametrize(
    ("key", "tool"),
    [("E", "eraser"), ("M", "rectangle"), ("L", "lasso"), ("W", "wand"), ("H", "hand"), ("B", "brush")],
)
def test_a_letter_chooses_a_tool(opened, key, tool) -> None:
    opened.activateWindow()
    QTest.keyClick(opened.canvas, getattr(Qt.Key, f"Key_{key}"))
    assert opened.tools.current.id == tool
    assert opened.registry[f"tool_{tool}"].isChecked()
    assert opened.canvas.tool is opened.tools[tool]


def test_brackets_change_the_brush(opened) -> None:
    before = opened.context.brush().size_px
    opened.registry["brush_larger"].trigger()
    assert opened.context.brush().size_px > before
    opened.registry["brush_smaller"].trigger()
    opened.registry["brush_smaller"].trigger()
    assert opened.context.brush().size_px < before
    opened.registry["brush_softer"].trigger()
    assert opened.context.brush().hardness == pytest.approx(0.8)


@pytest.mark.parametrize("profile", ["pentimento", "krita", "photoshop"])
def test_brackets_step_by_a_tenth_and_by_a_pixel_at_least(opened, profile) -> None:
    opened.store.change(key_profile=profile)
    opened.activateWindow()
    opened.canvas.setFocus()
    for size, larger, smaller in ((100, 110, 100), (200, 220, 200), (4, 5, 4), (1, 2, 1)):
        opened.context.set_brush(size_px=size)
        QTest.keyClick(opened.canvas, Qt.Key.Key_BracketRight)
        assert opened.context.brush().size_px == larger
        QTest.keyClick(opened.canvas, Qt.Key.Key_BracketLeft)
        assert opened.context.brush().size_px == smaller
    for name in ("brush_larger", "brush_smaller"):
        assert opened.registry[name].autoRepeat(), "a key that is held goes on"


def test_the_first_brush_fits_the_picture_and_a_chosen_one_stays(window) -> None:
    window.set_document(a_document((1200, 1600)))
    assert window.context.brush().size_px == 40
    window.set_document(a_document((400, 600)))
    assert window.context.brush().size_px == 15
    window.registry["brush_larger"].trigger()
    assert window.context.brush().size_px == 16
    window.set_document(a_document((1200, 1600)))
    assert window.context.brush().size_px == 16


@pytest.mark.parametrize("profile", ["pentimento", "krita", "photoshop"])
def test_bracket_keys_change_the_brush_in_every_profile(opened, qtbot, profile) -> None:
    settings_store().change(key_profile=profile)
    opened.activateWindow()
    opened.canvas.setFocus()
    qtbot.waitUntil(opened.canvas.hasFocus)
    sizes = [opened.context.brush().size_px]
    for key in (Qt.Key.Key_BracketRight, Qt.Key.Key_BracketRight, Qt.Key.Key_BracketLeft):
        QTest.keyClick(opened.canvas, key)
        sizes.append(opened.context.brush().size_px)
    assert sizes[0] < sizes[1] < sizes[2] > sizes[3]
    hardness = opened.context.brush().hardness
    QTest.keyClick(opened.canvas, Qt.Key.Key_BraceLeft)
    assert opened.context.brush().hardness == pytest.approx(hardness - 0.1)
    QTest.keyClick(opened.canvas, Qt.Key.Key_BraceRight)
    assert opened.context.brush().hardness == pytest.approx(hardness)


def test_shift_and_a_drag_size_the_brush_in_krita_s_profile_alone(opened) -> None:
    view, shift = opened.canvas, Qt.KeyboardModifier.ShiftModifier
    places = [QPoint(*(round(part) for part in view.viewport.to_view(*xy))) for xy in ((20, 20), (50, 20))]
    before = opened.context.brush().size_px

    def drag_with_shift() -> None:
        QTest.mousePress(view, Qt.MouseButton.LeftButton, shift, places[0])
        QTest.mouseMove(view, (places[0] + places[1]) / 2)
        QTest.mouseMove(view, places[1])
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, shift, places[1])

    settings_store().change(key_profile="krita")
    drag_with_shift()
    assert opened.context.brush().size_px > before
    assert not opened.document.can_undo
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, shift, places[0])
    assert opened.document.can_undo, "a click is a dab"
    opened.undo()
    settings_store().change(key_profile="pentimento")
    size = opened.context.brush().size_px
    drag_with_shift()
    assert opened.context.brush().size_px == size
    assert opened.document.can_undo


def test_the_mask_menu_changes_the_mask(opened) -> None:
    coverage = opened.document.mask_layer.planes["coverage"]
    opened.registry["mask_all"].trigger()
    assert coverage.min() == 255
    opened.registry["mask_invert"].trigger()
    assert coverage.max() == 0
    opened.registry["mask_all"].trigger()
    opened.registry["mask_clear"].trigger()
    assert coverage.max() == 0


def test_edges_can_be_forgotten(opened) -> None:
    opened.tools.switch_target()
    drag(opened, (20, 20), (60, 40))
    assert opened.document.edges_layer.has_any("drawn")
    opened.registry["edges_clear"].trigger()
    assert not opened.document.edges_layer.has_any("drawn")
    opened.undo()
    assert opened.document.edges_layer.has_any("drawn")


def test_the_view_menu_moves_the_view_alone(opened) -> None:
    opened.registry["actual_size"].trigger()
    assert opened.canvas.viewport.scale == 1.0
    opened.registry["zoom_in"].trigger()
    assert opened.canvas.viewport.scale == 1.5
    opened.registry["rotate_right"].trigger()
    assert opened.canvas.viewport.rotation_deg == 15
    opened.registry["mirror"].trigger()
    assert opened.canvas.viewport.is_mirrored
    opened.registry["reset_rotation"].trigger()
    assert not opened.canvas.viewport.is_mirrored
    assert not opened.document.is_modified


def test_the_zoom_field_takes_a_percentage(opened) -> None:
    field = opened.status.findChild(QComboBox, "status_zoom")
    field.setEditText("250")
    QTest.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert opened.canvas.viewport.scale == 2.5
    assert field.currentText() == "250 %"
    field.setEditText("much")
    QTest.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert opened.canvas.viewport.scale == 2.5
    assert field.currentText() == "250 %"


def test_the_mask_is_shown_as_the_settings_say(opened) -> None:
    settings_store().change(mask_colour="blue", mask_pattern="dots", mask_opacity=0.8)
    look = opened.canvas.mask_look
    assert (look.colour, look.pattern, look.strength, look.is_filled) == ("blue", "dots", 0.8, True)
    opened.registry["mask_outline"].trigger()
    assert not opened.canvas.mask_look.is_filled


def test_letting_a_document_go_stops_its_fills(opened) -> None:
    opened.fill.set_live(False)
    drag(opened, (20, 20), (60, 40))
    opened.fill.fill()
    assert opened.worker.waiting
    opened.set_document(None)
    assert not opened.worker.waiting


def test_brushes_are_kept_for_the_next_window(opened) -> None:
    opened.context.set_brush(size_px=123)
    opened.saving.ask_save = lambda: "discard"
    opened.close()
    assert MainWindow().context.brush().size_px == 123


# Messages ------------------------------------------------------------------------------------------------------------


def test_a_refusal_is_told_above_the_canvas(opened) -> None:
    opened.show_error(PictureError("/photos/cat.png", "a picture", "a text", "choose another file"))
    message = opened.messages.message
    assert (message.level, message.title) == ("error", "cat.png")
    assert message.sentence == "Needed: a picture. Found: a text."
    assert message.next_step == "Choose another file."
    assert opened.messages.isVisible()
    opened.cancel()
    assert not opened.messages.isVisible()


def test_a_fault_of_ours_goes_to_the_log(opened, own_folders) -> None:
    try:
        raise ZeroDivisionError("oops")
    except ZeroDivisionError as error:
        opened.show_error(error)
    assert opened.messages.message.title == "Something went wrong"
    assert "ZeroDivisionError: oops" in (own_folders / "pentimento.log").read_text()


def test_a_message_moves_nothing(opened) -> None:
    before = opened.canvas.geometry()
    opened.show_error(DocumentError("layer", "one", "none", "look again"))
    opened.grab()
    assert opened.canvas.geometry() == before


# Dropping ------------------------------------------------------------------------------------------------------------


def drop(widget: QWidget, *paths) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    at = widget.rect().center()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PySide marks the only constructor there is
        enter = QDragEnterEvent(at, Qt.DropAction.CopyAction, data, buttons, modifiers)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(
        widget, QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, modifiers)
    )


def test_a_photo_dropped_on_the_start_opens(window, photo, qtbot) -> None:
    drop(window.welcome, photo)
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.document.size_hw == (44, 56)


def test_a_photo_dropped_on_work_opens_beside_it(opened, photo, qtbot) -> None:
    drag(opened, (20, 20), (60, 40))
    document = opened.document
    drop(opened.canvas, photo)
    qtbot.waitUntil(lambda: len(MainWindow.windows) == 2 and MainWindow.windows[1].document is not None)
    assert opened.document is document


def test_the_end_of_the_engine_is_told_in_a_sentence(window) -> None:
    window.worker.died.emit("it was ended by SIGKILL", True)
    message = window.messages.message
    assert message is not None
    assert message.title == "The engine stopped and is starting again"
    assert message.sentence == "It was ended by SIGKILL."
    window.worker.died.emit("", True)
    assert window.messages.message.sentence == ""


def test_an_engine_that_is_given_up_is_not_called_started_again(window) -> None:
    window.worker.died.emit("no module named torch", False)
    message = window.messages.message
    assert (message.level, message.title) == ("error", "The engine does not start")
    assert "untouched" in message.next_step
    assert "The next fill tries again" in message.next_step
    assert "pentimento doctor" in message.next_step
