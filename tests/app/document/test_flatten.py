import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.document import flatten as flatten_module
from app.document.document import Document
from app.document.flatten import converted, flatten, flattened_view, is_covered
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.results import Result

SIZE_HW = (40, 50)
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def noise(seed, size_hw=SIZE_HW, mode="RGB", dtype=np.uint8):
    channels = CHANNELS[mode]
    shape = size_hw if channels == 1 else (*size_hw, channels)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def picture(pixels, **attributes):
    return Layer("picture", "layer", {"pixels": pixels}, **attributes)


def plain_twin(document):
    """Every pixel by the textbook formula in float64; None where copying is asked for, to be looked at elsewhere."""
    top = float(np.iinfo(np.uint16 if document.is_deep else np.uint8).max)
    h, w = document.size_hw
    colour, cover = np.zeros((h, w, 3)), np.zeros((h, w, 1))
    for layer in document.layers:
        if layer.kind != "picture" or not layer.is_visible:
            continue
        pixels = layer.planes["pixels"].astype(float) / np.iinfo(layer.planes["pixels"].dtype).max
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        if pixels.shape[2] in (1, 2):
            pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
        if pixels.shape[2] == 3:
            pixels = np.concatenate([pixels, np.ones((*pixels.shape[:2], 1))], axis=2)
        (x, y), (lh, lw) = layer.origin_xy, layer.size_hw
        for row in range(max(y, 0), min(y + lh, h)):
            for column in range(max(x, 0), min(x + lw, w)):
                *above, alpha = pixels[row - y, column - x]
                alpha *= layer.opacity
                below, was = colour[row, column].copy(), cover[row, column, 0]
                total = alpha + was * (1 - alpha)
                if total > 0:
                    colour[row, column] = (np.array(above) * alpha + below * was * (1 - alpha)) / total
                cover[row, column] = total
    if document.mode == "RGB":
        return colour * cover * top
    return np.concatenate([colour, cover], axis=2) * top


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_single_layer_is_copied_bit_for_bit(mode, dtype):
    pixels = noise(1, mode=mode, dtype=dtype)  # with colours under clear pixels, where there is alpha
    document = Document(SIZE_HW, mode, is_deep=dtype == np.uint16, layers=[picture(pixels)])
    flat = flatten(document, with_result=True)
    assert flat.dtype == dtype
    assert np.array_equal(flat, pixels)
    assert flat is not pixels
    assert np.array_equal(flatten(document, (10, 5, 90, 20), with_result=False), pixels[5:20, 10:])


def test_a_moved_layer_with_alpha_is_copied_where_it_lies():
    pixels = noise(2, (20, 30), "RGBA")
    document = Document(SIZE_HW, "RGBA", layers=[picture(pixels, origin_xy=(-5, 30))])
    flat = flatten(document, with_result=False)
    assert np.array_equal(flat[30:, :25], pixels[:10, 5:])
    assert flat[:30].max() == flat[:, 25:].max() == 0


def test_an_opaque_layer_hides_what_lies_below():
    below, above = noise(3), noise(4, (20, 20))
    document = Document(SIZE_HW, layers=[picture(below), picture(above, origin_xy=(10, 10))])
    expected = below.copy()
    expected[10:30, 10:30] = above
    assert np.array_equal(flatten(document, with_result=False), expected)


def test_hidden_and_clear_layers_change_nothing():
    below = noise(3)
    others = [picture(noise(4), is_visible=False), picture(noise(5), opacity=0.0)]
    assert np.array_equal(
        flatten(Document(SIZE_HW, layers=[picture(below), *others]), with_result=False), below
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(["RGB", "RGBA"]), st.booleans(), st.integers(1, 4))
def test_stacks_are_mixed_as_the_plain_formula_says(seed, mode, is_deep, count):
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        size_hw = (int(rng.integers(1, 16)), int(rng.integers(1, 16)))
        dtype = np.uint16 if rng.integers(2) else np.uint8
        kind = ("L", "LA", "RGB", "RGBA")[int(rng.integers(4))]
        pixels = noise(int(rng.integers(10**6)), size_hw, kind, dtype)
        if kind.endswith("A"):
            pixels[rng.random(size_hw) < 0.3, -1] = 0
            pixels[rng.random(size_hw) < 0.3, -1] = np.iinfo(dtype).max
        opacity = float(rng.choice([1.0, 1.0, 0.5, 0.123]))
        origin = (int(rng.integers(-5, 8)), int(rng.integers(-5, 8)))
        layers.append(picture(pixels, opacity=opacity, origin_xy=origin))
    document = Document((11, 12), mode, is_deep=is_deep, layers=layers)
    flat = flatten(document, with_result=False).astype(float)
    expected = plain_twin(document)
    if mode == "RGBA":
        # What is nearly clear has a colour of few bits; weigh it by how much is seen of it.
        top = 65535.0 if is_deep else 255.0
        assert np.abs(flat[..., 3] - expected[..., 3]).max() <= 1.01  # depth and mixing round once each
        seen = expected[..., 3:] / top
        assert np.abs((flat[..., :3] - expected[..., :3]) * seen).max() <= count + 0.51
    else:
        assert np.abs(flat - expected).max() <= count + 0.51  # each mix rounds once, a change of depth too


