"""Standard streams that are closed, full, or read by nobody: whole commands, since streams belong to a process."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FULL = "error: standard output: expected a place that takes the answer, got 'No space left on device'; send it elsewhere\n"
UNKNOWN = "error: command: expected one of demo, doctor,"
needs_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def shell(words, redirection="", **environment):
    line = f"{shlex.join([sys.executable, '-m', 'app', *words])} {redirection}"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("redirection", ["2>&-", ">&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_code(redirection):
    done = shell(["--version"], redirection)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bool(done.stdout) == (">&-" not in redirection.replace("2>&-", ""))
    wrong = shell(["nonsense"], redirection)
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert wrong.stderr.startswith(UNKNOWN.encode()) == ("2>&-" not in redirection)
    assert wrong.stderr.count(b"\n") <= 1


def test_a_result_never_gets_the_number_of_a_closed_stream(tmp_path):
    """Libraries write their complaints to number 2, whatever is open there."""
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "a.png")
    words = ["run", "retarget", str(tmp_path / "a.png"), "--size", "48x40", "--out", str(tmp_path / "b.png")]
    assert shell(words, "<&- >&- 2>&-").returncode == 0
    with Image.open(tmp_path / "b.png") as result:
        assert result.size == (48, 40)


@needs_full_disk
@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["weights", "list"], ["weights", "list", "--json"]]
)
def test_an_answer_that_has_no_room_is_told_in_one_line(words):
    done = shell(words, ">/dev/full")
    assert (done.returncode, done.stderr.decode()) == (2, FULL)


@needs_full_disk
def test_an_error_that_cannot_be_told_keeps_its_exit_code():
    assert shell(["nonsense"], "2>/dev/full").returncode == 2
    done = shell(["run", "inpaint", "none.png", "--out", "a.png", "--json"], ">/dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["weights", "list", "--json"], 0), (["nonsense"], 2)]
)
def test_a_reader_that_has_gone_costs_its_lines_and_no_more(words, code):
    done = shell(words, "2>&1 | true")
    assert (done.returncode, done.stderr) == (code, b"")


def test_a_name_that_the_terminal_cannot_write_ends_no_command():
    odd = "b\udcff\u00fc"
    done = shell(
        ["run", "retarget", odd, "--size", "64x64", "--out", "a.png", "--json"], PYTHONIOENCODING="ascii"
    )
    assert done.returncode == 2
    assert b"\\udcff\\u00fc" in done.stdout, "as JSON writes it"
    assert b"\\udcff\\xfc" in done.stderr


def test_our_own_lines_are_never_swallowed_where_libraries_are():
    code = """
import os, sys
from app.streams import prepare
from engine.quiet import libraries_silenced
prepare()
with libraries_silenced():
    os.write(2, b"a library speaks\\n")
    sys.stderr.write("we speak: \\u00e4\\n")
os.write(2, b"the system speaks\\n")
"""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, timeout=60
    )
    assert done.stderr.decode() == "we speak: \u00e4\nthe system speaks\n"
