import contextlib
import io
import os
import pickle
import random
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from engine.errors import TrainingError
from engine.training.checkpoints import (
    NoCheckpointError,
    OtherRunError,
    checkpoint_files,
    read_checkpoint,
    save_checkpoint,
    take_newest,
)

ROOT = Path(__file__).parents[3]


def state_of(step, **changes):
    """The state of a run, as small as it can be."""
    state = {
        "step": step, "stage": "edges", "objective": {"a": torch.arange(4000.0)}, "averages": {}, "sides": {},
        "options": {}, "pictures_per_step": 2, "data": "0" * 64, "cuts": 0, "seconds": 1.5,
    }  # fmt: skip
    return {**state, **changes}


def taken_from(out):
    """Number of the step that is taken, and the reasons for which others are not."""
    states = []
    path, passed = take_newest(out, lambda path, state: states.append(state["step"]))
    assert path.name == f"step-{states[-1]:09d}.pt"
    return states[-1], [reason for _, reason in passed]


def test_the_last_two_are_kept_and_the_newest_comes_back(tmp_path):
    for step in (5, 10, 1000):
        save_checkpoint(tmp_path, step, state_of(step))
    assert [path.name for path in checkpoint_files(tmp_path)] == ["step-000000010.pt", "step-000001000.pt"]
    assert taken_from(tmp_path) == (1000, [])
    assert read_checkpoint(checkpoint_files(tmp_path)[1])["objective"]["a"].tolist() == list(range(4000))


