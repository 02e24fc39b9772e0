"""Files that were open last, newest first: a short list in the state folder, which all windows and processes add to."""

from pathlib import Path
from typing import Any

from app.folders import state_folder
from app.notices import NOTICES
from engine.own_file import OwnFile, Read

MAX_FILES = 12
FORMAT = 1
_PATH_LIMIT = 4096
"""Signs of a path that a system may have."""


def recent_files() -> list[Path]:
    """The list; empty where there is none or it cannot be read."""
    return [Path(item) for item in _file().read()]


def add_recent(path: Path) -> None:
    """Put a file first. Failing to write the list stops nothing."""
    first = str(Path(path).absolute())
    _file().update(lambda files: [first, *(other for other in files if other != first)][:MAX_FILES])


def clear_recent() -> None:
    """Forget all."""
    _file().update(lambda _: [])


def _file() -> OwnFile[list[str]]:
    return OwnFile(
        state_folder() / "recent.json",
        what="the list of recent files",
        empty=[],
        version=FORMAT,
        load=_load,
        dump=lambda files: {"files": files},
        on_notice=NOTICES.add,
    )


def _load(data: Any) -> Read[list[str]]:
    """Paths; the first format was a plain list of them."""
    items = data if isinstance(data, list) else data["files"]
    if not isinstance(items, list):
        raise TypeError("it is no list")
    files = [
        item for item in items if isinstance(item, str) and "\0" not in item and 0 < len(item) <= _PATH_LIMIT
    ]
    wrong = len(items) - len(files)
    return Read(files[:MAX_FILES], f"{wrong} of {len(items)} are no paths" if wrong else "")
