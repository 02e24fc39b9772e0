import pytest
from pydantic import ValidationError

from app.document.recipe import Step, program_version
from engine.edits import InpaintEdit


def test_a_step_opens_again_as_the_edit_it_was():
    edit = InpaintEdit(seed=7, quality="fast", edge_sigma=3.0)
    step = Step(edit=edit.model_dump(mode="json"), seed=7, weights={"name": "starter", "sha256": "ab"})
    again = Step.model_validate_json(step.model_dump_json())
    assert again == step
    assert again.reopened() == edit


def test_a_step_names_the_program_that_ran_it():
    assert Step(edit={}).version == program_version() != ""


def test_a_step_of_a_later_program_is_read_but_its_edit_may_be_refused():
    step = Step.model_validate({"edit": {"family": "inpaint", "moonlight": 3}, "later": 1})
    with pytest.raises(ValidationError, match="moonlight"):
        step.reopened()
