import json

import numpy as np
import pytest

from app.document.document import Document
from app.document.layers import Layer
from app.document.ops import OPS, op_from_record
from app.document.recipe import Step
from app.document.results import Result
from app.document.strokes import Stroke
from app.errors import DocumentError
from tests.app.document.conftest import learned_of


def through_json(op):
    record, packed = op.to_record()
    return op_from_record(json.loads(json.dumps(record)), packed)


def an_eventful_document():
    """A document whose history holds every kind of operation."""
    document = Document.blank((300, 280))
    mask = document.mask_layer
    with document.begin("All") as transaction:
        with transaction.writing(mask.id, "coverage", (5, 5, 290, 290)) as values:
            values[...] = np.arange(values.shape[1], dtype=np.uint8)
        transaction.add_stroke(mask.id, Stroke("brush", "coverage", np.ones((3, 5))))
        transaction.add_stroke(mask.id, Stroke("brush", "coverage", np.zeros((0, 5))))
        deep = np.random.default_rng(1).integers(0, 65536, (260, 20, 2), dtype=np.uint16)
        layer = Layer("picture", "new", {"pixels": deep}, origin_xy=(3, 4), step=Step(edit={"a": 1}))
        transaction.add_layer(layer)
        transaction.set_layer(layer.id, opacity=0.5, origin_xy=(9, -9), step=Step(edit={"b": 2}))
        transaction.move_layer(layer.id, 0)
        transaction.clear_strokes(mask.id)
    for is_starred in (True, False):
        result = Result(
            box_xyxy=(0, 0, 9, 9),
            pixels=np.full((9, 9, 3), 7, np.uint8),
            coverage=np.full((9, 9), 255, np.uint8),
            step=Step(edit={}),
        )
        document.add_result(result)
        with document.begin("Star") as transaction:
            transaction.star_result(result.id, is_starred)
    with document.begin("Delete") as transaction:
        transaction.remove_result(result.id)
        transaction.remove_layer(layer.id)
    document.add_learned(learned_of())
    with document.begin("Leave out") as transaction:
        transaction.remove_learned()
        transaction.set_canvas((310, 200))
    return document


def test_every_operation_survives_json():
    document = an_eventful_document()
    seen = set()
    for entry in document.history.entries:
        for op in entry.ops:
            again = through_json(op)
            assert type(again) is type(op)
            record, packed = op.to_record()
            assert again.to_record() == (json.loads(json.dumps(record)), packed)
            assert op.nbytes > 0
            seen.add(op.kind)
    assert seen == set(OPS)


def test_reverting_all_and_applying_all_gives_the_same_document():
    document = an_eventful_document()

    def planes():
        return [plane.tobytes() for layer in document.layers for plane in layer.planes.values()]

    before = planes()
    while document.undo():
        pass
    assert [layer.name for layer in document.layers] == ["Background", "Mask", "Edges"]
    assert document.mask_layer.strokes == []
    assert document.mask_layer.planes["coverage"].max() == 0
    while document.redo():
        pass
    assert planes() == before


TILE = {
    "kind": "tile",
    "layer_id": "a",
    "plane": "coverage",
    "tile": [0, 0],
    "shape": [9, 9],
    "dtype": "uint8",
}
LAYER = {
    "kind": "layer_added",
    "index": 0,
    "meta": {},
    "strokes": [],
    "planes": {"pixels": {"shape": [9, 9], "dtype": "uint8", "tiles": [[0, 0]]}},
}


@pytest.mark.parametrize(
    ("record", "packed", "words"),
    [
        ({"kind": "sorcery"}, [], "operation: expected one of tile"),
        ({"kind": ["tile"]}, [], "operation: expected one of tile"),
        (TILE, [b""], "operation: expected a whole tile"),
        ({**TILE, "shape": [9]}, [b"", b""], "operation: expected a whole tile"),
        ({**TILE, "shape": [10**6, 10**6]}, [b"", b""], "operation: expected a whole tile"),
        ({**TILE, "dtype": "object"}, [b"", b""], "operation: expected a whole tile"),
        ({**TILE, "tile": [0]}, [b"", b""], "operation: expected a whole tile"),
        (LAYER, [], "operation: expected a whole layer_added"),
        (
            {**LAYER, "planes": {"pixels": {"shape": [9, 9], "dtype": "uint8", "tiles": [[5, 5]]}}},
            [b""],
            "operation: expected a whole layer_added",
        ),
        (
            {"kind": "layer_changed", "layer_id": "a", "attribute": "planes"},
            [],
            "operation: expected a whole",
        ),
        (
            {"kind": "strokes", "layer_id": "a", "start": 0, "removed": [], "added": [{"count": 10**12}]},
            [b""],
            "operation: expected a whole strokes",
        ),
    ],
)
def test_a_damaged_record_is_refused(record, packed, words):
    with pytest.raises(DocumentError) as refused:
        op_from_record(record, packed)
    assert str(refused.value).startswith(words)
