from pathlib import Path

from app.notices import Notices, words_of
from engine.own_file import Notice

SETTINGS = Path("/home/me/settings.json")
RECENT = Path("/home/me/state/recent.json")
DAMAGED = Notice(
    "damaged", "the settings", SETTINGS, SETTINGS.with_name("settings.json.set-aside"), "it is too deep"
)
NEWER = Notice("newer", "the settings", SETTINGS, SETTINGS.with_name("settings.json.set-aside"))
IN_PART = Notice(
    "in part", "the list of recent files", RECENT, RECENT.with_name("recent.json.set-aside"), "2 of 3"
)
FULL = Notice("not kept", "the settings", SETTINGS, detail="there is no space left")
ALSO_FULL = Notice(
    "not kept", "the list of recent files", SETTINGS.with_name("recent.json"), detail="no space"
)


def test_each_is_told_once_and_waits_until_somebody_takes_it() -> None:
    notices, called = Notices(), []
    stop = notices.observe(lambda: called.append(1))
    notices.add(DAMAGED)
    notices.add(DAMAGED)
    notices.add(FULL)
    notices.add(Notice("not kept", "the settings", SETTINGS, detail="something else"))
    assert called == [1, 1]
    assert notices.take() == (DAMAGED, FULL)
    assert notices.take() == ()
    stop()
    notices.add(IN_PART)
    assert called == [1, 1]


def test_what_was_set_aside_is_said_with_its_new_name() -> None:
    told = words_of([DAMAGED, IN_PART])
    assert told.title == "Something could not be read and starts afresh"
    assert told.sentence == (
        "The settings could not be read: /home/me/settings.json (it is too deep). "
        "The list of recent files could be read in part: /home/me/state/recent.json (2 of 3)."
    )
    assert (
        told.next_step
        == "What was there is kept beside it, as settings.json.set-aside and recent.json.set-aside."
    )


def test_a_later_version_is_named_as_such() -> None:
    assert (
        words_of([NEWER]).sentence
        == "A later version of Pentimento wrote the settings: /home/me/settings.json."
    )


def test_what_is_not_kept_is_listed() -> None:
    told = words_of([FULL, ALSO_FULL])
    assert told.title == "Not everything is kept"
    assert told.sentence == (
        "The settings and the list of recent files will be lost (/home/me: there is no space left)."
    )
    assert told.next_step == "Give the folder room and the right to write, then start again."
