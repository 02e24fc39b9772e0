"""What the window works with: canvas, tools, filling, the contents of docks and bars; and who listens to whom.

The frame (`app.window_frame`) stands when this starts, and has a place for each part.
"""

from typing import TYPE_CHECKING

from app.background import Background
from app.canvas.tools.context import ToolContext
from app.canvas.tools.registry import make_tools
from app.canvas.view import CanvasView
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
from app.result_door import ResultDoor
from app.settings import settings_store
from app.window_frame import RESULTS_HEIGHT_PX

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.worker import EngineWorker


def build_parts(window: "MainWindow", worker: "EngineWorker") -> None:
    """Make every part of a window that has its frame, and connect them.

    Args:
        window: gets its parts as attributes.
        worker: the engine, started or not.
    """
    window.store = settings_store()
    window.worker = worker
    window.background = Background(window)
    window.fill = FillController(worker, window)
    window.canvas = CanvasView()
    window.stack.addWidget(window.canvas)
    window.context = ToolContext(lambda: window.document, warn=window.show_error)
    window.context.view = window.canvas
    window.files = FileHandlers(window)
    window.saving = SaveHandlers(window)
    window.masks = MaskHandlers(window)
    window.view = ViewHandlers(window)
    window.tools = ToolHandlers(window, make_tools(window.context))
    window.recoveries = RecoveryHandlers(window)
    window.notices = NoticeHandlers(window)
    _fill_bars(window)
    _fill_docks(window)
    _connect(window)


def _fill_bars(window: "MainWindow") -> None:
    window.tool_options.fill(window.context)
    window.engine_status = EngineStatus(window.worker, window.fill)
    window.status.insertPermanentWidget(0, window.engine_status)


def _fill_docks(window: "MainWindow") -> None:
    window.inpaint = InpaintPanel(window.fill, window.context)
    window.retargeting = RetargetHandlers(window, window.inpaint)
    window.layers = LayersPanel()
    window.history = HistoryPanel()
    window.results = ResultsStrip(ResultDoor(window))
    window.results.setMinimumHeight(RESULTS_HEIGHT_PX)
    contents = {
        "inpaint_dock": window.retargeting.dock_widget,
        "layers_dock": window.layers,
        "history_dock": window.history,
        "results_dock": window.results,
    }
    for name, panel in contents.items():
        ground = window.docks[name].widget()
        window.docks[name].setWidget(panel)
        ground.deleteLater()


def _connect(window: "MainWindow") -> None:
    canvas, fill, files = window.canvas, window.fill, window.files
    guarded = window.guarded
    canvas.cursor_moved.connect(window.status.set_cursor)
    canvas.cursor_left.connect(window.status.clear_cursor)
    canvas.zoom_changed.connect(window.status.set_zoom)
    canvas.files_dropped.connect(guarded(files.drop))
    canvas.tool_finished.connect(window.refresh)
    window.status.zoom_asked.connect(canvas.zoom_to)
    window.status.fit_asked.connect(canvas.fit)
    window.welcome.open_asked.connect(files.ask_open)
    window.welcome.sample_asked.connect(guarded(files.open_sample))
    window.welcome.file_asked.connect(lambda path: files.open_paths([path]))
    window.welcome.files_dropped.connect(guarded(files.drop))
    fill.failed.connect(lambda error: window.show_error(error, "fill"))
    fill.said.connect(lambda words: window.say(words, about="fill"))
    window.ends = MessageEnds(window)
    fill.preview_changed.connect(canvas.set_preview)
    fill.state_changed.connect(lambda _: window.refresh())
    fill.live_changed.connect(lambda is_live: window.store.change(is_live=is_live))
    fill.settings_changed.connect(lambda settings: window.store.change(quality=settings.quality))
    window.worker.died.connect(window.engine_died)
    window.inpaint.load_mask_asked.connect(guarded(window.masks.load))
    window.layers.mask_dropped.connect(guarded(window.masks.load))
    window.inpaint.save_mask_asked.connect(guarded(window.masks.save))
    window.inpaint.edges_shown.connect(window.view.show_edges)
    window.results.compare_asked.connect(window.view.set_wipe)
    window.results.compared_changed.connect(window.view.choose_compared)
    window.history.failed.connect(window.show_error)
    window.recovery.recover_asked.connect(guarded(window.recoveries.recover))
    window.recovery.discard_asked.connect(guarded(window.recoveries.discard))
    window.recovery.undo_asked.connect(guarded(window.recoveries.undo_discard))
    window.context.observe(window.tools_changed)
