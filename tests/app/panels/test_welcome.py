from PySide6.QtWidgets import QPushButton

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
