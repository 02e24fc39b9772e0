import copy
import json

import numpy as np
import pytest

from app.document.blobs import BlobStore
from app.document.recipe import Step
from app.document.results import Result
from app.errors import DocumentError


def make(has_edges=True, **changes):
    rng = np.random.default_rng(7)
    return Result(
        **{
            "box_xyxy": (10, 20, 40, 60),
            "pixels": rng.integers(0, 65536, (40, 30, 3), dtype=np.uint16),
            "coverage": rng.integers(0, 2, (40, 30), dtype=np.uint8) * np.uint8(255),
            "edges": rng.integers(0, 256, (40, 30), dtype=np.uint8) if has_edges else None,
            "step": Step(edit={"family": "inpaint"}, seed=5),
            "report": {"seconds": {"total": 0.5}},
            **changes,
        }
    )


def arrays_of(result):
    return [result.pixels, result.coverage, result.edges]


def test_a_result_says_when_it_was_made_and_has_an_id():
    first, second = make(), make()
    assert first.id != second.id
    assert first.created.endswith("+00:00")
    assert first.size_hw == (40, 30)


def test_a_sleeping_result_keeps_every_bit_and_lets_its_memory_go():
    store, result = BlobStore(budget_bytes=0), make()
    before = [array.copy() for array in arrays_of(result)]
    result.sleep(store)
    assert store.settle()
    assert result.is_asleep
    assert store.memory_bytes == 0
    for array, expected in zip(arrays_of(result), before, strict=True):
        assert np.array_equal(array, expected)
    result.wake()
    assert not result.is_asleep
    assert result.pixels is result.pixels
    result.sleep(store)
    assert np.array_equal(result.pixels, before[0])


def test_pixels_read_twice_from_a_sleeping_result_are_unpacked_once():
    store, result = BlobStore(), make()
    result.sleep(store)
    assert store.settle()
    held = result.pixels
    assert result.pixels is held


def test_a_copy_made_while_awake_stays_readable():
    store, result = BlobStore(), make()
    twin = copy.copy(result)
    result.sleep(store)
    assert store.settle()
    assert np.array_equal(twin.pixels, result.pixels)


@pytest.mark.parametrize("has_edges", [True, False])
@pytest.mark.parametrize("is_asleep", [True, False])
def test_a_result_comes_back_from_its_record(has_edges, is_asleep):
    result = make(has_edges, is_starred=True, is_draft=True)
    store = BlobStore()
    if is_asleep:
        result.sleep(store)
        assert store.settle()
    record, packed = result.to_record()
    again = Result.from_record(json.loads(json.dumps(record)), packed)
    assert again.meta() == result.meta()
    assert np.array_equal(again.pixels, result.pixels)
    assert again.pixels.dtype == np.uint16
    assert np.array_equal(again.coverage, result.coverage)
    assert (again.edges is None) == (result.edges is None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coverage": np.zeros((40, 31), np.uint8)}, "result coverage: expected (40, 30) uint8"),
        ({"coverage": np.zeros((40, 30), np.float32)}, "result coverage: expected (40, 30) uint8"),
        ({"edges": np.zeros((40, 30, 1), np.uint8)}, "result edges: expected (40, 30) uint8"),
        ({"pixels": np.zeros((39, 30, 3), np.uint8)}, "result pixels: expected (40, 30) or (40, 30, C)"),
    ],
)
def test_arrays_that_do_not_fit_the_box_are_refused(changes, words):
    with pytest.raises(DocumentError) as refused:
        make(**changes)
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": 5}, "result id: expected str, got 5"),
        ({"is_draft": "yes"}, "result is_draft: expected bool, got 'yes'"),
        ({"box_xyxy": [1, 2, 3]}, "result box_xyxy: expected four whole numbers"),
        ({"box_xyxy": [1, 2, 3, 1e400]}, "result box_xyxy: expected four whole numbers"),
        ({"step": {}}, "step.edit: expected Field required"),
        ({"arrays": {}}, "result: expected its arrays"),
        ({"arrays": {"pixels": {"shape": [-1], "dtype": "uint8"}}}, "result: expected its arrays"),
    ],
)
def test_a_damaged_record_is_refused(changes, words):
    record, packed = make().to_record()
    with pytest.raises(DocumentError) as refused:
        Result.from_record({**record, **changes}, packed)
    assert str(refused.value).startswith(words)
