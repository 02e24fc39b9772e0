"""Where the program keeps what is the user's: what the system says, or below one folder that the user names.

Nothing is made here: a folder appears when something is written, by `engine.private.private_folder`.
"""

import os
import tempfile
from pathlib import Path
from typing import Literal

Kind = Literal["config", "state", "cache"]
SystemKind = Literal["config", "state", "cache", "data", "log"]

HOME_VARIABLE = "PENTIMENTO_HOME"
"""Names one folder for everything, in place of the system's usual ones."""


def own_folder(kind: Kind) -> Path:
    """The folder for one kind of thing; it may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home) / kind if home else of_system(kind)


def of_system(kind: SystemKind) -> Path:
    """The folder that the system gives; one among temporary files where it knows no home folder of this user.

    That is so in some containers and services. `has_home` says which of the two it is.
    """
    return _at_home(kind) or Path(tempfile.gettempdir()) / f"pentimento-{_user()}-{kind}"


def has_home() -> bool:
    """Whether what is kept outlives the machine's next start."""
    return bool(os.environ.get(HOME_VARIABLE)) or _at_home("state") is not None


def _at_home(kind: SystemKind) -> Path | None:
    """What the system gives; None where that hangs on a home folder that is not known."""
    import platformdirs

    finders = {
        "config": platformdirs.user_config_dir,
        "state": platformdirs.user_state_dir,
        "cache": platformdirs.user_cache_dir,
        "data": platformdirs.user_data_dir,
        "log": platformdirs.user_log_dir,
    }
    try:
        # Weights lie on Windows where they lay before the others had a folder.
        folder = Path(finders[kind]("pentimento", appauthor=None if kind == "data" else False))
    except RuntimeError:  # platformdirs from 4.14 on; before, the path began with a plain ~
        return None
    return folder if folder.is_absolute() else None


def _user() -> str:
    if hasattr(os, "getuid"):
        return str(os.getuid())
    import getpass

    return getpass.getuser()
