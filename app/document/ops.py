"""Every operation by its word, and reading one back from a record; may run on any thread.

Elsewhere: what an operation is in op.py, the operations in pixel_ops.py, layer_ops.py, result_ops.py,
learned_ops.py and canvas_ops.py.
"""

from typing import Any

from app.document.canvas_ops import CanvasResized
from app.document.layer_ops import LayerAdded, LayerChanged, LayerMoved, LayerRemoved
from app.document.learned_ops import LearnedRemoved
from app.document.op import Op
from app.document.pixel_ops import StrokesChanged, TileChange
from app.document.result_ops import ResultChanged, ResultRemoved, ResultStarred
from app.errors import DocumentError

OPS: dict[str, Any] = {
    op.kind: op
    for op in (
        TileChange,
        LayerAdded,
        LayerRemoved,
        LayerMoved,
        LayerChanged,
        StrokesChanged,
        ResultChanged,
        ResultRemoved,
        ResultStarred,
        LearnedRemoved,
        CanvasResized,
    )
}
"""Every operation by the word it has in a record."""


def op_from_record(record: dict[str, Any], packed: list[bytes]) -> Op:
    """Read an operation back from what its ``to_record`` gave.

    Raises:
        DocumentError: if it is unknown or damaged.
    """
    hint = "the record is damaged, or a later version wrote it"
    kind = record.get("kind") if isinstance(record, dict) else None
    found = OPS.get(kind) if isinstance(kind, str) else None
    if found is None:
        raise DocumentError("operation", f"one of {', '.join(OPS)}", repr(kind)[:60], hint)
    try:
        op: Op = found.from_record(record, packed)
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        StopIteration,
    ) as error:
        raise DocumentError("operation", f"a whole {kind}", repr(error)[:80], hint) from error
    return op
