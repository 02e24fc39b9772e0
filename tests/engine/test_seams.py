import numpy as np
import pytest

from engine import seams
from engine.seams import Seam, measure_seam, smooth_seam, summarise


def scene(size_hw=(80, 100), kind=np.uint8, channels=3):
    """A soft slope with a little grain, and a hole in its middle."""
    h, w = size_hw
    rng = np.random.default_rng(0)
    slope = np.linspace(0.3, 0.6, w)[None, :, None] + np.linspace(0, 0.1, h)[:, None, None]
    picture = slope + rng.normal(0, 0.004, (h, w, channels))
    colours = np.rint(picture * np.iinfo(kind).max).astype(kind)
    hole = np.zeros((h, w), np.bool_)
    hole[h // 4 : 3 * h // 4, w // 4 : 3 * w // 4] = True
    return colours, hole


def shifted(colours, hole, by):
    changed = colours.copy()
    changed[hole] = np.clip(changed[hole] + by * np.iinfo(colours.dtype).max, 0, None).astype(colours.dtype)
    return changed


def test_the_picture_itself_has_no_seam():
    colours, hole = scene()
    seam = measure_seam(colours, hole, ~hole)
    assert seam.border_px == 2 * (40 + 50)
    assert seam.colour_step == pytest.approx(seam.picture_colour_step, rel=0.15)
    assert seam.gradient_step == pytest.approx(seam.picture_gradient_step, rel=0.2)
    assert not seam.is_visible


def test_a_step_is_measured_in_full():
    colours = np.full((20, 20, 3), 100, np.uint8)
    hole = np.zeros((20, 20), np.bool_)
    hole[5:15, 5:15] = True
    colours[hole] = 151
    seam = measure_seam(colours, hole, ~hole)
    assert seam.colour_step == pytest.approx(0.2)
    assert (seam.picture_colour_step, seam.gradient_step) == (0, 0)
    assert seam.is_visible


def test_a_kink_is_measured_without_a_step():
    """Flat outside, rising by 2 levels a pixel inside."""
    row = np.array([100] * 10 + [100 + 2 * i for i in range(10)], np.uint8)
    colours = np.repeat(row[None], 8, axis=0)[..., None].copy()
    hole = np.zeros((8, 20), np.bool_)
    hole[:, 10:] = True
    seam = measure_seam(colours, hole, ~hole)
    assert seam.gradient_step == pytest.approx(2 / 255)
    assert seam.colour_step == 0


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_step_is_smoothed_away(kind, channels):
    colours, hole = scene(kind=kind, channels=channels)
    composite = shifted(colours, hole, 0.1)
    known = composite[~hole].copy()
    before = measure_seam(composite, hole, ~hole)
    after = smooth_seam(composite, hole, ~hole, np.ones(hole.shape, np.float32))
    assert after.corrected
    assert before.colour_step > 0.09
    assert after.colour_step < 0.012
    assert np.array_equal(composite[~hole], known)
    worst = np.abs(composite.astype(float) - colours)[hole].max() / np.iinfo(kind).max
    assert worst < 0.03


def test_a_step_that_changes_along_the_border_is_smoothed():
    colours, hole = scene()
    composite = colours.copy()
    ramp = np.linspace(-0.1, 0.1, 100)[None, :, None] * 255
    composite[hole] = np.clip(colours + ramp, 0, 255).astype(np.uint8)[hole]
    before = measure_seam(composite, hole, ~hole)
    after = smooth_seam(composite, hole, ~hole, np.ones(hole.shape, np.float32))
    assert after.colour_step < 0.35 * before.colour_step


def test_what_shows_no_seam_is_left_alone():
    colours, hole = scene()
    composite = colours.copy()
    seam = smooth_seam(composite, hole, ~hole, np.ones(hole.shape, np.float32))
    assert not seam.corrected
    assert np.array_equal(composite, colours)


def test_a_correction_that_does_not_help_is_taken_back(monkeypatch):
    colours, hole = scene()
    composite = shifted(colours, hole, 0.1)
    wanted = composite.copy()
    wrong = lambda colours, hole, known: np.full((4, 4, 3), 0.2, np.float32)  # noqa: E731
    monkeypatch.setattr(seams, "_membrane", wrong)
    seam = smooth_seam(composite, hole, ~hole, np.ones(hole.shape, np.float32))
    assert not seam.corrected
    assert np.array_equal(composite, wanted)


def test_where_little_of_the_fill_shows_little_is_corrected():
    colours, hole = scene()
    composite = shifted(colours, hole, 0.1)
    before = composite.copy()
    smooth_seam(composite, hole, ~hole, np.where(hole, 0.5, 0).astype(np.float32))
    change = (before.astype(int) - composite)[hole].mean() / 255
    assert change == pytest.approx(0.05, abs=0.01)


def test_bands_do_not_change_the_measure(monkeypatch):
    colours, hole = scene((90, 60))
    composite = shifted(colours, hole, 0.05)
    whole = measure_seam(composite, hole, ~hole)
    other = composite.copy()
    smooth_seam(composite, hole, ~hole, np.ones(hole.shape, np.float32))
    monkeypatch.setattr(seams, "BAND_ROWS", 7)
    assert measure_seam(other, hole, ~hole).as_dict() == whole.as_dict()
    smooth_seam(other, hole, ~hole, np.ones(hole.shape, np.float32))
    assert np.array_equal(other, composite)


def test_a_coarse_grid_smooths_as_well(monkeypatch):
    colours, hole = scene((120, 150))
    composite = shifted(colours, hole, 0.1)
    monkeypatch.setattr(seams, "GRID_CELLS", 32)
    after = smooth_seam(composite, hole, ~hole, np.ones(hole.shape, np.float32))
    assert after.colour_step < 0.02


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 5), (2, 3), (4, 4)])
def test_tiny_frames_are_measured(size_hw):
    colours = np.zeros((*size_hw, 3), np.uint8)
    hole = np.zeros(size_hw, np.bool_)
    hole[0, 0] = True
    colours[hole] = 200
    smooth_seam(colours, hole, ~hole, np.ones(size_hw, np.float32))
    assert not colours[~hole].any()


def test_other_holes_are_not_looked_at():
    colours = np.zeros((10, 10, 1), np.uint8)
    hole = np.zeros((10, 10), np.bool_)
    hole[:, :5] = True
    colours[:, 5:] = 255
    assert measure_seam(colours, hole, np.zeros_like(hole)) == Seam()


def test_seams_are_summed_up_by_length():
    both = summarise([Seam(0.1, 0.2, 0.0, 0.0, 10), Seam(0.4, 0.2, 0.0, 0.0, 20, corrected=True)])
    assert both.colour_step == pytest.approx(0.3)
    assert both.border_px == 30
    assert both.corrected
    assert summarise([]) == Seam()
