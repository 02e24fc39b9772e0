import numpy as np
import pytest

from engine.evaluation.baselines import navier_stokes, telea
from engine.evaluation.measures import hole_l1


@pytest.fixture
def case():
    y, x = np.mgrid[0:48, 0:40]
    image = np.stack([x * 5, y * 4, (x + y) * 2], axis=-1).astype(np.uint8)
    hole = np.zeros((48, 40), bool)
    hole[15:30, 12:25] = True
    return image, hole


@pytest.mark.parametrize("fill", [telea, navier_stokes])
def test_baseline_beats_noise_and_keeps_what_is_known(fill, case):
    image, hole = case
    before = image.copy()
    result = fill(image, hole)
    assert result.dtype == np.uint8
    assert (result[~hole] == image[~hole]).all()
    noise = np.where(hole[..., None], np.random.default_rng(0).integers(0, 256, image.shape), image)
    ours, theirs = (hole_l1(x[None] / 255, image[None] / 255, hole[None])[0] for x in (result, noise))
    assert ours < theirs / 3
    assert (image == before).all()


@pytest.mark.parametrize("fill", [telea, navier_stokes])
def test_what_lies_in_the_hole_is_not_looked_at(fill, case):
    image, hole = case
    other = np.where(hole[..., None], np.uint8(77), image)
    assert (fill(image, hole) == fill(other, hole)).all()
