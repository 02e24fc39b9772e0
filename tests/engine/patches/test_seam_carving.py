"""The baseline itself is right, or beating it would mean nothing."""

import importlib.util
from pathlib import Path

import numpy as np

_spec = importlib.util.spec_from_file_location("seam_carving", Path(__file__).parent / "seam_carving.py")
assert _spec is not None
assert _spec.loader is not None
seam_carving = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(seam_carving)


def test_the_cheapest_seam_of_a_hand_worked_table():
    cost = np.array([[5.0, 1.0, 9.0], [9.0, 9.0, 1.0], [9.0, 2.0, 9.0]])
    assert seam_carving.cheapest_seam(cost).tolist() == [1, 2, 1]


def test_flat_columns_go_first_and_are_doubled_first():
    image = np.random.default_rng(0).random((12, 16, 3)).astype(np.float32)
    image[:, 6:10] = 0.5
    narrow = seam_carving.carve(image, (12, 14))
    np.testing.assert_array_equal(narrow[:, :6], image[:, :6])
    np.testing.assert_array_equal(narrow[:, -6:], image[:, -6:])
    wide = seam_carving.carve(image, (12, 18))
    np.testing.assert_array_equal(wide[:, :6], image[:, :6])
    np.testing.assert_array_equal(wide[:, -6:], image[:, -6:])


def test_any_size_comes_out():
    image = np.random.default_rng(0).random((9, 11, 3)).astype(np.float32)
    assert seam_carving.carve(image, (14, 25)).shape == (14, 25, 3)
    assert seam_carving.carve(image, (5, 6)).shape == (5, 6, 3)
