from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.panels.welcome import MAX_RECENT, Welcome


def test_buttons_ask_for_what_they_say(qtbot, tmp_path) -> None:
    page = Welcome()
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.open_asked):
        page.findChild(QPushButton, "welcome_open").click()
    with qtbot.waitSignal(page.sample_asked):
        page.findChild(QPushButton, "welcome_sample").click()


def test_recent_files_that_are_there_are_offered(qtbot, tmp_path) -> None:
    page = Welcome()
    qtbot.addWidget(page)
    page.resize(800, 700)
    page.show()
    paths = [tmp_path / f"{number}.png" for number in range(9)]
    for path in paths[1:]:
        path.write_text("")
    page.set_recent(paths)
    buttons = [
        button
        for button in page.findChildren(QPushButton)
        if button.objectName().startswith("welcome_recent")
    ]
    assert len(buttons) == MAX_RECENT
    assert buttons[0].text() == "1.png"
    with qtbot.waitSignal(page.file_asked) as asked:
        buttons[0].click()
    assert asked.args == [str(paths[1])]
    page.set_recent([])
    assert page._recent_title.isHidden()


def test_all_words_are_seen_on_a_screen_800_px_wide(window, tmp_path, qtbot) -> None:
    page = window.welcome
    paths = [
        tmp_path / f"{number}-a-rather-long-name-of-a-photograph-from-a-camera.jpg" for number in range(6)
    ]
    for path in paths:
        path.write_text("")
    page.set_recent(paths)
    window.resize(800, 600)
    words = page.findChild(QLabel, "welcome_words")
    qtbot.waitUntil(lambda: page.width() < 500)
    QApplication.processEvents()
    assert words.height() >= words.heightForWidth(words.width()) > words.fontMetrics().height()
    seen = [part for part in page.findChildren(QPushButton) + page.findChildren(QLabel) if part.isVisible()]
    for part in seen:
        place = QRect(part.mapTo(page, QPoint()), part.size())
        assert page.rect().contains(place), part.text()
        assert all(one is part or not one.geometry().intersects(part.geometry()) for one in seen), part.text()
    recent = [part for part in seen if part.objectName().startswith("welcome_recent")]
    assert recent
    for button in recent:
        assert button.fontMetrics().horizontalAdvance(button.text()) <= button.width()
        assert "…" in button.text()
    window.resize(1600, 1000)
    qtbot.waitUntil(lambda: page.width() > 900)
    assert len([part for part in page.findChildren(QPushButton) if part.isVisible()]) == 8
