import errno
import os

import pytest

from engine import host_process
from engine.host_child import Setup
from engine.host_process import ChildProcess, reason_of
from engine.shared import BEST_KIND


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "it closed its pipe"),
        (0, "it left with exit code 0"),
        (3, "it left with exit code 3"),
        (-9, "it was ended by SIGKILL, which a system short of memory does"),
        (-11, "it was ended by SIGSEGV, a fault in native code"),
        (-15, "it was ended by SIGTERM"),
        (-250, "it was ended by signal 250"),
    ],
)
def test_an_exit_code_is_told_in_words(code, words):
    assert reason_of(code) == words


def test_a_process_that_cannot_be_made_leaves_nothing_open(monkeypatch):
    def fails(*_, **__):
        raise OSError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(host_process, "start", fails)
    held = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="no more processes"):
        ChildProcess(Setup("cpu", "nowhere:Nothing"), BEST_KIND)
    assert len(os.listdir("/proc/self/fd")) == held
