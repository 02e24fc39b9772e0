"""The Tools menu: which tool is in hand, and the keys that change its brush."""

from typing import TYPE_CHECKING

from app.canvas.tools.base import Tool

if TYPE_CHECKING:
    from app.main_window import MainWindow

RESIZE = 1.1
"""Factor of one press of a bracket key, which may be held down."""
HARDNESS_STEP = 0.1


class ToolHandlers:
    """The tools of one window."""

    def __init__(self, window: "MainWindow", tools: dict[str, Tool]) -> None:
        self._window = window
        self._tools = tools
        self.current: Tool | None = None
        """The tool in hand."""
        window.context.observe(lambda change: self.choose("frame") if change == "frame_tool" else None)

    def __getitem__(self, tool_id: str) -> Tool:
        return self._tools[tool_id]

    def choose(self, tool_id: str) -> None:
        """Take a tool in hand."""
        tool = self._tools[tool_id]
        if self.current is not None and self.current is not tool:
            self.current.finish()
        self.current = tool
        self._window.canvas.set_tool(tool)
        self._window.tool_bar.show_tool(tool_id)
        self._window.tool_options.show_tool(tool)
        self._window.retargeting.tool_chosen(tool_id)

    def switch_target(self) -> None:
        """Paint on the edges instead of the mask, or back."""
        self._window.context.switch_target()

    def brush_smaller(self) -> None:
        """Make the brush smaller."""
        self._window.context.resize_brush(1 / RESIZE)

    def brush_larger(self) -> None:
        """Make the brush larger."""
        self._window.context.resize_brush(RESIZE)

    def brush_softer(self) -> None:
        """Make the brush's edge softer."""
        self._change_hardness(-HARDNESS_STEP)

    def brush_harder(self) -> None:
        """Make the brush's edge harder."""
        self._change_hardness(HARDNESS_STEP)

    def _change_hardness(self, by: float) -> None:
        context = self._window.context
        hardness = min(max(context.brush().hardness + by, 0.0), 1.0)
        context.set_brush(hardness=round(hardness, 2))
