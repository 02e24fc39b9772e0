"""What the next fill will take, from this machine's past runs.

Looking through a large mask takes a moment, and so does writing a file: neither is done while a stroke is drawn. The
controller asks once things have settled, and runs are remembered on another thread.

Elsewhere: how a forecast is made in engine/forecast.py.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QThreadPool

from app.document.document import Document
from app.document.edit_builder import InpaintSettings
from app.fill_state import Cost
from engine.edits import Edit, InpaintEdit
from engine.host import HostReply

if TYPE_CHECKING:  # read when the first cost is asked for, after the window is there
    from engine.forecast import Forecasts


class Costs:
    """Past runs, and the cost they make likely.

    Args:
        forecasts: the runs; the user's own when left out.
    """

    def __init__(self, forecasts: "Forecasts | None" = None) -> None:
        self._known = forecasts
        self.device = ""
        """As reports name it; empty = the one used last."""

    @property
    def _forecasts(self) -> "Forecasts":
        if self._known is None:
            from engine.forecast import Forecasts

            self._known = Forecasts()
        return self._known

    def expected(self, document: Document, settings: InpaintSettings) -> Cost | None:
        """What a full fill of the mask as it is now is likely to take; None where nothing like it was run here."""
        edit = InpaintEdit(**settings.model_dump())
        mask = document.mask_layer.planes["coverage"]
        found = self._forecasts.forecast(edit, mask, device=self.device)
        if found is None or found.seconds <= 0:
            return None
        return Cost(found.seconds, found.memory_bytes)

    def remember(self, edit: Edit, reply: HostReply) -> None:
        """Take in what a job did cost."""
        report = reply.report
        forecasts = self._forecasts
        QThreadPool.globalInstance().start(lambda: forecasts.remember(edit, report))
