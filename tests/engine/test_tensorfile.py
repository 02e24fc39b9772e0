import hashlib
import os

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import WeightsError
from engine.tensor_header import header_of, is_safetensors
from engine.tensorfile import OpenTensors, check_finite

LIMIT_BYTES = 1 << 20


def test_tensors_come_back_wide_with_what_the_header_says(tmp_path):
    path = tmp_path / "a.safetensors"
    half = torch.arange(3.0).to(torch.bfloat16)
    save_file({"a": half, "b": torch.arange(4)}, path, metadata={"made by": "somebody"})
    assert is_safetensors(path)
    file = OpenTensors(path, LIMIT_BYTES)
    assert (sorted(file.header.names), file.header.metadata) == (["a", "b"], {"made by": "somebody"})
    state = file.tensors()
    assert torch.equal(state["a"], half.float())
    assert torch.equal(state["b"], torch.arange(4))


@pytest.mark.parametrize(
    "dtype",
    [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
     torch.uint8, torch.bool],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3)])
def test_tensors_of_every_type_and_shape_are_as_the_formats_library_reads_them(tmp_path, dtype, shape):
    state = {"first": torch.ones(1, dtype=torch.uint8), "x": (torch.rand(shape) * 3).to(dtype)}
    save_file(state, tmp_path / "a.safetensors")
    found = OpenTensors(tmp_path / "a.safetensors", LIMIT_BYTES).tensors()
    for name, tensor in load_file(tmp_path / "a.safetensors").items():
        expected = tensor.float() if tensor.is_floating_point() else tensor
        assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape)
        assert torch.equal(found[name], expected)


def test_digest_and_tensors_are_of_the_same_bytes_whatever_takes_the_files_place(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(2)}, path)
    file = OpenTensors(path, LIMIT_BYTES)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    with open(path, "r+b") as other:  # the same file, in place
        other.seek(-8, 2)
        other.write(b"\xff" * 8)
    assert file.sha256 == expected
    assert torch.equal(file.tensors()["a"], torch.ones(2))


def test_a_file_that_is_cut_off_while_it_is_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(1 << 16)}, path)
    size = path.stat().st_size
    whole = header_of

    def cutting(name, file, size):
        header = whole(name, file, size)
        os.truncate(path, size - 4)
        return header

    monkeypatch.setattr("engine.tensorfile.header_of", cutting)
    with pytest.raises(WeightsError, match=f"got {size - 4} bytes where the header announces {size}"):
        OpenTensors(path, LIMIT_BYTES)


@pytest.mark.parametrize(("value", "word"), [(float("nan"), "NaN"), (float("-inf"), "infinite values")])
def test_values_that_are_not_finite_are_refused_by_name(value, word):
    check_finite("a", "fill.weight", torch.tensor([1.0, 2.0]))
    check_finite("a", "fill.count", torch.tensor([1]))
    with pytest.raises(WeightsError, match=f"got {word} in the tensor 'fill.weight'"):
        check_finite("a", "fill.weight", torch.tensor([1.0, value]))
