"""Networks that learned a picture, as weights: found among the user's by the picture, into a document, and out of it.

Reading a file to carry it looks at no tensor; the process that brings weights in and the engine do, each time.
No Qt.

Elsewhere: what a document carries in document/learned.py, the folders of learning in learning_runs.py.
"""

import hashlib
import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.atomic import write_atomically
from engine.errors import WeightsError
from engine.private import private_folder

if TYPE_CHECKING:
    from app.document.learned import Learned

FAMILY = "retarget"
WEIGHTS_NAME = "retarget.safetensors"
NAMED_DIGITS = 10
"""So much of a picture's digest stands in the name of its weights."""
CARRIED_NAME = "carried"
"""Folder in which what a document carried waits to be brought in."""


@dataclass(frozen=True)
class Kept:
    """Weights of the user's that learned one picture."""

    name: str
    path: Path
    sha256: str
    nbytes: int


def kept_name(document_name: str, digest: str) -> str:
    """What a learned picture is called among the weights: its document, and so much of its digest that it is the only one."""
    words = re.sub(r"[^a-z0-9]+", "-", Path(document_name).stem.lower()).strip("-")[:40].strip("-")
    return f"{words or 'picture'}-{digest[:NAMED_DIGITS]}"


def free_name(name: str, taken: Collection[str]) -> str:
    """A name that is not taken, with a number before the digest where one is needed."""
    words, _, digits = name.rpartition("-")
    numbered = (f"{words}-{number}-{digits}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)


def kept_of(digest: str) -> Kept | None:
    """The weights that learned a picture, the newest where there are several; None where there are none.

    Raises:
        WeightsError: if a manifest is damaged.
    """
    from engine.weights import WeightsStore

    store = WeightsStore()
    entry = store.learned_from(digest, FAMILY)
    return None if entry is None else Kept(entry.name, store.path_of(entry), entry.sha256, entry.bytes)


def is_same_file(path: Path, kept: Kept) -> bool:
    """Whether a file holds what was kept; False where it cannot be read."""
    try:
        if path.stat().st_size != kept.nbytes:
            return False
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == kept.sha256
    except OSError:
        return False


def read_kept(kept: Kept, digest: str) -> "Learned":
    """What a document is to carry of the picture with this digest.

    Raises:
        DocumentError: if it is too large, or not of this picture.
        OSError: if it cannot be read.
    """
    from app.document.learned import LEARNED_LIMIT_BYTES, Learned

    with open(kept.path, "rb") as file:
        return Learned.of(digest, file.read(LEARNED_LIMIT_BYTES + 1))


def lay_out(learned: "Learned", folder: Path) -> Path:
    """Write what a document carries where it can be brought in from.

    Args:
        learned: of the document.
        folder: of the picture's learning; made where it is not there.

    Returns:
        A folder in it that holds the weights file and nothing else of ours.

    Raises:
        WeightsError: if it cannot be written.
        OSError: if the folder cannot be made, or the bytes cannot be read.
    """
    place = private_folder(folder, CARRIED_NAME)
    data = learned.data()
    path = place / WEIGHTS_NAME
    write_atomically(path, lambda file: file.write(data), error_type=WeightsError, is_private=True)
    return place
