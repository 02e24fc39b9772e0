from PySide6.QtWidgets import QToolButton

from app.canvas.tools.registry import TOOLS


def test_every_tool_has_a_button(window) -> None:
    assert set(window.tool_bar.tool_ids) == {kind.id for kind in TOOLS}
    for kind in TOOLS:
        button = window.tool_bar.findChild(QToolButton, f"button_tool_{kind.id}")
        assert button.accessibleName()
        assert not button.icon().isNull()


def test_one_tool_is_chosen_at_a_time(window) -> None:
    window.tools.choose("lasso")
    checked = [
        tool_id for tool_id in window.tool_bar.tool_ids if window.registry[f"tool_{tool_id}"].isChecked()
    ]
    assert checked == ["lasso"]
