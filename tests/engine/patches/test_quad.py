"""Four corners."""

import numpy as np

from engine.patches import quad

FREE = np.array([(3.0, 0.0), (30.0, 4.0), (26.0, 22.0), (0.0, 18.0)])


def test_a_homography_takes_each_corner_where_it_belongs():
    matrix = quad.homography(quad.rectangle((10, 20)), FREE)
    np.testing.assert_allclose(quad.move_points(matrix, quad.rectangle((10, 20))), FREE, atol=1e-9)
    np.testing.assert_allclose(
        quad.move_points(np.linalg.inv(matrix), FREE), quad.rectangle((10, 20)), atol=1e-9
    )


def test_a_rectangle_onto_itself_changes_nothing():
    picture = np.random.default_rng(0).random((12, 15, 3)).astype(np.float32)
    box = quad.rectangle((12, 15))
    np.testing.assert_allclose(quad.warp(picture, box, box, (12, 15)), picture, atol=1e-6)


def test_outside_the_rim_is_repeated():
    picture = np.zeros((8, 8, 3), dtype=np.float32)
    picture[:, -1] = 1
    box = quad.rectangle((8, 8))
    made = quad.warp(picture, box, box, (8, 12))
    assert (made[:, 8:] == 1).all()


def test_a_triangle_of_a_square_is_inside_by_its_pixel_middles():
    corners = np.array([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 4.0)])
    found = quad.inside(corners, (4, 4))
    assert found.tolist() == [
        [True, True, True, True],
        [False, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
    ]
    assert (quad.inside(corners[::-1], (4, 4)) == found).all()
    assert quad.inside(corners, (4, 4), margin_px=9).all()
