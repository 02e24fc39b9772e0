"""What brush, eraser and lock share: a gesture that is one stroke, straight where Shift is held.

A press opens a change of the document, every move paints, the release makes one entry of the history. Shift-click draws
a straight line from where the last stroke ended. Shift during a stroke draws a straight line from where it was pressed
to the pointer; letting go of it keeps the line and goes on by hand.
"""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.base import BrushOutline, Option, Tool, takes_away
from app.canvas.tools.context import Hand, Target, ToolContext
from app.document.painting import Sample, StrokePainter
from app.errors import AppError

if TYPE_CHECKING:
    from app.canvas.pointer import PointerEvent
    from app.document.document import Document
    from app.document.layers import Layer
    from app.document.transaction import Transaction

SNAPPED_PX = 1.5  # up to this size a mouse fills the pixel it points at, instead of parts of four


class StrokeTool(Tool, ABC):
    """Base of the tools with a brush; a subclass says what each stroke paints."""

    hand: ClassVar[Hand] = "brush"
    options: ClassVar[tuple[Option, ...]] = (
        "target",
        "size",
        "hardness",
        "opacity",
        "pressure_size",
        "pressure_opacity",
        "tilt",
        "smoothing",
    )

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._painters: list[tuple[Layer, StrokePainter]] = []
        self._transaction: Transaction | None = None
        self._is_straight = False
        self._at: Sample | None = None
        self._painted: tuple[str, Target] = ("", "mask")
        self._last: tuple[tuple[str, Target], Sample] | None = None

    @abstractmethod
    def planes(
        self, document: "Document", *, is_inverse: bool
    ) -> tuple[str, list[tuple["Layer", str, bool]]]:
        """What a stroke changes.

        Args:
            document: the open one.
            is_inverse: Alt or Ctrl is held, or the pen is turned round.

        Returns:
            Name of the entry in the history; and layer, plane, and whether to take away instead of adding.
        """

    @property
    def target(self) -> Target:
        """What the tool paints on."""
        return self.context.target

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return self._transaction is not None

    def activate(self) -> None:
        """Make the tool's brush the current one."""
        self.context.hand = self.hand

    def hover(self, event: "PointerEvent") -> None:
        """Nothing to do but to be the current tool."""
        self.activate()

    def press(self, event: "PointerEvent") -> None:
        """Start a stroke, with Shift a straight line from the end of the last one."""
        document = self.context.document
        if document is None or self.is_busy or event.button not in ("left", "none"):
            return
        self.activate()
        label, planes = self.planes(document, is_inverse=takes_away(event))
        try:
            transaction = document.begin(label)
        except AppError as error:  # another change is under way
            self.context.warn(error)
            return
        self._transaction, self._painted = transaction, (document.id, self.target)
        try:
            brush = self.context.brush(self.target, self.hand)
            self._painters = [
                (layer, StrokePainter(transaction, layer, plane, brush, is_erasing))
                for layer, plane, is_erasing in planes
            ]
            sample = self._sample(event)
            start = sample
            if event.shift and self._last is not None and self._last[0] == self._painted:
                start = self._last[1]._replace(pressure=sample.pressure)
            self._add(start)
            self._is_straight = event.shift
            if event.shift:
                self._mark()
                self._add_straight(sample)
            self._at = sample
        except BaseException:
            self.cancel()
            raise
        self.context.stroke_changed()

    def move(self, event: "PointerEvent") -> None:
        """Go on with the stroke."""
        if self._transaction is None or self._at is None:
            return
        self._go_to(self._sample(event), has_shift=event.shift)
        self.context.stroke_changed()

    def release(self, event: "PointerEvent") -> None:
        """Finish the stroke: one entry of the history."""
        if self._transaction is None or self._at is None:
            return
        sample = self._sample(event)
        if math.dist(sample[:2], self._at[:2]) > 0:  # a pen leaves with no pressure: the last one counts
            self._go_to(sample._replace(pressure=self._at.pressure), has_shift=event.shift)
        self._end()

    def finish(self) -> None:
        """Keep the stroke as it is."""
        if self._transaction is not None:
            self._end()

    def cancel(self) -> None:
        """Take the stroke back."""
        transaction, self._transaction = self._transaction, None
        self._painters = []
        self._is_straight = False
        if transaction is not None:
            transaction.rollback()
            self.context.stroke_changed()

    def resize_brush(self, factor: float) -> None:
        """Make the tool's brush larger or smaller."""
        self.context.resize_brush(factor, self.target, self.hand)

    def outline(self) -> BrushOutline | None:
        """The brush at full pressure."""
        brush = self.context.brush(self.target, self.hand)
        return BrushOutline(brush.size_px, brush.hardness)

    def _go_to(self, sample: Sample, *, has_shift: bool) -> None:
        try:
            if not has_shift:
                self._is_straight = False
                self._add(sample)
            elif self._is_straight:
                for _, painter in self._painters:
                    painter.rewind()
                self._add_straight(sample)
            else:
                assert self._at is not None, "a stroke under way has a place"
                self._add(self._at)  # the smoothed pen catches up before the line starts
                self._mark()
                self._is_straight = True
                self._add_straight(sample)
        except BaseException:
            self.cancel()
            raise
        self._at = sample

    def _end(self) -> None:
        transaction = self._transaction
        assert transaction is not None, "only a stroke under way ends"
        assert self._at is not None, "a stroke under way has a place"
        try:
            strokes = [(layer, painter.finish(), painter.dirty) for layer, painter in self._painters]
            for layer, stroke, dirty in strokes:
                if dirty is not None:
                    transaction.add_stroke(layer.id, stroke)
        except BaseException:
            self.cancel()
            raise
        self._transaction, self._painters, self._is_straight = None, [], False
        self._last = (self._painted, self._at)
        if any(dirty is not None for _, _, dirty in strokes):
            transaction.commit()
            self.context.committed()
        else:
            transaction.rollback()
            self.context.stroke_changed()

    def _mark(self) -> None:
        for _, painter in self._painters:
            painter.mark()

    def _add(self, sample: Sample) -> None:
        for _, painter in self._painters:
            painter.add(sample)

    def _add_straight(self, sample: Sample) -> None:
        self._add(sample)
        self._add(sample)  # a pen that rests is not smoothed, so the line ends at the pointer

    def _sample(self, event: "PointerEvent") -> Sample:
        x, y = event.canvas_xy
        if event.device == "mouse" and self.context.brush(self.target, self.hand).size_px <= SNAPPED_PX:
            x, y = math.floor(x) + 0.5, math.floor(y) + 0.5
        return Sample(x, y, event.pressure, *event.tilt_xy)
