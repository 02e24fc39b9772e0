import json

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import WeightsError
from engine.tensorfile import is_safetensors, load_tensors, read_header

LIMIT_BYTES = 1 << 20


def raw_safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_tensors_come_back_wide_with_what_the_header_says(tmp_path):
    path = tmp_path / "a.safetensors"
    half = torch.arange(3.0).to(torch.bfloat16)
    save_file({"a": half, "b": torch.arange(4)}, path, metadata={"made by": "somebody"})
    assert is_safetensors(path)
    header = read_header(path, LIMIT_BYTES)
    assert (sorted(header.names), header.metadata) == (["a", "b"], {"made by": "somebody"})
    state = load_tensors(path, header)
    assert torch.equal(state["a"], half.float())
    assert torch.equal(state["b"], torch.arange(4))


def test_a_checkpoint_of_torch_is_told_apart(tmp_path):
    for is_zip in (True, False):
        torch.save({"a": torch.zeros(2)}, tmp_path / "a.pth", _use_new_zipfile_serialization=is_zip)
        assert not is_safetensors(tmp_path / "a.pth")


def test_a_header_longer_than_the_file_allocates_nothing(tmp_path):
    (tmp_path / "a.safetensors").write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    with pytest.raises(WeightsError, match=r"got 10 bytes that do not hold the header they announce"):
        read_header(tmp_path / "a.safetensors", LIMIT_BYTES)


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"{nonsense", "a header that cannot be read"),
        (b'{"a":1,"a":2}', "a header that cannot be read"),
        (b"[" * 5000, "a header that cannot be read"),
        (b"[1, 2]  ", "a header that is not a table"),
        ({"__metadata__": {"a": 1}}, "header metadata that is not text"),
        ({"x\ny": ENTRY}, "a tensor name that cannot be printed"),
        ({"x": 5}, "no description of the tensor 'x'"),
        (
            {"x": {**ENTRY, "dtype": "F8_E4M3"}},
            "numbers of a known type, got 'F8_E4M3' in the tensor 'x'; save it",
        ),
        ({"x": {**ENTRY, "shape": [-2]}}, "no size or place for the tensor 'x'"),
        ({"x": {**ENTRY, "shape": [True, 2]}}, "no size or place for the tensor 'x'"),
        ({"x": {**ENTRY, "data_offsets": "08"}}, "no size or place for the tensor 'x'"),
        ({"x": {**ENTRY, "shape": [1 << 40]}}, "a place that does not fit the size of the tensor 'x'"),
        ({"x": ENTRY, "y": ENTRY}, "a gap or an overlap before the tensor 'y'"),
        ({"x": {**ENTRY, "data_offsets": [8, 16]}}, "a gap or an overlap before the tensor 'x'"),
    ],
)
def test_a_wrong_header_is_told(tmp_path, header, words):
    path = raw_safetensors(tmp_path / "a.safetensors", header, b"\0" * 8)
    with pytest.raises(WeightsError) as caught:
        read_header(path, LIMIT_BYTES)
    assert words in str(caught.value)
