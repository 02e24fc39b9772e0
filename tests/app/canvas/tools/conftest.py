"""A small document, a context around it, and gestures as the view sends them."""

import numpy as np
import pytest

from app.canvas.pointer import PointerEvent
from app.canvas.tools.context import ToolContext
from app.document.document import Document


class Bench:
    """A document and its tools' context, with short words for gestures."""

    def __init__(self) -> None:
        self.document = Document.blank((200, 300))
        self.context = ToolContext(lambda: self.document)
        self.said: list[str] = []
        self.context.observe(self.said.append)
        for target, hand in (("mask", "brush"), ("mask", "eraser"), ("edges", "eraser"), ("edges", "lock")):
            self.context.set_brush(target, hand, size_px=20, hardness=1)

    @property
    def mask(self) -> np.ndarray:
        return self.document.mask_layer.planes["coverage"]

    def edges(self, plane: str) -> np.ndarray:
        return self.document.edges_layer.planes[plane]

    @staticmethod
    def event(kind: str, x: float, y: float, held: str = "", **more) -> PointerEvent:
        modifiers = frozenset(held.split())
        return PointerEvent(kind, (x, y), more.pop("view_xy", (x, y)), modifiers=modifiers, **more)

    def press(self, tool, x, y, held="", **more):
        tool.press(self.event("press", x, y, held, **more))

    def move(self, tool, x, y, held="", **more):
        tool.move(self.event("move", x, y, held, **more))

    def release(self, tool, x, y, held="", **more):
        tool.release(self.event("release", x, y, held, **more))

    def drag(self, tool, *points, held="", **more):
        """Press at the first point, move through the others, release at the last."""
        self.press(tool, *points[0], held, **more)
        for point in points[1:]:
            self.move(tool, *point, held, **more)
        self.release(tool, *points[-1], held, **more)


@pytest.fixture
def bench() -> Bench:
    return Bench()
