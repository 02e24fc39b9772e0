"""Nasty numbers, turned pictures, pulls that are taken back, damaged folders: each was a fault once."""

import fcntl
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import Qt

from app.__main__ import main
from app.canvas.tools.handles import RetargetTool
from app.document.retarget_shape import Shape
from app.frames import FrameFiles
from app.result_actions import show_result
from engine.corners import fault_of
from engine.patches import locks
from engine.patches.remake import remake
from engine.progress import Steps
from tests.app.canvas.tools.conftest import bench  # noqa: F401
from tests.app.test_retarget import OWN, WIDER, choose, retarget  # noqa: F401

HUGE = "--corners=-1e308,-1e308 1e308,-1e308 1e308,1e308 -1e308,1e308"


def _escaped(bench, tool):  # noqa: F811
    bench.press(tool, 90, 20)
    bench.move(tool, 120, 20)
    tool.cancel()


def _put_back(bench, tool):  # noqa: F811
    bench.press(tool, 90, 20)
    bench.move(tool, 120, 20)
    bench.release(tool, 90, 20)


@pytest.mark.parametrize("pull", [_escaped, _put_back])
def test_a_pull_that_is_taken_back_leaves_nothing_behind(retarget, worker, choose, document, bench, pull):  # noqa: F811
    tool = RetargetTool(bench.context)
    tool.keeper = retarget
    choose(WIDER)
    worker.answer(1)
    asked = len(worker.requests)
    pull(bench, tool)
    retarget.remake()
    assert len(worker.requests) == asked + 1
    worker.answer(2)
    assert (document.current_result.pixels == 2).all()
    show_result(document, None)
    assert retarget.shape == OWN


def test_an_arrow_key_that_goes_no_further_leaves_nothing_behind(retarget, worker, choose, bench):  # noqa: F811
    tool = RetargetTool(bench.context)
    tool.keeper = retarget
    choose(Shape.of_box((0, 0, 32, 40)))
    worker.answer(1)
    asked = len(worker.requests)
    assert tool.key(Qt.Key.Key_Left)
    assert retarget.state.reason
    retarget.remake()
    assert len(worker.requests) == asked + 1


@pytest.mark.parametrize("shape", [("--scale", "1e308"), (HUGE,)])
def test_numbers_beyond_all_bounds_are_refused(tmp_path, capsys, shape):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    assert main(["run", "retarget", str(tmp_path / "a.png"), *shape, "--out", str(tmp_path / "o.png")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("end", [((64, 48), (0, 48), (0, 0), (64, 0)), ((60, 48), (0, 48), (0, 0), (64, 0))])
@pytest.mark.filterwarnings("error")
def test_a_picture_can_be_turned_over(end):
    assert not fault_of(end)
    image = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
    made = remake(image, (48, 64), corners_xy=end, device=torch.device("cpu"), steps=Steps(1, None, None))
    assert np.isfinite(made.image).all()


@pytest.mark.parametrize("taken", ["image", "lock"])
def test_frames_overwrite_nothing_of_the_same_command(tmp_path, taken):
    frame, other = tmp_path / "frame-002.png", tmp_path / "other.png"
    for path in (frame, other):
        Image.new("RGB", (64, 48)).save(path)
    before = frame.read_bytes()
    words = [str(frame)] if taken == "image" else [str(other), "--lock", str(frame)]
    assert main(["run", "retarget", *words, "--size", "70x48", "--frames", "2", "--out", str(tmp_path)]) == 2
    assert frame.read_bytes() == before


def test_frames_without_end_are_refused_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(FrameFiles, "at", None)  # would list every file
    words = ["--scale", "1.5", "--frames", "1000000000", "--out", str(tmp_path / "o.png")]
    assert main(["run", "retarget", str(tmp_path / "a.png"), *words]) == 2
    assert "--frames" in capsys.readouterr().err


def test_a_folder_for_frames_is_not_made_in_vain(tmp_path):
    out = tmp_path / "new" / "deep"
    assert (
        main(
            [
                "run",
                "retarget",
                str(tmp_path / "none.png"),
                "--scale",
                "2",
                "--frames",
                "2",
                "--out",
                str(out),
            ]
        )
        == 2
    )
    assert not out.parent.exists()


def test_many_locked_pieces_share_their_memory():
    lock = np.zeros((64, 64), np.float32)
    lock[::4, ::4] = 1
    found = locks.pieces(lock)
    assert len(found) == 256
    assert len({id(piece.labels) for piece in found}) == 1
    assert sum(int(piece.mask.sum()) for piece in found) == 256


def test_waiting_for_another_process_can_be_given_up(tmp_path):
    with open(tmp_path / "lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        words = ["learn", "--picture", str(tmp_path / "a.png"), "--out", str(tmp_path)]
        child = subprocess.Popen([sys.executable, "-m", "app.learning_child", *words], stdin=subprocess.PIPE)
        child.stdin.close()
        try:
            assert child.wait(10) == 0
        finally:
            child.kill()


def test_a_picture_too_small_to_learn_is_bad_input(tmp_path, capsys):
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    words = ["--data", str(tmp_path / "a.png"), "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert main(["train", "retarget", *words]) == 2
    assert "too small" in capsys.readouterr().err


def test_a_run_that_cannot_go_on_begins_anew(tmp_path):
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (40, 48, 3)).astype(np.uint8)).save(
        tmp_path / "a.png"
    )
    tiny = '{"size": 32, "width": 4, "steps": 2, "precision": "32", "device": "cpu"}'
    words = [
        "learn",
        "--picture",
        str(tmp_path / "a.png"),
        "--out",
        str(tmp_path),
        "--quick",
        tiny,
        "--resume",
    ]
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-000000001.pt").write_bytes(b"PK")
    with subprocess.Popen(
        [sys.executable, "-m", "app.learning_child", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        said = child.stdout.read()
    assert child.returncode == 0
    assert "began anew" in said
    assert '"finished"' in said
