import re
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton

from app.icons import set_icon
from app.theme import DARK, LIGHT, Theme, apply_theme, choose_theme, contrast, make_palette, make_style_sheet


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_words_can_be_read_on_every_ground(theme: Theme) -> None:
    for ground in (theme.window, theme.base, theme.raised):
        assert contrast(theme.text, ground) >= 7
        assert contrast(theme.dim_text, ground) >= 4.5
    for word in (theme.error, theme.warning, theme.good):
        assert contrast(word, theme.window) >= 4.5
    assert contrast(theme.accent_text, theme.accent) >= 4.5
    assert contrast(theme.text, theme.progress) >= 4.5
    assert contrast(theme.focus, theme.window) >= 3


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_greys_beside_the_photo_have_no_tint(theme: Theme) -> None:
    for field in ("canvas", "window", "base", "raised"):
        colour = getattr(theme, field)
        assert colour[1:3] == colour[3:5] == colour[5:7], field


def test_every_colour_is_written_out() -> None:
    for theme in (DARK, LIGHT):
        for field in fields(theme):
            if field.name != "name":
                assert len(getattr(theme, field.name)) == 7


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_drawing_that_the_style_names_is_there(theme: Theme) -> None:
    drawings = re.findall(r"url\((.+?)\)", make_style_sheet(theme))
    assert len(drawings) >= 5
    for path in drawings:
        assert Path(path).is_file(), path
    strokes = [
        re.search(r'stroke="(#\w+)"', Path(path).read_text()) for path in drawings if theme.name in path
    ]
    assert all(contrast(stroke[1], theme.window) >= 4.5 for stroke in strokes if stroke)


def test_applying_a_theme_colours_the_program(qapp) -> None:
    assert apply_theme(qapp, "light") is LIGHT
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.window
    assert apply_theme(qapp, "dark") is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    assert qapp.property("has_fusion") is True


def test_system_takes_one_of_the_two(qapp) -> None:
    assert choose_theme("system") in (DARK, LIGHT)


def test_disabled_words_are_weaker_than_plain_ones() -> None:
    palette = make_palette(DARK)
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert disabled.name() == DARK.disabled_text


def strongest_contrast(picture: QImage) -> float:
    """Of anything drawn within, against its commonest colour."""
    inside = range(6, picture.width() - 6), range(6, picture.height() - 6)
    colours = [picture.pixelColor(x, y).name() for x in inside[0] for y in inside[1]]
    ground = max(set(colours), key=colours.count)
    return max(contrast(ground, colour) for colour in set(colours))


@pytest.mark.parametrize("has_words", [False, True], ids=["icon", "words"])
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_button_that_is_on_and_cannot_be_used_is_still_read(qtbot, qapp, theme: Theme, has_words) -> None:
    """As are the tools before a photo is open. White on white, it was a box without anything in it."""
    apply_theme(qapp, theme.name)
    bar, button = QToolBar(), QToolButton()
    qtbot.addWidget(bar)
    button.setCheckable(True)
    button.setChecked(True)
    if has_words:
        button.setText("Mask")
    else:
        set_icon(button, "brush")
    bar.addWidget(button)
    bar.show()
    assert strongest_contrast(button.grab().toImage()) > 4
    button.setEnabled(False)
    assert strongest_contrast(button.grab().toImage()) > 3
    apply_theme(qapp, "dark")


@pytest.mark.parametrize("is_enabled", [True, False], ids=["enabled", "disabled"])
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_menu_shows_what_is_on_and_its_icon(qtbot, qapp, theme: Theme, is_enabled) -> None:
    """The icon of what is on is light: on the ground of the light menu it was not there at all."""
    apply_theme(qapp, theme.name)
    menu = QMenu()
    qtbot.addWidget(menu)
    actions = [menu.addAction(words) for words in ("Off", "On")]
    for action in actions:
        action.setCheckable(True)
        action.setEnabled(is_enabled)
        set_icon(action, "brush")
    actions[1].setChecked(True)
    menu.ensurePolished()
    menu.resize(menu.sizeHint())
    shown = menu.grab().toImage()
    icons = []
    for action in actions:
        place = menu.actionGeometry(action)
        icons.append(shown.copy(place.left(), place.top() + 2, 26, place.height() - 4))
    off, on = icons
    assert off != on
    ground = {icon.pixelColor(8, icon.height() // 2 + 8).name() for icon in icons}
    assert len(ground) == 2, "what is on stands on a ground of its own"
    for icon in icons:
        inside = [icon.pixelColor(x, y).name() for x in range(9, 22) for y in range(6, icon.height() - 6)]
        common = max(set(inside), key=inside.count)
        assert max(contrast(common, colour) for colour in inside) > (4 if is_enabled else 2)
    apply_theme(qapp, "dark")
