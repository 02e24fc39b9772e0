import io
import os

import numpy as np
import pytest

from engine.errors import PictureError
from engine.training.sources import PictureFile
from engine.training.store import PictureStore, StoredPicture


class Decoder:
    """Reads two sides off the bytes and makes a picture of them; counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, file: io.BytesIO) -> StoredPicture:
        self.calls += 1
        content = file.read()
        if content == b"broken":
            raise PictureError("x", "a picture", "rubbish", "leave it out")
        h, w = content[0], content[1]
        pixels = np.random.default_rng(content[0]).integers(0, 256, (h, w, 3), np.uint8)
        return StoredPicture(pixels, np.packbits(pixels[..., 0] > 127, axis=1))


def files_of(*contents: bytes):
    return [PictureFile(f"{number}.png", None, held=content) for number, content in enumerate(contents)]


@pytest.fixture
def decoder():
    return Decoder()


def test_a_picture_is_decoded_once_and_comes_back_the_same(decoder):
    store = PictureStore(files_of(bytes((9, 13)), bytes((20, 8))), decoder, 1 << 16)
    first = [store.get(index) for index in (0, 1)]
    again = [store.get(index) for index in (0, 1)]
    assert decoder.calls == 2
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
        assert np.array_equal(one.packed, other.packed)
        assert one.size_hw == other.size_hw
    assert store.held_bytes == 9 * 13 * 3 + 9 * 2 + 20 * 8 * 3 + 20


def test_pieces_of_the_bits_are_those_of_the_plane(decoder):
    picture = PictureStore(files_of(bytes((30, 45))), decoder, 0).get(0)
    plane = picture.pixels[..., 0] > 127
    for top, left, h, w in ((0, 0, 30, 45), (3, 7, 20, 9), (5, 8, 8, 16), (0, 37, 1, 8), (29, 44, 1, 1)):
        rows, columns = slice(top, top + h), slice(left, left + w)
        assert np.array_equal(picture.bits(rows, columns), plane[rows, columns])


def test_what_does_not_fit_is_decoded_again(decoder):
    store = PictureStore(files_of(bytes((10, 10)), bytes((10, 10))), decoder, 10 * 10 * 3 + 10 * 2)
    for _ in range(3):
        assert store.get(0).size_hw == store.get(1).size_hw == (10, 10)
    assert decoder.calls == 1 + 3


def test_a_broken_file_is_tried_once_and_named(decoder):
    store = PictureStore(files_of(b"broken", bytes((8, 8)), b"broken"), decoder, 1 << 12)
    assert [store.get(0), store.get(0), store.get(2)] == [None, None, None]
    assert decoder.calls == 2
    assert store.broken() == [0, 2]
    assert store.why_broken(0) == "expected a picture, got rubbish"
    assert store.usable_from(2).size_hw == (8, 8)
    assert PictureStore(files_of(b"broken"), decoder, 0).usable_from(0) is None


def test_a_file_that_is_gone_is_broken_too(decoder, tmp_path):
    store = PictureStore([PictureFile("gone.png", tmp_path / "gone.png")], decoder, 0)
    assert store.get(0) is None
    assert "no such file" in store.why_broken(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes share the store by forking")
def test_another_process_fills_the_store_for_all(decoder):
    store = PictureStore(files_of(bytes((12, 16)), b"broken"), decoder, 1 << 12)
    child = os.fork()
    if child == 0:
        store.get(0)
        store.get(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get(0).size_hw == (12, 16)
    assert store.broken() == [1]
    assert decoder.calls == 0
