"""The tools there are, in the order of the tool bar."""

from app.canvas.tools.base import Tool
from app.canvas.tools.brush import BrushTool
from app.canvas.tools.context import ToolContext
from app.canvas.tools.edge_lock import EdgeLockTool
from app.canvas.tools.eraser import EraserTool
from app.canvas.tools.frame import FrameTool
from app.canvas.tools.handles import RetargetTool
from app.canvas.tools.lasso import LassoTool
from app.canvas.tools.look import HandTool, ZoomTool
from app.canvas.tools.polygon import PolygonTool
from app.canvas.tools.shape import EllipseTool, RectangleTool
from app.canvas.tools.wand import BucketTool, WandTool

TOOLS: tuple[type[Tool], ...] = (
    BrushTool,
    EraserTool,
    EdgeLockTool,
    RectangleTool,
    EllipseTool,
    LassoTool,
    PolygonTool,
    WandTool,
    BucketTool,
    FrameTool,
    RetargetTool,
    HandTool,
    ZoomTool,
)


def make_tools(context: ToolContext) -> dict[str, Tool]:
    """One of each, by id; they share the context."""
    return {kind.id: kind(context) for kind in TOOLS}
