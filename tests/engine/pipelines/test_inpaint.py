from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.edges import canny, luma
from engine.edits import EditInputs, InpaintEdit
from engine.engine import Engine
from engine.errors import MaskError
from engine.pipelines.inpaint import EMPTY_NOTE
from engine.seams import Seam
from engine.weightfile import WeightFile, sha256_of, write_weights
from models.registry import family_spec

LAYOUTS = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}


def scene(h, w, channels=(3,), kind=np.uint8, seed=0):
    """Random pixels: a known pixel that comes back by chance would be seen."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(kind).max + 1, (h, w, *channels), dtype=kind)


def smooth_scene(h, w):
    """Something with areas, an edge and a slope."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    picture = np.stack([x / w, y / h, np.where(x > w / 2, 0.8, 0.2)], axis=-1)
    return np.rint(picture * 255).astype(np.uint8)


def mask_of(size_hw, *boxes):
    mask = np.zeros(size_hw, np.uint8)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = 255
    return mask


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_known_pixels_come_back_bit_for_bit(engine, data):
    h, w = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    layout = data.draw(st.sampled_from(list(LAYOUTS)))
    kind = data.draw(st.sampled_from([np.uint8, np.uint16]))
    seed = data.draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    image = scene(h, w, LAYOUTS[layout], kind, seed)
    chosen = rng.random((h, w)) < data.draw(st.sampled_from([0.0, 0.02, 0.3, 0.9]))
    y, x = rng.integers(0, h), rng.integers(0, w)
    chosen[y : y + rng.integers(1, 40), x : x + rng.integers(1, 40)] = True
    soft = data.draw(st.booleans())
    mask = np.where(chosen, rng.random((h, w)) if soft else 1, 0)
    kinds = [np.float32, np.uint8, np.uint16]
    mask_kind = data.draw(st.sampled_from(kinds))
    mask = mask.astype(np.float32)
    if mask_kind is not np.float32:
        mask = np.rint(mask * np.iinfo(mask_kind).max).astype(mask_kind)
    edit = InpaintEdit(
        working_size_px=data.draw(st.sampled_from([64, 512])),
        context=data.draw(st.sampled_from(["hole", "full"])),
        quality=data.draw(st.sampled_from(["exact", "fast"])),
    )
    if (mask > 0).all():
        with pytest.raises(MaskError, match="everything selected"):
            engine.run(edit, EditInputs(image, mask))
        return
    result = engine.run(edit, EditInputs(image, mask)).image
    assert (result.shape, result.dtype) == (image.shape, image.dtype)
    assert np.array_equal(result[mask == 0], image[mask == 0])
    if layout in ("LA", "RGBA"):
        assert np.array_equal(result[..., -1], image[..., -1])


def test_an_empty_mask_returns_the_picture_and_says_so(engine):
    image = scene(20, 30)
    for mask in (None, np.zeros((20, 30), np.float32)):
        result = engine.run(InpaintEdit(), EditInputs(image, mask))
        assert np.array_equal(result.image, image)
        assert result.report["notes"] == [EMPTY_NOTE]
        assert result.report["crops"] == []
        assert not result.edges.any()


def test_a_mask_over_everything_is_refused(engine):
    words = "mask: expected a part of the picture left unselected, got everything selected; nothing is left to fill"
    with pytest.raises(MaskError, match=words):
        engine.run(InpaintEdit(), EditInputs(scene(20, 30), np.full((20, 30), 1, np.uint8)))


def test_the_hole_is_filled(engine):
    image = smooth_scene(80, 90)
    mask = mask_of((80, 90), (30, 30, 60, 60))
    result = engine.run(InpaintEdit(), EditInputs(image, mask)).image
    assert (result != image).any(axis=2)[mask > 0].mean() > 0.9


def test_what_lies_under_the_hole_does_not_matter(engine):
    mask = mask_of((80, 90), (30, 30, 60, 60))
    image = smooth_scene(80, 90)
    other = image.copy()
    other[mask > 0] = scene(80, 90, seed=5)[mask > 0]
    first, second = (engine.run(InpaintEdit(), EditInputs(i, mask)) for i in (image, other))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.edges, second.edges)


