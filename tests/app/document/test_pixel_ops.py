import numpy as np
import pytest

from app.document.blobs import Blob
from app.document.document import Document
from app.document.pixel_ops import TileChange
from app.errors import DocumentError


@pytest.mark.parametrize(
    ("plane", "tile", "shape", "words"),
    [
        ("pixels", (0, 0), (40, 50), "Mask: expected one of coverage, got 'pixels'"),
        ("coverage", (0, 0), (41, 50), "tile (0, 0): expected (40, 50) uint8, got (41, 50) uint8"),
        ("coverage", (0, 7), (40, 50), "tile (0, 7): expected (40, 0) uint8"),
        ("coverage", (-1, 0), (40, 50), "tile (-1, 0): expected"),
    ],
)
def test_a_tile_of_another_picture_is_refused(plane, tile, shape, words):
    document = Document.blank((40, 50))
    blob = Blob.of(np.zeros(shape, np.uint8))
    with pytest.raises(DocumentError) as refused:
        TileChange(document.mask_layer.id, plane, *tile, blob, blob).apply(document)
    assert str(refused.value).startswith(words)
