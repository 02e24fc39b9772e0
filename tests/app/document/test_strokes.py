import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.document.strokes import BrushSettings, Stroke
from app.errors import DocumentError


def plain(**changes):
    return {**Stroke("brush", "coverage", np.ones((2, 5))).to_plain(), **changes}


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 20), st.just(5)),
        elements=st.floats(-20000, 20000, width=32),
    )
)
def test_a_stroke_comes_back_from_json_bit_for_bit(samples):
    stroke = Stroke("eraser", "drawn", samples, BrushSettings(size_px=300, hardness=0.25, smoothing=0.5))
    again = Stroke.from_plain(json.loads(json.dumps(stroke.to_plain())))
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
        (7, "stroke: expected an object with its samples, got int"),
        (plain(samples=[[1, 2]]), "samples: expected rows of 5 numbers"),
        (plain(samples=[[1, 2, 3, 4, "x"]]), "samples: expected rows of 5 numbers"),
        (plain(samples=[[1, 2, 3, 4, 1e300]]), "samples: expected finite numbers"),
        (plain(samples=[[1, 2, 3, 4, float("nan")]]), "samples: expected finite numbers"),
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
        Stroke.from_plain(data)
    assert str(refused.value).startswith(words)


def test_too_many_samples_are_refused():
    with pytest.raises(DocumentError, match="samples: expected at most 1000000, got 1000001"):
        Stroke("brush", "coverage", np.zeros((1_000_001, 5), np.float32))


def test_samples_need_five_columns():
    with pytest.raises(DocumentError, match=r"samples: expected \(N, 5\), got \(2, 3\)"):
        Stroke("brush", "coverage", np.zeros((2, 3)))