def test_a_writer_killed_midway_leaves_the_old_checkpoint(tmp_path):
    save_checkpoint(tmp_path, 1, state_of(1))
    script = (
        "import os, sys, torch\n"
        "from pathlib import Path\n"
        "from engine.training import checkpoints\n"
        "def save(state, file):\n"
        "    file.write(b'half of it'); file.flush(); os.kill(os.getpid(), 9)\n"
        "torch.save = save\n"
        "checkpoints.save_checkpoint(Path(sys.argv[1]), 2, {'step': 2})\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=False)
    assert done.returncode == -9
    assert [path.name for path in checkpoint_files(tmp_path)] == ["step-000000001.pt"]
    assert taken_from(tmp_path) == (1, [])


def test_a_failed_write_leaves_the_old_checkpoint_and_no_rest(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, 1, state_of(1))

    def no_space(state, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", no_space)
    with pytest.raises(
        TrainingError, match=r"step-000000002.pt: expected free space on the disk, got no space left; fr"
    ):
        save_checkpoint(tmp_path, 2, {"step": 2})
    assert os.listdir(tmp_path / "checkpoints") == ["step-000000001.pt"]


def test_a_full_disk_is_told_in_words_whatever_torch_makes_of_it(tmp_path):
    save_checkpoint(tmp_path, 1, state_of(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(TrainingError, match=r"2.pt: expected a file size the disk allows, got a larger"):
            save_checkpoint(tmp_path, 2, state_of(2, objective={"a": torch.zeros(50_000)}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path / "checkpoints") == ["step-000000001.pt"]


def no_file(path):
    path.unlink()
    path.mkdir()


def no_target(path):
    path.unlink()
    path.symlink_to("nowhere")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def packed(path):
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))


DAMAGE = {
    "no byte": lambda path: path.write_bytes(b""),
    "a hundred bytes": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a folder": no_file,
    "a dead link": no_target,
    "a pipe": pipe,
    "a packed zip": packed,
    "an older form of torch": lambda path: torch.save(
        state_of(2), path, _use_new_zipfile_serialization=False
    ),
    "a list": lambda path: torch.save([2], path),
    "a later version": lambda path: torch.save(state_of(2, format=9), path),
    "no networks": lambda path: torch.save({"step": 2}, path),
    "a word as the step": lambda path: torch.save(state_of("2"), path),
    "a step below zero": lambda path: torch.save(state_of(-2), path),
    "a truth as the step": lambda path: torch.save(state_of(True), path),
    "no number of seconds": lambda path: torch.save(state_of(2, seconds=float("nan")), path),
    "a list of networks": lambda path: torch.save(state_of(2, objective=[]), path),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_newest_that_cannot_be_read_gives_way_to_the_one_before(damage, tmp_path):
    save_checkpoint(tmp_path, 1, state_of(1))
    damage(save_checkpoint(tmp_path, 2, state_of(2)))
    step, reasons = taken_from(tmp_path)
    assert (step, len(reasons)) == (1, 1)
    assert reasons[0].startswith("expected ")


def test_no_flipped_bit_is_taken_for_a_number(tmp_path):
    save_checkpoint(tmp_path, 1, state_of(1))
    path = save_checkpoint(tmp_path, 2, state_of(2))
    content = bytearray(path.read_bytes())
    dice = random.Random(0)
    for place in dice.sample(range(len(content)), 200):
        content[place] ^= 1 << (bit := dice.randrange(8))
        path.write_bytes(content)
        with contextlib.suppress(Exception):
            assert read_checkpoint(path)["objective"]["a"].equal(torch.arange(4000.0)), (place, bit)
        content[place] ^= 1 << bit
    start = bytes(content).index(torch.arange(4000.0).numpy().tobytes())
    content[start + 7000] ^= 1
    path.write_bytes(content)
    assert taken_from(tmp_path) == (1, ["expected a whole checkpoint, got a damaged file"])


@pytest.mark.parametrize(
    "error", [RuntimeError, AttributeError, TypeError, MemoryError, RecursionError, AssertionError, OSError]
)
def test_whatever_reading_or_taking_raises_the_one_before_is_taken(error, tmp_path, monkeypatch):
    for step in (1, 2):
        save_checkpoint(tmp_path, step, state_of(step))

    def take(path, state):
        if state["step"] == 2:
            raise error("no")

    path, passed = take_newest(tmp_path, take)
    assert path.name == "step-000000001.pt"
    assert [one.name for one, _ in passed] == ["step-000000002.pt"]
    monkeypatch.setattr(torch, "load", lambda *_, **__: take(None, {"step": 2}))
    with pytest.raises(
        NoCheckpointError, match=r"expected a whole checkpoint, got 2 that cannot be used \(step-"
    ):
        take_newest(tmp_path, take)


def test_what_is_not_taken_from_the_newest_is_told_where_nothing_is(tmp_path):
    for step in (1, 2):
        save_checkpoint(tmp_path, step, state_of(step))

    def take(path, state):
        raise OtherRunError("width", "4", "8", path.name)

    with pytest.raises(OtherRunError, match=r"width: expected 4, got 8; step-000000002.pt"):
        take_newest(tmp_path, take)


def test_ones_that_were_passed_over_take_no_place_of_those_that_are_kept(tmp_path):
    for step in (8, 9):
        save_checkpoint(tmp_path, step, state_of(step)).write_bytes(b"damaged")
    for step in (3, 4, 5):
        save_checkpoint(tmp_path, step, state_of(step))
    names = [path.name for path in checkpoint_files(tmp_path)]
    assert names == [f"step-{step:09d}.pt" for step in (4, 5, 8, 9)]


@pytest.mark.parametrize("damage", [no_file, no_target])
def test_what_has_the_name_of_the_next_checkpoint_is_set_aside(damage, tmp_path):
    damage(save_checkpoint(tmp_path, 2, state_of(2)))
    assert save_checkpoint(tmp_path, 2, state_of(2)).is_file()
    assert taken_from(tmp_path) == (2, [])
    assert os.path.lexists(tmp_path / "checkpoints" / "step-000000002.pt.aside")


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_code_in_a_checkpoint_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "step-000000001.pt").write_bytes(pickle.dumps(Harm(), 2))
    with pytest.raises(
        TrainingError,
        match=r"expected a whole checkpoint, got 1 that cannot be used \(step-.*\); start again wi",
    ):
        take_newest(tmp_path, lambda path, state: None)
    assert not (tmp_path / "harm").exists()


def test_no_checkpoint_is_refused_by_name(tmp_path):
    with pytest.raises(
        TrainingError, match=r"expected a checkpoint to resume from, got none; leave --resume out to"
    ):
        take_newest(tmp_path, lambda path, state: None)
