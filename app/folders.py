"""Where the program keeps what is the user's: settings, unfinished work, measurements.

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


def _folder(kind: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home) / kind
    import platformdirs

    finder = {"config": platformdirs.user_config_dir, "state": platformdirs.user_state_dir}[kind]
    return Path(finder("pentimento", appauthor=False))