@pytest.mark.parametrize("working", [64, 512])
def test_a_soft_mask_blends(engine, working):
    image = np.full((120, 120, 3), 90, np.uint8)
    hard = mask_of((120, 120), (20, 20, 100, 100))
    soft = (hard / 255 * 0.25).astype(np.float32)
    edit = InpaintEdit(working_size_px=working)
    filled = engine.run(edit, EditInputs(image, hard))
    blended = engine.run(edit, EditInputs(image, soft))
    if filled.report["seam"]["corrected"] or blended.report["seam"]["corrected"]:
        change = np.abs(blended.image.astype(int) - 90).mean(), np.abs(filled.image.astype(int) - 90).mean()
        assert change[0] < 0.6 * change[1] + 1
    else:
        expected = np.rint(90 * 0.75 + filled.image * 0.25)
        assert np.abs(expected - blended.image).max() <= 1


def test_grey_stays_grey_and_agrees_with_colour(engine):
    grey = luma(smooth_scene(80, 90))
    grey = np.rint(grey * 255).astype(np.uint8)
    mask = mask_of((80, 90), (30, 30, 60, 60))
    flat = engine.run(InpaintEdit(is_official_match=True), EditInputs(grey, mask)).image
    tripled = EditInputs(np.repeat(grey[..., None], 3, axis=2), mask)
    colour = engine.run(InpaintEdit(is_official_match=True), tripled).image
    assert flat.shape == (80, 90)
    assert np.abs(luma(colour) * 255 - flat)[mask > 0].max() <= 2


