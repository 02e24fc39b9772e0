"""Limits of what a file may become: refused before it becomes it, in words."""

import io
import math
import tracemalloc
from pathlib import Path

import pytest

from engine import bounds
from engine.bounds import BoundsError, Budget, LimitedReader, memory_share, read_json, read_limited, read_toml


def test_a_budget_counts_all_parts_together() -> None:
    budget = Budget(100, "bytes of tensors")
    budget.take(60)
    with pytest.raises(
        BoundsError, match=r"^expected at most 100 bytes of tensors, got 101 bytes or more$"
    ) as caught:
        budget.take(41)
    assert (caught.value.expected, caught.value.got) == (
        "at most 100 bytes of tensors",
        "101 bytes or more",
    )
    assert budget.left_bytes == 40, "what is refused is not taken"
    budget.give_back(60)
    budget.take(100)
    with pytest.raises(BoundsError, match="at most 5 bytes unpacked, got 6 bytes$"):
        Budget(5).check(6)


def test_a_share_of_the_memory_has_a_floor() -> None:
    assert memory_share(10**9) == 1 << 30
    assert memory_share(1) > memory_share(4, least_bytes=1)


@pytest.mark.parametrize("size", [-1, None, 3, 10_000])
def test_a_stream_ends_at_its_limit(size: int | None) -> None:
    within, beyond = (LimitedReader(io.BytesIO(b"x" * count), 1000) for count in (1000, 1001))
    assert b"".join(iter(lambda: within.read(size), b"")) == b"x" * 1000
    with pytest.raises(BoundsError, match="at most 1000 bytes unpacked, got 1001 bytes"):
        b"".join(iter(lambda: beyond.read(size), b""))


def test_a_stream_can_be_buffered() -> None:
    reader = io.BufferedReader(LimitedReader(io.BytesIO(b"one\ntwo\n"), 100))
    assert reader.readlines() == [b"one\n", b"two\n"]


def test_a_small_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"12345")
    assert read_limited(path, 5) == b"12345"
    with pytest.raises(BoundsError, match="at most 4 bytes, got 5 bytes"):
        read_limited(path, 4)


def test_plain_json_comes_back() -> None:
    text = '{"a": [1, -2.5, "[{,\\\\\\"", null, true], "b": {"c": "ö"}}'
    expected = {"a": [1, -2.5, '[{,\\"', None, True], "b": {"c": "ö"}}
    assert read_json(text) == read_json(text.encode()) == expected
    assert read_json("[" * 64 + "]" * 64)
    assert read_json(f"[{2**63 - 1}, {-(2**63)}]") == [2**63 - 1, -(2**63)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 65 + "]" * 65, "JSON at most 64 deep, got a deeper one"),
        ('[{"a":' * 100_000, "JSON at most 64 deep, got a deeper one"),
        ("[" + "0," * 300_000 + "0]", "at most 200000 values in JSON, got about 300001"),
        ("[" + "[]," * 300_000 + "0]", "at most 200000 values in JSON, got about 600001"),
        ("9" * 5000, "whole numbers of 64 bits, got one of 5000 digits"),
        (str(2**63), "whole numbers of 64 bits, got one of 19 digits"),
        ("-1e999", "finite numbers, got -1e999"),
        ("[NaN]", "finite numbers, got NaN"),
        ("-Infinity", "finite numbers, got -Infinity"),
        ('"' + "x" * (16 << 20) + '"', "at most 16777216 bytes of JSON, got 16777218 bytes"),
    ],
)
def test_json_that_lies_is_refused_in_words(text: str, words: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(BoundsError) as caught:
            read_json(form)
        assert words in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b'"\\', b"\xff", "[1]".encode("utf-16"), b'\\"' * 100_000])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_a_name_given_twice_is_refused_where_it_matters() -> None:
    assert read_json('{"a": 1, "a": 2}') == {"a": 2}
    with pytest.raises(ValueError, match="a name is given twice"):
        read_json('{"a": 1, "a": 2}', is_unique=True)


def test_refusing_brackets_takes_no_memory_for_them() -> None:
    text = b"[" + b"{}," * 1_000_000 + b"0]"
    tracemalloc.start()
    with pytest.raises(BoundsError):
        read_json(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(text), "the objects themselves would take 25 times as much"


def test_plain_toml_comes_back() -> None:
    text = '# [[[[\na.b = [1, 2.5, \'[[\', """{{\n"""]\n[c]\nd = {e = true}\n'
    expected = {"a": {"b": [1, 2.5, "[[", "{{\n"]}, "c": {"d": {"e": True}}}
    assert read_toml(text) == read_toml(text.encode()) == expected
    assert math.isinf(read_toml("a = inf")["a"]), "TOML has it by name; who reads a number checks its range"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "9" * 5000, "numbers and bare keys of at most 256 signs, got a longer one"),
        ("a = 0x" + "f" * 5000, "numbers and bare keys of at most 256 signs"),
        ("a = " + "9_" * 5000 + "9", "numbers and bare keys of at most 256 signs"),
        (".".join(["a"] * 100_000) + " = 1", "keys of at most 64 parts, got a longer one"),
        (".".join(['"a"'] * 30_000) + " = 1", "keys of at most 64 parts"),
        ("[" + " . ".join(["a"] * 30_000) + "]", "keys of at most 64 parts"),
        ("\n".join(f"a.b{n} = 1" for n in range(20_000)), "at most 8000 lines of TOML, got 20000"),
        ("\n".join(f"a.b{n} = 1" for n in range(100_000)), "at most 262144 bytes of TOML, got 1288889 bytes"),
        ("a = " + "[" * 100_000, "TOML at most 64 deep, got a deeper one"),
        ("a = " + "{a=" * 50_000, "TOML at most 64 deep, got a deeper one"),
    ],
)
def test_toml_that_lies_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(BoundsError) as caught:
        read_toml(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["a", 'a = "', "a = '''", 'a = """\\', "'" * 200, b"\xff"])
def test_what_is_no_toml_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_toml(text)


def test_a_system_that_does_not_say_its_memory_counts_as_eight_gigabytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(bounds.os, "sysconf")
    assert memory_share(2) == 4 << 30
