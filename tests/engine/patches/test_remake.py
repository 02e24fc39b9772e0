"""The door of the instant mode: small pictures, all shapes."""

import numpy as np
import pytest
import torch

from engine.corners import fault_of
from engine.patches import layout, level, quad
from engine.patches.measures import measure
from engine.patches.remake import Remade, remake
from engine.progress import Cancelled, Progress, Steps

CPU = torch.device("cpu")


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Coloured blobs on a slope: no two patches alike."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    made = np.stack([y / height, x / width, (x + y) / (height + width)], 2).astype(np.float32) * 0.4
    for _ in range(12):
        cy, cx, size = random.uniform(0, height), random.uniform(0, width), random.uniform(2, 6)
        blob = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))[..., None]
        made += (blob * random.uniform(-0.3, 0.6, 3)).astype(np.float32)
    return np.clip(made, 0, 1).astype(np.float32)


def make(image: np.ndarray, size_hw: tuple[int, int], **options) -> Remade:
    options = {"completeness": 0.7, **options}
    return remake(image, size_hw, device=CPU, steps=Steps(1, None, None), **options)


def check(made: Remade, image: np.ndarray, size_hw: tuple[int, int]) -> None:
    height, width = image.shape[:2]
    assert made.image.shape == (*size_hw, 3)
    assert made.image.dtype == np.float32
    assert np.isfinite(made.image).all()
    assert made.image.min() >= 0
    assert made.image.max() <= 1
    assert made.field_xy.shape == (*size_hw, 2)
    assert made.field_xy.dtype == np.int32
    assert made.field_xy.min() >= 0
    assert made.field_xy[..., 0].max() < width
    assert made.field_xy[..., 1].max() < height
    assert made.novelty.shape == size_hw
    assert made.novelty.dtype == np.float32
    assert made.novelty.min() >= 0
    assert made.novelty.max() <= 1


def test_the_source_at_its_own_size_comes_back():
    image = picture(48, 56)
    made = make(image, (48, 56))
    check(made, image, (48, 56))
    assert np.abs(made.image - image).max() < 0.02
    y, x = np.mgrid[:48, :56]
    assert (made.field_xy == np.stack([x, y], 2)).mean() > 0.98
    assert made.novelty.mean() < 0.02


@pytest.mark.parametrize("size_hw", [(48, 112), (32, 48), (33, 71), (96, 32)])
def test_other_sizes_are_made_from_colours_of_the_source(size_hw: tuple[int, int]):
    image = picture(48, 56)
    made = make(image, size_hw)
    check(made, image, size_hw)
    copied = image[made.field_xy[..., 1], made.field_xy[..., 0]]
    assert np.abs(copied - made.image).mean() < 0.03


def test_the_same_seed_gives_the_same_picture_and_the_input_stays():
    image = picture(64, 60)
    before = image.copy()
    first, second = make(image, (60, 100), seed=3), make(image, (60, 100), seed=3)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.field_xy, second.field_xy)
    np.testing.assert_array_equal(image, before)


