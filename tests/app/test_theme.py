import re
from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QToolBar, QToolButton

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
