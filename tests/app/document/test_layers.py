import numpy as np
import pytest

from app.document.layers import Layer, attributes_from_plain, covers
from app.document.recipe import Step
from app.errors import DocumentError


def picture(shape=(30, 40, 3), dtype=np.uint8, **attributes):
    return Layer("picture", "photo", {"pixels": np.zeros(shape, dtype)}, **attributes)


def test_a_layer_knows_its_size_and_place():
    layer = picture(origin_xy=(-5, 7))
    assert layer.size_hw == (30, 40)
    assert layer.box_xyxy == (-5, 7, 35, 37)
    assert covers(layer, (-5, 7, 35, 37))
    assert not covers(layer, (-6, 7, 35, 37))
    assert covers(layer, (0, 0, 0, 0))


def test_layers_have_ids_and_strokes_of_their_own():
    first, second = picture(), picture()
    assert first.id != second.id
    assert first.strokes is not second.strokes


@pytest.mark.parametrize(
    ("kind", "planes", "words"),
    [
        ("text", {"pixels": np.zeros((2, 2), np.uint8)}, "layer: expected one of picture, mask, edges"),
        ("mask", {"pixels": np.zeros((2, 2), np.uint8)}, "planes: expected coverage, got pixels"),
        ("mask", {"coverage": np.zeros((2, 2), np.uint16)}, "coverage: expected uint8, got uint16"),
        ("mask", {"coverage": np.zeros((2, 2, 1), np.uint8)}, r"coverage: expected (H, W), got (2, 2, 1)"),
        (
            "picture",
            {"pixels": np.zeros((2, 2), np.float32)},
            "pixels: expected uint8 or uint16, got float32",
        ),
        ("picture", {"pixels": np.zeros((2, 2, 5), np.uint8)}, "pixels: expected (H, W) or (H, W, C)"),
        ("picture", {"pixels": np.zeros((0, 2), np.uint8)}, "pixels: expected (H, W) or (H, W, C)"),
        ("picture", {"pixels": np.zeros((1, 16385), np.uint8)}, "pixels: expected at most 16384 px a side"),
        (
            "edges",
            {
                "drawn": np.zeros((2, 2), np.uint8),
                "erased": np.zeros((2, 2), np.uint8),
                "locked": np.zeros((2, 3), np.uint8),
            },
            "planes: expected one size, got 2 sizes",
        ),
    ],
)
def test_planes_that_do_not_fit_the_kind_are_refused(kind, planes, words):
    with pytest.raises(DocumentError) as refused:
        Layer(kind, "layer", planes)
    assert str(refused.value).startswith(words)


def test_an_untouched_mask_of_the_largest_canvas_costs_nothing_to_copy_or_search():
    layer = Layer.empty_mask((16384, 16384))
    assert layer.written_tiles("coverage") == set()
    assert layer.written_box("coverage") == (0, 0, 0, 0)
    assert not layer.has_any("coverage")
    copied = layer.copy_plane("coverage")
    assert copied.shape == (16384, 16384)
    assert copied[::5000, ::5000].max() == 0


def test_written_tiles_are_found_in_a_mask_that_came_from_a_file():
    coverage = np.zeros((600, 700), np.uint8)
    coverage[300, 600] = 9
    layer = Layer("mask", "Mask", {"coverage": coverage})
    assert layer.written_tiles("coverage") == {(1, 2)}
    assert layer.written_box("coverage") == (512, 256, 700, 512)
    assert layer.has_any("coverage")
    assert np.array_equal(layer.copy_plane("coverage"), coverage)


def test_a_copied_plane_is_ones_own():
    layer = picture()
    copied = layer.copy_plane("pixels")
    copied[...] = 9
    assert layer.planes["pixels"].max() == 0


def test_attributes_come_back_from_plain_data():
    step = Step(edit={"family": "inpaint"}, seed=3)
    layer = picture(origin_xy=(3, -4), is_visible=False, opacity=0.25, step=step)
    assert attributes_from_plain(layer.meta()) == {
        "name": "photo",
        "origin_xy": (3, -4),
        "is_visible": False,
        "opacity": 0.25,
        "step": step,
    }


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("name", 5, "layer name: expected words of at most 1000 letters, got 5"),
        ("is_visible", 1, "layer is_visible: expected true or false, got 1"),
        ("opacity", float("nan"), "layer opacity: expected a number from 0 to 1, got nan"),
        ("opacity", 1.5, "layer opacity: expected a number from 0 to 1, got 1.5"),
        ("origin_xy", [1, 10**9], "layer origin_xy: expected two whole numbers"),
        ("origin_xy", [1.5, 2], "layer origin_xy: expected two whole numbers"),
        ("step", {"seed": 4}, "step.edit: expected Field required"),
    ],
)
def test_damaged_attributes_are_refused(name, value, words):
    with pytest.raises(DocumentError) as refused:
        attributes_from_plain({**picture().meta(), name: value})
    assert str(refused.value).startswith(words)
