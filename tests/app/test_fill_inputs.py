"""States of mask, edges and picture, as undo and redo walk over a real document."""

import pytest

from app.fill_inputs import InputStates
from tests.app.fakes import stroke

BOX = (2, 2, 9, 9)


@pytest.fixture
def states(document):
    made = InputStates(document)
    made.changes = []
    document.observe(lambda event: made.changes.append(made.heard(event)))
    return made


def told(states):
    """What was said since the last look, silence left out."""
    changes = [change for change in states.changes if change]
    states.changes.clear()
    return changes


def test_a_stroke_is_a_new_state_and_undo_brings_back_the_old(states, document):
    start = states.current
    stroke(document, BOX)
    first = states.current
    assert told(states) == ["changed"]
    stroke(document, BOX, plane="drawn")
    second = states.current
    assert len({start, first, second}) == 3
    told(states)
    document.undo()
    assert states.current == first
    document.undo()
    assert states.current == start
    document.redo()
    assert states.current == first
    assert told(states) == ["moved", "moved", "moved"]


def test_a_new_stroke_after_undo_is_a_state_never_seen(states, document):
    stroke(document, BOX)
    seen = states.current
    document.undo()
    stroke(document, BOX)
    assert states.current != seen
    document.undo()
    document.redo()
    assert states.current != seen


def test_what_does_not_change_the_inputs_is_no_new_state(states, document):
    stroke(document, BOX)
    told(states)
    before = states.current
    with document.begin("Rename") as transaction:
        transaction.set_layer(document.layers[0].id, name="other")
    assert told(states) == []
    document.undo()
    assert told(states) == []
    assert states.current == before


def test_the_picture_is_an_input_too(states, document):
    before = states.current
    with document.begin("Opacity") as transaction:
        transaction.set_layer(document.layers[0].id, opacity=0.5)
    assert told(states) == ["changed"]
    document.undo()
    assert states.current == before


def test_drawing_is_known_until_the_stroke_ends_or_is_taken_back(states, document):
    mask = document.mask_layer
    transaction = document.begin("Brush")
    with transaction.writing(mask.id, "coverage", BOX) as values:
        values[...] = 255
    assert states.is_changing
    transaction.rollback()
    assert not states.is_changing
    before = states.current
    with document.begin("Rename") as renaming:
        renaming.set_layer(document.layers[0].id, name="other")
    assert states.current == before, "what was rolled back is forgotten"


def test_a_live_fill_joins_its_stroke_and_later_ones_join_it(states, document):
    stroke(document, BOX)
    state = states.current
    assert states.may_join(state)
    with document.begin("Rename") as transaction:
        transaction.set_layer(document.layers[0].id, name="other")
    assert not states.may_join(state), "or undoing the name would undo the fill"
    states.is_adding_live_fill = True
    with document.begin("Fill") as transaction:
        transaction.set_layer(document.layers[0].id, name="stands for a fill")
    states.is_adding_live_fill = False
    assert states.may_join(state)
    assert not states.may_join(state + 1)


def test_undo_of_an_entry_from_before_is_a_new_state(document):
    stroke(document, BOX)
    states = InputStates(document)
    document.observe(states.heard)
    before = states.current
    document.undo()
    assert states.current != before
