"""Files that were open last, newest first: a short list in the state folder."""

import json
import logging
from pathlib import Path

from app.folders import state_folder

log = logging.getLogger(__name__)

MAX_FILES = 12


def recent_files() -> list[Path]:
    """The list; empty where there is none or it cannot be read."""
    try:
        data = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(data, list):
        return []
    return [Path(item) for item in data if isinstance(item, str)][:MAX_FILES]


def add_recent(path: Path) -> None:
    """Put a file first. Failing to write the list is told in the log only."""
    path = Path(path).absolute()
    _write([path, *(other for other in recent_files() if other != path)][:MAX_FILES])


def clear_recent() -> None:
    """Forget all."""
    _write([])


def _write(paths: list[Path]) -> None:
    from engine.atomic import write_atomically
    from engine.errors import EngineError

    text = json.dumps([str(path) for path in paths])
    try:
        _path().parent.mkdir(parents=True, exist_ok=True)
        write_atomically(_path(), lambda file: file.write(text.encode()))
    except (OSError, EngineError) as error:
        log.warning("the list of recent files was not written: %s", error)


def _path() -> Path:
    return state_folder() / "recent.json"
