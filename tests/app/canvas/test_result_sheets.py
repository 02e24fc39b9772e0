import numpy as np
import pytest

from app.canvas.result_sheets import GRAIN_LIMIT, GuessedLines, grain_of
from app.canvas.ridges import crests, tone


def lines_of(seed: int, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A haze with lines through it, and a hole with a ragged border."""
    rng = np.random.default_rng(seed)
    edges = np.full(size_hw, 20, np.uint8)
    edges[rng.integers(0, size_hw[0], 9)] = 90
    edges[:, rng.integers(0, size_hw[1], 9)] = 160
    coverage = np.zeros(size_hw, np.uint8)
    coverage[17:-9, 30:-40] = 255
    coverage[100:140, 200:230] = 0
    return edges, coverage


@pytest.mark.parametrize("grain", [1.0, 2.5])
def test_lines_read_in_parts_are_those_of_the_whole(grain):
    edges, coverage = lines_of(2, (600, 700))
    whole = tone(crests(edges, coverage > 0, grain))
    assert whole.any()
    lines = GuessedLines(edges, coverage, grain)
    for x0, y0, x1, y1 in ((250, 240, 270, 262), (0, 0, 10, 600), (500, 300, 700, 600), (0, 0, 700, 600)):
        assert np.array_equal(lines((x0, y0, x1, y1)), whole[y0:y1, x0:x1])


def test_nothing_is_looked_for_before_it_is_seen_nor_twice(monkeypatch):
    edges, coverage = lines_of(2, (600, 700))
    lines = GuessedLines(edges, coverage, 1.0)
    found = []
    monkeypatch.setattr(
        lines, "_find", lambda row, column: found.append((row, column)) or found_by(row, column)
    )
    found_by = GuessedLines._find.__get__(lines)
    lines((0, 0, 256, 256))
    assert found == [(0, 0)]
    lines((200, 0, 300, 100))
    lines((200, 0, 300, 100))
    assert found == [(0, 0), (0, 1)]


def test_the_grain_is_that_of_the_finest_level_of_the_coarsest_crop():
    fine = {"frame": [246, 0, 502, 400], "levels_hw": [[400, 256]]}
    coarse = {"frame": [0, 0, 4000, 3000], "levels_hw": [[384, 512], [1000, 1333]]}
    assert grain_of([]) == 1
    assert grain_of([fine]) == 1
    assert grain_of([fine, coarse]) == 3
    assert grain_of([{"frame": [0, 0, 9, 9000], "levels_hw": [[10, 10]]}]) == GRAIN_LIMIT


@pytest.mark.parametrize(
    "crop",
    [{}, {"frame": "x", "levels_hw": 3}, {"frame": [0, 0, 1, 1], "levels_hw": [[0, 0]]}, {"frame": [1]}],
)
def test_a_crop_that_says_nothing_of_use_counts_as_sharp(crop):
    assert grain_of([crop]) == 1
