"""Where the program keeps what is the user's: settings, unfinished work, measurements, what is being learned.

The system says where such things belong; ``PENTIMENTO_HOME`` puts all of it below one folder instead, which is what a
portable installation and the tests want. Nothing is made here: a folder appears when something is written.
"""

import os
from pathlib import Path

HOME_VARIABLE = "PENTIMENTO_HOME"
"""Names one folder for everything, in place of the system's usual ones."""


def config_folder() -> Path:
    """Settings and key bindings."""
    return _folder("config")


def state_folder() -> Path:
    """Journals of open documents, the window's layout, recent files."""
    return _folder("state")


def cache_folder() -> Path:
    """What can be made again, though it may take time: pictures that are being learned."""
    return _folder("cache")


def _folder(kind: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home) / kind
    import platformdirs

    finders = {
        "config": platformdirs.user_config_dir,
        "state": platformdirs.user_state_dir,
        "cache": platformdirs.user_cache_dir,
    }
    return Path(finders[kind]("pentimento", appauthor=False))
