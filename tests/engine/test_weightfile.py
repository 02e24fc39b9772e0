import hashlib
import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from engine.errors import WeightsError
from engine.weightfile import (
    WeightFile,
    read_features,
    read_weights,
    sha256_of,
    write_weights,
)


def small_file(**metadata):
    generator = torch.Generator().manual_seed(3)
    state = {
        "edges.encoder.weight": torch.randn(4, 3, 2, 2, generator=generator),
        "edges.encoder.bias": torch.randn(4, generator=generator),
        "fill.count": torch.tensor(7, dtype=torch.int64),
        "fill.empty": torch.zeros(0, 3),
    }
    return WeightFile("inpaint", {"width": 8, "depth": 2}, state, metadata)


@pytest.fixture
def house(tmp_path):
    path = tmp_path / "a.safetensors"
    write_weights(path, small_file())
    return path


# House files


def test_a_written_file_comes_back_equal(tmp_path):
    path = tmp_path / "a.safetensors"
    written = small_file(licence="Apache-2.0", command="pentimento train inpaint")
    write_weights(path, written)
    read = read_weights(path, family="inpaint")
    assert read.family == "inpaint"
    assert read.options == {"width": 8, "depth": 2}
    assert read.metadata == {"licence": "Apache-2.0", "command": "pentimento train inpaint"}
    assert read.state.keys() == written.state.keys()
    for name, tensor in written.state.items():
        assert read.state[name].dtype == tensor.dtype
        assert torch.equal(read.state[name], tensor)


def test_half_files_come_back_as_float32_with_the_rounded_values(tmp_path):
    path = tmp_path / "a.safetensors"
    written = small_file()
    write_weights(path, written, dtype=torch.float16)
    read = read_weights(path)
    weight = written.state["edges.encoder.weight"]
    assert read.state["edges.encoder.weight"].dtype == torch.float32
    assert torch.equal(read.state["edges.encoder.weight"], weight.half().float())
    assert load_file(path)["edges.encoder.weight"].dtype == torch.float16


def test_the_library_of_the_format_reads_our_file(house):
    state = load_file(house)
    for name, tensor in small_file().state.items():
        assert torch.equal(state[name], tensor)


def test_same_state_gives_same_bytes_in_any_order(tmp_path, house):
    reordered = small_file()
    state = dict(reversed(list(reordered.state.items())))
    write_weights(tmp_path / "b.safetensors", WeightFile("inpaint", {"depth": 2, "width": 8}, state))
    assert house.read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_strided_tensor_is_written_by_its_values(tmp_path):
    tensor = torch.arange(12.0).reshape(3, 4).T
    write_weights(tmp_path / "a.safetensors", WeightFile("inpaint", {}, {"x": tensor}))
    assert torch.equal(read_weights(tmp_path / "a.safetensors").state["x"], tensor)


def test_the_file_may_be_replaced_while_its_state_is_in_use(house):
    state = read_weights(house).state
    before = state["edges.encoder.weight"].clone()
    house.write_bytes(b"")
    assert torch.equal(state["edges.encoder.weight"], before)


def test_a_file_of_other_bytes_than_were_checked_is_refused(house):
    assert read_weights(house, sha256=sha256_of(house)).family == "inpaint"
    with pytest.raises(
        WeightsError, match=r"expected sha256 00000000, got \w{8}; the file was changed since"
    ):
        read_weights(house, sha256="0" * 64)


def test_a_family_may_be_named_with_a_hyphen(tmp_path):
    write_weights(tmp_path / "a.safetensors", WeightFile("region-style", {}, {"x": torch.zeros(1)}))
    assert read_weights(tmp_path / "a.safetensors", family="region-style").family == "region_style"


def test_another_family_is_refused_and_named(house):
    words = r"expected weights for the family 'exemplar', got weights for the family 'inpaint'; use these"
    with pytest.raises(WeightsError, match=words):
        read_weights(house, family="exemplar")


def test_nan_is_refused_with_the_tensor_s_name(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file(
        {"fill.w": torch.tensor([1.0, float("nan")])},
        path,
        metadata={"pentimento.family": "inpaint", "pentimento.options": "{}"},
    )
    with pytest.raises(
        WeightsError, match=r"expected finite values, got NaN in the tensor 'fill.w'; the training"
    ):
        read_weights(path)


def test_infinite_values_are_refused_on_the_way_out_and_nothing_is_written(tmp_path):
    state = {"fill.w": torch.tensor([float("inf")])}
    with pytest.raises(WeightsError, match=r"got infinite values in the tensor 'fill.w'"):
        write_weights(tmp_path / "a.safetensors", WeightFile("inpaint", {}, state))
    assert list(tmp_path.iterdir()) == []


def test_a_value_too_large_for_half_is_refused(tmp_path):
    state = {"fill.w": torch.tensor([1e6])}
    with pytest.raises(
        WeightsError, match=r"a 16-bit float can hold, got larger ones in the tensor 'fill.w'; write"
    ):
        write_weights(tmp_path / "a.safetensors", WeightFile("inpaint", {}, state), dtype=torch.float16)


def test_another_width_of_floats_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"dtype: expected float32 or float16, got torch.float64"):
        write_weights(tmp_path / "a.safetensors", small_file(), dtype=torch.float64)


