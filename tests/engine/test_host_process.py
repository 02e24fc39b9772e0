import pytest

from engine.host_process import reason_of


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
