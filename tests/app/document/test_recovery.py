import importlib.util
import os
import random
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.document import recovery
from app.document.document import Document
from app.document.journal_reader import Damage
from app.document.journal_records import base_name, log_name
from app.document.recovery import discard, journal_for, journals_folder, recover, recoverable
from app.errors import DocumentError

SCRIPT = Path(__file__).parent / "crashing_editor.py"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Journals of this test alone; what it leaves open is closed."""
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for claim in recovery._claims.values():
        claim.lock.release()
    recovery._claims.clear()


@pytest.fixture
def follow():
    journals = []

    def begin(document, **options):
        journal = journal_for(document, **options)
        journals.append(journal)
        return journal

    yield begin
    for journal in journals:
        journal.close()


def crash(journal):
    """Leave a journal as a process that was killed does."""
    assert journal.flush()
    journal.close()


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_a_journal_is_its_owner_s_alone_also_where_its_folders_were_open(kit, full, follow, home, umask):
    journals_folder().mkdir(parents=True)
    for path in (home / "state", journals_folder()):
        path.chmod(0o755)
    before = os.umask(umask)
    try:
        journal = follow(full)
        kit.brush(full, (0, 0, 80, 60), 9)
        assert journal.flush()
    finally:
        os.umask(before)
    found = [home / "state", *(home / "state").rglob("*")]
    rights = {path.relative_to(home).as_posix(): oct(stat.S_IMODE(path.stat().st_mode)) for path in found}
    assert len(rights) == 6  # state, journals, the journal's folder, its lock, base and log
    assert {name for name, mode in rights.items() if mode == "0o700"} == {
        "state",
        "state/journals",
        f"state/journals/{journal.folder.name}",
    }
    assert set(rights.values()) == {"0o700", "0o600"}


def test_looking_for_work_narrows_the_rights_of_what_an_earlier_version_left(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 9)
    crash(journal)
    for path in (journal.folder, *journal.folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert len(recoverable()) == 1
    assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in journal.folder.iterdir()} == {0o600}


def test_foreign_files_and_folders_among_the_journals_stay_as_they_are(kit, full, follow, tmp_path):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 9)
    full.mark_saved(None)
    crash(journal)
    (journal.folder / "notes.txt").write_text("dear")
    foreign = journals_folder() / "photos"
    foreign.mkdir()
    (foreign / "summer.png").write_bytes(b"a picture")
    (journals_folder() / "file").write_bytes(b"a file")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "log-0").write_bytes(b"pentimento journal 1\n")
    (elsewhere / "lock").write_bytes(b"")
    (journals_folder() / "linked").symlink_to(elsewhere)

    assert recoverable() == []

    assert [path.name for path in foreign.iterdir()] == ["summer.png"]
    assert [path.name for path in journal.folder.iterdir()] == ["notes.txt"]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["lock", "log-0"]
    assert (journals_folder() / "linked").is_symlink()
    assert (journals_folder() / "file").read_bytes() == b"a file"


def test_a_link_in_the_place_of_all_journals_is_not_followed(full, home, tmp_path):
    (home / "state").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    journals_folder().symlink_to(tmp_path / "elsewhere")
    assert recoverable() == []
    with pytest.raises(OSError, match=r"journals: expected a folder, got a link; move it away"):
        journal_for(full)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_to_a_base_is_no_base(kit, full, follow, tmp_path):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 9)
    crash(journal)
    (journal.folder / base_name(0)).rename(tmp_path / "private.ora")
    (journal.folder / base_name(0)).symlink_to(tmp_path / "private.ora")
    for item in recoverable():
        with pytest.raises(DocumentError):
            recover(item)
    assert (tmp_path / "private.ora").exists()


def test_unsaved_work_is_offered_and_comes_back_with_its_history(kit, rng, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), rng.integers(0, 256, (60, 80)))
    full.add_result(kit.result_of(rng, full, (5, 5, 20, 20)), amend=True)
    kit.brush(full, (3, 3, 70, 50), 9, label="Eraser")
    full.undo()
    crash(journal)

    (item,) = recoverable()
    assert (item.name, item.path, item.steps) == ("Untitled", None, 2)
    assert abs((datetime.now(UTC) - item.when).total_seconds()) < 60
    document = recover(item)
    assert kit.content_of(document) == kit.content_of(full)
    assert document.is_modified
    assert (document.undo_label, document.redo_label) == ("Brush", "Eraser")
    document.undo()
    full.undo()
    assert kit.content_of(document) == kit.content_of(full)


def test_what_was_learned_comes_back_after_a_crash(kit, full, follow):
    journal = follow(full)
    newer = kit.learned_of("2e" * 32, size=3000)
    full.add_learned(newer)
    kit.brush(full, (3, 3, 70, 50), 9)
    crash(journal)
    (item,) = recoverable()
    document = recover(item)
    assert document.learned.data() == newer.data()
    assert kit.content_of(document) == kit.content_of(full)


def test_nothing_is_offered_while_the_window_lives(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    assert journal.flush()
    assert recoverable() == []


def test_nothing_is_offered_after_everything_was_saved(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    full.mark_saved(None)
    crash(journal)
    assert recoverable() == []
    assert list(journals_folder().iterdir()) == []  # and what is of no use is removed


def test_what_was_done_since_the_save_is_offered_under_the_file_s_name(kit, full, follow, tmp_path):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    full.mark_saved(tmp_path / "Holiday.ora")
    kit.brush(full, (0, 0, 80, 60), 2)
    crash(journal)
    (item,) = recoverable()
    assert (item.name, item.path, item.steps) == ("Holiday", tmp_path / "Holiday.ora", 2)
    document = recover(item)
    assert (document.name, document.path) == ("Holiday", tmp_path / "Holiday.ora")
    assert document.mask_layer.planes["coverage"].max() == 2


def test_undo_reaches_to_the_start_also_after_a_second_crash(kit, full, follow):
    before = kit.content_of(full)
    journal = follow(full)
    for value in (1, 2):
        kit.brush(full, (0, 0, 80, 60), value)
    crash(journal)
    document = recover(recoverable()[0])
    crash(follow(document))  # a second time, before anything was done
    document = recover(recoverable()[0])
    journal = follow(document)
    document.undo()
    kit.brush(document, (0, 0, 80, 60), 3)
    expected = kit.content_of(document)
    crash(journal)
    (item,) = recoverable()
    again = recover(item)
    assert kit.content_of(again) == expected
    assert item.steps == len(again.history.steps()) == 2
    while again.undo():
        pass
    assert kit.content_of(again) == before


def test_recovered_work_that_was_saved_is_not_offered_again(kit, full, follow, tmp_path):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    document = recover(recoverable()[0])
    journal = follow(document)
    document.mark_saved(tmp_path / "Saved.ora")
    crash(journal)
    assert recoverable() == []
    assert list(journals_folder().iterdir()) == []


def test_steps_are_counted_as_the_history_shows_them(kit, rng, full, follow):
    full.history.clear()
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), rng.integers(0, 256, (60, 80)))
    full.add_result(kit.result_of(rng, full, (5, 5, 20, 20)), amend=True)  # one step with its stroke
    full.add_result(kit.result_of(rng, full, (5, 5, 20, 20)), make_current=False)  # none
    for opacity in (0.5, 0.6, 0.7):
        with full.begin("Opacity", merge_key="opacity") as change:
            change.set_layer(full.layers[0].id, opacity=opacity)
    kit.brush(full, (0, 0, 80, 60), 1)
    for _ in range(2):
        full.undo()
    full.redo()
    crash(journal)
    (item,) = recoverable()
    assert item.steps == len(full.history.steps()) == len(recover(item).history.steps()) == 3
    assert item.results == 2


def test_what_was_undone_before_a_new_base_can_be_redone_after_a_crash(kit, full, follow, monkeypatch):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    kit.brush(full, (0, 0, 80, 60), 2)
    assert journal.flush()
    journal._is_base_wanted.set()
    kit.brush(full, (0, 0, 80, 60), 3)
    assert journal.flush()
    for _ in range(2):
        full.undo()
    expected = kit.content_of(full)
    crash(journal)
    (item,) = recoverable()
    assert item.has_earlier
    document = recover(item)
    assert kit.content_of(document) == expected
    assert item.steps == len(document.history.steps())
    while document.redo():
        full.redo()
        assert kit.content_of(document) == kit.content_of(full)
    assert not full.can_redo


def test_a_stroke_that_was_undone_after_the_save_is_nothing_to_offer(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    full.mark_saved(None)
    kit.brush(full, (0, 0, 80, 60), 2)
    full.undo()
    assert not full.is_modified
    crash(journal)
    assert recoverable() == []


def test_a_document_that_was_never_edited_nor_saved_is_offered(kit, full, follow):
    full.mark_unsaved()
    crash(follow(full))
    (item,) = recoverable()
    assert (item.steps, item.damage) == (0, frozenset())
    document = recover(item)
    assert kit.content_of(document) == kit.content_of(full)
    assert document.is_modified


def test_a_crash_before_the_new_base_was_whole_costs_nothing(kit, full, follow, monkeypatch):
    first = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(first)
    document = recover(recoverable()[0])

    def never(*_args, **_options):
        raise OSError(5, "the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr("app.document.journal.write_ora", never)
        journal = follow(document)
        kit.brush(document, (0, 0, 80, 60), 2)
        journal.flush()
        journal.close()
    (item,) = recoverable()
    assert kit.content_of(recover(item)) == kit.content_of(document)


def test_two_windows_do_not_recover_the_same_work(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    (item,) = recoverable()
    recover(item)
    with pytest.raises(DocumentError, match="work nobody has open"):
        recover(item)
    with pytest.raises(DocumentError, match="it was recovered in another window"):
        discard(item)
    assert recoverable() == []


def test_discarded_work_is_gone(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    (item,) = recoverable()
    discard(item)
    assert recoverable() == []
    assert list(journals_folder().iterdir()) == []


def test_the_same_document_in_two_windows_has_two_journals(kit, full, rng, follow):
    other = kit.full_document(rng)
    other.id = full.id
    first, second = follow(full), follow(other)
    assert first.folder != second.folder
    kit.brush(full, (0, 0, 80, 60), 1)
    kit.brush(other, (0, 0, 80, 60), 2)
    crash(first)
    crash(second)
    assert len(recoverable()) == 2


def test_two_recovered_windows_of_one_document_go_on_in_their_own_folders(kit, full, rng, follow):
    other = kit.full_document(rng)
    other.id = full.id
    contents = {}
    for document, value in ((full, 1), (other, 2)):
        journal = follow(document)
        kit.brush(document, (0, 0, 80, 60), value)
        contents[journal.folder] = kit.content_of(document)
        crash(journal)
    items = recoverable()
    recovered = [(item, recover(item)) for item in items]  # both clicked before either has its window
    for item, document in recovered:
        assert kit.content_of(document) == contents[item.folder]
        journal = follow(document)
        assert journal.folder == item.folder
        crash(journal)
    assert {item.folder: kit.content_of(recover(item)) for item in recoverable()} == contents


def test_a_file_opened_while_its_document_is_recovered_has_a_journal_of_its_own(kit, full, rng, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    (item,) = recoverable()
    recovered = recover(item)
    opened = kit.full_document(rng)
    opened.id = full.id
    assert follow(opened).folder != item.folder
    assert follow(recovered).folder == item.folder


def test_opening_the_file_again_leaves_what_a_crash_left_alone(kit, full, rng, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    again = kit.full_document(rng)
    again.id = full.id
    assert follow(again).folder != journal.folder
    assert len(recoverable()) == 1


def test_an_id_from_a_hostile_file_stays_below_the_folder(full, follow):
    full.id = "../../../evil"
    assert follow(full).folder.parent == journals_folder()


def test_a_damaged_record_ends_the_playing_back_at_a_state_that_was(kit, full, follow):
    journal = follow(full)
    contents = []
    for value in (1, 2, 3):
        kit.brush(full, (0, 0, 80, 60), value)
        contents.append(kit.content_of(full))
        assert journal.flush()
        if value == 2:
            length = (journal.folder / log_name(0)).stat().st_size
    crash(journal)
    log = journal.folder / log_name(0)
    data = bytearray(log.read_bytes())
    data[length + 20] ^= 255
    log.write_bytes(data)
    (item,) = recoverable()
    assert item.steps == 2
    assert kit.content_of(recover(item)) == contents[1]


def test_a_journal_without_a_start_is_offered_as_what_cannot_be_brought_back(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    (journal.folder / base_name(0)).unlink()
    (item,) = recoverable()
    assert item.damage == {Damage.START}
    with pytest.raises(DocumentError, match="the document the journal began with, got none; nothing of this"):
        recover(item)
    assert (journal.folder / log_name(0)).exists()


def test_a_damaged_start_is_told_and_left_for_a_second_try(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    (journal.folder / base_name(0)).write_bytes(b"PK damaged")
    (item,) = recoverable()
    with pytest.raises(DocumentError, match="expected an OpenRaster file"):
        recover(item)
    assert len(recoverable()) == 1


def test_two_windows_looking_at_once_agree(kit, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 1)
    crash(journal)
    taken = []

    def look():
        for item in recoverable():
            try:
                taken.append(recover(item))
            except DocumentError:
                taken.append(None)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(isinstance(one, Document) for one in taken) == 1


# Killed at random ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def editing():
    spec = importlib.util.spec_from_file_location("crashing_editor", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _replayed(editing, rounds):
    """The document after the rounds before: how many steps of each came back, and whether half of one more did."""
    document = editing.start()
    for number, (steps, is_cut) in enumerate(rounds):
        editor = editing.Editor(document, number)
        for _ in range(steps):
            editor.step()
        if is_cut:
            editor.step(is_cut=True)
        document.history.clear()
    return document


def _killed(number, pause_ms, wait_s, long_log_bytes):
    """Let the editor work for a while after its first step and kill it; says the moment of each step."""
    command = [sys.executable, str(SCRIPT), str(number), str(pause_ms), str(long_log_bytes)]
    moments = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as child:
        ready = child.stdout.readline().split()
        assert ready[:1] == ["ready"], "the editor did not start"
        killer = None
        for line in child.stdout:
            moments.append((int(line), time.monotonic()))
            if killer is None:
                killer = threading.Timer(wait_s, child.kill)
                killer.start()
        killed_s = time.monotonic()
        child.wait()
        killer.cancel()
    return ready[1], [count for count, at in moments if at < killed_s - 1.5], len(moments)


@pytest.mark.parametrize(("seed", "long_log_bytes"), [(1, 1 << 30), (2, 30_000)])
def test_a_program_killed_at_random_loses_at_most_the_last_moment(editing, seed, long_log_bytes):
    """Each round goes on from what the round before left; states of the first rounds are played once more here."""
    drawn = random.Random(seed)
    rounds: list[tuple[int, bool]] = []
    expected_start = editing.digest(editing.start())
    for number in range(4):
        wait_s = drawn.choice([0.0, 0.05, 0.4, 1.0, 2.0])
        began, old_steps, steps = _killed(number, drawn.choice([0, 5, 30]), wait_s, long_log_bytes)
        assert began == expected_start
        states = {expected_start: (0, False)}
        results = [len(_replayed(editing, rounds).results)]
        editor = editing.Editor(_replayed(editing, rounds), number)
        for count in range(1, steps + 2):  # one more than it had time to tell
            *middle, last = editor.step()
            for state in middle:
                states.setdefault(state, (count - 1, True))
            states[last] = (count, False)
            results.append(len(editor.document.results))
        found = [item for item in recoverable() if Damage.START not in item.damage]
        if found:
            again = recovery.play(found[0].folder).document
            assert editing.digest(again) in states, "what came back never was"
            assert len(again.results) >= results[max(old_steps, default=0)], "a finished result is gone"
            expected_start = editing.digest(again)
        else:
            assert not any(map(any, rounds)), "all is gone"
        came_back = states[expected_start]
        assert sum(came_back) >= max(old_steps, default=0), "more than the last moment is gone"
        rounds.append(came_back)


def test_a_whole_start_is_offered_though_its_log_is_damaged(kit, full, follow):
    """A machine that dies may lose the first second of a log; the work before it is in the base."""
    kit.brush(full, (0, 0, 80, 60), 7)
    journal = follow(full)
    kit.brush(full, (3, 3, 70, 50), 9)
    crash(journal)
    (journal.folder / log_name(0)).write_bytes(b"")
    (item,) = recoverable()
    assert (item.steps, item.damage) == (0, {Damage.STEPS})
    assert recover(item).mask_layer.planes["coverage"].max() == 7
