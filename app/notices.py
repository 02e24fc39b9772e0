"""What a person should know of the program's own files: set aside, not kept. Heard on any thread, told in a window once.

A window may not be there yet when something is found, so what nobody has told waits. No Qt.

Elsewhere: who finds it in engine.own_file, the words here, the message in handlers/notices.py.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.own_file import Notice


@dataclass(frozen=True)
class Told:
    """Several notices in the words of one message."""

    title: str
    sentence: str
    next_step: str


class Notices:
    """Collects notices and tells each once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Notice] = []
        self._known: set[tuple[object, ...]] = set()
        self._observers: list[Callable[[], None]] = []

    def add(self, notice: Notice) -> None:
        """Hear of something. That a file cannot be written is told once for what it holds."""
        key = (
            (notice.code, notice.what)
            if notice.code == "not kept"
            else (notice.code, notice.path, notice.aside)
        )
        with self._lock:
            if key in self._known:
                return
            self._known.add(key)
            self._waiting.append(notice)
            observers = tuple(self._observers)
        for observer in observers:
            observer()

    def take(self) -> tuple[Notice, ...]:
        """What nobody has told yet; it counts as told then."""
        with self._lock:
            waiting, self._waiting = tuple(self._waiting), []
        return waiting

    def observe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, on any thread, when there is something to `take`; returns what stops it."""
        self._observers.append(callback)
        return lambda: self._observers.remove(callback) if callback in self._observers else None


NOTICES = Notices()
"""Of this process: every window shares them."""


def words_of(notices: Sequence[Notice]) -> Told:
    """One message for all of them."""
    found = [notice for notice in notices if notice.code != "not kept"]
    unkept = [notice for notice in notices if notice.code == "not kept"]
    sentences = [_sentence(notice) for notice in found]
    for folder in dict.fromkeys(notice.path.parent for notice in unkept):
        there = [notice for notice in unkept if notice.path.parent == folder]
        whats = _listed([notice.what for notice in there])
        sentences.append(f"{whats[:1].upper()}{whats[1:]} will be lost ({folder}: {there[0].detail}).")
    title = "Something could not be read and starts afresh" if found else "Not everything is kept"
    asides = [notice.aside for notice in found if notice.aside is not None]
    steps = (
        [f"What was there is kept beside it, as {_listed([path.name for path in asides])}."] if asides else []
    )
    if unkept:
        steps.append("Give the folder room and the right to write, then start again.")
    return Told(title, " ".join(sentences), " ".join(steps))


def _sentence(notice: Notice) -> str:
    said = {
        "damaged": f"{notice.what} could not be read",
        "in part": f"{notice.what} could be read in part",
        "newer": f"a later version of Pentimento wrote {notice.what}",
    }[notice.code]
    detail = f" ({notice.detail})" if notice.detail else ""
    return f"{said[:1].upper()}{said[1:]}: {notice.path}{detail}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
