import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import engine.manifest
from engine.errors import WeightsError
from engine.manifest import (
    MANIFEST,
    Manifest,
    WeightsEntry,
    is_name,
    make_folder,
    manifest_text,
    read_manifest,
    write_manifest,
)


def entry(**changes):
    values = {
        "name": "inpaint-starter",
        "family": "inpaint",
        "options": {"width": 32, "depth": 8},
        "file": "inpaint-starter.safetensors",
        "sha256": "0" * 64,
        "bytes": 12,
        "licence": "Apache-2.0",
    }
    return WeightsEntry(**{**values, **changes})


def test_a_manifest_comes_back_equal(tmp_path):
    entries = (
        entry(),
        entry(name="b", file="b.safetensors", metrics={"l1": 0.5, "by_ratio": {"10-20": 1e-7}}),
    )
    write_manifest(tmp_path / "new" / "folder", entries)
    assert read_manifest(tmp_path / "new" / "folder").weights == entries


WORDS = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=40, deadline=None)
@given(
    words=WORDS,
    metrics=st.dictionaries(
        WORDS, st.one_of(WORDS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats())
    ),
)
def test_any_words_and_numbers_come_back(words, metrics):
    text = manifest_text([entry(licence=words, metrics=metrics, command=words[::-1])])
    read = Manifest.model_validate(tomllib.loads(text)).weights[0]
    assert (read.licence, read.command) == (words, words[::-1])
    assert repr(read.metrics) == repr(metrics)


def test_no_manifest_is_an_empty_one(tmp_path):
    assert read_manifest(tmp_path).weights == ()
    assert read_manifest(tmp_path / "nowhere").weights == ()


def test_the_manifest_of_the_program_is_read():
    folder = Path(engine.manifest.__file__).parent.parent / "weights"
    assert (folder / MANIFEST).is_file()
    for found in read_manifest(folder).weights:
        assert found.status != "imported"
        assert found.training_data
        assert found.command


@pytest.mark.parametrize(
    "name", ["../b.safetensors", "a/b.safetensors", "/b.safetensors", "..\\b.safetensors"]
)
def test_a_file_outside_the_folder_is_refused(name):
    with pytest.raises(ValidationError, match="expected a plain file name ending in .safetensors, got"):
        entry(file=name)


@pytest.mark.parametrize("name", ["C:b.safetensors", ".hidden.safetensors", "b.pth", "a\nb.safetensors", ""])
def test_a_file_name_that_is_none_is_refused(name):
    with pytest.raises(ValidationError, match="expected a plain file name ending in .safetensors, got"):
        entry(file=name)


@pytest.mark.parametrize("name", ["", "../a", "a/b", "A", "a b", "-a", ".a", "a..b", "a" * 81, "a\n"])
def test_a_name_that_is_none_is_refused(name):
    assert not is_name(name)
    with pytest.raises(ValidationError, match="expected lower-case letters, digits, dots and dashes, got"):
        entry(name=name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = 2", r"got 'schema': Input should be 1; correct the file or move it away"),
        ("schema = 1\nweight = []", r"got 'weight': Extra inputs are not permitted; correct"),
        ("schema = ", r"got text that is no TOML \(.*\); correct the file or move it away"),
        ("schema = 1\n[[weights]]\nname = 'a'", r"got 'weights.0.family': Field required; correct"),
    ],
)
def test_a_damaged_manifest_is_told(tmp_path, text, words):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(
        WeightsError, match=r"manifest.toml: expected a manifest of weights, " + words
    ) as caught:
        read_manifest(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_manifest_that_is_no_text_is_told(tmp_path):
    (tmp_path / MANIFEST).write_bytes(b"\xff\xfe\0")
    with pytest.raises(WeightsError, match=r"got text that is no TOML"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_a_folder_is_told(tmp_path):
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(WeightsError, match=r"manifest.toml: expected a file name, got a folder"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(("changes", "word"), [({"file": "b.safetensors"}, "name"), ({"name": "b"}, "file")])
def test_a_name_or_file_twice_is_told(tmp_path, changes, word):
    (tmp_path / MANIFEST).write_text(manifest_text([entry(), entry(**changes)]))
    with pytest.raises(
        WeightsError, match=rf"expected every {word} once, got 'inpaint-starter.*' twice; correct"
    ):
        read_manifest(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(WeightsError, match=r"expected a folder, got a file in the middle of the path"):
        write_manifest(tmp_path / "a" / "b", [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema = " + "9" * 5000, "numbers and bare keys of at most 256 signs, got a longer one"),
        ("\n".join(f"a.b{n} = 1" for n in range(100_000)), "at most 262144 bytes, got 262145 bytes"),
        ("\n".join(f"a.b{n} = 1" for n in range(10_000)), "at most 8000 lines of TOML, got 10000"),
        (".".join(["a"] * 100_000) + " = 1", "keys of at most 64 parts, got a longer one"),
        ("a = " + "[" * 5000, "TOML at most 64 deep, got a deeper one"),
    ],
)
def test_a_manifest_that_would_take_minutes_or_break_is_refused_in_one_line(tmp_path, text, words):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(WeightsError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value) == f"{tmp_path / MANIFEST}: expected {words}; correct the file or move it away"


def test_words_about_a_manifest_are_short_however_much_it_says(tmp_path):
    (tmp_path / MANIFEST).write_text(f"schema = 1\n'{'x' * 100_000}' = 1\n")
    with pytest.raises(WeightsError) as caught:
        read_manifest(tmp_path)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        ((), 0o700),
        (("manifest.toml", "a.safetensors", "b.safetensors.part.tag"), 0o700),
        (("letter.txt",), 0o755),
    ],
)
def test_a_folder_is_narrowed_where_nothing_else_lies_in_it(tmp_path, names, mode):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    for name in names:
        (folder / name).write_text("")
    make_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == mode
