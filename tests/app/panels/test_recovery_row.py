from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel

from app.document.journal_reader import Damage
from app.document.recovery import Recoverable
from app.panels.recovery_row import THUMBNAIL_PX, ElidedLabel, RecoveryRow, detail_words

LONG_AGO = datetime(2020, 5, 4, 12, 30, tzinfo=UTC)


def an_item(when=LONG_AGO, path=None, steps=3, **options) -> Recoverable:
    return Recoverable("cat", when, path, steps, Path("nowhere"), **options)


@pytest.fixture
def row(qtbot):
    def make(item: Recoverable) -> RecoveryRow:
        made = RecoveryRow(0, item)
        qtbot.addWidget(made)
        made.resize(640, made.height())
        return made

    return make


def note(row: RecoveryRow) -> str:
    return row.findChild(QLabel, "recovery_note_0").accessibleName()


def test_it_says_when_how_much_and_whether_a_file_holds_any_of_it() -> None:
    assert detail_words(an_item()).startswith("4 May 2020 at ")
    assert detail_words(an_item()).endswith(", 3 steps, never saved")
    assert detail_words(an_item(steps=1, path=Path("/cat.ora"))).endswith(", 1 step")
    assert detail_words(an_item(steps=0, results=2)).endswith("0, 2 results, never saved")
    assert detail_words(an_item(when=None, steps=0)) == "At an unknown time, never saved"
    assert detail_words(an_item(when=datetime.now(UTC))).startswith(("Today at ", "Yesterday at "))
    assert detail_words(an_item(when=datetime.now(UTC) - timedelta(days=1))).startswith("Yesterday at ")


@pytest.mark.parametrize("damage", list(Damage))
def test_what_could_not_be_read_is_said_in_a_line_that_fits(row, damage) -> None:
    made = row(an_item(damage=frozenset({damage})))
    label = made.findChild(ElidedLabel, "recovery_note_0")
    assert note(made).endswith(".")
    assert label.fontMetrics().horizontalAdvance(note(made)) <= 345, "in a window 1024 px wide"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("offered", ""),
        ("recovered", "Recovered."),
        ("kept", "Recovered up to the damage; kept until you discard it."),
        ("failed", "It could not be opened; kept until you discard it."),
        ("discarded", "Discarded; deleted when this window closes."),
    ],
)
def test_what_became_of_it_is_said(row, state, words) -> None:
    made = row(an_item())
    height = made.height()
    made.set_state(state)
    assert note(made) == words
    assert made.height() == height


def test_a_name_of_another_kind_is_shown_as_it_is_and_cut_off(row) -> None:
    made = row(Recoverable("<b>" + "x" * 500, None, None, 0, Path("nowhere")))
    name = made.findChildren(ElidedLabel)[0]
    made.show()
    assert name.text().startswith("<b>")
    assert name.text().endswith("…")
    assert made.width() == 640


def test_the_thumbnail_is_shown_and_a_damaged_one_is_none(row) -> None:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image = QImage(200, 100, QImage.Format.Format_RGB32)
    image.fill(0xFF3060C0)
    image.save(buffer, "PNG")
    for data, is_shown in (
        (bytes(buffer.data().data()), True),
        (b"\x89PNG and no more", False),
        (None, False),
    ):
        made = row(an_item(thumbnail=data))
        shown = made._thumbnail.pixmap().toImage().scaled(THUMBNAIL_PX, THUMBNAIL_PX)
        assert (shown.pixelColor(10, 24).name() == "#3060c0") == is_shown
