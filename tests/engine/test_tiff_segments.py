from types import SimpleNamespace

import imagecodecs
import numpy as np
import pytest

from engine import tiff_segments

PIXELS = np.zeros((700, 600, 3), np.uint8)
PIECES = {
    7: imagecodecs.jpeg_encode,
    34712: imagecodecs.jpeg2k_encode,
    34933: imagecodecs.png_encode,
    50001: imagecodecs.webp_encode,
    50002: imagecodecs.jpegxl_encode,
}


@pytest.mark.parametrize("compression", PIECES)
@pytest.mark.parametrize("size_hw", [(8, 8), (50, 70), (300, 400), (700, 600)])
def test_a_piece_says_its_size(compression, size_hw):
    pixels = np.random.default_rng(0).integers(0, 255, (*size_hw, 3), dtype=np.uint8)
    assert tiff_segments._SIZES[compression](PIECES[compression](pixels)) == size_hw[::-1]
    assert tiff_segments._SIZES[compression](b"II") is None


@pytest.mark.parametrize("compression", PIECES)
def test_a_piece_beyond_its_place_is_refused_unopened(compression):
    data = PIECES[compression](PIXELS)
    handle = SimpleNamespace(seek=lambda place: None, read=lambda count: data[:count])
    page = SimpleNamespace(
        compression=compression, chunks=(8, 8, 3), dataoffsets=(0,), databytecounts=(len(data),),
        parent=SimpleNamespace(filehandle=handle),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"a piece of \(600, 700\)"):
        tiff_segments.check_segments(page)
    page.chunks = (700, 600, 3)
    tiff_segments.check_segments(page)
