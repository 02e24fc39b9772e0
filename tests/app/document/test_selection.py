"""The mask by modes, by colour, grown and shrunk; one entry each, and undo restores."""

import numpy as np
import pytest

from app.document import selection
from app.document.document import Document
from app.document.events import PixelsChanged
from app.document.shapes import Patch
from app.document.tiles import covered_box
from engine.errors import MaskError
from engine.pictures import Picture, read_mask


@pytest.fixture
def document():
    pixels = np.full((200, 300, 3), 60, np.uint8)
    pixels[50:150, 100:200] = (200, 60, 60)
    pixels[50:150, 250:280] = (200, 60, 60)
    return Document.from_picture(Picture(pixels, "RGB"), name="test")


def mask(document):
    return document.mask_layer.planes["coverage"]


def put(document, box, value=255):
    x0, y0, x1, y1 = box
    patch = Patch(box, np.full((y1 - y0, x1 - x0), value, np.uint8))
    return selection.select(document, patch, "add")


def test_the_four_modes():
    before = np.array([0, 50, 200, 255], np.uint8)
    patch = np.array([100, 100, 100, 100], np.uint8)
    modes = ("replace", "add", "subtract", "intersect")
    got = {mode: selection.combine(before, patch, mode).tolist() for mode in modes}
    assert got == {
        "replace": [100, 100, 100, 100],
        "add": [100, 100, 200, 255],
        "subtract": [0, 50, 155, 155],
        "intersect": [0, 50, 100, 100],
    }


@pytest.mark.parametrize("mode", ["replace", "add", "subtract", "intersect"])
def test_select_equals_combining_whole_masks_and_undo_restores(document, mode):
    put(document, (20, 20, 120, 120), 180)
    before = mask(document).copy()
    rng = np.random.default_rng(1)
    patch = Patch((80, 60, 260, 190), rng.integers(0, 256, (130, 180), np.uint8))
    full = np.zeros_like(before)
    full[60:190, 80:260] = patch.coverage
    assert selection.select(document, patch, mode)
    after = mask(document).copy()
    np.testing.assert_array_equal(after, selection.combine(before, full, mode))
    document.undo()
    np.testing.assert_array_equal(mask(document), before)
    document.redo()
    np.testing.assert_array_equal(mask(document), after)


def test_only_the_box_that_differs_is_announced(document):
    put(document, (20, 20, 120, 120))
    said = []
    document.observe(said.append)
    put(document, (20, 20, 130, 120))
    assert [event.box for event in said if isinstance(event, PixelsChanged)] == [(120, 20, 130, 120)]


def test_a_selection_that_changes_nothing_is_no_entry(document):
    put(document, (20, 20, 120, 120))
    entries = document.undo_label
    assert not put(document, (30, 30, 40, 40))
    assert not selection.select(document, None, "add")
    assert not selection.select(
        document, Patch((200, 0, 210, 10), np.full((10, 10), 255, np.uint8)), "subtract"
    )
    assert document.undo_label == entries
    document.undo()
    assert not document.can_undo


def test_like_colours_of_the_picture(document):
    assert selection.select_similar(document, (150.5, 100.5), "add", tolerance=0.1, is_contiguous=True)
    assert covered_box(mask(document)) == (100, 50, 200, 150)
    assert selection.select_similar(document, (150.5, 100.5), "add", tolerance=0.1, is_contiguous=False)
    assert mask(document)[100, 260] == 255
    assert mask(document).sum() == 255 * 130 * 100
    assert not selection.select_similar(document, (-1, 5), "add", tolerance=0.1, is_contiguous=True)


def test_a_drawn_outline_is_filled_without_a_seam(document):
    y, x = np.mgrid[0:200, 0:300] + 0.5
    ring = np.clip(3.5 - np.abs(np.hypot(x - 150, y - 100) - 60), 0, 1)
    selection.select(document, Patch((0, 0, 300, 200), (ring * 255).astype(np.uint8)), "add")
    assert selection.fill_outline(document, (150, 100), "add", tolerance=0.1)
    assert mask(document)[np.hypot(x - 150, y - 100) < 60].min() == 255
    assert mask(document)[np.hypot(x - 150, y - 100) > 64].max() == 0


@pytest.mark.parametrize("by_px", [1, 5, 20, 60])
def test_growing_a_dot_gives_a_disc(document, by_px):
    put(document, (150, 100, 151, 101))
    assert selection.grow(document, by_px)
    y, x = np.mgrid[0:200, 0:300]
    distance = np.hypot(x - 150, y - 100)
    assert mask(document)[distance <= by_px * 0.94 - 0.5].min() == 255
    assert mask(document)[distance >= by_px * 1.03 + 1].max() == 0


