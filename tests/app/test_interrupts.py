"""Ctrl-C in the first seconds: one line and 130, wherever it comes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.errors import explain

ROOT = Path(__file__).resolve().parents[2]
LINE = "error: job: expected to finish, got Ctrl-C; nothing was written\n"


def run(tmp_path, module, code, *words, **environment):
    """The command, with one of its modules replaced; nothing of ours is imported before it hears Ctrl-C."""
    (tmp_path / f"{module}.py").write_text(f"import os, signal, time\n{code}\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", **environment}
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell starts jobs behind it deaf
    )


def test_the_line_is_that_of_every_error():
    assert f"error: {explain(KeyboardInterrupt()).line}\n" == LINE


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_during_imports_the_process_leaves_at_once_whatever_a_library_makes_of_it(tmp_path, words):
    swallow = (
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(20)\nexcept BaseException:\n    pass"
    )
    start = time.monotonic()
    done = run(tmp_path, "cyclopts", swallow, "weights", "list", *words)
    assert (done.returncode, done.stderr) == (130, LINE)
    assert time.monotonic() - start < 20
    told = json.loads(done.stdout)["error"]["exit_code"] if words else None
    assert told == (130 if words else None)


def test_at_work_what_is_half_done_is_cleared_up(tmp_path):
    code = f"""
import app.weights_commands
def work(console):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)
    finally:
        open({str(tmp_path / "cleared")!r}, "w").close()
app.weights_commands.list_weights = work
"""
    done = run(tmp_path, "sitecustomize", code, "weights", "list")
    assert (done.returncode, done.stderr) == (130, LINE)
    assert (tmp_path / "cleared").exists()


def test_in_a_destructor_it_is_not_lost(tmp_path):
    code = """
import app.weights_commands
class Odd:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
def work(console):
    Odd()
    time.sleep(20)
app.weights_commands.list_weights = work
"""
    start = time.monotonic()
    done = run(tmp_path, "sitecustomize", code, "weights", "list")
    assert (done.returncode, done.stderr) == (130, LINE)
    assert time.monotonic() - start < 20


def test_a_finished_command_keeps_its_exit_code(tmp_path):
    code = "import atexit\natexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), time.sleep(0.1)))"
    done = run(tmp_path, "sitecustomize", code, "--version")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("moment", ["import", "work"])
def test_of_several_processes_the_first_one_speaks(tmp_path, moment):
    interrupt = "os.kill(os.getpid(), signal.SIGINT)"
    if moment == "work":
        interrupt = f"import app.weights_commands\napp.weights_commands.list_weights = lambda _: {interrupt}"
    module = "cyclopts" if moment == "import" else "sitecustomize"
    done = run(tmp_path, module, interrupt, "weights", "list", LOCAL_RANK="1")
    assert (done.returncode, done.stderr, done.stdout) == (130, "", "")


def test_an_exception_that_python_only_mentions_is_still_mentioned(tmp_path):
    code = "import app.weights_commands\nclass Odd:\n    def __del__(self):\n        raise OSError('odd')\n"
    code += "app.weights_commands.list_weights = lambda _: Odd() and 0"
    done = run(tmp_path, "sitecustomize", code, "weights", "list")
    assert done.returncode == 0
    assert "OSError: odd" in done.stderr


def test_a_second_one_is_heard_like_the_first(tmp_path):
    code = """
import app.weights_commands
def work(console):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(20)
app.weights_commands.list_weights = work
"""
    done = run(tmp_path, "sitecustomize", code, "weights", "list")
    assert (done.returncode, done.stderr) == (130, LINE)
