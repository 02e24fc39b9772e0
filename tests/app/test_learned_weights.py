"""Weights of a learned picture: how they are called, found by the picture, and go into a document and out of it."""

import numpy as np
import pytest

from app.document import learned as document_learned
from app.errors import DocumentError
from app.learned_weights import free_name, is_same_file, kept_name, kept_of, lay_out, read_kept
from engine.manifest import is_name
from engine.pictures import picture_sha256
from engine.weights import WeightsStore
from tests.app.document.conftest import learned_of, weights_file
from tests.engine.pipelines.test_retarget import write_learned

PIXELS = np.full((40, 48, 3), 7, np.uint8)
DIGEST = picture_sha256(PIXELS)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Brick wall.PNG", "brick-wall-0123456789"),
        ("", "picture-0123456789"),
        ("日本", "picture-0123456789"),
        ("x" * 90, "x" * 40 + "-0123456789"),
    ],
)
def test_a_kept_name_is_one_that_weights_may_have(name, kept) -> None:
    assert kept_name(name, "0123456789abcdef") == kept
    assert is_name(kept)


@pytest.fixture
def store(own_folders, tmp_path) -> WeightsStore:
    store = WeightsStore()
    learned = {"wall": PIXELS, "other-picture": PIXELS + 1, "called-by-hand": PIXELS, "none": None}
    for name, pixels in learned.items():
        path = write_learned(tmp_path / f"{name}.safetensors", learned_from=pixels)
        store.import_official([path], "retarget", name)
    return store


def test_weights_are_found_by_their_picture_the_newest_first(store) -> None:
    kept = kept_of(DIGEST)
    assert kept.name == "called-by-hand"
    assert is_same_file(kept.path, kept)
    assert kept_of("b" * 64) is None
    kept.path.unlink()
    assert kept_of(DIGEST).name == "wall"
    assert not is_same_file(kept.path, kept)


def test_kept_weights_go_into_a_document_as_they_are_and_out_again(store, tmp_path) -> None:
    kept = kept_of(DIGEST)
    carried = read_kept(kept, DIGEST)
    assert (carried.data(), carried.sha256) == (kept.path.read_bytes(), kept.sha256)
    place = lay_out(carried, tmp_path / "run")
    assert [path.name for path in place.iterdir()] == ["retarget.safetensors"]
    assert (place / "retarget.safetensors").read_bytes() == kept.path.read_bytes()


def test_weights_too_large_for_a_document_are_refused(store, monkeypatch) -> None:
    monkeypatch.setattr(document_learned, "LEARNED_LIMIT_BYTES", 100)
    with pytest.raises(DocumentError, match="learned weights: expected at most 0 MiB"):
        read_kept(kept_of(DIGEST), DIGEST)


def test_whatever_a_document_says_its_weights_stay_in_their_folder(tmp_path) -> None:
    lay_out(learned_of(), tmp_path / "run")
    assert (tmp_path / "run" / "carried" / "retarget.safetensors").read_bytes() == weights_file()


def test_a_name_that_is_taken_gets_a_number_and_keeps_its_digest() -> None:
    assert free_name("wall-0123456789", []) == "wall-0123456789"
    taken = ["wall-0123456789", "wall-2-0123456789"]
    assert free_name("wall-0123456789", taken) == "wall-3-0123456789"
