import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import checkpoints
from engine.checkpoints import read_official
from engine.errors import WeightsError


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
        (
            torch.zeros(1).expand(1 << 34),
            "bytes of tensors, got 68719476736 bytes; the file is packed to harm",
        ),
        (torch.zeros(1).half().expand(1 << 20), "bytes of tensors, got 4194304 bytes; the file is packed"),
        (torch.zeros(1, dtype=torch.bool).expand(1 << 33), "bytes of tensors, got 34359738368 bytes;"),
        (torch.zeros(1 << 14).unfold(0, 4096, 1), "bytes of tensors, got 201342976 bytes; the file"),
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


def only_our_errors(read, path):
    words = ""
    try:
        read(path)
    except WeightsError as error:
        words = str(error)
    assert words == "" or ("\n" not in words and "; " in words)


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


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


def test_thousands_of_tensors_that_share_a_storage_are_refused_before_they_are_widened(tmp_path):
    storage = torch.zeros(1 << 16, dtype=torch.float16)
    path = official(tmp_path / "a.pth", content={str(n): storage[n:] for n in range(200)})
    with pytest.raises(WeightsError, match=r"bytes of tensors, got \d+ bytes or more; the file is packed"):
        read_official(path)


def test_networks_that_share_their_weights_are_read(tmp_path):
    weight = torch.zeros(1 << 18, dtype=torch.float16)
    read = read_official(
        official(tmp_path / "a.pth", content={"edges": weight, "fill": weight, "mean": weight})
    )
    assert {len(value) for value in read.values()} == {1 << 18}


@pytest.mark.parametrize("form", ["zip", "older"])
def test_a_pickle_of_nothing_but_lists_is_refused_before_it_is_read(tmp_path, form, monkeypatch):
    monkeypatch.setattr(checkpoints, "_PICKLE_LIMIT_BYTES", 1 << 16)
    path, body = tmp_path / "a.pth", b"\x80\x02(" + b"]" * 100_000 + b"l."
    if form == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", body)
    else:
        head = (0x1950A86A20F9469CFC6C, 1001, {})
        path.write_bytes(b"".join(pickle.dumps(value, protocol=2) for value in head) + body)
    with pytest.raises(WeightsError, match=r"at most 65536 bytes of names and shapes, got \d+ bytes; the"):
        read_official(path)


def test_a_checkpoint_of_the_older_form_may_be_longer_than_its_pickles_may(tmp_path):
    path = official(tmp_path / "a.pth", legacy=True, content={"x": torch.zeros(2_000_000)})
    assert len(read_official(path)["x"]) == 2_000_000


def test_an_archive_of_too_many_entries_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(20_001):
            archive.writestr(str(number), b"")
    with pytest.raises(WeightsError, match=r"at most 20000 entries, got 20001; the file is packed to harm"):
        read_official(path)


@pytest.mark.parametrize("key", ["x" * 1025, (1, 2), 2.5, None, 1 << 70])
def test_a_key_that_names_nothing_is_refused(tmp_path, key):
    with pytest.raises(WeightsError, match=r"got a name that cannot be printed|a file that cannot be read"):
        read_official(official(tmp_path / "a.pth", content={"generator": {key: 1}}))
