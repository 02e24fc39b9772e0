"""The list of a folder of weights: what each file is, whose it is, and which bytes it must have.

A manifest is TOML, read and checked as a whole: an unknown key, a name twice or a file outside the folder refuses it.

Elsewhere: finding and checking the files in weights.py.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engine.atomic import PART_NAME, path_error, write_atomically
from engine.bounds import TOML_LIMIT_BYTES, BoundsError, read_limited, read_toml
from engine.errors import WeightsError
from engine.private import private_folder

MANIFEST = "manifest.toml"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SCHEMA = 1
_WORDS_LIMIT = 300  # of what is wrong: it may quote a whole file


def is_name(text: str) -> bool:
    """Whether weights may be called so: lower-case letters, digits, dots and dashes, at most 80."""
    return bool(_NAME.fullmatch(text)) and ".." not in text


class WeightsEntry(BaseModel):
    """What a manifest says of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Lower-case letters, digits, dots, dashes; at most 80."""
    family: str
    """Folder of the family in ``models``, with underscores."""
    options: dict[str, bool | int | float | str]
    """What builds the networks."""
    file: str
    """File name beside the manifest; no folders."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of the file."""
    bytes: int = Field(ge=1)
    """Size of the file."""
    licence: str
    """Of the weights, in words."""
    training_data: str = ""
    """Which pictures, and under which licence."""
    command: str = ""
    """What made the file."""
    metrics: dict[str, bool | int | float | str | dict[str, int | float | str]] = {}
    """What was measured."""
    status: Literal["draft", "release", "imported"] = "draft"
    """Imported: brought by the user."""
    url: str = ""
    """Where it can be fetched; empty if nowhere."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not is_name(value):
            raise ValueError(f"expected lower-case letters, digits, dots and dashes, got '{value}'")
        return value

    @field_validator("file")
    @classmethod
    def _check_file(cls, value: str) -> str:
        is_plain = value.isprintable() and not value.startswith(".") and not set(value) & set('/\\:*?"<>|')
        if not is_plain or not value.endswith(".safetensors"):
            raise ValueError(f"expected a plain file name ending in .safetensors, got '{value}'")
        return value


class Manifest(BaseModel):
    """One folder's list of weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = Field(default=1, alias="schema")
    weights: tuple[WeightsEntry, ...] = ()

    @field_validator("weights")
    @classmethod
    def _check_names(cls, entries: tuple[WeightsEntry, ...]) -> tuple[WeightsEntry, ...]:
        for kind in ("name", "file"):
            values = [getattr(entry, kind) for entry in entries]
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"expected every {kind} once, got '{twice}' twice")
        return entries


def manifest_text(entries: Iterable[WeightsEntry]) -> str:
    """A manifest as TOML."""
    lines = [f"schema = {_SCHEMA}"]
    for entry in entries:
        lines += ["", "[[weights]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in entry.model_dump().items()]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A value in TOML. JSON's text is TOML's, save for one control character."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def read_manifest(folder: Path) -> Manifest:
    """The list of a folder; empty where there is none.

    Raises:
        WeightsError: if it cannot be read or says what a manifest cannot say.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate(read_toml(read_limited(path, TOML_LIMIT_BYTES)))
    except (FileNotFoundError, NotADirectoryError):
        return Manifest()
    except OSError as error:
        raise path_error(path, error, WeightsError, expected="a manifest that can be read") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        got = f"'{place}': {words}"
    except BoundsError as error:
        raise WeightsError(path, error.expected, error.got, "correct the file or move it away") from error
    except ValueError as error:
        got = f"text that is no TOML ({error})"
    got = " ".join(got.split())[:_WORDS_LIMIT]
    raise WeightsError(path, "a manifest of weights", got, "correct the file or move it away")


def write_manifest(folder: Path, entries: Iterable[WeightsEntry]) -> None:
    """Write the list of a folder, which is made if it is not there.

    Raises:
        WeightsError: if the place cannot be written.
    """
    text = manifest_text(entries)

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    make_folder(folder)
    write_atomically(folder / MANIFEST, write, error_type=WeightsError, is_private=True)


def make_folder(folder: Path) -> None:
    """Make a folder of weights and those above it; it is for its owner alone, as pictures that were learned lie there.

    A folder that the user named and that holds other things as well keeps its rights.

    Raises:
        WeightsError: if the place cannot be written, or is another user's.
    """
    try:
        if not folder.is_dir() or _is_for_weights(folder):
            private_folder(folder)
    except OSError as error:
        raise path_error(folder, error, WeightsError) from error


def _is_for_weights(folder: Path) -> bool:
    names = os.listdir(folder)
    return all(name == MANIFEST or ".safetensors" in name or PART_NAME.fullmatch(name) for name in names)
