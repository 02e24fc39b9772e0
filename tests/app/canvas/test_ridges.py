import numpy as np
import pytest
from PIL import Image

from app.canvas.ridges import LEAST, REACH, crests, margin_px, tone

SIDE = 120


def everywhere(values: np.ndarray) -> np.ndarray:
    return np.ones(values.shape, bool)


def bump(height: float, deviation_px: float) -> np.ndarray:
    ys, xs = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    return np.round(height * np.exp(-(ys**2 + xs**2) / (2 * deviation_px**2))).astype(np.uint8)


def slope() -> np.ndarray:
    return np.linspace(0, 250, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint8)


def band(height: int, deviation_px: float) -> np.ndarray:
    """A line along row 60, blurred across it."""
    profile = height * np.exp(-((np.arange(SIDE) - 60.0) ** 2) / (2 * deviation_px**2))
    return np.repeat(np.round(profile)[:, None], SIDE, axis=1).astype(np.uint8)


@pytest.mark.parametrize("level", [12, 60, 255])
def test_haze_has_no_lines_however_high_it_is(level) -> None:
    """Cut at a level, each of these was one patch of chequers."""
    for haze in (np.full((SIDE, SIDE), level, np.uint8), bump(level, 25), bump(level, 60), slope()):
        assert not crests(haze, everywhere(haze)).any()


def test_noise_on_haze_makes_no_lines() -> None:
    rng = np.random.default_rng(3)
    haze = np.clip(rng.normal(60, 4, (SIDE, SIDE)), 0, 255).astype(np.uint8)
    assert (crests(haze, everywhere(haze)) > 0).mean() < 0.001


@pytest.mark.parametrize("height", [LEAST, 20, 32, 90, 255])
@pytest.mark.parametrize("haze", [0, 6, 40])
def test_a_line_is_found_one_pixel_wide_with_its_own_strength(height, haze) -> None:
    values = np.full((SIDE, SIDE), haze, np.uint8)
    values[60] = haze + min(height, 255 - haze) if haze + height <= 255 else 255
    if height < 0.6 * haze:
        return  # so little above the haze that it belongs to it
    found = crests(values, everywhere(values))
    assert (found[60, 6:-6] == values[60, 6:-6]).all()
    found[60] = 0
    assert not found.any()


def test_what_is_fainter_changes_no_fill_and_is_left_out() -> None:
    values = np.zeros((SIDE, SIDE), np.uint8)
    values[60] = LEAST - 1
    assert not crests(values, everywhere(values)).any()


@pytest.mark.parametrize("deviation_px", [0.7, 1.5, 2.5])
def test_a_soft_line_is_thinned_to_its_crest(deviation_px) -> None:
    values = band(50, deviation_px)
    found = crests(values, everywhere(values))
    assert (found[60, 6:-6] == 50).all()
    assert (found[:, 6:-6] > 0).sum(axis=0).max() == 1


@pytest.mark.parametrize("slant", [-2.0, -1.0, -0.4, 0.3, 1.0])
def test_lines_of_any_direction_are_found(slant) -> None:
    ys, xs = np.mgrid[:SIDE, :SIDE]
    across = (ys - 60 - slant * (xs - 60)) / np.hypot(1, slant)
    values = np.round(40 * np.exp(-(across**2) / 2)).astype(np.uint8)
    found = crests(values, everywhere(values)) > 0
    lines = found[10:-10, 10:-10].sum() / found[10:-10, 10:-10].any(axis=0 if abs(slant) <= 1 else 1).sum()
    assert 0.95 <= lines <= 2, "one pixel a step; two on a diagonal, which touch by their corners"
    assert np.abs(across[found]).max() < 1.1


@pytest.mark.parametrize("grain", [1.0, 2.0, 3.3, 8.0])
def test_lines_of_a_coarse_network_are_found_on_a_large_canvas(grain) -> None:
    """A line of the network is as wide there as the grain, and far from sharp."""
    small = np.zeros((48, 48), np.uint8)
    small[24] = 70
    side = round(48 * grain)
    values = np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BILINEAR))
    found = crests(values, everywhere(values), grain) > 0
    inner = found[:, side // 8 : -side // 8]
    assert inner.any(axis=0).mean() > 0.95
    assert inner.sum(axis=0).max() <= 1
    assert abs(np.nonzero(inner)[0].mean() - 24.5 * grain) <= grain


def test_the_border_of_the_hole_is_no_line() -> None:
    haze = np.full((SIDE, SIDE), 80, np.uint8)
    is_known = np.zeros((SIDE, SIDE), bool)
    is_known[30:90, 20:27] = is_known[50:60, 20:100] = True
    ys, xs = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    is_known |= np.hypot(ys, xs) < 20
    assert not crests(haze, is_known).any()


def test_a_line_is_found_in_a_narrow_hole() -> None:
    values = band(120, 1.2)
    is_known = np.zeros((SIDE, SIDE), bool)
    is_known[56:65] = True
    assert (crests(values, is_known)[60, 6:-6] == 120).all()


def test_nothing_is_found_where_nothing_is_known_and_nothing_is_changed() -> None:
    values = band(200, 1.0)
    before = values.copy()
    is_known = everywhere(values)
    is_known[:, 60:] = False
    found = crests(values, is_known)
    assert not found[:, 60:].any()
    assert found[60, 10:50].all()
    assert np.array_equal(values, before)


@pytest.mark.parametrize("grain", [1.0, 2.6])
def test_a_part_with_its_margin_has_the_lines_of_the_whole(grain) -> None:
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 120, (40, 40), np.uint8))
    values = np.asarray(coarse.resize((160, 160), Image.Resampling.BICUBIC))
    is_known = np.asarray(coarse.resize((160, 160), Image.Resampling.BILINEAR)) > 30
    whole = crests(values, is_known, grain)
    assert whole.any()
    margin = margin_px(grain)
    part = crests(values[80 - margin : 110 + margin, 70 - margin : 100 + margin],
                  is_known[80 - margin : 110 + margin, 70 - margin : 100 + margin], grain)  # fmt: skip
    assert np.array_equal(part[margin:-margin, margin:-margin], whole[80:110, 70:100])


def test_a_faint_line_is_shown_faintly_and_yet_seen() -> None:
    shown = tone(np.array([0, LEAST, 64, 255], np.uint8))
    assert shown.tolist() == [0, 55, 128, 255]
    assert REACH > 1
