"""The folder of a picture that is learned: what is written there, what counts as found, and when it goes."""

import json
import os
import stat
import time

import numpy as np
import pytest
from PIL import Image

from app import learning_child, learning_runs
from app.learned_weights import kept_of
from app.learning_holds import LEARNED_NAME, hold
from app.learning_runs import WEIGHTS_NAME, Run, clear_up, found_in, prepare
from engine.pictures import picture_sha256, read_rgb
from engine.private import PlaceError
from engine.weights import WeightsStore
from tests.engine.pipelines.test_retarget import write_learned


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


@pytest.mark.parametrize("options", ['{"train":{"steps":Infinity}}', '{"train":{"steps":-5}}', "[" * 100000])
def test_a_folder_may_hold_anything(tmp_path, options):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-000000100.pt").write_bytes(b"")
    (tmp_path / "options.json").write_text(options)
    assert (found_in(Run("a" * 64, tmp_path)).step, found_in(Run("a" * 64, tmp_path)).steps) == (0, 0)


def test_a_pipe_in_the_place_of_the_options_is_not_waited_for(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-000000100.pt").write_bytes(b"")
    os.mkfifo(tmp_path / "options.json")
    assert found_in(Run("a" * 64, tmp_path)).step == 0


def test_a_damaged_picture_is_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_runs, "cache_folder", lambda: tmp_path)
    pixels = np.full((40, 40, 3), 7, np.uint8)
    path = prepare(pixels, is_written=True).folder / "picture.png"
    path.write_bytes(b"")
    prepare(pixels, is_written=True)
    assert np.array_equal(np.asarray(Image.open(path)), pixels)


def test_what_is_kept_of_the_picture_is_found_and_whether_more_was_learned_since(own_folders) -> None:
    pixels = np.full((40, 40, 3), 7, np.uint8)
    run = prepare(pixels, is_written=True)
    assert (run.kept, run.is_all_kept) == (None, False)
    write_learned(run.weights, learned_from=pixels)
    WeightsStore().import_official([run.weights], "retarget", f"wall-{run.digest[:10]}")
    found = prepare(pixels, is_written=False)
    assert found.kept == kept_of(run.digest)
    assert found.is_all_kept, "no step is saved in the folder"
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "step-000000040.pt").write_bytes(b"")
    (run.folder / "options.json").write_text(json.dumps({"train": {"steps": 90}}))
    assert prepare(pixels, is_written=False).is_all_kept
    write_learned(run.weights, learned_from=pixels, seed=1)
    assert not prepare(pixels, is_written=False).is_all_kept


def test_a_damaged_list_of_weights_keeps_nobody_from_learning(own_folders) -> None:
    (own_folders / "weights").mkdir()
    (own_folders / "weights" / "manifest.toml").write_text("no toml")
    assert prepare(np.zeros((40, 50, 3), np.uint8), is_written=True).kept is None


@pytest.fixture
def left(tmp_path):
    """Folders last written to so many days ago, a thousand bytes each; and the time now."""
    now_s = time.time()

    def folder(days):
        path = tmp_path / f"{int(10 * days):032x}"
        (path / "checkpoints").mkdir(parents=True)
        (path / "checkpoints" / "step-000000040.pt").write_bytes(b"PK\3\4" + bytes(996))
        for one in (path / "checkpoints" / "step-000000040.pt", path / "checkpoints", path):
            os.utime(one, (now_s - days * 86400, now_s - days * 86400))
        return path

    return folder, now_s


def test_a_folder_in_which_nobody_learned_for_long_goes(left) -> None:
    folder, now_s = left
    mine, old, newer = folder(200), folder(91), folder(89)
    assert clear_up(mine, now_s) == [old]
    assert (mine.is_dir(), old.exists(), newer.is_dir()) == (True, False, True)


def test_a_folder_that_cannot_be_read_does_not_keep_the_others(left, monkeypatch) -> None:
    folder, now_s = left
    mine, unreadable, old = folder(1), folder(120), folder(91)
    measure = learning_runs._age_and_size

    def fail(path, now):
        if path == unreadable:
            raise PermissionError(path)
        return measure(path, now)

    monkeypatch.setattr(learning_runs, "_age_and_size", fail)
    assert clear_up(mine, now_s) == [old]
    assert unreadable.is_dir()


