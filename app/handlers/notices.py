"""Tell in a window what is to be known of the program's own files: settings and their kin.

Elsewhere: who collects it, and its words, in app/notices.py.
"""

from typing import TYPE_CHECKING

from app.notices import NOTICES, words_of
from app.panels.message_bar import Message

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from engine.own_file import Notice


class NoticeHandlers:
    """The message of one window; each notice is told once, in the first window that can."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._message: Message | None = None
        self._told: tuple[Notice, ...] = ()
        self._stop = lambda: None

    def listen(self) -> None:
        """Tell what waits, and from now on what comes."""
        self._stop = NOTICES.observe(lambda: self._window.background.bring(self._tell, None))
        self.tell()

    def tell(self) -> None:
        """Tell what nobody has told yet; what is still being read is said again with it."""
        notices = NOTICES.take()
        if notices:
            self._told = (*(self._told if self.is_in_front else ()), *notices)
            words = words_of(self._told)
            self._message = Message("warning", words.title, words.sentence, words.next_step)
            self._window.messages.show_message(self._message)

    @property
    def is_in_front(self) -> bool:
        """Whether the message is shown; it speaks of the program, not of a document."""
        return self._message is not None and self._window.messages.message is self._message

    def close(self) -> None:
        """Tell nothing more."""
        self._stop()

    def _tell(self, _: object) -> None:
        self.tell()
