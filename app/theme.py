"""Two sets of colours, and how they are put on Qt's Fusion style.

Greys are neutral, without tint, so that a photo is judged beside nothing that has a colour of its own. Text keeps a
contrast of 4.5 or more on every ground it stands on, which a test computes.
"""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app.resources import resources_dir

ThemeName = Literal["dark", "light", "system"]


@dataclass(frozen=True)
class Theme:
    """Colours by what they are for, as ``#rrggbb``."""

    name: Literal["dark", "light"]
    canvas: str
    """Around the photo."""
    window: str
    """Ground of panels and bars."""
    base: str
    """Ground of fields and lists."""
    raised: str
    """Ground of buttons."""
    hover: str
    """Ground below the pointer."""
    line: str
    """Borders that carry meaning: of fields and buttons."""
    faint_line: str
    """Borders that only part one area from another."""
    text: str
    dim_text: str
    """Secondary words; still readable."""
    disabled_text: str
    accent: str
    """Ground of what is chosen or pressed."""
    accent_text: str
    progress: str
    """Ground of what is done, in a bar whose words are plain text."""
    focus: str
    """Ring around what has the keyboard."""
    error: str
    warning: str
    good: str


DARK = Theme(
    name="dark",
    canvas="#1c1c1c", window="#2a2a2a", base="#202020", raised="#3a3a3a", hover="#454545", line="#585858",
    faint_line="#3c3c3c", text="#ececec", dim_text="#b4b4b4", disabled_text="#7c7c7c", accent="#2d6cdf",
    accent_text="#ffffff", progress="#2459ba", focus="#6ea8ff",
    error="#ff8a80", warning="#ffc457", good="#7fd491",
)  # fmt: skip
LIGHT = Theme(
    name="light",
    canvas="#cfcfcf", window="#f2f2f2", base="#ffffff", raised="#ffffff", hover="#e4e4e4", line="#b0b0b0",
    faint_line="#d6d6d6", text="#1e1e1e", dim_text="#585858", disabled_text="#9a9a9a", accent="#1f5fd0",
    accent_text="#ffffff", progress="#9dc0f5", focus="#1f5fd0",
    error="#b3261e", warning="#8a5a00", good="#1d7a36",
)  # fmt: skip

_current = DARK


def current_theme() -> Theme:
    """The colours in force."""
    return _current


def choose_theme(name: ThemeName) -> Theme:
    """The theme of a name; ``system`` asks the desktop, and takes the dark one where it does not say."""
    if name == "system":
        scheme = QGuiApplication.styleHints().colorScheme()
        return LIGHT if scheme == Qt.ColorScheme.Light else DARK
    return LIGHT if name == "light" else DARK


def apply_theme(application: QApplication, name: ThemeName) -> Theme:
    """Colour every window of the program.

    Args:
        application: the one there is.
        name: dark, light or system.

    Returns:
        The colours now in force; icons are to be made anew from them.
    """
    global _current
    theme = choose_theme(name)
    _current = theme
    if application.property("has_fusion") is not True:  # a style below a style sheet no longer says its name
        application.setStyle("Fusion")
        application.setProperty("has_fusion", True)
    application.setPalette(make_palette(theme))
    application.setStyleSheet(make_style_sheet(theme))
    return theme


def make_palette(theme: Theme) -> QPalette:
    """The theme as Qt's roles."""
    role = QPalette.ColorRole
    palette = QPalette()
    for key, colour in {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.base,
        role.AlternateBase: theme.window,
        role.Text: theme.text,
        role.PlaceholderText: theme.dim_text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.accent_text,
        role.Accent: theme.accent,
        role.Link: theme.focus,
        role.LinkVisited: theme.focus,
        role.Light: theme.hover,
        role.Midlight: theme.raised,
        role.Mid: theme.line,
        role.Dark: theme.faint_line,
        role.Shadow: theme.canvas,
    }.items():
        palette.setColor(key, QColor(colour))
    for key in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, QColor(theme.disabled_text))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(theme.faint_line))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Accent, QColor(theme.faint_line))
    return palette


