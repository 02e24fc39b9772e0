"""What belongs to learning a picture besides the buttons: its looks, and what goes wrong."""

from dataclasses import replace

from app.learning import FILM_MOST, LearningController
from app.learning_runs import Run


def test_older_looks_grow_rarer_and_the_first_and_the_newest_stay(qapp) -> None:
    controller = LearningController()
    for number in range(100):
        controller._show_film((*controller.film, number))
        assert len(controller.film) <= FILM_MOST
        assert (controller.film[0], controller.film[-1]) == (0, number)


def test_a_child_that_cannot_be_started_is_told(qtbot, document) -> None:
    controller = LearningController(command=("/no/such/program",))
    controller.set_document(document)
    controller.learn()
    qtbot.waitUntil(lambda: controller.state.phase == "failed")
    assert controller.state.words == "There is no such file. Check the path."
    controller.close()


def test_weights_that_are_gone_are_told_when_they_are_to_be_used(qtbot, document, own_folders) -> None:
    controller = LearningController()
    controller.set_document(document)
    controller._run = Run("0", own_folders / "gone")
    controller._set(replace(controller.state, phase="paused", step=3, steps=9, has_weights=True))
    controller.use_so_far()
    assert "There is no such file." in controller.state.words
    controller.close()
