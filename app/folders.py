"""Where the program keeps what is the user's: settings, unfinished work, measurements, what is being learned.

Elsewhere: what the system says of it, and ``PENTIMENTO_HOME``, in engine.folders.
"""

from pathlib import Path

from engine.folders import own_folder


def config_folder() -> Path:
    """Settings and key bindings."""
    return own_folder("config")


def state_folder() -> Path:
    """Journals of open documents, the window's layout, recent files."""
    return own_folder("state")


def cache_folder() -> Path:
    """What can be made again, though it may take time: pictures that are being learned."""
    return own_folder("cache")
