"""The child that learns: a real training of a few steps, and how it ends when nobody listens any more."""

import fcntl
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import learning_child
from app.errors import explain
from app.learned_weights import kept_of
from app.learning_process import LearningProcess
from app.learning_runs import KINDS
from engine.errors import WeightsError
from engine.pictures import PICTURE_KEY, picture_sha256
from engine.private import files_of
from engine.training.events import Notice
from engine.weightfile import read_metadata
from engine.weights import WeightsStore
from tests.engine.pipelines.test_retarget import write_learned

STAND_IN = "tests.app.learning_stand_in"
TINY = {"size": 32, "width": 4, "steps": 6, "snapshot_every": 0.1, "precision": "32", "device": "cpu"}
PIXELS = np.full((40, 48, 3), 7, np.uint8)


def test_a_picture_is_learned_kept_and_found_by_its_name(tmp_path, own_folders) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 48, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    heard, ends = [], []

    def hear(said):
        heard.append(said)
        if said["say"] == "estimate":
            process.tell("go")

    words = ["learn", "--picture", str(tmp_path / "picture.png"), "--out", str(tmp_path)]
    (tmp_path / "picture.png").chmod(0o600)
    process = LearningProcess([*words, "--quick", json.dumps(TINY)], tmp_path, hear, ends.append)
    assert process.join(120)
    assert ends == [0], (tmp_path / "learning.log").read_text()
    kinds = [said["say"] for said in heard]
    assert {"estimate", "step", "measure", "weights", "picture"} <= set(kinds)
    assert heard[-1] == {"say": "end", "reason": "finished", "step": 6, "steps": 6}
    assert learning_child.keep(tmp_path, "wall") == "wall"
    assert learning_child.keep(tmp_path, "wall") == "wall", "what is kept again takes the place of the first"
    found = WeightsStore().resolve("wall", "retarget")
    assert read_metadata(found.path)[PICTURE_KEY] == picture_sha256(pixels)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    known = [
        tmp_path / below / name
        for below, kinds in KINDS.items()
        for name in files_of(tmp_path / below, kinds)
    ]
    assert sorted(known) == sorted(written), "what is not known would keep a folder from being cleared up"


@pytest.fixture
def kept(tmp_path):
    """Weights of the user's that are kept as wall, and other ones to be kept; the digest of the first."""
    write_learned(tmp_path / "retarget.safetensors", learned_from=PIXELS)
    learning_child.keep(tmp_path, "wall-0123456789")
    first = WeightsStore().resolve("wall-0123456789", "retarget").sha256
    write_learned(tmp_path / "retarget.safetensors", learned_from=PIXELS, seed=1)
    return first


def test_a_disk_that_is_full_leaves_what_was_kept_before(tmp_path, kept, monkeypatch) -> None:
    def full(*_args, **_named):
        raise WeightsError("wall", "room for it", "a full disk", "free some space")

    monkeypatch.setattr("engine.importing.write_atomically", full)
    with pytest.raises(WeightsError, match="a full disk"):
        learning_child.keep(tmp_path, "wall-0123456789")
    assert WeightsStore().resolve("wall-0123456789", "retarget").sha256 == kept


def test_what_came_with_a_document_takes_no_place_of_the_users_own(tmp_path, kept) -> None:
    names = [learning_child.keep(tmp_path, "wall-0123456789", is_beside=True) for _ in range(2)]
    assert names == ["wall-2-0123456789", "wall-3-0123456789"]
    assert WeightsStore().resolve("wall-0123456789", "retarget").sha256 == kept
    newest = kept_of(picture_sha256(PIXELS))
    assert (newest.name, newest.sha256 != kept) == (names[-1], True)


def test_nothing_learned_cannot_be_kept(tmp_path) -> None:
    with pytest.raises(WeightsError, match=r"retarget\.safetensors"):
        learning_child.keep(tmp_path, "wall")


def test_a_fault_is_the_last_line(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(os, "nice", lambda _by: 0)
    assert learning_child.main(["keep", "--out", str(tmp_path), "--name", "wall"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["say"], said["name"]) == ("failed", "retarget.safetensors")
    assert said["sentence"]
    assert said["next_step"]


def test_a_second_process_waits_and_then_refuses(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(learning_child, "LOCK_PATIENCE_S", 0.0)
    with learning_child._alone_in(tmp_path):
        second = learning_child._alone_in(tmp_path)
        with pytest.raises(learning_child.LearningError, match="expected one that nobody learns") as caught:
            second.__enter__()
        assert caught.value.hint == "pause it there first"
        assert explain(caught.value).sentence == "this picture is being learned in another window"
    with learning_child._alone_in(tmp_path):
        pass


def test_a_window_that_is_killed_leaves_no_process_behind(tmp_path) -> None:
    code = """
import sys, time
from pathlib import Path
from app.learned_weights import kept_of
from app.learning_process import LearningProcess
module, out = sys.argv[1:]
said = lambda one: one["say"] == "estimate" and process.tell("go")
process = LearningProcess(["learn", "--out", out], Path(out), said, lambda code: None, module)
sys.stdout.write(f"{process.pid}\\n")
sys.stdout.flush()
time.sleep(60)
"""
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", code, STAND_IN, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=root, text=True) as window:
        child = int(window.stdout.readline())
        wait_for(lambda: (tmp_path / "checkpoints").is_dir())
        window.kill()
    wait_for(lambda: not is_alive(child))
    assert len(list((tmp_path / "checkpoints").iterdir())) > 0


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(is_so) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


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


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("plain", "words of its own"),
        ("large_picture", learning_child.LARGE_WORDS),
        ("duration", None),
        ("picture", None),
        ("resumed", None),
    ],
)
def test_notices_are_told_by_their_kind_whatever_their_words(kind, said, capsys) -> None:
    learner = learning_child._Learner.__new__(learning_child._Learner)
    learner._tell(Notice("words of its own", kind))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ([said] if said else [])
