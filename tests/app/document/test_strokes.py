import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.document.strokes import BrushSettings, Stroke, strokes_from_record, strokes_to_record
from app.errors import DocumentError

SAMPLES = np.ones((2, 5), np.float32)


def plain(**changes):
    return {**Stroke("brush", "coverage", SAMPLES).meta(), **changes}


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 20), st.just(5)),
        elements=st.floats(-20000, 20000, width=32),
    )
)
def test_a_stroke_comes_back_from_a_record_bit_for_bit(samples):
    stroke = Stroke("eraser", "drawn", samples, BrushSettings(size_px=300, hardness=0.25, smoothing=0.5))
    records, packed = strokes_to_record((stroke, stroke))
    _, again = strokes_from_record(json.loads(json.dumps(records)), packed)
    assert again.samples.tobytes() == samples.tobytes()
    assert (again.id, again.tool, again.target, again.brush) == (stroke.id, "eraser", "drawn", stroke.brush)


def test_samples_are_a_copy_that_cannot_be_written_to():
    samples = np.zeros((3, 5), np.float32)
    stroke = Stroke("brush", "coverage", samples)
    samples[:] = 7
    assert stroke.samples.max() == 0
    with pytest.raises(ValueError, match="read-only"):
        stroke.samples[0, 0] = 1


def test_the_box_reaches_as_far_as_the_brush():
    stroke = Stroke("brush", "coverage", [[100, 50, 1, 0, 0], [200, 60, 1, 0, 0]], BrushSettings(size_px=20))
    assert stroke.box_xyxy() == (88, 38, 212, 72)
    assert Stroke("brush", "coverage", np.zeros((0, 5))).box_xyxy() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (plain(tool=""), "stroke tool: expected a short word"),
        (plain(target=5), "stroke target: expected a short word, got 5"),
        (
            plain(brush={"size_px": 5000}),
            "brush size_px: expected Input should be less than or equal to 2000",
        ),
        (plain(brush={"hardness": float("nan")}), "brush hardness: expected Input should be a finite number"),
        (plain(brush=None), "brush: expected"),
    ],
)
def test_a_damaged_stroke_is_refused(data, words):
    with pytest.raises(DocumentError) as refused:
        Stroke.from_meta(data, SAMPLES)
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_samples_that_are_no_numbers_are_refused(value):
    with pytest.raises(DocumentError, match="samples: expected finite numbers, got NaN or infinity"):
        Stroke.from_meta(plain(), np.full((2, 5), value, np.float32))


@pytest.mark.parametrize("count", [-1, 1_000_001])
def test_a_record_of_an_impossible_number_of_samples_is_refused(count):
    with pytest.raises(ValueError, match=f"no stroke of {count} samples"):
        strokes_from_record([plain(count=count)], [b""])


def test_too_many_samples_are_refused():
    with pytest.raises(DocumentError, match="samples: expected at most 1000000, got 1000001"):
        Stroke("brush", "coverage", np.zeros((1_000_001, 5), np.float32))


def test_samples_need_five_columns():
    with pytest.raises(DocumentError, match=r"samples: expected \(N, 5\), got \(2, 3\)"):
        Stroke("brush", "coverage", np.zeros((2, 3)))
