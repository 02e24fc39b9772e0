"""How a Python process of ours is started. That no trap is sprung, whoever starts it: tests/app/test_current_folder.py."""

import os
import subprocess
import sys

import pytest

from engine.python_process import ROOT, environment_of_children, own_path, start, starting_safely

ECHO = "import os, sys\ndef main():\n    os.write(int(sys.argv[1]), repr((sys.argv[2:], sys.path)).encode())\n    return 7\n"


def test_a_child_finds_what_its_parent_finds_and_gets_words_and_handles(tmp_path, monkeypatch):
    (tmp_path / "echo_of_a_child.py").write_text(ECHO)
    monkeypatch.syspath_prepend(str(tmp_path))
    ours, theirs = os.pipe()
    child = start("echo_of_a_child", [str(theirs), "a b", "--c"], handles=[theirs])
    os.close(theirs)
    with os.fdopen(ours) as heard:
        assert heard.read() == repr((["a b", "--c"], own_path()))
    assert child.wait(60) == 7


def test_a_child_has_a_session_of_its_own():
    """Ctrl-C in a terminal goes to the whole group of the program that was started there."""
    child = start("multiprocessing.resource_tracker", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert os.getsid(child.pid) == child.pid
    finally:
        child.kill()
        child.communicate()


def test_the_path_holds_no_current_folder_and_always_our_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", ".", "lib", "/usr/lib/more"])
    assert own_path() == ["/usr/lib/more", ROOT]
    monkeypatch.setattr(sys, "path", [ROOT, "/usr/lib/more"])
    assert own_path() == [ROOT, "/usr/lib/more"]


@pytest.mark.parametrize(
    ("named", "left"), [("{s}/a", "/a"), ("/a{s}{s}/b", "/a{s}/b"), ("/a{s}.", "/a{s}.")]
)
def test_of_the_users_pythonpath_only_empty_entries_are_left_out(tmp_path, monkeypatch, named, left):
    monkeypatch.setenv("PYTHONPATH", named.format(s=os.pathsep))
    assert environment_of_children()["PYTHONPATH"] == left.format(s=os.pathsep)


def test_a_current_folder_that_an_empty_entry_stands_for_is_left_out_once(tmp_path, monkeypatch):
    """The second one is that of somebody who has installed things there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep + "/a")
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/a", ROOT, str(tmp_path)])
    assert own_path() == ["/a", ROOT, str(tmp_path)]


@pytest.mark.parametrize("before", [None, "/a"])
def test_the_environment_is_as_before_once_a_library_has_started_its_processes(monkeypatch, before):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    with starting_safely():
        assert os.environ["PYTHONSAFEPATH"] == "1"
        assert os.environ["PYTHONPATH"].split(os.pathsep) == [ROOT, *([before] if before else [])]
    assert "PYTHONSAFEPATH" not in os.environ
    assert os.environ.get("PYTHONPATH") == before
