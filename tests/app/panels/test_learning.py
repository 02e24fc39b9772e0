"""Learning a picture from the panel, by its buttons, with a child process that learns nothing."""

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.document.learned import Learned
from app.learning import LearningController
from app.learning_state import LearningState
from app.panels.learning import EARLIER, EARLIER_PX, FILM_GAP_PX, NEWEST_PX, LearningBox, span
from engine.pictures import picture_sha256
from tests.app.document.conftest import weights_file
from tests.app.fakes import make_document

STAND_IN = "tests.app.learning_stand_in"
PATIENCE_MS = 20_000


@pytest.fixture
def make(qtbot, document):
    """A box, with words that say how the child fails."""
    made = []

    def box(*extra, shown=document):
        controller = LearningController(module=STAND_IN, extra=extra)
        controller.set_document(shown)
        made.append(controller)
        panel = LearningBox(controller)
        panel.learning = controller
        qtbot.addWidget(panel)
        panel.resize(300, 500)
        panel.show()
        return panel

    yield box
    for controller in made:
        process = controller.process
        controller.close()
        assert process is None or process.join(20)


def click(panel, name):
    button = panel.findChild(QAbstractButton, f"learning_{name}")
    assert button.isVisible(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def offered(panel):
    """Buttons that can be pressed, and what they say."""
    found = [one for one in panel.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled()]
    return [one.text() for one in found]


def words(panel, name="words"):
    return panel.findChild(QLabel, f"learning_{name}").text()


def until(qtbot, panel, phase):
    qtbot.waitUntil(lambda: panel.learning.state.phase == phase, timeout=PATIENCE_MS)


def learn(qtbot, panel, steps=12):
    click(panel, "learn")
    until(qtbot, panel, "asking")
    click(panel, "anyway")
    qtbot.waitUntil(lambda: panel.learning.state.step >= steps, timeout=PATIENCE_MS)


def test_it_begins_with_one_button(make):
    panel = make()
    assert offered(panel) == ["Learn this picture"]
    assert "every shape then takes a moment" in words(panel)
    panel.learning.set_document(None)
    assert offered(panel) == []


def test_a_slow_machine_is_told_of_before_it_starts(make, qtbot):
    panel = make()
    click(panel, "learn")
    until(qtbot, panel, "asking")
    assert words(panel).startswith("This processor takes about 35 min to learn")
    assert "instant method takes seconds" in words(panel)
    assert offered(panel) == ["Start anyway", "Use instant"]
    with qtbot.waitSignal(panel.instant_asked):
        click(panel, "instant")
    until(qtbot, panel, "idle")
    assert not panel.learning.is_running


def test_a_quick_machine_begins_at_once(make, qtbot):
    panel = make("--fault", "quick")
    click(panel, "learn")
    until(qtbot, panel, "learning")
    qtbot.waitUntil(lambda: panel.learning.state.has_weights, timeout=PATIENCE_MS)


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_being_worked_out_can_be_cancelled(make, qtbot, is_running):
    panel = make()
    click(panel, "learn")
    if is_running:
        qtbot.waitUntil(lambda: panel.learning.is_running)
    assert offered(panel) == ["Cancel"]
    click(panel, "pause")
    until(qtbot, panel, "idle")
    assert offered(panel) == ["Learn this picture"]


def test_progress_time_loss_and_looks_are_shown(make, qtbot):
    panel = make()
    learn(qtbot, panel, 60)
    bar = panel.findChild(QProgressBar, "learning_progress")
    assert bar.isVisible()
    assert bar.format().endswith(" of 400")
    assert words(panel).startswith("10 min left · loss ")
    assert panel._film.isVisible()
    assert panel._film.count == EARLIER + 1
    assert panel._film.height() == EARLIER_PX + FILM_GAP_PX + NEWEST_PX, (
        "the pictures are 2:1, the box 300 px wide"
    )
    assert offered(panel) == ["Use what is learned so far", "Pause", "Stop and keep"]
    panel.grab()


def test_a_pause_saves_and_going_on_goes_on(make, qtbot):
    panel = make()
    learn(qtbot, panel)
    click(panel, "pause")
    until(qtbot, panel, "paused")
    step = panel.learning.state.step
    assert "everything is saved" in words(panel)
    assert offered(panel) == ["Use what is learned so far", "Go on", "Keep"]
    click(panel, "go_on")
    qtbot.waitUntil(lambda: panel.learning.state.step > step, timeout=PATIENCE_MS)
    assert panel.learning.state.phase == "learning"


def test_stop_and_keep_gives_what_was_learned_a_name(make, qtbot):
    panel = make()
    learn(qtbot, panel)
    with qtbot.waitSignal(panel.learning.kept, timeout=PATIENCE_MS) as kept:
        click(panel, "keep")
    (name,) = kept.args
    assert words(panel).startswith(f"Learned and kept as {name}.")
    assert offered(panel) == ["Learn the picture as it is now"]
    click(panel, "learn")
    until(qtbot, panel, "paused")


def test_what_is_learned_to_the_end_is_kept_by_itself(make, qtbot):
    panel = make("--fault", "short")
    with qtbot.waitSignal(panel.learning.kept, timeout=PATIENCE_MS):
        learn(qtbot, panel, 1)
    assert panel.learning.state.step == 20


def test_what_is_learned_so_far_can_be_used_while_learning_goes_on(make, qtbot):
    panel = make()
    learn(qtbot, panel)
    with qtbot.waitSignal(panel.learning.use_asked) as asked:
        click(panel, "use")
    (path,) = asked.args
    assert Path(path).name == "being-learned.safetensors"
    assert Path(path).read_bytes().startswith(b"weights of step")
    assert panel.learning.state.phase == "learning"


def test_a_document_that_closes_ends_the_process_with_everything_saved(make, qtbot, document):
    panel = make()
    learn(qtbot, panel)
    process = panel.learning.process
    panel.learning.set_document(None)
    assert process.join(20)
    panel.learning.set_document(document)
    panel.learning.look()
    until(qtbot, panel, "paused")
    assert panel.learning.state.step >= 12
    assert offered(panel) == ["Use what is learned so far", "Go on", "Keep"]


def test_another_picture_is_not_offered_what_this_one_learned(make, qtbot):
    panel = make()
    learn(qtbot, panel)
    other = make_document((40, 50))
    panel.learning.set_document(other)
    click(panel, "learn")
    until(qtbot, panel, "asking")
    assert panel.learning.state.step == 0
    panel.learning.set_document(None)
    other.close()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("die", "Learning ended by itself. What was learned up to step 10 is kept."),
        ("start", "There is no such file. Check the path."),
    ],
)
def test_a_process_that_fails_is_told_in_words(make, qtbot, fault, said):
    panel = make("--fault", fault)
    if fault == "die":
        learn(qtbot, panel, 1)
    else:
        click(panel, "learn")
    until(qtbot, panel, "failed")
    assert words(panel, "fault") == said
    keeps = ["Use what is learned so far", "Go on", "Keep"]
    assert offered(panel) == (keeps if fault == "die" else ["Try again"])


