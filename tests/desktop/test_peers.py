"""A saved document opens in Krita and in GIMP, with the right layers in the right places and the right pixels."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.desktop.peers import GIMP, KRITA, layers_in_krita, picture_in_krita
from tests.desktop.screen import missing_programs

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(600)]
SIZE_HW = (120, 160)


@pytest.fixture
def krita():
    if missing := missing_programs(KRITA):
        pytest.skip(missing)


@pytest.fixture
def gimp():
    if missing := missing_programs(GIMP):
        pytest.skip(missing)


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def test_the_check_itself_reads_what_krita_sees(krita, screen, tmp_path) -> None:
    """A file made by hand: were this to fail, the others would say nothing about ours."""
    rng = np.random.default_rng(3)
    below = rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)
    above = np.dstack([rng.integers(0, 256, (20, 30, 3), np.uint8), np.full((20, 30), 255, np.uint8)])
    path = tmp_path / "made.ora"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.writestr(
            "stack.xml",
            '<image version="0.0.3" w="160" h="120"><stack>'
            '<layer name="above" src="data/a.png" x="40" y="50"/>'
            '<layer name="below" src="data/b.png" x="0" y="0"/></stack></image>',
        )
        archive.writestr("data/a.png", png(above))
        archive.writestr("data/b.png", png(below))
        archive.writestr("mergedimage.png", png(below))
        archive.writestr("Thumbnails/thumbnail.png", png(above))

    seen = layers_in_krita(screen, path, tmp_path)

    assert [(layer.name, layer.offset_xy) for layer in seen] == [("below", (0, 0)), ("above", (40, 50))]
    np.testing.assert_array_equal(seen[0].pixels[:, :, :3], below)
    np.testing.assert_array_equal(seen[1].pixels, above)
    shown = picture_in_krita(screen, path, tmp_path)[:, :, :3]
    np.testing.assert_array_equal(shown[50:70, 40:70], above[:, :, :3])
