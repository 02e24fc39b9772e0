import pytest
import torch
from safetensors.torch import save_file

from engine.errors import WeightsError
from engine.tensor_header import is_safetensors, read_header
from engine.tensorfile import check_finite, load_tensors

LIMIT_BYTES = 1 << 20


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


@pytest.mark.parametrize(("value", "word"), [(float("nan"), "NaN"), (float("-inf"), "infinite values")])
def test_values_that_are_not_finite_are_refused_by_name(value, word):
    check_finite("a", "fill.weight", torch.tensor([1.0, 2.0]))
    check_finite("a", "fill.count", torch.tensor([1]))
    with pytest.raises(WeightsError, match=f"got {word} in the tensor 'fill.weight'"):
        check_finite("a", "fill.weight", torch.tensor([1.0, value]))
