import pytest

from app.document.document import Document
from app.document.layer_ops import LayerChanged, LayerMoved
from app.errors import DocumentError


@pytest.mark.parametrize(
    ("op", "words"),
    [
        (LayerMoved("nobody", 0, 1), "layer: expected one of this document, got 'nobody'"),
        (LayerChanged("nobody", "name", "a", "b"), "layer: expected one of this document"),
    ],
)
def test_an_operation_on_another_document_is_refused(op, words):
    with pytest.raises(DocumentError) as refused:
        op.apply(Document.blank((9, 9)))
    assert str(refused.value).startswith(words)
