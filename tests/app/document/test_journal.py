import threading
import time

import pytest

from app.document import journal as journal_module
from app.document.journal import Journal
from app.document.journal_log import LogReader, LogWriter
from app.document.journal_records import generations
from app.document.ora import read_ora


@pytest.fixture
def follow(tmp_path):
    """Begins journals that are closed at the end."""
    journals = []

    def begin(document, **options):
        journal = Journal(document, tmp_path / "journal", **options)
        journals.append(journal)
        return journal

    yield begin
    for journal in journals:
        journal.close()


def words(folder, generation=0):
    return [record.data["do"] for record in LogReader(folder / f"log-{generation}")]


def test_nothing_is_written_while_nothing_is_done(full, follow, tmp_path):
    full.mark_saved(None)
    journal = follow(full)
    full.active_layer_id = full.mask_layer.id
    assert journal.flush()
    assert [path.name for path in (tmp_path / "journal").iterdir()] == ["lock"]
    journal.close()
    assert not (tmp_path / "journal").exists()


def test_the_base_is_the_document_before_the_first_step(kit, full, follow, tmp_path):
    before = kit.content_of(full)
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 255)
    assert journal.flush()
    base, _ = read_ora(tmp_path / "journal" / "base-0.ora")
    assert kit.content_of(base) == before
    assert words(journal.folder) == ["begin", "commit"]


def test_the_base_is_begun_when_a_stroke_is_begun(full, follow, tmp_path):
    journal = follow(full)
    with full.begin("Brush") as change:
        change.touch(full.mask_layer.id, "coverage", (0, 0, 9, 9))
        full.mask_layer.planes["coverage"][:9, :9] = 3
        change.changed(full.mask_layer.id, "coverage", (0, 0, 9, 9))
        assert journal.flush()
        assert (tmp_path / "journal" / "base-0.ora").exists()


def test_every_kind_of_step_is_told(kit, rng, full, follow):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 255)
    full.undo()
    full.redo()
    full.add_result(kit.result_of(rng, full, (0, 0, 9, 9)))
    full.mark_saved(None)
    assert journal.flush()
    assert words(journal.folder) == ["begin", "commit", "undo", "redo", "result", "commit", "saved"]
    saved = list(LogReader(journal.folder / "log-0"))[-1].data
    assert saved["is_modified"] is False


def test_an_undone_step_of_the_log_itself_is_only_named(kit, full, follow):
    journal = follow(full)
    full.undo()  # done before the journal began: told with its values
    kit.brush(full, (0, 0, 80, 60), 255)
    full.undo()
    assert journal.flush()
    records = [(r.data["do"], "entry" in r.data) for r in LogReader(journal.folder / "log-0")]
    assert records == [("begin", False), ("undo", True), ("commit", True), ("undo", False)]


def test_the_thread_that_draws_is_not_held_up(kit, full, follow, monkeypatch):
    slow = threading.Event()

    def stuck(*_args, **_options):
        slow.wait(20)

    monkeypatch.setattr(journal_module, "write_ora", stuck)
    monkeypatch.setattr(LogWriter, "append", stuck)
    follow(full)
    start = time.perf_counter()
    for _ in range(5):
        kit.brush(full, (0, 0, 80, 60), 255)
    seconds = time.perf_counter() - start
    slow.set()
    assert seconds < 2  # twenty seconds if anything had waited


def test_a_result_is_written_with_the_star_it_came_with(kit, rng, full, follow, monkeypatch):
    """The journal's thread may be behind: the star is a step of its own."""
    is_free = threading.Event()
    real = LogWriter.append

    def late(*args):
        is_free.wait(20)
        real(*args)

    monkeypatch.setattr(LogWriter, "append", late)
    journal = follow(full)
    result = kit.result_of(rng, full, (0, 0, 9, 9))
    full.add_result(result)
    with full.begin("Star") as change:
        change.star_result(result.id, True)
    is_free.set()
    assert journal.flush()
    record = next(r for r in LogReader(journal.folder / "log-0") if r.data["do"] == "result")
    assert record.data["result"]["is_starred"] is False


