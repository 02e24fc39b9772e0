"""The measures on pictures whose answer is known."""

import numpy as np
import pytest
import torch

from engine.patches.measures import measure, sliced_wasserstein
from engine.progress import Cancelled


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)


def test_a_picture_is_at_no_distance_from_itself():
    found = measure(texture(40, 44), texture(40, 44))
    assert found.coherence < 2e-3  # the root of a rounding error
    assert found.completeness < 2e-3
    assert found.sliced_wasserstein == 0


def test_a_part_is_coherent_but_not_complete_and_the_whole_the_other_way_round():
    whole = texture(64, 64)
    part = whole[:, :32]
    narrow, wide = measure(whole, part), measure(part, whole)
    assert narrow.coherence < 0.3 * narrow.completeness
    assert wide.completeness < 0.3 * wide.coherence


def test_flat_pictures_differ_by_their_colours():
    black, grey = np.zeros((32, 32, 3), np.float32), np.full((32, 40, 3), 0.5, np.float32)
    found = measure(black, grey)
    assert found.coherence == pytest.approx(0.5, abs=1e-4)
    assert found.completeness == pytest.approx(0.5, abs=1e-4)


def test_one_row_of_numbers_moved_along_is_that_far_away():
    ours = torch.linspace(0, 1, 50)[:, None]
    assert sliced_wasserstein(ours, ours + 0.25) == pytest.approx(0.25, abs=1e-5)
    assert sliced_wasserstein(ours, ours.repeat(2, 1)) < 0.01


def test_only_what_is_inside_counts():
    whole = texture(40, 40)
    spoilt = whole.copy()
    spoilt[:, 20:] = 0
    inside = np.zeros((40, 40), dtype=bool)
    inside[:, :20] = True
    assert measure(whole, spoilt, inside).coherence < 0.2 * measure(whole, spoilt).coherence


def test_measuring_can_be_stopped():
    def look() -> None:
        raise Cancelled("asked")

    with pytest.raises(Cancelled, match="asked"):
        measure(texture(20, 20), texture(20, 20), look=look)