def test_sixteen_bits_carry_more_than_eight(engine):
    image = smooth_scene(80, 90).astype(np.uint16) * 257
    mask = mask_of((80, 90), (30, 30, 60, 60))
    wide = engine.run(InpaintEdit(), EditInputs(image, mask)).image
    narrow = engine.run(InpaintEdit(), EditInputs((image // 257).astype(np.uint8), mask)).image
    assert len(np.unique(wide[mask > 0] % 257)) > 50
    assert np.abs(wide / 257 - narrow).max() <= 2


def test_two_separate_holes_are_two_crops_and_do_not_know_each_other(engine):
    image = scene(300, 900)
    near, far = (40, 40, 60, 60), (800, 200, 830, 230)
    both = engine.run(InpaintEdit(), EditInputs(image, mask_of((300, 900), near, far)))
    assert len(both.report["crops"]) == 2
    alone = engine.run(InpaintEdit(), EditInputs(image, mask_of((300, 900), near)))
    assert np.array_equal(both.image[:, :400], alone.image[:, :400])
    assert np.array_equal(both.edges[:, :400], alone.edges[:, :400])


def test_the_cost_follows_the_hole(engine):
    mask = mask_of((2000, 3000), (1000, 1000, 1100, 1100))
    image = np.zeros((2000, 3000), np.uint8)
    (crop,) = engine.run(InpaintEdit(), EditInputs(image, mask)).report["crops"]
    assert crop["levels_hw"] == [[232, 232]]


@pytest.mark.parametrize("edges_of", [(40, 30, 200, 160), (90, 80, 110, 100)])
def test_what_lies_outside_the_chosen_frame_does_not_matter(engine, edges_of):
    x0, y0, x1, y1 = edges_of
    mask = mask_of((240, 300), (90, 80, 130, 120))
    image = scene(240, 300)
    edit = InpaintEdit(context="box", context_box=edges_of)
    result = engine.run(edit, EditInputs(image, mask))
    (crop,) = result.report["crops"]
    fx0, fy0, fx1, fy1 = crop["frame"]
    assert fx0 <= x0 < x1 <= fx1
    assert fy0 <= y0 < y1 <= fy1
    other = scene(240, 300, seed=1)
    other[fy0:fy1, fx0:fx1] = image[fy0:fy1, fx0:fx1]
    again = engine.run(edit, EditInputs(other, mask))
    assert np.array_equal(again.image[80:120, 90:130], result.image[80:120, 90:130])
    assert np.array_equal(again.image[mask == 0], other[mask == 0])
    plain = engine.run(InpaintEdit(), EditInputs(image, mask))
    assert not np.array_equal(plain.image, result.image)


def test_a_chosen_frame_moves_with_the_new_canvas(engine):
    mask = mask_of((100, 140), (60, 40, 80, 60))
    edit = InpaintEdit(context="box", context_box=(40, 16, 120, 96), expand_ltrb=(0, 0, 0, 0))
    image = smooth_scene(100, 140)
    (frame,) = [crop["frame"] for crop in engine.run(edit, EditInputs(image, mask)).report["crops"]]
    assert frame == [40, 16, 120, 96]
    grown = edit.model_copy(update={"expand_ltrb": (400, 0, 0, 0)})
    frames = [crop["frame"] for crop in engine.run(grown, EditInputs(image, mask)).report["crops"]]
    assert [440, 16, 520, 96] in frames


# Edges ----------------------------------------------------------------------------------------------------------------


def test_the_edge_map_is_found_outside_and_predicted_inside(engine):
    image = smooth_scene(80, 90)
    mask = mask_of((80, 90), (30, 30, 60, 60))
    edges = engine.run(InpaintEdit(context="full"), EditInputs(image, mask)).edges
    found = canny(luma(image), known=mask == 0)
    assert np.array_equal(edges[mask == 0] > 0, found[mask == 0])
    assert set(np.unique(edges[mask == 0])) <= {0, 255}
    assert len(np.unique(edges[mask > 0])) > 10


def test_drawn_edges_come_and_erased_ones_go(engine):
    image, mask = smooth_scene(80, 90), mask_of((80, 90), (30, 30, 60, 60))
    drawn, erased = np.zeros((80, 90), np.uint8), np.zeros((80, 90), np.float32)
    drawn[45, 30:60] = 255
    erased[30:50, 30:60] = 1
    plain = engine.run(InpaintEdit(), EditInputs(image, mask))
    edited = engine.run(InpaintEdit(), EditInputs(image, mask, drawn, erased))
    assert (edited.edges[45, 30:60] == 255).all()
    assert not edited.edges[30:45, 30:60].any()
    assert np.array_equal(edited.edges[50:60, 30:60], plain.edges[50:60, 30:60])
    assert not np.array_equal(edited.image, plain.image)
    assert np.array_equal(edited.image[mask == 0], image[mask == 0])


def test_edges_can_be_the_drawn_ones_alone(engine):
    image, mask = smooth_scene(80, 90), mask_of((80, 90), (30, 30, 60, 60))
    drawn = np.zeros((80, 90), np.uint8)
    drawn[45, 30:60] = 255
    edges = engine.run(InpaintEdit(edge_source="drawn"), EditInputs(image, mask, drawn)).edges
    assert np.array_equal(np.flatnonzero(edges[30:60, 30:60].any(axis=1)), [15])


def test_a_line_of_a_brush_is_followed_in_its_middle(engine):
    """The networks know lines of one pixel; of a broad one they would take both borders."""
    image, mask = smooth_scene(80, 90), mask_of((80, 90), (30, 30, 60, 60))
    broad, middle = np.zeros((80, 90), np.uint8), np.zeros((80, 90), np.uint8)
    broad[43:48, 20:70] = 255
    middle[45, 22:68] = 255
    edit = InpaintEdit(edge_source="drawn")
    found = engine.run(edit, EditInputs(image, mask, broad))
    expected = engine.run(edit, EditInputs(image, mask, middle))
    assert np.array_equal(found.edges[30:60, 30:60], expected.edges[30:60, 30:60])
    assert np.array_equal(found.image, expected.image)


def test_a_drawn_line_reaches_the_fill_of_a_large_hole(engine):
    image, mask = smooth_scene(300, 300), mask_of((300, 300), (40, 40, 260, 260))
    drawn = np.zeros((300, 300), np.uint8)
    drawn[150, 40:260] = 255
    edit = InpaintEdit(working_size_px=128)
    plain = engine.run(edit, EditInputs(image, mask))
    edited = engine.run(edit, EditInputs(image, mask, drawn))
    assert (edited.edges[150, 40:260] == 255).all()
    assert not np.array_equal(edited.image, plain.image)


# Sizes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_hw", [(161, 203), (320, 100), (101, 500)])
def test_a_huge_hole_is_filled_coarse_to_fine(engine, size_hw):
    h, w = size_hw
    image = scene(h, w)
    mask = mask_of(size_hw, (10, 10, w - 10, h - 10))
    result = engine.run(InpaintEdit(working_size_px=64), EditInputs(image, mask))
    (crop,) = result.report["crops"]
    assert len(crop["levels_hw"]) >= 3
    assert crop["windows"] > 4
    assert (result.image != image).any(axis=2)[mask > 0].mean() > 0.9
    assert np.array_equal(result.image[mask == 0], image[mask == 0])
    assert result.edges.shape == size_hw


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_canvas_grows(engine, layout, kind):
    image = scene(40, 50, LAYOUTS[layout], kind)
    mask = mask_of((40, 50), (5, 5, 10, 10))
    result = engine.run(InpaintEdit(expand_ltrb=(3, 0, 20, 7)), EditInputs(image, mask)).image
    assert result.shape == (47, 73, *LAYOUTS[layout])
    inner = result[:40, 3:53]
    assert np.array_equal(inner[mask == 0], image[mask == 0])
    if layout in ("LA", "RGBA"):
        assert (result[:, 53:, -1] == np.iinfo(kind).max).all()


def test_the_canvas_grows_without_a_mask_and_with_lines(engine):
    image = smooth_scene(40, 50)
    drawn = np.zeros((40, 50), np.uint8)
    result = engine.run(InpaintEdit(expand_ltrb=(0, 0, 16, 0)), EditInputs(image, None, drawn, drawn))
    assert result.image.shape == (40, 66, 3)
    assert np.array_equal(result.image[:, :50], image)
    assert result.edges.shape == (40, 66)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 2), (2, 1), (3, 90), (11, 13), (12, 12)])
