import math

import numpy as np
import pytest

from app.document.plain_data import read_json, write_json
from app.errors import DocumentError


def test_plain_data_comes_back():
    assert read_json(b'{"a": [1, 2.5, null, "\xc3\xa4"]}', name="x") == {"a": [1, 2.5, None, "ä"]}


@pytest.mark.parametrize(
    "data",
    [
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"1e999",
        b"[" * 100_000,
        b"1" * 5000,
        b"\xff",
        b"",
        b"{",
        b'{"a": 1,}',
    ],
)
def test_anything_else_is_refused_in_one_line(data):
    with pytest.raises(
        DocumentError,
        match=r"^x: expected (plain JSON|JSON at most 64 deep|finite numbers|whole numbers of 64 bits), got ",
    ) as caught:
        read_json(data, name="x")
    assert "\n" not in str(caught.value)


def test_what_is_not_plain_is_made_so():
    odd = {"a": math.nan, "b": (np.float32(0.5), np.arange(2)), 3: math.inf, "p": {1}, "w": "\ud800"}
    assert read_json(write_json(odd), name="x") == {
        "a": None,
        "b": [0.5, [0, 1]],
        "3": None,
        "p": [1],
        "w": "\ud800",
    }
