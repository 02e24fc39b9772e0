"""What the results strip asks for, handed to whoever made the result: fills to one controller, remade pictures to another.

Showing, starring, deleting and applying are the same for all results; reopening and making one again are not.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.main_window import MainWindow


class ResultDoor:
    """The results of one window, whoever made them."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        fill = window.fill
        self.show_result = fill.show_result
        self.star_result = fill.star_result
        self.star_results = fill.star_results
        self.delete_results = fill.delete_results
        self.apply_as_layer = fill.apply_as_layer

    def reopen_result(self, result_id: str) -> None:
        """Take a result's settings into its panel and show it."""
        self._ask(result_id, "reopen")

    def rerun_result(self, result_id: str) -> None:
        """Make a result again, from the document as it is now."""
        self._ask(result_id, "rerun")

    def _ask(self, result_id: str, what: str) -> None:
        window = self._window
        result = window.document.result(result_id) if window.document is not None else None
        if result is None:
            return
        if not result.is_whole:
            getattr(window.fill, f"{what}_result")(result_id)
            return
        try:
            getattr(window.retargeting, what)(result)
        except ValueError as error:  # pydantic's is one: a later program made it
            window.show_error(error)
