"""Bring in published checkpoints, or house files from elsewhere.

Published files become one house file in float32 with everything they hold, spectral norm included, so that the
network that runs is the published one. Every generator must be there: the published loader ran with random weights
where a file was missing, and said nothing.

Elsewhere: key names of each system in models.<family>.official, names and digests in weights.py.
"""

import difflib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from engine.atomic import part_in, path_error, write_atomically
from engine.errors import WeightsError
from engine.manifest import make_folder
from engine.private import open_private, part_kind, remove_stale

_STAGED = part_kind(b"{", offset=8)  # where the header of safetensors begins
_LISTED = part_kind(b"schema = ")
OFFICIAL_LICENCES: Mapping[str, str] = {
    "inpaint": "CC BY-NC 4.0 (EdgeConnect authors); non-commercial",
    "retarget": "Academic Non Commercial Software Code License (Weizmann Institute, Yeda); non-commercial",
}
"""Licence of the published checkpoints of each family."""


def spec_of(family: str) -> Any:
    """The family's ``FamilySpec``.

    Raises:
        WeightsError: if there is no such family.
    """
    from models.errors import UnknownFamilyError
    from models.registry import family_names, family_spec

    try:
        return family_spec(family)
    except UnknownFamilyError as error:
        names = family_names()
        close = difflib.get_close_matches(family, names, n=1)
        hint = f"did you mean '{close[0]}'?" if close else "name the tool the checkpoint is for"
        raise WeightsError("family", f"one of {', '.join(names)}", f"'{family}'", hint) from error


@contextmanager
def staged_file(folder: Path) -> Iterator[Path]:
    """A name for weights that have none yet; what lies there at the end is removed.

    Args:
        folder: of the user's weights; made, if need be, when the file is written.
    """
    path = part_in(folder)
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _claim(target: Path) -> None:
    """Make the file, empty and the user's alone, and its folder. What killed imports left there goes.

    Raises:
        WeightsError: if the place cannot be written.
    """
    make_folder(target.parent)
    try:
        remove_stale(target.parent, [_STAGED, _LISTED])
        open_private(target, "xb").close()
    except OSError as error:
        raise path_error(target.parent, error, WeightsError) from error


def copy_house_file(source: Path, family: str, target: Path) -> dict[str, Any]:
    """Check and copy a house file.

    Returns:
        What a manifest says of it: options, licence, training data, command.

    Raises:
        WeightsError: if it cannot be read, is for another family, or the place cannot be written.
    """
    from engine.weightfile import read_weights

    found = read_weights(source, family=family)
    _claim(target)

    def write(file: BinaryIO) -> None:
        with open(source, "rb") as original:
            shutil.copyfileobj(original, file, 1 << 20)

    write_atomically(target, write, error_type=WeightsError)
    return {
        "options": dict(found.options),
        "licence": found.metadata.get("licence", "unknown; ask who made the file"),
        "training_data": found.metadata.get("training_data", ""),
        "command": found.metadata.get("command", ""),
    }


def convert_official(
    sources: Sequence[Path], spec: Any, target: Path
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Turn published files into one house file.

    Args:
        sources: the files, or a folder that holds them under their published names.
        spec: the family.
        target: the house file to write.

    Returns:
        What a manifest says of it, and the published files that were not there and are not needed to run.

    Raises:
        WeightsError: if a file is missing, damaged or of another system, or the place cannot be written.
    """
    from engine.checkpoints import read_official
    from engine.weightfile import WeightFile, write_weights
    from models.errors import ModelsError

    if spec.import_official is None:
        raise WeightsError(
            "family", "one with published checkpoints", f"'{spec.name}'", "import a .safetensors file"
        )
    files = _official_files(sources, spec.official_files)
    contents = {path.name: read_official(path) for path in files}
    try:
        state = spec.import_official(contents)
        held = {key.split(".")[0] for key in state}
        absent = [file for file, network in spec.official_files.items() if network not in held]
        needed = [file for file in absent if spec.official_files[file] in spec.networks]
        if needed:
            hint = "every generator is needed, without it the fill would be random; fetch the missing file"
            raise WeightsError(
                sources[0], " and ".join(_needed_files(spec)), f"no {' and no '.join(needed)}", hint
            )
        options = spec.options_from_state(state)
        spec.load(state, options)
    except ModelsError as error:
        expected = f"published weights of the family '{spec.name}'"
        hint = "the files belong to another system or are incomplete"
        raise WeightsError(", ".join(contents), expected, _fault_in(error), hint) from error
    licence = OFFICIAL_LICENCES.get(spec.name, "as their authors say")
    metadata = {
        "licence": licence,
        "training_data": "as published by the authors",
        "command": f"pentimento weights import {' '.join(contents)}",
    }
    _claim(target)
    write_weights(target, WeightFile(spec.name, asdict(options), state, metadata))
    return {"options": asdict(options), **metadata}, tuple(absent)


def _fault_in(error: Exception) -> str:
    """What was found, out of a message of the house's form, in one line."""
    words = " ".join(str(error).split())
    return words.partition(", got ")[2].rpartition("; ")[0] or words


def _needed_files(spec: Any) -> list[str]:
    return [file for file, network in spec.official_files.items() if network in spec.networks]


def _official_files(sources: Sequence[Path], official_files: Mapping[str, str]) -> list[Path]:
    """The files to read: those named, and in a folder those with a published name."""
    found: list[Path] = []
    for source in sources:
        if not source.is_dir():
            found.append(source)
            continue
        patterns = [f"{depth}{name}" for name in official_files for depth in ("", "*/")]
        inside = [path for pattern in patterns for path in sorted(source.glob(pattern)) if path.is_file()]
        if not inside:
            wanted = ", ".join(official_files)
            raise WeightsError(source, f"a folder with {wanted}", "none of them", "name the files one by one")
        found += inside
    if not found:
        raise WeightsError("files", "published files or their folder", "none", "name at least one")
    names = [path.name for path in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        places = " and ".join(str(path.parent) for path in found if path.name == twice)
        raise WeightsError(twice, "one file of this name", f"several in {places}", "name one folder of them")
    return found
