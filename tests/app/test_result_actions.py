import numpy as np
import pytest

from app.document.recipe import Step
from app.document.results import Result
from app.result_actions import apply_result, delete_results, show_result, star_results, with_coverage
from tests.app.fakes import make_document


def result_of(pixels, coverage, box=(2, 3, 4, 5)):
    return Result(box_xyxy=box, pixels=pixels, coverage=coverage, step=Step(edit={}))


COVERAGE = np.array([[255, 0], [0, 255]], np.uint8)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_what_is_not_covered_is_clear(dtype):
    top = np.iinfo(dtype).max
    pixels = np.full((2, 2, 3), 7, dtype)
    made = with_coverage(result_of(pixels, COVERAGE))
    assert made.dtype == dtype
    assert made[..., 3].tolist() == [[top, 0], [0, top]]
    assert (made[..., :3] == 7).all()


def test_a_grey_result_gets_alpha_and_own_alpha_is_kept():
    grey = with_coverage(result_of(np.full((2, 2), 9, np.uint8), COVERAGE))
    assert grey.shape == (2, 2, 2)
    clear = np.full((2, 2, 4), 100, np.uint8)
    assert with_coverage(result_of(clear, COVERAGE))[..., 3].tolist() == [[100, 0], [0, 100]]


@pytest.fixture
def document():
    made = make_document()
    for value in (10, 20):
        made.add_result(result_of(np.full((2, 2, 3), value, np.uint8), COVERAGE))
    yield made
    made.close()


def test_showing_what_is_shown_makes_no_entry(document):
    before = document.history.position
    show_result(document, document.current_result_id)
    assert document.history.position == before
    show_result(document, None)
    assert document.undo_label == "Show picture"
    assert document.current_result is None


def test_starring_what_is_starred_makes_no_entry(document):
    ids = [result.id for result in document.results]
    star_results(document, ids, True)
    before = document.history.position
    star_results(document, ids, True)
    assert document.history.position == before
    star_results(document, ids[:1], False)
    assert [result.is_starred for result in document.results] == [False, True]


def test_deleting_nothing_makes_no_entry(document):
    before = document.history.position
    delete_results(document, [])
    assert document.history.position == before


def test_a_layer_lies_where_the_result_lay_and_carries_its_step(document):
    result = document.current_result
    layer = apply_result(document)
    assert layer.origin_xy == (2, 3)
    assert layer.step is result.step
    assert [one.kind for one in document.layers] == ["picture", "picture", "mask", "edges"]
    show_result(document, result.id)
    assert apply_result(document).name == "Fill 2"


def test_with_nothing_shown_nothing_is_applied(document):
    show_result(document, None)
    assert apply_result(document) is None
    assert len(document.layers) == 3
