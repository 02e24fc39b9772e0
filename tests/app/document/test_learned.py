import json

import pytest

from app.document import learned
from app.document.document import Document
from app.document.learned import Learned
from app.document.snapshot import Snapshot
from app.errors import DocumentError


def test_the_file_comes_back_byte_for_byte(kit):
    data = kit.weights_file()
    made = Learned.of("1f" * 32, data)
    assert made.data() == data
    assert made.nbytes == len(data)
    record, packed = made.to_record()
    again = Learned.from_record(json.loads(json.dumps(record)), packed)
    assert (again.data(), again.meta()) == (data, made.meta())


def test_it_comes_back_from_the_disk_as_well(kit):
    document = Document.blank((9, 9))
    document.store.budget_bytes = 0
    made = kit.learned_of(size=200_000)
    document.add_learned(made)
    assert document.store.settle()
    assert made.blob.is_on_disk
    assert made.data() == kit.weights_file(size=200_000)
    document.close()


@pytest.mark.parametrize(
    ("picture", "data", "words"),
    [
        ("no digest", b"", "learned picture: expected a digest of 64 digits, got 'no digest'"),
        ("ab" * 32, b"\x80\x02pickle", "learned weights: expected a whole safetensors file, got 8 bytes"),
    ],
)
def test_what_is_no_weights_file_is_refused(picture, data, words):
    with pytest.raises(DocumentError, match=words):
        Learned.of(picture, data)


def test_a_header_that_would_hold_up_the_window_is_not_read():
    """It is read on a thread, but the interpreter has one lock: 8 MiB of brackets took 0.6 s."""

    def file_of(size):
        text = b'{"__metadata__":{"picture_sha256":"' + b"ab" * 32 + b'"}}'
        return size.to_bytes(8, "little") + text + b" " * (size - len(text))

    assert Learned.of("ab" * 32, file_of(learned._HEADER_LIMIT_BYTES)).nbytes
    with pytest.raises(DocumentError, match="that do not hold the header they announce"):
        Learned.of("ab" * 32, file_of(learned._HEADER_LIMIT_BYTES + 1))


def test_networks_of_another_picture_are_refused(kit):
    assert kit.learned_of("ab" * 32, picture_sha256="ab" * 32).picture_sha256 == "ab" * 32
    with pytest.raises(DocumentError, match="expected networks of this picture, got networks of another one"):
        kit.learned_of("ab" * 32, picture_sha256="cd" * 32)
    with pytest.raises(DocumentError, match="got networks that name none"):
        Learned.of("ab" * 32, (2).to_bytes(8, "little") + b"{}")


def test_a_file_too_large_is_refused(kit, monkeypatch):
    monkeypatch.setattr(learned, "LEARNED_LIMIT_BYTES", 1 << 20)
    with pytest.raises(DocumentError, match="learned weights: expected at most 1 MiB, got 2 MiB; keep them"):
        kit.learned_of(size=2 << 20)


@pytest.mark.parametrize("change", [{"bytes": 7}, {"bytes": 10**30}, {"bytes": "x"}, {"sha256": "0" * 64}])
def test_a_damaged_record_is_refused(kit, change):
    record, packed = kit.learned_of().to_record()
    with pytest.raises(DocumentError, match="learned weights: expected"):
        Learned.from_record({**record, **change}, packed)
    with pytest.raises(DocumentError, match="learned weights: expected"):
        Learned.from_record(record, [])


def test_no_undo_takes_it_away_and_it_is_something_to_save(kit):
    document = Document.blank((60, 80))
    kit.brush(document, (0, 0, 9, 9), 9)
    document.mark_saved(None)
    made = kit.learned_of()
    document.add_learned(made)
    assert document.is_modified
    assert document.undo()
    assert document.learned is made
    assert document.redo()
    assert document.learned is made


def test_leaving_it_out_is_a_step_that_undo_takes_back(kit):
    document = Document.blank((60, 80))
    made = kit.learned_of()
    document.add_learned(made)
    with document.begin("Leave out") as change:
        change.remove_learned()
    assert document.learned is None
    document.undo()
    assert document.learned is made
    document.redo()
    assert document.learned is None


def test_what_was_learned_anew_survives_undo_and_redo_of_leaving_out_the_older(kit):
    document = Document.blank((60, 80))
    document.add_learned(kit.learned_of())
    with document.begin("Leave out") as change:
        change.remove_learned()
    newer = kit.learned_of("2e" * 32, size=300)
    document.add_learned(newer)
    document.undo()
    assert document.learned is newer
    document.redo()
    assert document.learned is newer


def test_a_snapshot_keeps_what_was_there(kit):
    document = Document.blank((60, 80))
    made = kit.learned_of()
    document.add_learned(made)
    with Snapshot(document) as snapshot:
        with document.begin("Leave out") as change:
            change.remove_learned()
            with Snapshot(document) as inside:
                assert inside.learned is made
        assert snapshot.learned is made
