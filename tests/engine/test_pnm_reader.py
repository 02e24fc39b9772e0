import numpy as np
import pytest

from engine.errors import PictureError
from engine.pictures import read_picture

PIXELS = {
    3: np.random.default_rng(0).integers(0, 1000, (3, 2, 3)),
    1: np.random.default_rng(0).integers(0, 1000, (3, 2)),
}


def binary(values):
    return values.astype(">u2").tobytes()


def text(values):
    return ("\n# a comment\n".join(" ".join(map(str, row.ravel())) for row in values)).encode()


@pytest.mark.parametrize("top", [256, 1000, 1023, 4095, 65535])
@pytest.mark.parametrize(
    ("mark", "channels", "written"), [("P6", 3, binary), ("P5", 1, binary), ("P3", 3, text), ("P2", 1, text)]
)
def test_any_largest_value_is_white(tmp_path, mark, channels, written, top):
    values = np.minimum(PIXELS[channels], top)
    values[0, 0] = top
    (tmp_path / "a.ppm").write_bytes(f"{mark}\n# by hand\n2 3\n{top}\n".encode() + written(values))
    found = read_picture(tmp_path / "a.ppm")
    assert (found.mode, found.notes) == ("RGB" if channels == 3 else "L", ())
    assert found.pixels.dtype == np.uint16
    assert np.abs(found.pixels.astype(int) - np.rint(values * (65535 / top))).max() <= 1
    assert (found.pixels[0, 0] == 65535).all()


def test_eight_bits_stay_eight(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6 1 1 255\n" + bytes([1, 2, 3]))
    assert read_picture(tmp_path / "a.ppm").pixels.tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize(
    "data", [b"P6 2 2 1023\n" + bytes(23), b"P3 1 1 1023\n1 2", b"P2 1 1 1023\n2000", b"P2 1 1 1023\nx"]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_missing_or_wrong_numbers_are_damage(tmp_path, data):
    (tmp_path / "a.ppm").write_bytes(data)
    with pytest.raises(PictureError, match="expected a whole PPM file, got a damaged or cut-off one"):
        read_picture(tmp_path / "a.ppm")


def test_the_size_is_held_against_the_limit(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6 99999 99999 1023\n")
    with pytest.raises(PictureError, match="at most 300 megapixels, got 99999x99999 px"):
        read_picture(tmp_path / "a.ppm")