def test_progress_rises_to_the_end():
    said: list[Progress] = []
    remake(picture(40, 40), (40, 64), device=CPU, steps=Steps(1, said.append, None), completeness=0.7)
    shares = [one.share for one in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(one.preview is not None for one in said)


def test_a_request_to_stop_is_met():
    calls = 0

    def is_cancelled() -> bool:
        nonlocal calls
        calls += 1
        return calls > 20

    with pytest.raises(Cancelled):
        remake(picture(40, 40), (40, 64), device=CPU, steps=Steps(1, None, is_cancelled), completeness=0.7)
    assert calls == 21


def test_a_locked_region_moves_as_one_piece_bit_for_bit():
    image = picture(48, 48)
    lock = np.zeros((48, 48), dtype=np.float32)
    lock[10:26, 20:34] = 0.3
    made = make(image, (40, 90), lock=lock)
    check(made, image, (40, 90))
    dx, dy = round(27 * 90 / 48 - 27), round(18 * 40 / 48 - 18)
    np.testing.assert_array_equal(made.image[10 + dy : 26 + dy, 20 + dx : 34 + dx], image[10:26, 20:34])
    y, x = np.mgrid[10:26, 20:34]
    part = (slice(10 + dy, 26 + dy), slice(20 + dx, 34 + dx))
    np.testing.assert_array_equal(made.field_xy[part], np.stack([x, y], 2))
    assert (made.novelty[part] == 0).all()


def test_two_locked_regions_keep_their_own_places_and_nothing_of_them_comes_twice():
    image = picture(40, 64)
    lock = np.zeros((40, 64), dtype=np.float32)
    lock[12:28, 4:20], lock[8:20, 44:60] = 1, 1
    made = make(image, (40, 100), lock=lock)
    for x0, x1, y0, y1 in ((4, 20, 12, 28), (44, 60, 8, 20)):
        dx = round((x0 + x1) / 2 * 100 / 64 - (x0 + x1) / 2)
        np.testing.assert_array_equal(made.image[y0:y1, x0 + dx : x1 + dx], image[y0:y1, x0:x1])
    from_lock = lock[made.field_xy[..., 1], made.field_xy[..., 0]] > 0
    assert from_lock.sum() < 1.4 * (lock > 0).sum()


def test_a_lock_at_the_rim_or_over_nearly_everything_is_kept_too():
    image = picture(36, 36)
    lock = np.zeros((36, 36), dtype=np.float32)
    lock[:30, :] = 1
    made = make(image, (36, 60), lock=lock)
    check(made, image, (36, 60))
    np.testing.assert_array_equal(made.image[:30, 12:48], image[:30])


QUAD = [(10.0, 0.0), (78.0, 6.0), (70.0, 50.0), (0.0, 44.0)]


def test_a_quadrilateral_is_made_inside_only():
    image = picture(44, 50)
    made = make(image, (50, 78), corners_xy=QUAD)
    check(made, image, (50, 78))
    inside = quad.inside(np.array(QUAD), (50, 78))
    outside = ~quad.inside(np.array(QUAD), (50, 78), margin_px=0.75)
    assert (made.image[outside] == 0).all()
    assert (made.field_xy[outside] == 0).all()
    assert (made.novelty[outside] == 0).all()
    copied = image[made.field_xy[..., 1], made.field_xy[..., 0]]
    assert np.abs(copied - made.image)[inside].mean() < 0.04


def test_a_quadrilateral_may_have_locks():
    image = picture(44, 50)
    lock = np.zeros((44, 50), dtype=np.float32)
    lock[16:26, 20:32] = 1
    made = make(image, (50, 78), corners_xy=QUAD, lock=lock)
    piece = image[16:26, 20:32]
    windows = np.lib.stride_tricks.sliding_window_view(made.image, (10, 12), axis=(0, 1))
    assert (windows == piece.transpose(2, 0, 1)).all(axis=(2, 3, 4)).any()


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_flat_picture_stays_flat(level: float):
    flat = np.full((40, 36, 3), level, dtype=np.float32)
    for completeness in (0.0, 1.0):
        made = make(flat, (36, 64), completeness=completeness)
        np.testing.assert_allclose(made.image, flat[0, 0, 0], atol=1e-5)
        assert (made.novelty < 1e-3).all()


def test_a_grey_picture_stays_grey():
    grey = np.repeat(picture(40, 40).mean(2, keepdims=True), 3, 2)
    made = make(grey, (40, 66))
    np.testing.assert_allclose(made.image, made.image[..., :1].repeat(3, 2), atol=1e-5)


@pytest.mark.parametrize(
    ("source", "target"), [((32, 32), (32, 32)), ((33, 110), (110, 33)), ((32, 48), (40, 300))]
)
def test_small_odd_and_extreme_shapes_work(source: tuple[int, int], target: tuple[int, int]):
    image = picture(*source)
    check(make(image, target), image, target)


def test_the_field_is_improved_where_all_with_all_is_too_much(monkeypatch: pytest.MonkeyPatch):
    """The way of large pictures, taken by a small one; with locks, corners and no completeness too."""
    image = picture(56, 64)
    exact = make(image, (56, 100))
    monkeypatch.setattr(level, "PAIRS_CPU", 0)
    near = make(image, (56, 100))
    check(near, image, (56, 100))
    assert measure(image, near.image).coherence < 1.3 * measure(image, exact.image).coherence + 0.01
    lock = np.zeros((56, 64), dtype=np.float32)
    lock[20:40, 20:40] = 1
    check(make(image, (50, 78), corners_xy=QUAD, lock=lock), image, (50, 78))
    check(make(image, (60, 40), completeness=0), image, (60, 40))


def test_completeness_brings_back_what_fitted_badly():
    image = picture(48, 48, seed=4)
    less, more = make(image, (48, 64), completeness=0.0), make(image, (48, 64), completeness=0.8)
    assert measure(image, more.image).completeness < measure(image, less.image).completeness


@pytest.mark.parametrize("end", [((64, 48), (0, 48), (0, 0), (64, 0)), ((60, 48), (0, 48), (0, 0), (64, 0))])
@pytest.mark.filterwarnings("error")
def test_a_picture_can_be_turned_over(end):
    assert not fault_of(end)
    image = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
    made = make(image, (48, 64), corners_xy=end)
    assert np.isfinite(made.image).all()


def two_things(height: int, width: int) -> np.ndarray:
    """A bright square on dark ground: drawn out, it would be wider or come once."""
    made = 0.1 + 0.1 * np.random.default_rng(2).random((height, width, 3)).astype(np.float32)
    made[height // 3 : 2 * height // 3, width // 4 : 3 * width // 4] += 0.6
    return made


def test_twice_the_width_takes_every_part_twice(monkeypatch: pytest.MonkeyPatch):
    image = two_things(48, 48)
    bright = image.mean(2) > 0.5
    shares = []
    for limit in (layout.LIMIT_PX, 0):
        monkeypatch.setattr(layout, "LIMIT_PX", limit)
        made = make(image, (48, 96))
        check(made, image, (48, 96))
        shares.append(abs((made.image.mean(2) > 0.5).mean() / bright.mean() - 1))
    assert shares[0] < 0.05
    assert shares[0] < shares[1]


@pytest.mark.parametrize(
    "options", [{"completeness": 0.0}, {"lock": True}, {"corners_xy": [(0, 0), (96, 0), (96, 40), (0, 48)]}]
)
def test_parts_are_tried_only_where_nothing_else_says_what_stands_where(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
):
    image = two_things(48, 48)
    if "lock" in options:
        options = {"lock": (image.mean(2) > 0.5).astype(np.float32)}
    tried = []
    found = layout.arrange

    def arrange(*given: object) -> np.ndarray:
        tried.append(given)
        return found(*given)

    monkeypatch.setattr(layout, "arrange", arrange)
    make(image, (48, 96), **options)
    make(image, (48, 30))
    make(image, (80, 40))
    make(image, (48, 48))
    make(image, (48, 60))
    assert not tried
    make(image, (48, 72))
    assert len(tried) == 1
