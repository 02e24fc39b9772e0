import hashlib
import json
import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from engine.errors import WeightsError
from engine.weightfile import (
    WeightFile,
    read_features,
    read_official,
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


def raw_safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


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


def test_a_header_longer_than_the_file_allocates_nothing(tmp_path):
    (tmp_path / "a.safetensors").write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    with pytest.raises(WeightsError, match=r"got 10 bytes that do not hold the header they announce"):
        read_weights(tmp_path / "a.safetensors")


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
        read_weights(path)
    assert words in str(caught.value)


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


# Official checkpoints


def official(path, *, legacy=False, content=None):
    weight = torch.arange(6.0).reshape(2, 3)
    content = content or {"iteration": 2000000, "generator": OrderedDict(weight=weight, half=weight.half())}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.mark.parametrize("legacy", [False, True])
def test_both_forms_of_checkpoint_are_read(tmp_path, legacy):
    content = read_official(official(tmp_path / "EdgeModel_gen.pth", legacy=legacy))
    assert content["iteration"] == 2000000
    assert type(content["generator"]) is dict
    assert torch.equal(content["generator"]["weight"], torch.arange(6.0).reshape(2, 3))
    assert content["generator"]["half"].dtype == torch.float32


def test_a_name_that_cannot_be_printed_is_refused(tmp_path):
    path = official(tmp_path / "a.pth", content={"a\nb": 1})
    with pytest.raises(WeightsError, match=r"got a name that cannot be printed; the file is damaged"):
        read_official(path)


def test_parameters_and_lists_come_back_plain(tmp_path):
    content = {"p": torch.nn.Parameter(torch.ones(2)), "list": [torch.zeros(1), (1, None)], 3: "three"}
    read = read_official(official(tmp_path / "a.pth", content=content))
    assert type(read["p"]) is torch.Tensor
    assert not read["p"].requires_grad
    assert read["list"][1] == [1, None]
    assert read["3"] == "three"


class Harmful:
    def __reduce__(self):
        return os.system, ("echo harm",)


def test_pickled_code_is_refused_in_one_line_and_not_run(tmp_path, capfd):
    path = official(tmp_path / "a.pth", content={"generator": Harmful()})
    with pytest.raises(
        WeightsError, match=r"a.pth: expected tensors only, got pickled code '(posix|nt).system'; do"
    ) as caught:
        read_official(path)
    assert "\n" not in str(caught.value)
    assert "harm" not in capfd.readouterr().out


def test_pickled_code_of_the_older_form_is_refused(tmp_path):
    path = official(tmp_path / "a.pth", legacy=True, content={"generator": Harmful()})
    with pytest.raises(WeightsError, match=r"expected tensors only, got pickled code"):
        read_official(path)


def test_a_pickled_module_is_refused(tmp_path):
    path = official(tmp_path / "a.pth", content={"generator": torch.nn.Linear(1, 1)})
    with pytest.raises(WeightsError, match=r"got pickled code 'torch.nn.modules.linear.Linear'"):
        read_official(path)


def test_a_checkpoint_that_is_no_dictionary_is_refused(tmp_path):
    torch.save([torch.zeros(1)], tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"expected a dictionary of tensors, got a list; name"):
        read_official(tmp_path / "a.pth")


def test_other_values_are_refused_by_name(tmp_path):
    path = official(tmp_path / "a.pth", content={"a": {"kind": torch.float32}})
    with pytest.raises(WeightsError, match=r"tensors and plain values, got a dtype in 'a.kind'; save"):
        read_official(path)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (torch.eye(2).to_sparse(), "plain tensors, got another kind in 'x'"),
        (torch.zeros(2, device="meta"), "plain tensors, got another kind in 'x'"),
        (torch.zeros(2, dtype=torch.complex64), "real numbers, got complex ones in 'x'"),
        (torch.tensor([float("nan")]), "finite values, got NaN in the tensor 'x'"),
        (torch.zeros(1).expand(1 << 34), "expected at most 4294967296 bytes of tensors, got more"),
    ],
)
def test_tensors_nobody_can_use_are_refused_by_name(tmp_path, tensor, words):
    path = official(tmp_path / "a.pth", content={"x": tensor})
    with pytest.raises(WeightsError) as caught:
        read_official(path)
    assert words in str(caught.value)


