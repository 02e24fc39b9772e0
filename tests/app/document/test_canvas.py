import numpy as np
import pytest

from app.document.canvas import check_canvas, resized, with_mask_and_edges
from app.document.layers import Layer
from app.document.strokes import Stroke
from app.errors import DocumentError


@pytest.mark.parametrize(
    ("size_hw", "mode", "words"),
    [
        ((9, 9), "CMYK", "mode: expected one of L, LA, RGB, RGBA, got 'CMYK'"),
        ((0, 9), "RGB", "canvas: expected 1 to 16384 px a side, got 9x0 px"),
        ((9, 16385), "L", "canvas: expected 1 to 16384 px a side, got 16385x9 px"),
    ],
)
def test_what_no_canvas_can_be_is_refused(size_hw, mode, words):
    check_canvas((1, 16384), "LA")
    with pytest.raises(DocumentError, match=words):
        check_canvas(size_hw, mode)


def test_mask_and_edges_are_made_where_they_are_missing_and_lie_on_top():
    photo = Layer("picture", "photo", {"pixels": np.zeros((9, 9), np.uint8)})
    made = with_mask_and_edges([Layer.empty_mask((9, 9)), photo], (9, 9))
    assert [layer.kind for layer in made] == ["picture", "mask", "edges"]
    with pytest.raises(DocumentError, match="expected the size of the canvas, got 9x8 px"):
        with_mask_and_edges([Layer.empty_mask((8, 9))], (9, 9))


@pytest.mark.parametrize("size_hw", [(300, 700), (200, 600), (260, 100), (10, 10)])
def test_a_mask_is_cut_or_gains_room_and_keeps_all_else(size_hw):
    mask = Layer.empty_mask((280, 600))
    mask.planes["coverage"][270:275, 90:590] = 7
    for tile in ((1, 0), (1, 1), (1, 2)):
        mask.note_written("coverage", tile)
    mask.strokes, mask.opacity = [Stroke("brush", "coverage", np.zeros((2, 5)))], 0.5
    before = mask.copy_plane("coverage")
    made = resized(mask, size_hw)
    expected = np.zeros(size_hw, np.uint8)
    h, w = min(280, size_hw[0]), min(600, size_hw[1])
    expected[:h, :w] = before[:h, :w]
    np.testing.assert_array_equal(made.planes["coverage"], expected)
    assert made.has_any("coverage") == bool(expected.any())
    assert (made.id, made.kind, made.opacity, made.strokes) == (mask.id, "mask", 0.5, mask.strokes)
    np.testing.assert_array_equal(mask.planes["coverage"], before)
