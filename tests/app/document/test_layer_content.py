import numpy as np
import pytest

from app.document.blobs import Blob
from app.document.layer_content import LayerContent
from app.errors import DocumentError

DAMAGED = {
    "meta": {},
    "strokes": [],
    "planes": {"pixels": {"shape": [9, 9], "dtype": "uint8", "tiles": [[0, 0]]}},
}


def test_a_layer_comes_back_with_planes_of_its_own(full):
    for layer in full.layers:
        content = LayerContent.of(layer, full)
        record, packed = content.to_record()
        again = LayerContent.from_record(record, packed).layer()
        assert again.meta() == layer.meta()
        assert [stroke.id for stroke in again.strokes] == [stroke.id for stroke in layer.strokes]
        for name, plane in layer.planes.items():
            assert np.array_equal(again.planes[name], plane)
            assert not np.shares_memory(again.planes[name], plane)


def test_a_layer_of_a_damaged_record_is_refused_when_it_is_made():
    content = LayerContent.from_record(DAMAGED, [Blob.of(np.zeros((9, 9), np.uint8)).packed()])
    with pytest.raises(DocumentError, match="layer: expected its id and kind"):
        content.layer()
