import io

import numpy as np
import pytest
from PIL import Image

from engine.errors import PictureError
from engine.training.samples.retarget import RetargetSamples
from engine.training.store import StoredPicture


def picture_of(size_hw):
    rng = np.random.default_rng(0)
    return StoredPicture(rng.integers(0, 256, (*size_hw, 3), np.uint8), None)


def test_a_crop_is_a_piece_of_the_picture_and_never_its_last_row():
    rows = np.repeat(np.arange(40, dtype=np.uint8)[:, None], 33, axis=1)
    columns = np.repeat(np.arange(33, dtype=np.uint8)[None], 40, axis=0)
    picture = StoredPicture(np.dstack([rows, columns, rows]), None)
    maker = RetargetSamples((32, 24))
    tops, lefts = set(), set()
    for number in range(200):
        (crop,) = maker.make(np.random.default_rng(number), picture).values()
        assert crop.shape == (32, 24, 3)
        top, left = crop[0, 0, 0], crop[0, 0, 1]
        assert np.array_equal(crop, picture.pixels[top : top + 32, left : left + 24])
        tops.add(int(top))
        lefts.add(int(left))
    assert tops == set(range(8))
    assert lefts == set(range(9))


def test_the_same_stream_gives_the_same_crop():
    picture, maker = picture_of((50, 60)), RetargetSamples((32, 32))
    one, other = (maker.make(np.random.default_rng((3, 4)), picture)["image"] for _ in range(2))
    assert np.array_equal(one, other)


def test_a_picture_is_decoded_at_its_own_size():
    file = io.BytesIO()
    Image.fromarray(picture_of((37, 300)).pixels).save(file, "PNG")
    file.seek(0)
    decoded = RetargetSamples((32, 32)).decode(file)
    assert np.array_equal(decoded.pixels, picture_of((37, 300)).pixels)
    assert decoded.packed is None


def test_what_is_no_picture_is_refused():
    with pytest.raises(PictureError, match="expected a picture"):
        RetargetSamples((32, 32)).decode(io.BytesIO(b"text"))