def test_keeping_that_fails_is_told_and_can_be_tried_again(make, qtbot):
    panel = make("--fault", "keep")
    learn(qtbot, panel)
    click(panel, "keep")
    until(qtbot, panel, "failed")
    assert words(panel, "fault").startswith("The disk is full. Free some space. What was learned up to step")
    assert "Keep" in offered(panel)
    panel.learning._extra = ()
    with qtbot.waitSignal(panel.learning.kept, timeout=PATIENCE_MS):
        click(panel, "keep")


def test_a_folder_that_cannot_be_made_is_told(make, qtbot, own_folders):
    panel = make()
    (own_folders / "cache").write_text("")
    click(panel, "learn")
    until(qtbot, panel, "failed")
    assert words(panel, "fault") != ""
    assert offered(panel) == ["Try again"]


def test_a_folder_that_goes_while_learning_is_told(make, qtbot, own_folders):
    panel = make()
    learn(qtbot, panel)
    shutil.rmtree(own_folders / "cache", ignore_errors=True)
    until(qtbot, panel, "failed")
    assert words(panel, "fault").startswith("The folder in which this picture was learned is gone")
    assert offered(panel) == ["Try again"]


def test_the_keyboard_stays_with_learning_when_its_button_goes(make, qtbot):
    panel, around = make(), QWidget()
    qtbot.addWidget(around)
    column = QVBoxLayout(around)
    for widget in (QPushButton("Remake"), panel, QPushButton("Dice")):
        column.addWidget(widget)
    around.show()
    around.activateWindow()
    qtbot.waitUntil(around.isActiveWindow)
    panel.findChild(QAbstractButton, "learning_learn").setFocus()
    click(panel, "learn")
    until(qtbot, panel, "asking")
    assert panel.findChild(QAbstractButton, "learning_anyway").hasFocus()
    click(panel, "anyway")
    qtbot.waitUntil(lambda: panel.learning.state.has_weights, timeout=PATIENCE_MS)
    panel.findChild(QAbstractButton, "learning_keep").setFocus()
    click(panel, "keep")
    assert panel.hasFocus()
    until(qtbot, panel, "kept")
    assert panel.findChild(QAbstractButton, "learning_learn").hasFocus()


