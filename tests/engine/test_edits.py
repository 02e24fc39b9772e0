import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from engine.edits import EditInputs, InpaintEdit, RetargetEdit, plane_values, read_edit
from engine.errors import MaskError, PictureError


def test_an_edit_comes_back_from_json_as_it_went():
    edit = InpaintEdit(weights="x.safetensors", quality="fast", seed=7, expand_ltrb=(1, 2, 3, 4))
    assert read_edit(edit.model_dump_json()) == edit
    assert read_edit(edit.model_dump()) == edit


def test_an_edit_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        InpaintEdit().seed = 3


def test_a_misspelt_name_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        InpaintEdit(sead=3)


def test_another_family_is_refused():
    with pytest.raises(ValidationError, match="inpaint"):
        read_edit({"family": "inpant"})


@pytest.mark.parametrize("sides", [(-1, 0, 0, 0), (0, 0, 0, 100000)])
def test_expansion_has_bounds(sides):
    with pytest.raises(ValidationError, match="expand_ltrb: expected four lengths from 0 to 16384 px"):
        InpaintEdit(expand_ltrb=sides)


@pytest.mark.parametrize("box", [(5, 0, 5, 9), (0, 9, 5, 3), (-1, 0, 5, 9), (0, 0, 2**21, 9)])
def test_a_context_box_has_an_inside(box):
    with pytest.raises(ValidationError, match="context_box: expected x0 < x1 and y0 < y1"):
        InpaintEdit(context="box", context_box=box)


@pytest.mark.parametrize("given", [{"context": "box"}, {"context_box": (0, 0, 9, 9)}])
def test_a_context_box_and_its_word_go_together(given):
    with pytest.raises(ValidationError, match="expected a box with context 'box' and only then"):
        InpaintEdit(**given)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_edge_sensitivity_is_a_share(value):
    with pytest.raises(ValidationError, match="edge_sensitivity"):
        InpaintEdit(edge_sensitivity=value)


def test_an_official_match_does_not_expand():
    with pytest.raises(ValidationError, match="the published routine keeps the size"):
        InpaintEdit(is_official_match=True, expand_ltrb=(1, 0, 0, 0))


def test_an_official_match_implies_its_settings():
    asked = InpaintEdit(is_official_match=True, quality="fast", edge_sigma=1, edge_sensitivity=0.9, seed=4)
    settled = asked.settled()
    assert (settled.quality, settled.context, settled.edge_sigma) == ("exact", "full", 2.0)
    assert (settled.edge_sensitivity, settled.seed) == (0.5, 0)
    plain = InpaintEdit(quality="fast")
    assert plain.settled() == plain


def test_a_family_is_told_by_its_name():
    size = RetargetEdit(target_size_hw=(48, 64), completeness=0.25)
    corners = RetargetEdit(corners_xy=((0, 0), (64, 4.5), (60, 48), (0, 48)), method="learned")
    for edit in (size, corners, InpaintEdit()):
        assert read_edit(edit.model_dump_json()) == edit
        assert type(read_edit(edit.model_dump(mode="json"))) is type(edit)


def test_the_result_of_a_retarget_is_its_size_or_holds_its_corners():
    assert RetargetEdit(target_size_hw=(48, 64)).result_hw == (48, 64)
    assert RetargetEdit(corners_xy=((-8, 0), (64, 0), (60, 47.5), (0, 48))).result_hw == (48, 72)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "target_size_hw: expected a size or four corners, got neither"),
        (
            {"target_size_hw": (64, 64), "corners_xy": ((0, 0), (64, 0), (64, 48), (0, 48))},
            "expected a size or four corners, got both",
        ),
        ({"target_size_hw": (16, 64)}, "target_size_hw: expected sides from 32 to 12000 px, got 64x16 px"),
        ({"corners_xy": ((0, 0), (64, 48), (64, 0), (0, 48))}, "expected sides that do not cross"),
        ({"target_size_hw": (64, 64), "completeness": 1.5}, "completeness"),
        (
            {"target_size_hw": (64, 64), "is_official_match": True},
            "is_official_match: expected method 'learned' and a size, got method 'instant'",
        ),
        (
            {"target_size_hw": (15, 64), "is_official_match": True, "method": "learned"},
            "target_size_hw: expected sides from 16 to 12000 px, got 64x15 px",
        ),
        (
            {
                "corners_xy": ((0, 0), (64, 0), (64, 48), (0, 48)),
                "is_official_match": True,
                "method": "learned",
            },
            "expected method 'learned' and a size, got corners",
        ),
    ],
)
def test_a_retarget_that_cannot_be_is_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        RetargetEdit(**given)


def test_an_official_match_of_a_retarget_is_exact():
    asked = RetargetEdit(
        target_size_hw=(64, 64), method="learned", is_official_match=True, quality="fast", seed=4
    )
    assert (asked.settled().quality, asked.settled().seed) == ("exact", 0)
    plain = RetargetEdit(target_size_hw=(64, 64), quality="fast", seed=4)
    assert plain.settled() == plain


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_every_layout_of_a_picture_is_taken(shape, kind):
    assert EditInputs(np.zeros(shape, kind)).size_hw == (5, 7)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ([[1]], "image: expected an array, got list"),
        (np.zeros((2, 3, 5), np.uint8), r"image: expected a picture .*, got shape \(2, 3, 5\)"),
        (np.zeros((0, 3), np.uint8), r"image: expected a picture .*, got shape \(0, 3\)"),
        (np.zeros((2, 3), np.float32), "image: expected uint8 or uint16, got float32"),
    ],
)
def test_a_picture_of_another_kind_is_refused(image, words):
    with pytest.raises(PictureError, match=words):
        EditInputs(image)


@pytest.mark.parametrize("name", ["mask", "drawn_edges", "erased_edges", "lock"])
def test_a_plane_of_another_size_names_both_sizes(name):
    image = np.zeros((5, 7, 3), np.uint8)
    with pytest.raises(
        MaskError, match=f"{name}: expected 7x5 px like the picture, got 9x4 px; .*--fit-mask"
    ):
        EditInputs(image, **{name: np.zeros((4, 9), np.uint8)})


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ([0], "mask: expected an array, got list"),
        (np.zeros((5, 7, 1), np.uint8), r"mask: expected shape \(H, W\), got shape \(5, 7, 1\)"),
        (np.zeros((5, 7), np.float64), "mask: expected one of bool, uint8, uint16, float32, got float64"),
    ],
)
def test_a_mask_of_another_kind_is_refused(mask, words):
    with pytest.raises(MaskError, match=words):
        EditInputs(np.zeros((5, 7), np.uint8), mask)


@pytest.mark.parametrize("kind", ["bool", "uint8", "uint16", "float32"])
def test_planes_reach_one_at_their_top(kind):
    top = 1 if kind in ("bool", "float32") else np.iinfo(kind).max
    values = plane_values("mask", np.array([[0, top]], dtype=kind))
    assert values.dtype == np.float32
    assert values.tolist() == [[0, 1]]


@pytest.mark.parametrize("bad", [np.nan, -0.5, 1.5, np.inf])
def test_float_masks_stay_in_range(bad):
    with pytest.raises(MaskError, match=r"mask: expected values in \[0, 1\], got values from"):
        plane_values("mask", np.array([[0, bad]], np.float32))


def test_edits_need_no_torch():
    code = "import sys, engine.edits; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