def test_a_long_log_gives_way_to_a_new_base(kit, rng, full, follow, monkeypatch):
    monkeypatch.setattr(journal_module, "LONG_LOG_BYTES", 20_000)
    journal = follow(full)
    assert journal.flush()
    for step in range(60):
        kit.brush(full, (0, 0, 80, 60), rng.integers(0, 256, (60, 80)))
        if step % 10 == 5:
            full.undo()
        assert journal.flush()
    newest = generations(journal.folder)[-1]
    assert newest >= 1
    assert generations(journal.folder) == [newest]  # the old ones are gone
    assert sum(path.stat().st_size for path in journal.folder.iterdir()) < 400_000


def test_what_an_observer_adds_is_not_counted_twice_by_a_new_base(kit, rng, full, follow, monkeypatch):
    """A live fill answers a stroke before the journal was told of the stroke's end."""
    monkeypatch.setattr(journal_module, "LONG_LOG_BYTES", 1)
    from app.document.events import EntryCommitted

    def fill(event):
        if isinstance(event, EntryCommitted) and event.entry.label == "Brush":
            full.add_result(kit.result_of(rng, full, (0, 0, 9, 9)), amend=True)

    full.observe(fill)
    journal = follow(full)
    for _ in range(4):
        kit.brush(full, (0, 0, 80, 60), rng.integers(0, 256, (60, 80)))
        assert journal.flush()
    from app.document.playback import play

    journal.close()
    recovered = play(journal.folder).document
    assert kit.content_of(recovered) == kit.content_of(full)


def test_a_full_disk_is_told_once_and_tried_again(kit, full, follow, monkeypatch):
    told = []
    monkeypatch.setattr(journal_module, "RETRY_SECONDS", 0.0)
    real = LogWriter.append

    def no_room(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LogWriter, "append", no_room)
    journal = follow(full, on_trouble=told.append)
    for value in (1, 2, 3):
        kit.brush(full, (0, 0, 80, 60), value)
        journal.flush()
    assert [str(error) for error in told] == ["[Errno 28] No space left on device"]
    monkeypatch.setattr(LogWriter, "append", real)
    kit.brush(full, (0, 0, 80, 60), 4)
    assert journal.flush()
    kit.brush(full, (0, 0, 80, 60), 5)
    assert journal.flush()
    journal.close()
    from app.document.playback import play

    recovered = play(journal.folder).document
    assert kit.content_of(recovered) == kit.content_of(full)


def test_a_discarded_journal_is_gone(kit, full, follow, tmp_path):
    journal = follow(full)
    kit.brush(full, (0, 0, 80, 60), 255)
    journal.close(discard=True)
    for thread in threading.enumerate():
        if thread.name == "journal end":
            thread.join(20)
    assert not (tmp_path / "journal").exists()


def test_a_folder_of_another_window_is_not_touched(full, follow, tmp_path):
    follow(full)
    with pytest.raises(OSError, match="belongs to another window"):
        Journal(full, tmp_path / "journal")


def test_a_document_that_no_file_holds_is_written_down_though_nothing_is_done(kit, full, follow, tmp_path):
    full.mark_unsaved()
    journal = follow(full)
    assert journal.flush()
    base, _ = read_ora(tmp_path / "journal" / "base-0.ora")
    assert kit.content_of(base) == kit.content_of(full)
    assert words(journal.folder) == ["begin"]


def test_leftovers_of_a_base_that_was_never_whole_are_removed(full, follow, tmp_path):
    full.mark_saved(None)
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / ".pentimento-0123456789ab.part").write_bytes(b"PK\3\4 half")
    (tmp_path / "journal" / "film.part").write_bytes(b"of another program")
    follow(full)
    assert sorted(path.name for path in (tmp_path / "journal").iterdir()) == ["film.part", "lock"]
