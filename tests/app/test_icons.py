import re

import pytest
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QWidget

from app.icons import icon, pixmap, refresh_icons, set_icon
from app.resources import resources_dir
from app.theme import DARK, LIGHT, apply_theme

NAMES = sorted(path.stem for path in (resources_dir() / "icons").glob("*.svg"))


@pytest.mark.parametrize("name", NAMES)
def test_every_drawing_is_drawn_in_the_colour_asked_for(qapp, name) -> None:
    picture = pixmap(name, 24, "#ff0000").toImage()
    drawn = [picture.pixelColor(x, y) for x in range(24) for y in range(24)]
    strong = [colour for colour in drawn if colour.alpha() > 200]
    assert len(strong) > 8, "nothing to see"
    assert all(colour.red() > 240 and colour.green() < 15 for colour in strong)


@pytest.mark.parametrize("name", NAMES)
def test_drawings_share_grid_and_pen(name) -> None:
    source = (resources_dir() / "icons" / f"{name}.svg").read_text()
    assert 'viewBox="0 0 24 24"' in source
    assert 'stroke-width="1.6"' in source
    assert not re.search(r"#[0-9a-f]{3}", source), "colours come from the theme"


def test_icons_follow_the_theme(qapp) -> None:
    root = QWidget()
    action = QAction("Open", root)
    apply_theme(qapp, "dark")
    set_icon(action, "open")
    dark = action.icon().pixmap(24).toImage()
    apply_theme(qapp, "light")
    refresh_icons(root)
    light = action.icon().pixmap(24).toImage()
    apply_theme(qapp, "dark")
    assert dark != light
    strongest = max(
        (light.pixelColor(x, y) for x in range(24) for y in range(24)), key=lambda colour: colour.alpha()
    )
    assert strongest.name() == LIGHT.text


def test_a_chosen_tool_shows_its_icon_in_the_colour_of_the_chosen(qapp) -> None:
    apply_theme(qapp, "dark")
    drawn = icon("brush").pixmap(24, QIcon.Mode.Disabled).toImage()
    strongest = max((drawn.pixelColor(x, y) for x in range(24) for y in range(24)), key=lambda c: c.alpha())
    assert strongest.name() == DARK.disabled_text


def test_a_missing_drawing_is_an_error_at_once(qapp) -> None:
    with pytest.raises(OSError, match=r"nothing\.svg"):
        icon("nothing")