def test_lists_that_share_lists_are_not_unrolled_without_end(tmp_path):
    nest = ["x"] * 10
    for _ in range(12):
        nest = [nest] * 10
    with pytest.raises(WeightsError, match=r"got endless entries inside entries"):
        read_official(official(tmp_path / "a.pth", content={"nest": nest}))


def test_a_dictionary_inside_itself_is_refused(tmp_path):
    content = {}
    content["again"] = content
    with pytest.raises(WeightsError, match=r"got endless entries inside entries"):
        read_official(official(tmp_path / "a.pth", content=content))


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", b"\0" * 3_000_000)
    with pytest.raises(WeightsError, match=r"at most 1000000 bytes when unpacked, got 3000000 bytes"):
        read_official(path, limit_bytes=1_000_000)


def test_a_broken_archive_is_told(tmp_path):
    path = official(tmp_path / "a.pth")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(
        WeightsError, match=r"a checkpoint of tensors, got a broken archive; the file is damaged"
    ):
        read_official(path)


def test_any_other_file_is_told(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"GIF89a and so on")
    with pytest.raises(
        WeightsError, match=r"a checkpoint of tensors, got a file that cannot be read; the file"
    ):
        read_official(path)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_torch_did_not_write_is_told(tmp_path, protocol):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"x": np.zeros(3)}, protocol=protocol))
    with pytest.raises(WeightsError, match=r"a.pkl: expected (a checkpoint of tensors|tensors only), got"):
        read_official(path)


@FUZZ
@given(data=st.data(), legacy=st.booleans())
def test_any_damage_to_a_checkpoint_is_ours_to_tell(tmp_path, data, legacy):
    path = tmp_path / f"a{legacy}.pth"
    if not path.exists():
        official(path, legacy=legacy)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))]
    damaged = tmp_path / "b.pth"
    damaged.write_bytes(content)
    only_our_errors(read_official, damaged)
    only_our_errors(read_features, damaged)


# Feature networks


def test_features_come_from_safetensors_of_anyone(tmp_path):
    save_file({"features.0.weight": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "vgg.safetensors")
    state = read_features(tmp_path / "vgg.safetensors")
    assert torch.equal(state["features.0.weight"], torch.ones(2))


def test_features_come_from_a_state_dict_or_one_nested_in_it(tmp_path):
    flat = {"features.0.weight": torch.ones(2)}
    for content in (flat, {"epoch": 3, "state_dict": flat}):
        state = read_features(official(tmp_path / "a.pth", content=content))
        assert list(state) == ["features.0.weight"]


def test_features_from_two_states_are_refused(tmp_path):
    content = {"a": {"w": torch.ones(1)}, "b": {"w": torch.ones(1)}}
    with pytest.raises(
        WeightsError, match=r"expected one state dict of tensors, got 2 in the entries a, b; save"
    ):
        read_features(official(tmp_path / "a.pth", content=content))


def test_features_from_a_file_without_tensors_are_refused(tmp_path):
    with pytest.raises(
        WeightsError, match=r"expected one state dict of tensors, got 0 in the entries epoch; save"
    ):
        read_features(official(tmp_path / "a.pth", content={"epoch": 1}))


# Digest


def test_digest_is_the_one_of_the_bytes(house):
    assert sha256_of(house) == hashlib.sha256(house.read_bytes()).hexdigest()


def test_digest_of_a_missing_file_is_told(tmp_path):
    with pytest.raises(WeightsError, match=r"got no such file"):
        sha256_of(tmp_path / "nothing")
