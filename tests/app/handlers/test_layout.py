import json

import pytest

from app.folders import state_folder
from app.handlers.layout import KeptLayout, kept_layout_file
from app.main_window import MainWindow
from app.notices import NOTICES


@pytest.fixture
def path():
    return state_folder() / "window.json"


def test_the_place_of_the_last_window_is_read_again(window, path) -> None:
    window.store.change(theme="light")
    window.close()
    kept = kept_layout_file().read()
    assert kept.theme == "light"
    assert kept.geometry
    assert kept.state
    assert set(json.loads(path.read_text())) == {"format", "geometry", "state", "theme", "crc"}


@pytest.mark.parametrize(
    "change",
    [
        {"geometry": "AAAA"},
        {"state": "no base64!"},
        {"state": 3},
        {"theme": "pink"},
        {"theme": []},
        {"crc": None},
        {"of_tomorrow": 1},
        {"format": 2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_place_that_cannot_be_used_is_kept_aside_and_the_window_opens(window, path, change) -> None:
    window.close()
    path.write_text(text := json.dumps({**json.loads(path.read_text()), **change}))
    NOTICES.take()
    again = MainWindow()
    assert again.messages.message is not None
    assert "he place of the window" in again.messages.message.sentence
    assert kept_layout_file().read() == KeptLayout()
    assert path.with_name("window.json.set-aside").read_text() == text
