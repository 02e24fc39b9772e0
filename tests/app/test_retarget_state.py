from app.document.document import Document
from app.retarget_state import note_of, picture_fault


def test_a_picture_too_large_or_too_small_to_be_remade_says_so():
    words = "Pictures of 32 to 12000 px a side and up to 120 megapixels can be remade"
    assert picture_fault(Document.blank((40, 12001))) == words
    assert picture_fault(Document.blank((31, 40)))
    assert not picture_fault(Document.blank((32, 12000)))


def test_without_a_result_there_is_no_note():
    assert note_of(None) == ""
