from importlib import import_module

import pytest

from engine.errors import EvaluationError
from engine.evaluation import EVALUATED_FAMILIES, EvaluateOptions, evaluate


def test_unknown_family_is_refused_by_name():
    with pytest.raises(EvaluationError) as caught:
        evaluate("inpant", EvaluateOptions(data=("x",)))
    assert (
        str(caught.value)
        == "family: expected one of inpaint, retarget, got 'inpant'; the others cannot be evaluated"
    )


@pytest.mark.parametrize("module", EVALUATED_FAMILIES.values())
def test_every_family_listed_has_its_door(module):
    assert callable(import_module(module).evaluate)
