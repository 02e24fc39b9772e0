import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QProgressBar, QToolButton

from app.panels.engine_status import EngineStatus
from app.panels.status import StatusBar
from app.theme import apply_theme
from engine.host import Ready, StatusSaid
from tests.app.fakes import stroke

READY = Ready("cpu", "cpu", "bfloat16", 2.0, 1)


@pytest.fixture
def status(qtbot, worker, controller):
    made = EngineStatus(worker, controller)
    qtbot.addWidget(made)
    made.show()
    return made


def words(status):
    return status.findChild(QLabel, "engine_words").text()


def test_starting_then_ready_then_what_it_has(status, worker):
    assert words(status) == "Engine is starting"
    assert "draw meanwhile" in status.toolTip()
    worker.ready.emit(READY)
    assert words(status) == "CPU"
    worker.status_changed.emit(StatusSaid("cpu", "cpu", 21_000_000, 3_400_000_000, 0, 0))
    assert words(status) == "CPU, 3.4 GB free"
    assert "Networks loaded: 21 MB" in status.toolTip()
    assert "bfloat16" in status.toolTip()
    worker.ready.emit(Ready("cuda:0", "NVIDIA H200", "bfloat16", 3.0, 2))
    assert words(status).startswith("NVIDIA H200")


def test_a_running_job_shows_its_share_and_can_be_stopped(status, worker, controller, document):
    bar, stop = status.findChild(QProgressBar), status.findChild(QToolButton, "engine_stop")
    assert not bar.isVisible()
    worker.ready.emit(READY)
    stroke(document, (10, 8, 30, 20))
    controller.fill_variants(2)
    worker.begin(share=0.4, word="edges")
    assert bar.isVisible()
    assert (bar.value(), bar.maximum()) == (400, 1000)
    assert bar.text() == "Fill: edges, 1 waiting"
    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert worker.waiting == []
    assert not bar.isVisible()
    assert not stop.isVisible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_status_bar_stays_as_high_while_a_fill_runs(
    qtbot, qapp, status, worker, controller, document, theme
):
    """Else the canvas gets lower, and the photo moves under the pen."""
    apply_theme(qapp, theme)
    bar = StatusBar(status)
    qtbot.addWidget(bar)
    bar.show()
    bar.set_size((40, 60))
    idle = bar.sizeHint().height()
    stroke(document, (10, 8, 30, 20))
    controller.fill()
    assert bar.findChild(QProgressBar).isVisible()
    assert bar.sizeHint().height() == idle
    worker.ready.emit(READY)
    worker.begin(share=0.4, word="edges")
    assert bar.findChild(QToolButton, "engine_stop").isVisible()
    assert bar.sizeHint().height() == idle
    worker.answer()
    assert bar.sizeHint().height() == idle
    apply_theme(qapp, "dark")


def test_a_job_that_waits_for_the_engine_to_start_has_no_share_yet(status, worker, controller, document):
    stroke(document, (10, 8, 30, 20))
    controller.fill()
    bar = status.findChild(QProgressBar)
    assert bar.isVisible()
    assert bar.maximum() == 0


def test_which_result_is_seen_is_said(status, worker, controller, document):
    shown = status.findChild(QLabel, "engine_shown")
    assert not shown.isVisible()
    stroke(document, (10, 8, 30, 20))
    controller.fill()
    worker.answer()
    assert shown.text() == "Full result"
    assert shown.isVisible()
    stroke(document, (40, 30, 50, 38))
    assert shown.text() == "Earlier result"


def test_a_death_is_said_until_a_while_after_the_next_start(status, worker, qtbot):
    worker.ready.emit(READY)
    worker.died.emit("it was ended by signal 9", True)
    assert words(status) == "Engine stopped, starting again"
    assert "signal 9" in status.toolTip()
    assert "work is untouched" in status.toolTip()
    worker.ready.emit(READY)
    assert words(status) == "Engine was restarted"
    status._trouble_ends.setInterval(10)
    status._trouble_ends.start()
    qtbot.waitUntil(lambda: words(status) == "CPU")


def test_controls_have_names(status):
    assert status.findChild(QToolButton, "engine_stop").accessibleName() == "Stop"
    assert status.findChild(QToolButton, "engine_stop").toolTip() == "Stop what runs and what waits"
    assert status.findChild(QProgressBar, "engine_progress").accessibleName()


def test_an_engine_that_does_not_start_is_called_so(status, worker):
    worker.died.emit("no module named torch", True)
    assert words(status) == "Engine stopped, starting again"
    worker.died.emit("no module named torch", False)
    assert words(status) == "Engine does not start"
    assert "no module named torch" in status.toolTip()
    assert "pentimento doctor" in status.toolTip()
    status._trouble_ends.timeout.emit()
    assert words(status) == "Engine does not start"
    worker.ready.emit(READY)
    assert words(status) == "Engine was restarted"
