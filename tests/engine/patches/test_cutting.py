"""Seams between two parts of a picture, against a plain twin."""

from itertools import product

import numpy as np
import pytest

from engine.patches.cutting import REACH_PX, cuts
from engine.progress import Cancelled


def look() -> None:
    pass


def plain(picture: np.ndarray, end: int, begin: int) -> tuple[float, list[int]]:
    """Try every seam of a low picture."""
    height, width = picture.shape[:2]
    last = width - 1

    def cost(row: int, by: int) -> float:
        if not (0 <= end + by <= width and 0 <= begin + by <= width):
            return np.inf
        pairs = [
            (min(max(end + by + side, 0), last), min(max(begin + by + side, 0), last)) for side in (-1, 0)
        ]
        return np.sqrt(sum(np.square(picture[row, a] - picture[row, b]).sum() for a, b in pairs) / 6)

    ways = product(range(-REACH_PX, REACH_PX + 1), repeat=height)
    smooth = [way for way in ways if all(abs(a - b) <= 1 for a, b in zip(way, way[1:], strict=False))]
    found = [sum(cost(row, by) for row, by in enumerate(way)) / height for way in smooth]
    return min(found), list(smooth[int(np.argmin(found))])


@pytest.mark.parametrize(("end", "begin"), [(6, 3), (12, 0), (1, 9), (4, 11), (5, 5)])
def test_the_best_of_all_seams_is_found(end: int, begin: int):
    picture = np.random.default_rng(end).random((4, 12, 3)).astype(np.float32)
    found = cuts(picture, look)
    cost, seam = plain(picture, end, begin)
    assert found.costs[end, begin] == pytest.approx(cost, abs=1e-5)
    if end != begin:
        assert found.seam(end, begin).tolist() == seam


def test_going_on_where_one_stopped_costs_nothing():
    picture = np.random.default_rng(0).random((5, 14, 3)).astype(np.float32)
    assert np.abs(np.diag(cuts(picture, look).costs)).max() == 0


def test_a_pattern_that_repeats_is_cut_for_nothing_at_its_period():
    picture = np.tile(np.random.default_rng(1).random((6, 5, 3)).astype(np.float32), (1, 4, 1))
    costs = cuts(picture, look).costs
    assert costs[15, 5] == 0
    assert costs[15, 6] > 0.1


def test_a_request_to_stop_is_met_within_a_row():
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        cuts(np.zeros((9, 10, 3), np.float32), stop)