def test_where_all_are_too_large_those_left_longest_go(left, monkeypatch) -> None:
    folder, now_s = left
    mine, first, second, fresh = folder(60), folder(50), folder(40), folder(0.5)
    monkeypatch.setattr(
        learning_runs, "ALL_BYTES", sum(learning_runs._age_and_size(p, 0)[1] for p in (mine, fresh))
    )
    assert clear_up(mine, now_s) == [first, second]
    monkeypatch.setattr(learning_runs, "ALL_BYTES", 0)
    assert clear_up(mine, now_s) == [], "neither one's own nor one of today"
    assert fresh.is_dir()


def test_a_folder_in_which_somebody_learns_stays(left, monkeypatch) -> None:
    """A child that asks whether to begin, or a machine that slept, writes nothing for long."""
    folder, now_s = left
    mine, learned, other = folder(0), folder(200), folder(100)
    monkeypatch.setattr(learning_runs, "ALL_BYTES", 0)
    with learning_child._alone_in(learned):
        os.utime(learned, (0, 0))
        os.utime(learned / LEARNED_NAME, (0, 0))
        assert clear_up(mine, now_s) == [other]
    assert clear_up(mine, now_s) == [learned]


def test_a_folder_that_windows_show_stays_until_the_last_of_them_goes(left) -> None:
    folder, now_s = left
    mine, shown = folder(0), folder(200)
    first, second = hold(shown), hold(shown)
    for path in (shown, *shown.rglob("*")):
        os.utime(path, (0, 0))
    assert clear_up(mine, now_s) == []
    first.close()
    assert clear_up(mine, now_s) == []
    second.close()
    assert clear_up(mine, now_s) == [shown]


def test_what_the_program_did_not_write_stays(left, tmp_path) -> None:
    folder, now_s = left
    mine, mixed, linked = folder(0), folder(200), folder(300)
    (mixed / "letter.txt").write_text("dear")
    foreign = tmp_path / "photos"
    foreign.mkdir()
    named = tmp_path / ("f" * 32)
    named.mkdir()
    for place in (foreign, named):
        (place / "picture.png").write_bytes(b"no png")
    elsewhere = tmp_path / "elsewhere"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    assert clear_up(mine, now_s) == []
    assert [path.name for path in mixed.iterdir()] == ["letter.txt"]
    assert (foreign / "picture.png").exists()
    assert (named / "picture.png").exists()
    assert (elsewhere / "checkpoints" / "step-000000040.pt").exists()


def test_a_folder_of_learning_is_its_owner_s_alone_also_where_it_was_open(own_folders) -> None:
    pixels = np.zeros((40, 50, 3), np.uint8)
    folder = prepare(pixels, is_written=False).folder
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "step-000000040.pt").write_bytes(b"PK\3\4")
    for path in (own_folders / "cache", folder.parent, folder, folder / "checkpoints"):
        path.chmod(0o755)
    (folder / "checkpoints" / "step-000000040.pt").chmod(0o644)
    prepare(pixels, is_written=True)
    found = [own_folders / "cache", *(own_folders / "cache").rglob("*")]
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in found if path.is_dir()} == {"0o700"}
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in found if path.is_file()} == {"0o600"}
    assert len(found) == 6


@pytest.mark.parametrize(
    "name", ["learning", "picture.png", "checkpoints", "metrics.jsonl", "previews/1-0000040.png"]
)
def test_a_link_in_a_folder_of_learning_is_not_followed(own_folders, tmp_path, name) -> None:
    pixels = np.zeros((40, 50, 3), np.uint8)
    folder = prepare(pixels, is_written=False).folder
    (tmp_path / "foreign").mkdir()
    place = folder.parent if name == "learning" else folder / name
    place.parent.mkdir(parents=True)
    is_folder = name in ("learning", "checkpoints")
    place.symlink_to(tmp_path / "foreign" if is_folder else tmp_path / "foreign" / "new")
    with pytest.raises(PlaceError, match=r"got a link; move it away"):
        prepare(pixels, is_written=True)
    assert list((tmp_path / "foreign").iterdir()) == []


def test_beginning_to_learn_clears_up(own_folders) -> None:
    old = own_folders / "cache" / "learning" / ("0" * 32) / WEIGHTS_NAME
    old.parent.mkdir(parents=True)
    old.write_bytes(b"")
    for path in (old, old.parent):
        os.utime(path, (0, 0))
    prepare(np.zeros((40, 50, 3), np.uint8), is_written=False)
    assert old.exists(), "looking removes nothing"
    prepare(np.zeros((40, 50, 3), np.uint8), is_written=True)
    assert not old.parent.exists()