def test_the_smallest_pictures_are_filled(engine, size_hw):
    image = scene(*size_hw)
    mask = np.zeros(size_hw, np.uint8)
    mask[0, 0] = 255
    if size_hw == (1, 1):
        with pytest.raises(MaskError, match="everything selected"):
            engine.run(InpaintEdit(), EditInputs(image, mask))
        return
    result = engine.run(InpaintEdit(), EditInputs(image, mask)).image
    assert np.array_equal(result[mask == 0], image[mask == 0])


# The published routine ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def official_engine(parity, tmp_path_factory):
    """An engine with the published layout's seeded weights, imported."""
    spec = family_spec("inpaint")
    names = ("EdgeModel_gen.pth", "InpaintingModel_gen.pth")
    state = spec.import_official({name: parity.official_file("edgeconnect", name) for name in names})
    path = tmp_path_factory.mktemp("official") / "official.safetensors"
    options = spec.options_from_state(state)
    write_weights(path, WeightFile("inpaint", asdict(options), state))
    resolved = SimpleNamespace(path=path, name="official", sha256=sha256_of(path), licence="")
    return Engine(device="cpu", weights=SimpleNamespace(resolve=lambda name, family, **_: resolved))


def bytes_agree(ours, theirs):
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.999


@pytest.mark.parametrize("index", [0, 1])
def test_an_official_match_equals_the_published_routine(official_engine, parity, index):
    cases = parity.cases("edgeconnect")
    case = {
        key: cases[f"pipeline/{index}/{key}"].squeeze() for key in ("picture", "mask", "edges_soft", "result")
    }
    result = official_engine.run(
        InpaintEdit(is_official_match=True), EditInputs(case["picture"], (case["mask"] > 0).astype(np.uint8))
    )
    bytes_agree(result.image, case["result"])
    assert np.abs(result.edges / 255 - case["edges_soft"]).max() < 0.5 / 255 + 2e-5


@pytest.mark.parametrize("index", [0, 1])
def test_the_composited_edge_map_equals_the_papers(official_engine, parity, index, monkeypatch):
    """The product's own route, but for its rounding and its seam."""
    monkeypatch.setattr("engine.pipelines.inpaint.smooth_seam", lambda *_: Seam())
    monkeypatch.setattr(np, "rint", np.trunc)
    cases = parity.cases("edgeconnect")
    picture = cases[f"pipeline/{index}/picture"].squeeze()
    hole = (cases[f"pipeline/{index}/mask"].squeeze() > 0).astype(np.uint8) * 255
    result = official_engine.run(InpaintEdit(context="full"), EditInputs(picture, hole))
    bytes_agree(result.image, cases[f"pipeline/{index}/result_composited"].squeeze())


def test_an_official_match_keeps_an_odd_size(official_engine):
    image, mask = smooth_scene(45, 67), mask_of((45, 67), (20, 20, 40, 30))
    result = official_engine.run(InpaintEdit(is_official_match=True), EditInputs(image, mask))
    assert result.image.shape == image.shape
    assert np.array_equal(result.image[mask == 0], image[mask == 0])
    assert not result.report["seam"]["corrected"]
