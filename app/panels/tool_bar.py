"""The tools, one below the other at the left, and the chosen one in the colour of what is chosen."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

from app.actions import ActionRegistry

ICON_PX = 22


class ToolBar(QToolBar):
    """A button for each tool of the action table."""

    def __init__(self, registry: ActionRegistry, parent: QWidget | None = None) -> None:
        super().__init__("Tools", parent)
        self.setObjectName("tool_bar")
        self.setAccessibleName("Tools")
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setOrientation(Qt.Orientation.Vertical)
        self.setMovable(False)
        self._group = QActionGroup(self)
        self._group.setExclusive(True)
        self._actions: dict[str, QAction] = {}
        for spec, action in registry.items():
            if not spec.id.startswith("tool_"):
                continue
            if spec.starts_group:
                self.addSeparator()
            self._group.addAction(action)
            self.addAction(action)
            self._actions[spec.id.removeprefix("tool_")] = action
            button = self.widgetForAction(action)
            if isinstance(button, QToolButton):
                button.setObjectName(f"button_{spec.id}")
                button.setAccessibleName(spec.plain_text)
                button.setAccessibleDescription(spec.tip)
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_tool(self, tool_id: str) -> None:
        """Mark a tool as the chosen one."""
        self._actions[tool_id].setChecked(True)

    @property
    def tool_ids(self) -> tuple[str, ...]:
        """Tools that have a button, from top to bottom."""
        return tuple(self._actions)