def test_a_picture_that_was_changed_is_not_begun_anew_unasked(make, qtbot, document):
    panel = make()
    learn(qtbot, panel)
    click(panel, "pause")
    until(qtbot, panel, "paused")
    pixels = document.layers[0]
    with document.begin("Paint") as change, change.writing(pixels.id, "pixels", (0, 0, 9, 9)) as values:
        values[...] = 255 - values
    click(panel, "go_on")
    qtbot.waitUntil(lambda: panel.learning.state.is_other, timeout=PATIENCE_MS)
    assert words(panel).startswith("The picture was changed since.")
    assert offered(panel) == ["Learn the picture as it is now", "Use what is learned so far", "Keep"]
    assert not panel.learning.is_running
    click(panel, "learn")
    until(qtbot, panel, "asking")
    assert panel.learning.state.step == 0


def carry(panel):
    return panel.findChild(QAbstractButton, "learning_carry")


def test_what_the_document_carries_is_offered_and_can_be_left_out(make, qtbot, document):
    digest = picture_sha256(document.layers[0].planes["pixels"])
    document.add_learned(Learned.of(digest, weights_file(1_200_000, digest)))
    panel = make()
    until(qtbot, panel, "carried")
    keeps = "Keep it in the document, 1.2 MB"
    assert offered(panel) == ["Use what was learned", "Learn this picture", keeps]
    assert words(panel).endswith("what was learned came with the document.")
    assert carry(panel).isChecked()
    QTest.mouseClick(carry(panel), Qt.MouseButton.LeftButton, pos=QPoint(8, carry(panel).height() // 2))
    assert document.learned is None
    assert offered(panel) == ["Learn this picture"]
    document.undo()
    until(qtbot, panel, "carried")
    click(panel, "bring_in")
    until(qtbot, panel, "kept")
    panel.grab()


def test_what_the_document_carries_of_another_picture_can_be_left_out(make, qtbot, document):
    document.add_learned(Learned.of("ab" * 32, weights_file(picture="ab" * 32)))
    panel = make()
    qtbot.waitUntil(lambda: panel.learning._run is not None)
    said = "Keep what was learned before in the document, 0.1 MB"
    assert offered(panel) == ["Learn this picture", said]


def test_what_is_too_large_for_the_document_says_so(make, qtbot):
    panel = make()
    panel.show_state(LearningState("kept", words="wall", kept_bytes=80_000_000))
    assert carry(panel).text() == "Too large for the document: 80.0 MB"
    assert not carry(panel).isEnabled()


def test_every_button_has_a_name_and_a_tip(make):
    for button in make().findChildren(QAbstractButton):
        assert button.accessibleName()
        assert button.toolTip()


def test_times_are_read_at_a_glance():
    assert [span(seconds) for seconds in (0.2, 42, 600, 7200)] == ["1 s", "42 s", "10 min", "2.0 h"]
