import numpy as np
import pytest

from app.document.flatten import flatten, flattened_view
from app.document.recipe import Step
from app.document.result_look import KEPT_PX, seen_on, surroundings, thumbnail_of
from app.document.results import Result
from app.errors import DocumentError
from tests.app.fakes import make_document


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,)])
def test_a_result_is_shown_on_a_canvas_that_has_another_mode_or_size_since(mode, channels):
    """A remade picture that became a layer gave the canvas its size, and alpha where it is clear."""
    document = make_document((30, 40), mode)
    result = Result(
        box_xyxy=(20, 10, 90, 80),
        pixels=np.full((70, 70, *channels), 200, np.uint8),
        coverage=np.full((70, 70), 255, np.uint8),
        step=Step(edit={"family": "inpaint"}),
    )
    shown = seen_on(flattened_view(document), result, (0, 0, 40, 30), mode, most_px=60)
    document.add_result(result)
    np.testing.assert_array_equal(shown, flatten(document, with_result=True))
    beside = surroundings((900, 900, 950, 950), document.size_hw)
    assert seen_on(flattened_view(document), result, beside, mode, most_px=8).size


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("size_hw", [(40, 60), (700, 500)])
def test_a_thumbnail_shows_the_fill_on_the_picture_and_is_small(dtype, size_hw):
    document = make_document(size_hw, dtype=dtype)
    top = np.iinfo(dtype).max
    result = Result(
        box_xyxy=(10, 10, 30, 30),
        pixels=np.full((20, 20, 3), top, dtype),
        coverage=np.full((20, 20), 255, np.uint8),
        step=Step(edit={"family": "inpaint"}),
    )
    thumbnail = thumbnail_of(flattened_view(document), result, "RGB")
    assert thumbnail.dtype == np.uint8
    assert max(thumbnail.shape) <= KEPT_PX
    assert (thumbnail == 255).all(axis=2).sum() == 20 * 20
    wide = seen_on(flattened_view(document), None, (0, 0, size_hw[1], size_hw[0]), "RGB", most_px=50)
    assert max(wide.shape) == 50


@pytest.mark.parametrize("shape", [(600, 10, 3), (4, 4, 3, 1), (0, 4, 3)])
def test_a_thumbnail_that_is_none_is_refused_by_name(shape):
    with pytest.raises(DocumentError, match=r"result thumbnail: expected at most 512 px a side, uint8, got"):
        Result(
            box_xyxy=(0, 0, 2, 2),
            pixels=np.zeros((2, 2, 3), np.uint8),
            coverage=np.zeros((2, 2), np.uint8),
            thumbnail=np.zeros(shape, np.uint8),
            step=Step(edit={"family": "inpaint"}),
        )
