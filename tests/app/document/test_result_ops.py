from app.document.document import Document
from app.document.result_ops import ResultChanged


def test_a_result_that_is_gone_shows_none():
    document = Document.blank((9, 9))
    ResultChanged(None, "gone").apply(document)
    assert document.current_result_id is None
