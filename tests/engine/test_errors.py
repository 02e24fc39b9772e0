import pickle

import pytest

from engine import errors

KINDS = [
    errors.PictureError,
    errors.MaskError,
    errors.WeightsError,
    errors.DeviceError,
    errors.OutOfMemoryError,
    errors.TrainingError,
    errors.EvaluationError,
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_builds_its_line_and_keeps_its_parts(kind):
    error = kind("mask", "4x4", "5x5", "give a mask of the picture's size")
    assert str(error) == "mask: expected 4x4, got 5x5; give a mask of the picture's size"
    assert (error.name, error.expected, error.got) == ("mask", "4x4", "5x5")
    assert error.hint == "give a mask of the picture's size"
    assert isinstance(error, errors.EngineError)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_trip_between_processes(kind):
    error = pickle.loads(pickle.dumps(kind("mask", (4, 4), (5, 5), "look")))
    assert type(error) is kind
    assert error.expected == (4, 4)
    assert str(error) == "mask: expected (4, 4), got (5, 5); look"


def test_the_sentence_for_a_person_travels_between_processes():
    error = errors.MaskError(
        "mask", "a part left", "everything", "unselect some", said="everything is masked"
    )
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.said) == (errors.MaskError, str(error), "everything is masked")