def test_growing_moves_a_straight_border_by_just_as_much_and_keeps_it_soft(document):
    values = np.zeros((200, 300), np.uint8)
    values[60:140, 100:200] = 255
    values[60:140, 99] = 100
    selection.select(document, Patch((0, 0, 300, 200), values), "add")
    selection.grow(document, 13)
    assert mask(document)[100, 85:88].tolist() == [0, 100, 255]
    assert mask(document)[100, 212:214].tolist() == [255, 0]


def test_shrinking_undoes_growing_of_a_square(document):
    put(document, (60, 60, 180, 150))
    before = mask(document).copy()
    selection.grow(document, 9)
    selection.shrink(document, 9)
    np.testing.assert_array_equal(mask(document), before)


def test_shrinking_leaves_the_border_of_the_canvas(document):
    put(document, (0, 0, 100, 200))
    selection.shrink(document, 10)
    assert mask(document)[:, :90].min() == 255
    assert mask(document)[:, 90:].max() == 0


def test_shrinking_all_away_is_undone(document):
    put(document, (60, 60, 70, 70))
    assert selection.shrink(document, 20)
    assert not mask(document).any()
    document.undo()
    assert mask(document).sum() == 255 * 100


def test_feather_softens_the_mask(document):
    put(document, (60, 60, 180, 150))
    assert selection.feather(document, 6)
    assert int(mask(document)[100, 60]) == pytest.approx(128, abs=20)
    assert mask(document)[100, 120] == 255
    assert mask(document)[100, 40] == 0


@pytest.mark.parametrize("work", [selection.grow, selection.shrink, selection.feather])
def test_an_empty_mask_and_no_px_change_nothing(document, work):
    assert not work(document, 5)
    put(document, (60, 60, 180, 150))
    assert not work(document, 0)


def test_invert_twice_is_nothing_and_all_of_nothing_is_all(document):
    put(document, (60, 60, 180, 150), 77)
    before = mask(document).copy()
    assert selection.invert(document)
    np.testing.assert_array_equal(mask(document), 255 - before)
    selection.invert(document)
    np.testing.assert_array_equal(mask(document), before)
    selection.select_all(document)
    assert mask(document).min() == 255
    assert not selection.select_all(document)


def test_clear_takes_the_mask_and_its_strokes_and_undo_brings_both(document):
    from app.document.painting import StrokePainter
    from app.document.strokes import BrushSettings

    layer = document.mask_layer
    with document.begin("Brush") as transaction:
        painter = StrokePainter(transaction, layer, "coverage", BrushSettings(), False)
        painter.add((50, 50, 1, 0, 0))
        transaction.add_stroke(layer.id, painter.finish())
    before = mask(document).copy()
    assert selection.clear(document)
    assert not mask(document).any()
    assert not layer.strokes
    assert not selection.clear(document)
    document.undo()
    np.testing.assert_array_equal(mask(document), before)
    assert len(document.mask_layer.strokes) == 1


def test_clearing_edges_takes_all_three_planes(document):
    layer = document.edges_layer
    with document.begin("Edges") as transaction:
        for plane in ("drawn", "erased", "locked"):
            with transaction.writing(layer.id, plane, (5, 5, 9, 9)) as values:
                values[...] = 200
    assert selection.clear_edges(document)
    assert not any(layer.planes[plane].any() for plane in layer.planes)
    assert not selection.clear_edges(document)
    document.undo()
    assert all(layer.planes[plane][6, 6] == 200 for plane in layer.planes)


def test_a_saved_mask_comes_back_byte_for_byte(document, tmp_path):
    rng = np.random.default_rng(2)
    values = rng.integers(0, 256, (200, 300), np.uint8)
    selection.select(document, Patch((0, 0, 300, 200), values), "replace")
    selection.save_mask(document.mask_layer.planes["coverage"], tmp_path / "mask.png")
    np.testing.assert_allclose(read_mask(tmp_path / "mask.png", size_hw=(200, 300)) * 255, values, atol=1e-4)
    selection.clear(document)
    assert selection.load_mask(document, tmp_path / "mask.png")
    np.testing.assert_array_equal(mask(document), values)
    selection.load_mask(document, tmp_path / "mask.png", should_invert=True)
    np.testing.assert_array_equal(mask(document), 255 - values)


def test_a_mask_of_another_size_is_refused_in_words_or_fitted(document, tmp_path):
    other = Document.blank((100, 150))
    selection.select_all(other)
    selection.save_mask(other.mask_layer.planes["coverage"], tmp_path / "small.png")
    with pytest.raises(MaskError, match="expected 300x200 px as the picture, got 150x100 px"):
        selection.load_mask(document, tmp_path / "small.png")
    assert not document.can_undo
    assert selection.load_mask(document, tmp_path / "small.png", fit=True)
    assert mask(document).min() == 255
