"""The folder of a picture that is learned: what is written there, what counts as found, and how it is called."""

import json

import numpy as np
import pytest
from PIL import Image

from app import learning_runs
from app.learning_runs import Run, found_in, kept_name, prepare
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


@pytest.mark.parametrize("options", ['{"train":{"steps":Infinity}}', '{"train":{"steps":-5}}', "[" * 100000])
def test_a_folder_may_hold_anything(tmp_path, options):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-000000100.pt").write_bytes(b"")
    (tmp_path / "options.json").write_text(options)
    assert (found_in(Run("a" * 64, tmp_path)).step, found_in(Run("a" * 64, tmp_path)).steps) == (0, 0)


def test_a_damaged_picture_is_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_runs, "cache_folder", lambda: tmp_path)
    pixels = np.full((40, 40, 3), 7, np.uint8)
    path = prepare(pixels, is_written=True).folder / "picture.png"
    path.write_bytes(b"")
    prepare(pixels, is_written=True)
    assert np.array_equal(np.asarray(Image.open(path)), pixels)
