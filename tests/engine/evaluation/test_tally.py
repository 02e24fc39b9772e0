import numpy as np
import pytest

from engine.evaluation.tally import Tally, stacked


@pytest.fixture
def tally():
    tally = Tally(("small", "large"), {"all": ("small", "large")})
    tally.add("a", "small", {"x": 1.0}, counts={"n": 2}, features=(np.ones(3), np.zeros(3)))
    tally.add("a", "small", {"x": 2.0}, counts={"n": 3})
    tally.add("a", "large", {"x": 6.0}, counts={"n": 5})
    tally.add("b", "large", {"x": 4.0})
    return tally


def test_merged_bin_averages_results_not_bins(tally):
    cells = dict(tally.cells("a"))
    assert list(cells) == ["small", "large", "all"]
    assert cells["small"].mean("x") == pytest.approx(1.5)
    assert cells["all"].mean("x") == pytest.approx(3.0)
    assert cells["all"].counts == {"n": 10}
    assert cells["all"].count == 3
    assert len(cells["all"].features) == 1


def test_bin_without_results_is_left_out(tally):
    assert [name for name, _ in tally.cells("b")] == ["large", "all"]


def test_measure_that_was_not_taken_has_no_mean(tally):
    assert dict(tally.cells("a"))["all"].mean("y") is None


def test_merging_leaves_the_parts_alone(tally):
    list(tally.cells("a"))
    assert dict(tally.cells("a"))["small"].count == 2


def test_infinity_survives_the_mean():
    tally = Tally(("only",), {})
    tally.add("a", "only", {"psnr": float("inf")})
    tally.add("a", "only", {"psnr": 30.0})
    assert dict(tally.cells("a"))["only"].mean("psnr") == float("inf")


def test_stacking_nothing_gives_nothing():
    assert stacked([]).shape == (0, 0)
    assert stacked([np.ones(2), np.zeros(2)]).shape == (2, 2)
