import pytest
from PySide6.QtCore import QPoint, QRect, QSize

from app.window_place import FRAME, START_SIZE, next_place, start_place, start_size

SCREENS = [
    QRect(0, 0, 1440, 900),
    QRect(0, 0, 1366, 728),
    QRect(72, 27, 1848, 1053),
    QRect(-2560, 200, 2560, 1400),
    QRect(0, 25, 1280, 695),
]


@pytest.mark.parametrize("available", SCREENS)
def test_a_first_window_lies_on_the_screen_with_its_frame(available) -> None:
    """On a screen of 1440 x 900 the status bar lay below the screen's edge."""
    size = start_size(available)
    framed = QRect(start_place(size, available), size + FRAME)
    assert available.contains(framed)
    assert abs((framed.center() - available.center()).x()) <= 1, "in the middle"
    assert abs((framed.center() - available.center()).y()) <= 1


def test_a_large_screen_is_not_filled() -> None:
    assert start_size(QRect(0, 0, 2560, 1440)) == START_SIZE == QSize(1440, 900)
    assert start_place(START_SIZE, QRect(0, 0, 2560, 1440)) == QPoint(552, 246)


@pytest.mark.parametrize("available", SCREENS)
def test_more_windows_step_aside_and_stay_on_the_screen(available) -> None:
    size = start_size(available)
    at = start_place(size, available)
    for _ in range(5):
        after = next_place(size, available, at)
        assert available.contains(QRect(after, size + FRAME))
        at = after
    large = QRect(0, 0, 2560, 1440)
    assert next_place(START_SIZE, large, QPoint(100, 50)) == QPoint(132, 82)


def test_a_window_that_is_larger_than_the_screen_shows_its_title_bar() -> None:
    available = QRect(10, 20, 800, 600)
    assert start_place(QSize(1000, 700), available) == QPoint(10, 20)
    assert next_place(QSize(1000, 700), available, QPoint(50, 50)) == QPoint(10, 20)


def test_the_window_starts_as_large_as_its_screen_allows(window) -> None:
    other = window.new_window()
    available = other.screen().availableGeometry()
    wanted = start_size(available).expandedTo(other.minimumSizeHint())
    assert other.size() == wanted
    assert other.minimumSizeHint().width() <= 1024
    assert other.minimumSizeHint().height() <= 680