def make_style_sheet(theme: Theme) -> str:
    """What a palette cannot say: spacing, and the few parts that are flat here and raised in Fusion.

    Widgets ask for a look by the property ``look``: title, dim, heading, primary, flat, card.
    """
    t = theme
    arrows = (resources_dir() / "theme").as_posix()
    return f"""
QPushButton, QToolButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line};
    border-radius: 5px; padding: 4px 10px; }}
QToolButton {{ padding: 3px 4px; }}
QPushButton:hover, QToolButton:hover {{ background: {t.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.base}; }}
QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.focus}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.disabled_text}; border: 1px solid {t.faint_line};
    background: transparent; }}
QComboBox {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; border-radius: 4px;
    padding: 2px 6px; min-height: 18px; }}
QComboBox:editable {{ background: {t.base}; }}
QComboBox:hover {{ background: {t.hover}; }}
QComboBox:focus {{ border: 1px solid {t.focus}; }}
QComboBox:disabled {{ color: {t.disabled_text}; border: 1px solid {t.faint_line}; background: transparent; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({arrows}/{t.name}-down.svg); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.window}; border: 1px solid {t.line}; border-radius: 0;
    selection-background-color: {t.accent}; selection-color: {t.accent_text}; outline: none; padding: 2px; }}
QCheckBox {{ spacing: 7px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {t.dim_text}; border-radius: 3px;
    background: {t.base}; }}
QCheckBox::indicator:hover {{ border: 1px solid {t.text}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border: 1px solid {t.accent};
    image: url({arrows}/check.svg); }}
QCheckBox::indicator:disabled {{ border: 1px solid {t.faint_line}; background: transparent; }}
QCheckBox:focus, QRadioButton:focus {{ color: {t.focus}; }}
QRadioButton {{ spacing: 7px; }}
QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {t.dim_text}; border-radius: 8px;
    background: {t.base}; }}
QRadioButton::indicator:hover {{ border: 1px solid {t.text}; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {t.accent};
    background: {t.accent_text}; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {t.line}; border-radius: 3px; margin: 3px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:hover {{ background: {t.dim_text}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {t.base}; border: 1px solid {t.line}; border-radius: 4px; color: {t.text};
    text-align: center; min-height: 16px; max-height: 18px; }}
QProgressBar::chunk {{ background: {t.progress}; border-radius: 3px; }}
QHeaderView::section {{ background: {t.window}; color: {t.dim_text}; border: none;
    border-bottom: 1px solid {t.faint_line}; padding: 5px 8px; }}
QTreeView::item {{ padding: 3px 0; }}
QListView#history_list::item {{ padding: 0 6px; }}
QMainWindow::separator {{ background: {t.canvas}; width: 4px; height: 4px; }}
QMainWindow::separator:hover {{ background: {t.accent}; }}
QToolBar {{ background: {t.window}; border: none; padding: 4px; spacing: 2px; }}
QToolBar#tool_options {{ border-bottom: 1px solid {t.faint_line}; }}
QToolBar::separator {{ background: {t.faint_line}; margin: 5px; width: 1px; height: 1px; }}
QToolBar QToolButton, QToolButton[look="flat"] {{ background: transparent; border: 1px solid transparent;
    border-radius: 5px; padding: 5px; color: {t.text}; }}
QToolBar QToolButton:hover, QToolButton[look="flat"]:hover {{ background: {t.hover}; }}
QToolBar QToolButton:pressed, QToolButton[look="flat"]:pressed {{ background: {t.raised}; }}
QToolBar QToolButton:checked, QToolButton[look="flat"]:checked {{ background: {t.accent}; color: {t.accent_text}; }}
QToolBar QToolButton:disabled, QToolButton[look="flat"]:disabled {{ border: 1px solid transparent; }}
QToolBar QToolButton:checked:disabled, QToolButton[look="flat"]:checked:disabled {{ background: {t.hover};
    color: {t.dim_text}; border: 1px solid {t.line}; }}
QToolBar QToolButton:focus, QToolButton[look="flat"]:focus {{ border: 1px solid {t.focus}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolBar QToolButton#qt_toolbar_ext_button {{ qproperty-icon: url({arrows}/{t.name}-down.svg); padding: 0;
    min-width: 18px; }}
QDockWidget {{ color: {t.text}; font-weight: 600; titlebar-close-icon: url({arrows}/{t.name}-close.svg);
    titlebar-normal-icon: url({arrows}/{t.name}-float.svg); }}
QDockWidget::close-button, QDockWidget::float-button {{ background: transparent; border: none; border-radius: 4px;
    padding: 1px; }}
QDockWidget::close-button:hover, QDockWidget::float-button:hover {{ background: {t.hover}; }}
QDockWidget::title {{ background: {t.window}; padding: 7px 10px; border-bottom: 1px solid {t.faint_line}; }}
QTabBar::tab {{ background: {t.window}; color: {t.dim_text}; padding: 7px 14px; border: none;
    border-top: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {t.text}; border-top: 2px solid {t.accent}; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:focus {{ color: {t.text}; border-top: 2px solid {t.focus}; }}
QMenuBar {{ background: {t.window}; padding: 2px; }}
QMenuBar::item {{ padding: 5px 9px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {t.hover}; }}
QMenu {{ background: {t.window}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 10px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.accent}; color: {t.accent_text}; }}
QMenu::item:disabled {{ color: {t.disabled_text}; background: transparent; }}
QMenu::icon {{ margin-left: 4px; padding: 2px; border-radius: 4px; }}
QMenu::icon:checked {{ background: {t.accent}; }}
QMenu::icon:checked:disabled {{ background: {t.hover}; }}
QMenu::separator {{ height: 1px; background: {t.faint_line}; margin: 4px 8px; }}
QStatusBar {{ background: {t.window}; border-top: 1px solid {t.faint_line}; }}
QStatusBar::item {{ border: none; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px 6px; }}
QListView, QTreeView, QTableView {{ background: {t.base}; border: 1px solid {t.faint_line}; border-radius: 5px;
    outline: none; }}
QListView:focus, QTreeView:focus, QTableView:focus {{ border: 1px solid {t.focus}; }}
QScrollArea {{ border: none; background: transparent; }}
QLabel[look="title"] {{ font-size: 20px; font-weight: 600; color: {t.text}; }}
QLabel[look="heading"] {{ font-weight: 600; color: {t.text}; }}
QLabel[look="dim"], QLabel[quiet="true"] {{ color: {t.dim_text}; }}
QPushButton[look="primary"] {{ background: {t.accent}; color: {t.accent_text}; border: 1px solid {t.accent};
    border-radius: 5px; padding: 6px 16px; font-weight: 600; }}
QPushButton[look="primary"]:hover {{ border: 1px solid {t.focus}; }}
QPushButton[look="primary"]:focus {{ border: 1px solid {t.text}; }}
QPushButton[look="primary"]:pressed {{ background: {t.accent}; }}
QPushButton[look="primary"]:disabled {{ background: {t.raised}; color: {t.disabled_text};
    border: 1px solid {t.faint_line}; }}
QPushButton[look="link"] {{ border: none; background: transparent; color: {t.focus}; text-align: left;
    padding: 3px 0; }}
QPushButton[look="link"]:hover, QPushButton[look="link"]:focus {{ text-decoration: underline; }}
QFrame[look="card"] {{ background: {t.window}; border: 1px solid {t.line}; border-radius: 8px; }}
"""


def contrast(first: str, second: str) -> float:
    """Contrast of two colours as WCAG 2 computes it, 1 to 21."""
    lights = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lights[0] + 0.05) / (lights[1] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
