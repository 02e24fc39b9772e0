from app.document.journal_log import LogReader
from app.document.journal_records import (
    Begin,
    Drop,
    Followed,
    GenerationWriter,
    Save,
    Undo,
    base_name,
    generations,
    log_name,
)
from app.document.snapshot import Snapshot


def _begin(document, folder, **options):
    with Snapshot(document) as snapshot:
        begin = Begin(3, snapshot, document.id, "Photo", folder / "Photo.ora", None, True, False)
        return GenerationWriter(folder, begin, **options)


def test_a_log_begins_with_whose_it_is(full, tmp_path):
    writer = _begin(full, tmp_path, follows=Followed(2, 17))
    writer.close()
    (record,) = LogReader(tmp_path / "log-3")
    assert record.data["id"] == full.id
    assert record.data["follows"] == [2, 17]
    assert (record.data["name"], record.data["path"]) == ("Photo", str(tmp_path / "Photo.ora"))
    assert (record.data["steps"], record.data["generation"]) == (1, 3)


def test_an_entry_is_written_with_its_values_once(kit, full, tmp_path):
    writer = _begin(full, tmp_path, follows=None)
    kit.brush(full, (0, 0, 80, 60), 9)
    entry = full.history.newest
    for item in (Undo("undo", entry), Undo("redo", entry), entry, Drop("x"), Save(None, True)):
        writer.write(item)
    writer.sync()
    writer.close()
    records = list(LogReader(tmp_path / "log-3"))
    assert [r.data["do"] for r in records] == ["begin", "undo", "redo", "commit", "drop", "saved"]
    assert ["entry" in r.data for r in records] == [False, True, False, True, False, False]
    assert [r.data["number"] for r in records] == list(range(6))
    assert writer.records == 6
    assert writer.nbytes == (tmp_path / "log-3").stat().st_size


def test_generations_are_told_by_their_files(tmp_path):
    assert generations(tmp_path / "none") == []
    for name in (base_name(3), log_name(12), log_name(3), "lock", "log-x", "base-1.ora.part", "log--1"):
        (tmp_path / name).write_bytes(b"")
    assert generations(tmp_path) == [3, 12]