def test_complex_tensors_are_not_written(tmp_path):
    state = {"x": torch.zeros(1, dtype=torch.complex64)}
    with pytest.raises(WeightsError, match=r"x: expected floats or integers, got torch.complex64; convert"):
        write_weights(tmp_path / "a.safetensors", WeightFile("inpaint", {}, state))


def test_reserved_metadata_is_refused(tmp_path):
    file = small_file(**{"pentimento.family": "exemplar"})
    with pytest.raises(WeightsError, match=r"metadata: .*the reserved entry 'pentimento.family'"):
        write_weights(tmp_path / "a.safetensors", file)


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(WeightsError, match=r"no such folder; create the folder first"):
        write_weights(tmp_path / "nowhere" / "a.safetensors", small_file())


# Damaged safetensors


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(
        WeightsError, match=r"b.safetensors: expected a file of weights, got no such file; check"
    ):
        read_weights(tmp_path / "b.safetensors")


def test_a_folder_is_told(tmp_path):
    with pytest.raises(WeightsError, match=r"got a folder; name the file inside it"):
        read_weights(tmp_path)


def test_a_pipe_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WeightsError, match=r"got a device or pipe; name a file"):
        read_weights(tmp_path / "pipe")


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "a.safetensors").touch()
    with pytest.raises(WeightsError, match=r"got an empty file; fetch or write it again"):
        read_weights(tmp_path / "a.safetensors")


def test_a_file_above_the_limit_is_not_read(house):
    with pytest.raises(WeightsError, match=r"expected at most 100 bytes, got \d+ bytes; this is no file"):
        read_weights(house, limit_bytes=100)


def test_a_file_cut_off_in_the_middle_is_told(house):
    house.write_bytes(house.read_bytes()[:-5])
    with pytest.raises(
        WeightsError, match=r"got \d+ bytes where the header announces \d+; the file is damaged"
    ):
        read_weights(house)


def test_safetensors_of_others_are_told_apart(tmp_path):
    save_file({"x": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(
        WeightsError, match=r"a weights file of Pentimento, got no header entry 'pentimento.family'"
    ):
        read_weights(tmp_path / "a.safetensors")
    save_file({"x": torch.zeros(2)}, tmp_path / "b.safetensors", metadata={"pentimento.family": "inpaint"})
    with pytest.raises(WeightsError, match=r"got no header entry 'pentimento.options'"):
        read_weights(tmp_path / "b.safetensors")


@pytest.mark.parametrize("options", ["[1]", "{broken", "[" * 5000])
def test_options_that_are_no_table_are_told(tmp_path, options):
    metadata = {"pentimento.family": "inpaint", "pentimento.options": options}
    save_file({"x": torch.zeros(2)}, tmp_path / "a.safetensors", metadata=metadata)
    with pytest.raises(WeightsError, match=r"expected a table of options in 'pentimento.options', got '"):
        read_weights(tmp_path / "a.safetensors")


def only_our_errors(read, path):
    words = ""
    try:
        read(path)
    except WeightsError as error:
        words = str(error)
    assert words == "" or ("\n" not in words and "; " in words)


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(data=st.data())
def test_any_damage_to_a_safetensors_file_is_ours_to_tell(tmp_path, data):
    path = tmp_path / "a.safetensors"
    if not path.exists():
        write_weights(path, small_file())
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    damaged = tmp_path / "b.safetensors"
    damaged.write_bytes(content)
    only_our_errors(read_weights, damaged)
    only_our_errors(read_features, damaged)


# Feature networks


def saved(path, content):
    torch.save(content, path)
    return path


def test_features_come_from_safetensors_of_anyone(tmp_path):
    save_file({"features.0.weight": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "vgg.safetensors")
    state = read_features(tmp_path / "vgg.safetensors")
    assert torch.equal(state["features.0.weight"], torch.ones(2))


def test_features_come_from_a_state_dict_or_one_nested_in_it(tmp_path):
    flat = {"features.0.weight": torch.ones(2)}
    for content in (flat, {"epoch": 3, "state_dict": flat}):
        state = read_features(saved(tmp_path / "a.pth", content))
        assert list(state) == ["features.0.weight"]


def test_features_from_two_states_are_refused(tmp_path):
    content = {"a": {"w": torch.ones(1)}, "b": {"w": torch.ones(1)}}
    with pytest.raises(
        WeightsError, match=r"expected one state dict of tensors, got 2 in the entries a, b; save"
    ):
        read_features(saved(tmp_path / "a.pth", content))


def test_features_from_a_file_without_tensors_are_refused(tmp_path):
    with pytest.raises(
        WeightsError, match=r"expected one state dict of tensors, got 0 in the entries epoch; save"
    ):
        read_features(saved(tmp_path / "a.pth", {"epoch": 1}))


# Digest


def test_digest_is_the_one_of_the_bytes(house):
    assert sha256_of(house) == hashlib.sha256(house.read_bytes()).hexdigest()


def test_digest_of_a_missing_file_is_told(tmp_path):
    with pytest.raises(WeightsError, match=r"got no such file"):
        sha256_of(tmp_path / "nothing")
