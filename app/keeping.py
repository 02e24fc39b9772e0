"""Look once, at the start, whether what the program keeps for its user can be kept, and say all that cannot in one go.

Elsewhere: the folders in folders.py, what is said in notices.py.
"""

from pathlib import Path

from app.folders import cache_folder, config_folder, state_folder
from app.notices import NOTICES
from engine.atomic import part_in
from engine.folders import has_home
from engine.own_file import Notice, words_of_error
from engine.private import open_private, part_kind, private_folder, remove_stale

JOURNAL = "unsaved work after a crash"
"""What is kept in journals, in the words of a notice."""
_PROBE = bytes(4096)  # a block: a disk that is full takes an empty file
_LEFT = part_kind(b"{", _PROBE)


def check_places() -> None:
    """Try the program's own folders, which are made. May be called on any thread, since a disk may be slow."""
    for folder, whats in (
        (config_folder(), ("the settings",)),
        (state_folder(), (JOURNAL, "the list of recent files", "the place of the window")),
        (cache_folder(), ("what past jobs took", "what is learned of pictures")),
    ):
        try:
            _try(folder)
        except OSError as error:
            for what in whats:
                NOTICES.add(Notice("not kept", what, folder / "file", detail=words_of_error(error)))
    if not has_home():
        what = "everything that is kept, when this machine starts again,"
        NOTICES.add(Notice("not kept", what, state_folder(), detail="there is no home folder"))


def _try(folder: Path) -> None:
    """Write and remove a file; what killed programs left there goes.

    Raises:
        OSError: if that cannot be done.
    """
    remove_stale(private_folder(folder), [_LEFT])
    path = part_in(folder)
    try:
        with open_private(path, "xb", buffering=0) as file:
            file.write(_PROBE)
    finally:
        path.unlink(missing_ok=True)
