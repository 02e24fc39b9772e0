"""One engine for all windows: its process takes memory for weights once, whatever the number of windows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.worker import EngineWorker

_shared: list["EngineWorker"] = []
_users = 0


def acquire_worker() -> "EngineWorker":
    """The engine's worker; made for the first window that asks. It starts no process by itself."""
    global _users
    from app.settings import settings_store
    from app.worker import EngineWorker

    _users += 1
    if not _shared:
        _shared.append(EngineWorker(device=settings_store().value.device))
    return _shared[0]


def release_worker() -> None:
    """A window needs it no more; the last one stops the engine."""
    global _users
    _users = max(0, _users - 1)
    if _users == 0 and _shared:
        _shared.pop().stop()
