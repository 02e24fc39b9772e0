import json
import subprocess
import sys

import pytest
import torch

from engine.errors import WeightsError
from engine.tensor_header import is_safetensors, read_header

LIMIT_BYTES = 1 << 20


def raw_safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


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
        (b"[" * 5000, "a header of JSON at most 64 deep, got a deeper one"),
        (b'{"x":' + b"9" * 5000 + b"}", "a header of whole numbers of 64 bits, got one of 5000 digits"),
        (b'{"x":[' + b"0," * 200_000 + b"0]}", "a header of at most 200000 values in JSON, got about 200002"),
        ({str(number): 0 for number in range(20_001)}, "20001 tensors, where at most 20000 are read"),
        ({"x" * 1025: ENTRY}, "a tensor name that cannot be printed"),
        (
            {"x": {**ENTRY, "dtype": ["F32"] * 100}},
            "got ['F32', 'F32', 'F32', 'F32', 'F32', 'F32 in the tensor",
        ),
        ({"x": {**ENTRY, "shape": [1] * 32 + [2]}}, "33 sides of the tensor 'x', where at most 32 are read"),
        ({"x": {**ENTRY, "shape": [0, 1 << 40, 1 << 40]}}, "a size without end of the tensor 'x'"),
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


def test_headers_are_read_without_torch(tmp_path):
    path = raw_safetensors(tmp_path / "a.safetensors", {"__metadata__": {"a": "b"}, "x": ENTRY}, b"\0" * 8)
    code = (
        "import sys; from engine.tensor_header import read_header;"
        f"assert read_header({str(path)!r}, 999).metadata == {{'a': 'b'}};"
        "sys.exit(str([name for name in ('torch', 'safetensors', 'PIL', 'cv2') if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.strip() == "[]"
