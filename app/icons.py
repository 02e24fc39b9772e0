"""Icons: our own drawings in ``resources/icons``, in the colours of the theme.

Each is an SVG of 24 x 24 drawn with ``currentColor``. `icon` colours it; `set_icon` also remembers the name on its
owner, so that `refresh_icons` can colour everything anew when the theme changes.
"""

import functools
from typing import Protocol

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from app.resources import resources_dir
from app.theme import current_theme

NAME_PROPERTY = "icon_name"
SIZES_PX = (16, 20, 24)


class IconOwner(Protocol):
    """An action or a button."""

    def setIcon(self, icon: QIcon) -> None: ...  # noqa: N802, D102
    def setProperty(self, name: str, value: object) -> bool: ...  # noqa: N802, D102


def icon(name: str) -> QIcon:
    """An icon in the colours in force: plain, disabled, on the ground of something chosen, and both of these.

    Args:
        name: file name in ``resources/icons`` without its ending.

    Raises:
        OSError: if there is no such drawing.
    """
    theme = current_theme()
    screen = QGuiApplication.primaryScreen()
    ratio = screen.devicePixelRatio() if screen is not None else 1.0
    return _icon(name, theme.text, theme.disabled_text, theme.accent_text, theme.dim_text, ratio)


def set_icon(owner: QAction | QWidget, name: str) -> None:
    """Give an action or a button an icon that follows the theme."""
    owner.setProperty(NAME_PROPERTY, name)
    owner.setIcon(icon(name))  # type: ignore[union-attr]


def refresh_icons(root: QObject) -> None:
    """Colour the icons below ``root`` anew."""
    for child in root.findChildren(QObject):
        name = child.property(NAME_PROPERTY)
        if isinstance(name, str) and hasattr(child, "setIcon"):
            child.setIcon(icon(name))


def pixmap(name: str, size_px: int, colour: str) -> QPixmap:
    """An icon as a picture in one colour.

    Args:
        name: as for `icon`.
        size_px: side in logical pixels.
        colour: ``#rrggbb``.
    """
    screen = QGuiApplication.primaryScreen()
    return _render(name, size_px, colour, screen.devicePixelRatio() if screen is not None else 1.0)


@functools.cache
def _icon(name: str, plain: str, disabled: str, on: str, disabled_on: str, ratio: float) -> QIcon:
    made = QIcon()
    for size_px in SIZES_PX:
        for colour, mode, state in (
            (plain, QIcon.Mode.Normal, QIcon.State.Off),
            (plain, QIcon.Mode.Active, QIcon.State.Off),
            (on, QIcon.Mode.Selected, QIcon.State.Off),
            (on, QIcon.Mode.Normal, QIcon.State.On),
            (on, QIcon.Mode.Active, QIcon.State.On),
            (disabled, QIcon.Mode.Disabled, QIcon.State.Off),
            (disabled_on, QIcon.Mode.Disabled, QIcon.State.On),
        ):
            made.addPixmap(_render(name, size_px, colour, ratio), mode, state)
    return made


@functools.cache
def _render(name: str, size_px: int, colour: str, ratio: float) -> QPixmap:
    drawing = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    side = max(1, round(size_px * ratio))
    made = QPixmap(QSize(side, side))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    drawing.render(painter, QRectF(0, 0, side, side))
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


@functools.cache
def _source(name: str) -> str:
    return (resources_dir() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def window_icon() -> QIcon:
    """The program's own icon, in all the sizes a desktop asks for."""
    made = QIcon()
    drawing = QSvgRenderer(str(resources_dir() / "icons" / "app" / "pentimento.svg"))
    for side in (16, 24, 32, 48, 64, 128, 256):
        picture = QPixmap(side, side)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        drawing.render(painter)
        painter.end()
        made.addPixmap(picture)
    return made