def test_bands_do_not_show(monkeypatch):
    layers = [
        picture(noise(1, mode="RGBA"), opacity=0.7),
        picture(noise(2, (30, 30), "LA"), origin_xy=(15, 3)),
    ]
    document = Document(SIZE_HW, "RGBA", layers=layers)
    whole = flatten(document, with_result=False)
    monkeypatch.setattr(flatten_module, "BAND_BYTES", 3 * 50 * 16)
    assert np.array_equal(flatten(document, with_result=False), whole)
    parts = [flatten(document, (0, y, 50, y + 7), with_result=False) for y in range(0, 40, 7)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_eight_bits_come_back_from_sixteen():
    values = np.arange(256, dtype=np.uint8)[None]
    deep, _ = converted(values, "L", np.dtype(np.uint16))
    assert deep.max() == 65535
    again, _ = converted(deep, "L", np.dtype(np.uint8))
    assert np.array_equal(again[..., 0], values)


def test_colours_become_grey_by_their_lightness():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [7, 7, 7]]], np.uint8)
    grey, alpha = converted(pixels, "L", np.dtype(np.uint8))
    assert grey[0, :, 0].tolist() == [76, 150, 29, 7]
    assert alpha is None


# Results -----------------------------------------------------------------------------------------------------------------


def make_result(pixels, coverage, box):
    return Result(box_xyxy=box, pixels=pixels, coverage=coverage, step=Step(edit={}))


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_result_is_copied_where_it_counts_and_nowhere_else(mode, dtype):
    below, filled = noise(1, mode=mode, dtype=dtype), noise(2, (12, 14), mode, dtype)
    coverage = np.zeros((12, 14), np.uint8)
    coverage[3:9, 4:10] = 255
    coverage[3, 4] = 1  # soft, and blended by the engine
    document = Document(SIZE_HW, mode, is_deep=dtype == np.uint16, layers=[picture(below)])
    document.add_result(make_result(filled, coverage, (45, -4, 59, 8)))
    expected = below.copy()
    expected[0:5, 49:50] = filled[4:9, 4:5]
    assert np.array_equal(flatten(document, with_result=True), expected)
    assert np.array_equal(flatten(document, with_result=False), below)
    part = flatten(document, (48, 1, 50, 4), with_result=True)
    assert np.array_equal(part, expected[1:4, 48:50])


@pytest.mark.parametrize(
    ("mode", "result_mode"), [("RGBA", "RGB"), ("RGB", "RGBA"), ("L", "RGB"), ("RGBA", "LA")]
)
def test_a_result_of_another_mode_is_converted(mode, result_mode):
    document = Document(SIZE_HW, mode, layers=[picture(noise(1, mode=mode))])
    pixels = np.full((5, 5, CHANNELS[result_mode]), 200, np.uint8)
    document.add_result(make_result(pixels, np.full((5, 5), 255, np.uint8), (0, 0, 5, 5)))
    shown = flatten(document, (0, 0, 5, 5), with_result=True)
    colours = shown[..., :3] if mode == "RGBA" else shown
    assert colours.min() == colours.max() == 200
    if mode == "RGBA":
        assert shown[..., 3].max() == (200 if result_mode == "LA" else 255)


def test_a_result_outside_the_box_changes_nothing():
    document = Document(SIZE_HW, layers=[picture(noise(1))])
    document.add_result(make_result(noise(2, (5, 5)), np.full((5, 5), 255, np.uint8), (0, 0, 5, 5)))
    assert np.array_equal(flatten(document, (10, 10, 20, 20), with_result=True), noise(1)[10:20, 10:20])


# The view ----------------------------------------------------------------------------------------------------------------


def test_the_view_of_a_single_opaque_layer_is_its_own_memory():
    document = Document(SIZE_HW, layers=[picture(noise(1))])
    view = flattened_view(document)
    assert np.shares_memory(view, document.layers[0].planes["pixels"])
    assert not view.flags.writeable
    assert document.layers[0].planes["pixels"].flags.writeable


def test_the_view_of_a_stack_is_made_once_for_each_picture():
    document = Document(SIZE_HW, layers=[picture(noise(1)), picture(noise(2), opacity=0.5)])
    first = flattened_view(document)
    with (
        document.begin("Brush") as transaction,
        transaction.writing(document.mask_layer.id, "coverage", (0, 0, 9, 9)) as values,
    ):
        values[...] = 255
    assert flattened_view(document) is first
    with document.begin("Opacity") as transaction:
        transaction.set_layer(document.layers[1].id, opacity=0.25)
    second = flattened_view(document)
    assert second is not first
    assert np.array_equal(second, flatten(document, with_result=False))


def test_what_is_covered_needs_no_checkerboard():
    document = Document(SIZE_HW, "RGBA", layers=[picture(noise(1, (20, 20)), origin_xy=(5, 5))])
    assert is_covered(document, (5, 5, 25, 25))
    assert not is_covered(document, (4, 5, 25, 25))
