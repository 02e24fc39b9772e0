"""The strip's requests go to whoever made the result."""

import numpy as np
import pytest

from tests.app.document.test_whole_results import whole
from tests.app.fakes import make_document, stroke


@pytest.fixture
def both(window, worker):
    """A window whose document has a fill and a remade picture; the picture is shown."""
    document = make_document((60, 80))
    window.set_document(document)
    window.set_live(False)
    stroke(document, (10, 10, 20, 20))
    window.fill.fill()
    worker.answer()
    document.add_result(whole(np.random.default_rng(0)))
    return window


def test_each_result_is_reopened_and_made_again_by_its_own(both, worker):
    fill, remade = both.document.results
    door = both.results._controller
    door.reopen_result(fill.id)
    assert both.document.current_result_id == fill.id
    door.reopen_result(remade.id)
    assert both.document.current_result_id == remade.id
    door.rerun_result(fill.id)
    assert worker.newest.edit.family == "inpaint"
    worker.answer()
    door.rerun_result(remade.id)
    assert worker.newest.edit.target_size_hw == (70, 120)


def test_without_a_document_nothing_is_asked(window, worker):
    window.results._controller.reopen_result("gone")
    assert worker.requests == {}
