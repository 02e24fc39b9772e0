import errno

import pydantic
import pytest

from app.errors import BAD_INPUT, OUTSIDE_FAULTS, AppError, DocumentError, explain
from engine.edits import InpaintEdit
from engine.errors import MaskError, PictureError
from engine.progress import Cancelled
from models.errors import UnknownFamilyError
from models.registry import family_spec


def test_an_error_of_app_keeps_its_parts_and_exits_2() -> None:
    error = AppError("--out", "a file", "a folder", "add a file name")
    assert str(error) == "--out: expected a file, got a folder; add a file name"
    assert (error.name, error.expected, error.got, error.hint) == (
        "--out",
        "a file",
        "a folder",
        "add a file name",
    )
    assert explain(error).exit_code == 2
    assert explain(error).line == str(error)


def test_an_error_of_the_engine_exits_2_in_its_own_words() -> None:
    error = MaskError("mask", "4x4 px", "5x5 px", "give --fit-mask")
    assert explain(error).line == "mask: expected 4x4 px, got 5x5 px; give --fit-mask"
    assert explain(error).exit_code == 2


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "free some space or choose another disk"),
        (errno.EACCES, "choose a place you may read and write"),
        (errno.ENOENT, "check the path"),
    ],
)
def test_a_fault_of_the_file_system_exits_2_with_advice(number: int, words: str) -> None:
    explanation = explain(OSError(number, "as the system says", "/some/file.png"))
    assert explanation.exit_code == 2
    assert (
        explanation.line
        == f"/some/file.png: expected a file that can be used, got 'as the system says'; {words}"
    )


def test_a_defect_of_ours_exits_1_and_names_the_log(tmp_path) -> None:
    explanation = explain(KeyError("x"), log_path=tmp_path / "our.log")
    assert explanation.exit_code == 1
    expected = f"pentimento: expected to work, got KeyError: 'x'; a fault of ours, the traceback is in {tmp_path}/our.log"
    assert explanation.line == expected


def test_a_defect_whose_message_has_lines_stays_one_line() -> None:
    assert "\n" not in explain(ValueError("first\nsecond")).line


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled("stopped")])
def test_cancelling_exits_130(error: BaseException) -> None:
    assert explain(error).exit_code == 130


def test_an_edit_out_of_range_is_named() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        InpaintEdit(seed=-1)
    explanation = explain(caught.value)
    assert explanation.exit_code == 2
    assert explanation.line == "seed: expected 0 or more, got -1; see --help for the range"


def test_an_edit_refused_by_a_check_of_ours_keeps_its_words() -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        InpaintEdit(expand_ltrb=(-1, 0, 0, 0))
    line = explain(caught.value).line
    assert line.startswith("expand_ltrb: expected four lengths from 0 to 16384 px, got (-1, 0, 0, 0); ")


def caused(error: Exception, cause: Exception) -> Exception:
    """The error as it is raised ``from`` another."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("number", OUTSIDE_FAULTS)
def test_every_refusal_of_the_system_that_is_the_user_s_to_mend_has_a_sentence(number) -> None:
    explanation = explain(OSError(number, "its words", "a.png"))
    assert explanation.exit_code == BAD_INPUT
    assert explanation.sentence == OUTSIDE_FAULTS[number].said != ""
    assert (
        explanation.line
        == f"a.png: expected a file that can be used, got 'its words'; {OUTSIDE_FAULTS[number].hint}"
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PictureError("a.png", "a picture", "a text", "x"), "needed: a picture. Found: a text"),
        (PictureError("lock", "a part", "everything", "x", said="everything is masked"), "everything is masked"),
        (DocumentError("mask", "something selected", "nothing", "x", said="nothing is masked yet"), "nothing is masked yet"),
        (caused(DocumentError("a.ora", "a document", "no such file", "x"), FileNotFoundError(errno.ENOENT, "x")), "there is no such file or folder"),
        (caused(PictureError("a", "free space", "no space left", "x"), OSError(errno.ENOSPC, "x")), "the disk is full"),
        (caused(PictureError("a", "a place", "trouble", "x"), OSError("without a number")), "needed: a place. Found: trouble"),
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "the disk is full"),
        (OSError(errno.EIO, "Input/output error"), "the disk does not answer as it should"),
    ],
)  # fmt: skip
def test_a_person_is_told_in_a_sentence_of_a_person(error, sentence) -> None:
    assert explain(error).sentence == sentence
    assert explain(error).fault.startswith("expected ")


def test_a_message_of_another_form_is_its_own_sentence() -> None:
    with pytest.raises(UnknownFamilyError) as caught:
        family_spec("inpant")
    explanation = explain(caught.value)
    assert explanation.sentence == explanation.fault
    assert explanation.sentence.startswith("unknown family 'inpant'")


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("libtorch_cpu.so: failed to map segment from shared object")]
)
def test_too_little_memory_is_said_as_such(error):
    explanation = explain(error)
    assert explanation.line.startswith(
        "memory: expected enough for this, got too little; close other programs"
    )
    assert explanation.exit_code == 2
