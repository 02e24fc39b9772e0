import subprocess
import sys

import pytest

from engine.errors import EvaluationError
from engine.evaluation import EvaluateOptions


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"data": ()}, "data: expected a folder, tar or picture, got none; name at least one with --data"),
        ({"protocol": "mine"}, "protocol: expected one of house, official, got 'mine'; check the spelling"),
        ({"path": "x"}, "path: expected one of product, networks, got 'x'; check the spelling"),
        ({"quality": "best"}, "quality: expected one of exact, fast, got 'best'; check the spelling"),
        ({"limit": 0}, "limit: expected at least 1 picture, got 0; leave it out for all pictures"),
        ({"figures": -1}, "figures: expected 0 or more, got -1; 0 leaves the contact sheet out"),
        ({"size": 16}, "size: expected 0 or at least 32 px, got 16; 0 keeps the pictures' own size"),
        (
            {"size": 48, "protocol": "official"},
            "size: expected 0 or at least 51 px, got 48; 0 keeps the pictures' own size",
        ),
    ],
)
def test_wrong_value_is_refused_by_name(values, words):
    with pytest.raises(EvaluationError) as caught:
        EvaluateOptions(**{"data": ("x",), **values})
    assert str(caught.value) == words


def test_options_and_table_start_without_torch_and_the_heavy_ones():
    """The command line shows its help without them."""
    code = "import sys, engine.evaluation; print([m for m in ('torch','cv2','skimage','torchmetrics') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
