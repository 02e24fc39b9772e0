"""What belongs to learning a picture besides the buttons: its folder, its name, and what goes wrong there."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.learning import FILM_MOST, LearningController, Run, found_in, kept_name, prepare
from engine.manifest import is_name
from engine.pictures import picture_sha256, read_rgb


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 2), (40, 50, 3), (40, 50, 4)])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_picture_is_written_as_what_it_is_named_by(own_folders, shape, depth) -> None:
    pixels = np.random.default_rng(2).integers(0, np.iinfo(depth).max, shape).astype(depth)
    run = prepare(pixels, is_written=True)
    assert run.folder.parent == own_folders / "cache" / "learning"
    assert picture_sha256(read_rgb(run.folder / "picture.png")) == picture_sha256(pixels) == run.digest


def test_looking_writes_nothing(own_folders) -> None:
    run = prepare(np.zeros((40, 50, 3), np.uint8), is_written=False)
    assert (run.step, run.steps) == (0, 0)
    assert not (own_folders / "cache").exists()


@pytest.mark.parametrize("options", [None, "no json", "[]", '{"train": {}}'])
def test_a_folder_with_half_of_a_run_counts_as_none(tmp_path, options) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-000000040.pt").write_bytes(b"")
    (tmp_path / "checkpoints" / "step-000000050.pt.part").write_bytes(b"")
    if options is not None:
        (tmp_path / "options.json").write_text(options)
    assert found_in(Run("0", tmp_path)).step == 0
    (tmp_path / "options.json").write_text(json.dumps({"train": {"steps": 90}}))
    found = found_in(Run("0", tmp_path))
    assert (found.step, found.steps) == (40, 90)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Brick wall.PNG", "brick-wall-0123456789"),
        ("", "picture-0123456789"),
        ("日本", "picture-0123456789"),
        ("x" * 90, "x" * 40 + "-0123456789"),
    ],
)
def test_a_kept_name_is_one_that_weights_may_have(name, kept) -> None:
    assert kept_name(name, "0123456789abcdef") == kept
    assert is_name(kept)


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
