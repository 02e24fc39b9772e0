import errno
import os
import shutil
import stat

from app import keeping
from app.keeping import JOURNAL, check_places
from app.notices import NOTICES, words_of


def test_where_all_can_be_kept_nothing_is_said_and_nothing_left(own_folders) -> None:
    check_places()
    assert NOTICES.take() == ()
    for name in ("config", "state", "cache"):
        assert list((own_folders / name).iterdir()) == []
        assert stat.S_IMODE((own_folders / name).stat().st_mode) == 0o700


def test_what_killed_programs_left_goes_and_nothing_else(own_folders) -> None:
    (own_folders / "state").mkdir()
    parts = {
        ".pentimento-0123456789ab.part": b'{"files"',
        ".pentimento-0123456789ac.part": b"dear",
        "a.part": b"{",
    }
    for name, content in parts.items():
        (own_folders / "state" / name).write_bytes(content)
        os.utime(own_folders / "state" / name, (0, 0))
    (own_folders / "state" / ".pentimento-0123456789ad.part").write_bytes(b"{")  # of a program that runs
    check_places()
    left = [".pentimento-0123456789ac.part", ".pentimento-0123456789ad.part", "a.part"]
    assert sorted(path.name for path in (own_folders / "state").iterdir()) == left


def test_all_that_is_not_kept_is_said_at_once(own_folders) -> None:
    (own_folders / "state").write_text("in the way")
    check_places()
    check_places()
    told = words_of(NOTICES.take())
    assert told.title == "Not everything is kept"
    assert told.sentence == (
        f"{JOURNAL[0].upper()}{JOURNAL[1:]}, the list of recent files and the place of the window will be lost "
        f"({own_folders / 'state'}: there is a file)."
    )
    assert NOTICES.take() == ()


def test_a_full_disk_is_found(own_folders, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keeping, "open_private", full)
    check_places()
    sentence = words_of(NOTICES.take()).sentence
    assert f"The settings will be lost ({own_folders / 'config'}: there is no space left)." in sentence


def test_without_a_home_folder_it_is_said_how_long_things_last(monkeypatch) -> None:
    monkeypatch.setattr(keeping, "has_home", lambda: False)
    check_places()
    (notice,) = NOTICES.take()
    assert notice.detail == "there is no home folder"


def test_a_window_says_once_what_is_not_kept_and_works(window, document, own_folders) -> None:
    shutil.rmtree(own_folders / "state", ignore_errors=True)
    (own_folders / "state").write_text("in the way")
    check_places()
    window.notices.tell()
    assert "will be lost" in window.messages.message.sentence
    window.cancel()
    window.set_document(document)
    window.arrangement.save()
    assert NOTICES.take() == ()
    assert window.messages.message is None
