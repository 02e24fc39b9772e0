"""A canvas on a small document."""

import os
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

from app.canvas.tools.base import Tool
from app.canvas.tools.context import ToolContext
from app.canvas.view import CanvasView
from app.document.document import Document
from tests.app.canvas.fakes import RecordingTool, document_of, photo


@pytest.fixture
def document() -> Document:
    return document_of(photo())


@pytest.fixture
def make_view(qtbot) -> Callable[..., CanvasView]:
    """A shown view of 500 x 400 logical pixels."""

    def make(document: Document | None, tool: Tool | None = None) -> CanvasView:
        view = CanvasView()
        qtbot.addWidget(view)
        view.resize(500, 400)
        view.set_document(document)
        view.set_tool(tool)
        view.show()
        qtbot.waitExposed(view)
        view.setFocus()
        return view

    return make


@pytest.fixture
def tool(document) -> RecordingTool:
    return RecordingTool(ToolContext(lambda: document))


@pytest.fixture
def view(make_view, document, tool) -> CanvasView:
    return make_view(document, tool)
