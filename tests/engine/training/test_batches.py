import numpy as np
import pytest
import torch

from engine.errors import TrainingError
from engine.training.batches import Batches, Positions, default_workers, load
from engine.training.samples.inpaint import InpaintSamples
from engine.training.sources import PictureFile, find_pictures
from engine.training.store import PictureStore


def batches_of(files, seed=0, budget_bytes=1 << 22):
    maker = InpaintSamples(size=32)
    store = PictureStore(files, maker.decode, budget_bytes)
    return Batches(store, range(len(files)), maker, seed)


@pytest.fixture
def files(pictures):
    return find_pictures([pictures], lambda name, reason: pytest.fail(f"{name}: {reason}"))


def positions(**changes):
    return Positions(**{"first_step": 0, "last_step": 4, "batch": 3, "accumulate": 2, **changes})


def test_a_sample_depends_on_seed_and_position_alone(files):
    one, other = batches_of(files), batches_of(files, budget_bytes=0)
    backwards = {position: other.sample(position) for position in reversed(range(40))}
    for position in range(40):
        sample = one.sample(position)
        assert all(np.array_equal(sample[name], backwards[position][name]) for name in sample)
    third = batches_of(files, seed=1)
    assert any(not np.array_equal(third.sample(n)["hole"], backwards[n]["hole"]) for n in range(4))


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_number_of_workers_changes_nothing(files, workers):
    batches = batches_of(files)
    expected = [batches[stretch] for stretch in positions()]
    loaded = list(load(batches_of(files), positions(), workers=workers, batch_bytes=1 << 15, is_pinned=False))
    assert len(loaded) == len(expected) == 8
    for one, other in zip(loaded, expected, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in other)


def test_starting_later_meets_the_samples_it_would_have_met():
    assert list(positions())[4:] == list(positions(first_step=2))
    assert len(positions(first_step=2)) == 4


def test_processes_share_the_positions_of_a_larger_batch():
    one = [list(stretch) for stretch in positions(batch=4, accumulate=1, last_step=3)]
    first = [list(stretch) for stretch in positions(batch=2, accumulate=1, last_step=3, processes=2, rank=0)]
    second = [list(stretch) for stretch in positions(batch=2, accumulate=1, last_step=3, processes=2, rank=1)]
    assert [a + b for a, b in zip(first, second, strict=True)] == one
    micro = [list(stretch) for stretch in positions(batch=2, accumulate=2, last_step=3)]
    assert sum(micro, []) == sum(one, [])


def test_every_picture_is_shown_once_before_any_is_shown_twice(files):
    batches = batches_of(files)
    for epoch in range(3):
        order = batches._order_of(epoch)
        assert sorted(order.tolist()) == list(range(24))
    assert batches._order_of(0).tolist() != batches._order_of(1).tolist()


def test_batches_are_bytes_with_the_channels_last(files):
    batch = batches_of(files)[range(3)]
    assert {name: tuple(tensor.shape) for name, tensor in batch.items()} == {
        "image": (3, 3, 32, 32),
        "edges": (3, 1, 32, 32),
        "hole": (3, 1, 32, 32),
    }
    assert all(tensor.dtype == torch.uint8 for tensor in batch.values())
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)


def test_a_broken_picture_hands_its_turn_on(files):
    broken = PictureFile("broken.png", None, held=b"no picture")
    mixed = [broken, files[0], broken, broken]
    one, other = batches_of(mixed), batches_of(mixed)
    assert all(one.sample(position)["image"].shape == (32, 32, 3) for position in range(8))
    assert np.array_equal(one.sample(5)["image"], other.sample(5)["image"])
    assert one.store.broken() == [0, 2, 3]


def test_nothing_but_broken_pictures_is_refused_by_name():
    broken = PictureFile("broken.png", None, held=b"no picture")
    with pytest.raises(
        TrainingError, match=r"data: expected at least one whole picture, got 2 files that cannot be"
    ):
        batches_of([broken, broken]).sample(0)


def test_small_shared_memory_takes_fewer_workers(files, monkeypatch, caplog):
    loaded = load(batches_of(files), positions(), workers=2, batch_bytes=1 << 60, is_pinned=False)
    assert len(list(loaded)) == 8
    assert "holds batches for 0 loader processes, not 2" in caplog.text


def test_a_small_machine_gets_no_workers(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(2)), raising=False)
    assert default_workers() == 0
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert default_workers() == 8
    assert default_workers(processes=8) == 0
