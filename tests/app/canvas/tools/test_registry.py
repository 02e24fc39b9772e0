"""Every tool, by being registered: named, drawn, and harmless without a document."""

from typing import get_args

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QKeySequence, QPainter

from app.canvas.tools.base import Option
from app.canvas.tools.registry import TOOLS, make_tools
from app.canvas.viewport import Viewport
from app.resources import resources_dir


def test_ids_and_shortcuts_are_used_once():
    assert len({tool.id for tool in TOOLS}) == len(TOOLS)
    assert len({tool.shortcut for tool in TOOLS}) == len(TOOLS)


@pytest.mark.parametrize("kind", TOOLS, ids=lambda kind: kind.id)
def test_a_tool_says_what_a_person_needs(kind):
    assert kind.name
    assert kind.tip
    assert not QKeySequence(kind.shortcut).isEmpty()
    assert set(kind.options) <= set(get_args(Option))
    assert (resources_dir() / "icons" / f"{kind.icon}.svg").exists()


@pytest.mark.parametrize("kind", TOOLS, ids=lambda kind: kind.id)
def test_a_gesture_without_a_document_is_harmless(bench, kind):
    bench.document = None
    tool = make_tools(bench.context)[kind.id]
    tool.activate()
    bench.drag(tool, (10, 10), (50, 50))
    tool.hover(bench.event("hover", 5, 5, button="none"))
    tool.double_press(bench.event("press", 5, 5, clicks=2))
    tool.key(Qt.Key.Key_Return)
    tool.finish()
    tool.cancel()
    tool.resize_brush(1.1)
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    tool.paint_overlay(painter, Viewport((20, 20), (20, 20)))
    painter.end()
    assert tool.outline() is not None or isinstance(tool.cursor(), Qt.CursorShape)
    assert not tool.is_busy


@pytest.mark.parametrize("kind", TOOLS, ids=lambda kind: kind.id)
def test_cancel_in_the_middle_leaves_the_document_as_it_was(bench, kind):
    tool = make_tools(bench.context)[kind.id]
    if kind.id in ("wand", "bucket"):
        return  # one click, nothing to cancel
    bench.press(tool, 40, 40)
    bench.move(tool, 90, 120)
    tool.cancel()
    assert not tool.is_busy
    assert not bench.document.can_undo
    assert not bench.mask.any()
    assert not any(bench.edges(plane).any() for plane in ("drawn", "erased", "locked"))
