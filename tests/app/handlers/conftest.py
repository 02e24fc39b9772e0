"""A window in which a photo was opened."""

import pytest

from app.main_window import MainWindow


@pytest.fixture
def opened(window, photo, qtbot) -> MainWindow:
    window.files.open_path(photo)
    qtbot.waitUntil(lambda: window.document is not None)
    return window
