"""Keys as people read them: menus, tooltips, hints and the sheet of keys all ask here.

Qt calls the large key "Return" and the one of the number pad "Enter". To people both are Enter, so both do the same
here, and outside macOS, where each has a sign of its own, the word is "Enter".
"""

import sys
from collections.abc import Container, Iterable

from PySide6.QtGui import QKeySequence


def key_text(key: QKeySequence | str) -> str:
    """A key as the system writes it, such as ``Ctrl+Enter``."""
    sequence = key if isinstance(key, QKeySequence) else QKeySequence(key)
    return sequence.toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")


def with_both_enters(keys: Iterable[str], others: Container[str]) -> list[QKeySequence]:
    """The keys of an action; where Return is among them, Enter is too, and stands before it.

    A menu writes the first key of an action in Qt's own words, which are "Enter" then.

    Args:
        keys: of the action.
        others: keys of other actions, which are left to them.
    """
    made: list[str] = []
    for key in keys:
        both = [key]
        if "Return" in key:
            twin = key.replace("Return", "Enter")
            both = [one for one in (twin, key) if one == key or one not in others]
            both.sort(reverse=sys.platform == "darwin")  # "Enter" stands before "Return" in the alphabet
        made.extend(one for one in both if one not in made)
    return [QKeySequence(key) for key in made]
