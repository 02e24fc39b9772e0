"""Whatever happens to a journal: what was before the damage is offered, nothing is deleted, no other journal is hidden."""

import contextlib
import json
import random
import shutil
import struct
import zlib

import numpy as np
import pytest

from app.document import recovery
from app.document.document import Document
from app.document.journal_log import MAGIC, LogReader, LogWriter, Record
from app.document.journal_reader import Damage
from app.document.journal_records import base_name, log_name
from app.document.layers import Layer
from app.document.recovery import discard, journal_for, recover, recoverable
from app.errors import DocumentError

BASE, LOG = base_name(0), log_name(0)
TORN = b"pentimento jour"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    release()


def release():
    for claim in recovery._claims.values():
        claim.lock.release()
    recovery._claims.clear()


@pytest.fixture
def small():
    """A document as it was opened from a file, small, so that its journal is."""
    ramp = np.arange(12 * 16 * 3).reshape(12, 16, 3).astype(np.uint8)
    return Document((12, 16), name="Photo", layers=[Layer("picture", "Photo", {"pixels": ramp})])


@pytest.fixture
def crashed(kit, rng, small):
    """The folder of a journal that was left, and what the document held after each record."""
    journal = journal_for(small)
    contents = [kit.content_of(small)]

    def note():
        contents.append(kit.content_of(small))

    for value in (1, 2):
        kit.brush(small, (0, 0, 16, 12), value)
        note()
    result = kit.result_of(rng, small, (2, 2, 8, 8))
    small.add_result(result, make_current=False)
    note()
    with small.begin("Opacity") as change:
        change.set_layer(small.layers[0].id, opacity=0.5)
    note()
    small.undo()
    note()
    kit.brush(small, (0, 0, 9, 9), 7)
    note()
    assert journal.flush()
    journal.close()
    return journal.folder, contents


@pytest.fixture
def other():
    """A good journal beside it, which must be offered whatever the first one is like."""
    document = Document.blank((8, 8))
    document.mark_unsaved()
    journal = journal_for(document)
    assert journal.flush()
    journal.close()
    return journal.folder


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def restore(folder, files):
    folder.mkdir(exist_ok=True)
    for name in set(files_in(folder)) - set(files):
        (folder / name).unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def found_in(folder):
    return next(item for item in recoverable() if item.folder == folder)


def ends_of(log):
    """Where each record of a log ends."""
    ends, at = [], len(MAGIC)
    while at < len(log):
        at += 8 + struct.unpack_from("<I", log, at)[0]
        ends.append(at)
    return ends


def written(folder, records):
    """Write a log anew, with whole checksums; gives the records it had for a change of them."""
    (folder / LOG).unlink()
    log = LogWriter(folder / LOG)
    for record in records:
        log.append(record.data, record.blobs)
    log.close()


def assert_holds(kit, folder, contents, *, at_least, damage=None):
    """What comes back is a state that once was, not older than the damage; nothing of the journal is gone."""
    before = files_in(folder)
    item = found_in(folder)
    assert item.damage == damage if damage else item.damage
    document = recover(item)
    assert kit.content_of(document) in contents[at_least:]
    assert item.steps == len(document.history.steps())
    assert document.is_modified
    journal = journal_for(document)
    assert journal.flush()
    journal.close()
    assert {name: files_in(folder).get(name) for name in before} == before
    while document.undo():
        pass
    assert kit.content_of(document)["layers"] == contents[0]["layers"]
    for extra in recoverable():
        if extra.folder.name.startswith(f"{folder.name}-"):  # of what was recovered just now
            discard(extra)


def test_a_changed_bit_anywhere_in_the_log_costs_what_is_behind_it(kit, crashed, other):
    folder, contents = crashed
    files = files_in(folder)
    log, drawn = files[LOG], random.Random(1)
    ends = ends_of(log)
    assert len(ends) == len(contents)
    for place in [0, len(MAGIC), *ends[:2], *drawn.sample(range(len(log)), 12)]:
        spoilt = bytearray(log)
        spoilt[min(place, len(log) - 1)] ^= 1 << drawn.randrange(8)
        restore(folder, {**files, LOG: bytes(spoilt)})
        whole = sum(place >= end for end in ends)
        assert_holds(kit, folder, contents, at_least=max(0, whole - 1))
        assert other in [item.folder for item in recoverable()]


def test_a_log_cut_off_anywhere_gives_back_what_is_left_of_it(kit, crashed):
    folder, contents = crashed
    files = files_in(folder)
    log = files[LOG]
    ends, drawn = ends_of(log), random.Random(2)
    for end in [*range(3), len(MAGIC) - 1, len(MAGIC), *ends, *drawn.sample(range(len(log)), 12)]:
        restore(folder, {**files, LOG: log[:end]})
        whole = sum(end >= one for one in ends)
        if end in ends:
            found = [item for item in recoverable() if item.folder == folder]
            if whole == 1:  # nothing was done yet
                assert found == []
                continue
            assert found[0].damage == set()
            assert kit.content_of(recover(found[0])) == contents[whole - 1]
            release()
        else:
            assert_holds(kit, folder, contents, at_least=max(0, whole - 1), damage={Damage.STEPS})


@pytest.mark.parametrize("size", [1, 7, 8, 9, 4096])
def test_a_tail_of_zeros_costs_nothing_that_was_before_it(kit, crashed, size):
    """As some file systems leave a file that grew when the power went."""
    folder, contents = crashed
    with open(folder / LOG, "ab") as file:
        file.write(bytes(size))
    assert_holds(kit, folder, contents, at_least=len(contents) - 1, damage={Damage.STEPS})


def test_damaged_pixels_of_the_base_cost_only_themselves(kit, crashed):
    folder, contents = crashed
    base = bytearray((folder / BASE).read_bytes())
    pixels = bytes(np.arange(48, dtype=np.uint8))  # the first row of the photo
    base[base.index(pixels) + 5] ^= 64
    (folder / BASE).write_bytes(base)
    before = files_in(folder)
    reports = []
    document = recover(found_in(folder), on_report=reports.append)
    assert reports[0].damage == {Damage.PICTURE}
    photo = document.layers[0].planes["pixels"]
    expected = np.arange(12 * 16 * 3).reshape(12, 16, 3).astype(np.uint8)
    assert np.argwhere(photo != expected).tolist() == [[0, 1, 2]]
    assert kit.content_of(document)["results"] == contents[-1]["results"]
    assert document.mask_layer.planes["coverage"].max() == 7
    assert files_in(folder) == before


def test_a_base_changed_or_cut_off_anywhere_is_kept_and_told(kit, crashed, other):
    folder, contents = crashed
    files = files_in(folder)
    base, drawn = files[BASE], random.Random(3)
    for number in range(20):
        place = drawn.randrange(len(base))
        spoilt = bytearray(base)
        spoilt[place] ^= 1 << drawn.randrange(8)
        restore(folder, {**files, BASE: base[:place] if number % 2 else bytes(spoilt)})
        before = files_in(folder)
        item = found_in(folder)
        assert item.steps == 3, "its log is whole"
        reports = []
        with contextlib.suppress(DocumentError):
            document = recover(item, on_report=reports.append)
            assert reports[0].damage or kit.content_of(document) == contents[-1]
        release()
        assert files_in(folder) == before
        assert other in [item.folder for item in recoverable()]


def test_a_record_that_comes_twice_is_done_once(kit, crashed):
    folder, contents = crashed
    records = list(LogReader(folder / LOG))
    for at in (1, 4, 5):
        written(folder, [*records[: at + 1], records[at], *records[at + 1 :]])
        assert_holds(kit, folder, contents, at_least=len(contents) - 1, damage={Damage.STEPS})


@pytest.mark.parametrize("is_numbered", [True, False])
def test_records_out_of_order_or_missing_end_the_playing_back(kit, crashed, is_numbered):
    """Logs of older versions have no numbers; there the steps themselves must fit."""
    folder, contents = crashed
    records = list(LogReader(folder / LOG))
    if not is_numbered:
        for record in records:
            del record.data["number"]
    for order in ([0, 1, 5, 2, 3, 4, 6], [0, 1, 2, 3, 5, 4, 6], [0, 4, 1, 2], [1, 2, 3], [0, 5], [0, 1, 1]):
        if is_numbered or order in ([0, 1, 5, 2, 3, 4, 6], [0, 1, 1]):
            written(folder, [records[one] for one in order])
            (item,) = recoverable()
            document = recover(item)
            assert kit.content_of(document) in contents
            release()
            assert found_in(folder).folder.exists()


LIES = {
    "at": [1e30, -1e30, -1, 10**400, True, "noon", None, [], {}, float("1e308")],
    "name": [5, "", "\n\0\u202e", "x" * 100_000, None, [], {}],
    "path": ["", "relative.ora", "/\0", "/" + "x" * 100_000, 5, [], {"a": 1}],
    "steps": [-1, 10**400, "three", None, True, 1.5, []],
    "generation": ["one", None, -7, 10**400],
    "earlier": ["no", 17, None, []],
    "follows": [[9, 9], "me", 7],
    "id": [5, "../../../evil", "", None, []],
    "program": [5, None, []],
    "number": [-1, 10**400, "0", None, 1.5],
    "do": ["", "begin", "dance", 7, None, [], {}],
    "entry": [None, 7, [], {}, {"ops": 7}, {"ops": [{}]}, {"ops": [{"kind": []}]}],
    "is_modified": [0, "no", None, []],
}


def test_no_lie_in_a_record_hides_another_journal_or_breaks_the_offer(crashed, other):
    folder, _ = crashed
    records, drawn = list(LogReader(folder / LOG)), random.Random(4)
    for key, lies in LIES.items():
        for lie in lies:
            at = drawn.choice((0, 1, 4, 5))
            changed = list(records)
            changed[at] = Record({**records[at].data, key: lie}, records[at].blobs)
            written(folder, changed)
            before = files_in(folder)
            items = recoverable()
            assert other in [item.folder for item in items], (key, lie)
            with contextlib.suppress(DocumentError):
                document = recover(next(item for item in items if item.folder == folder))
                while document.undo():
                    pass
            release()
            assert files_in(folder) == before, (key, lie)


@pytest.mark.parametrize("seconds", ["1e30", "-1e30", "NaN", "Infinity", "-Infinity", "1e400", "9" * 5000])
def test_a_time_that_is_none_hides_no_journal(crashed, other, seconds):
    folder, _ = crashed
    records = list(LogReader(folder / LOG))
    for record in records[1:]:
        record.data["at"] = 123454321
    written(folder, records)
    raw = (folder / LOG).read_bytes()
    at, changed = len(MAGIC), MAGIC
    while at < len(raw):
        length = struct.unpack_from("<I", raw, at)[0]
        body = raw[at + 8 : at + 8 + length]
        text_length, count = struct.unpack_from("<II", body)
        text = body[8 : 8 + text_length].replace(b"123454321", seconds.encode())
        body = struct.pack("<II", len(text), count) + text + body[8 + text_length :]
        changed += struct.pack("<II", len(body), zlib.crc32(body)) + body
        at += 8 + length
    (folder / LOG).write_bytes(changed)
    assert {item.folder for item in recoverable()} == {folder, other}
    recover(found_in(folder))


def test_damaged_values_behind_a_whole_checksum_end_the_playing_back_before_them(kit, crashed):
    """Also those that only an undo would need."""
    folder, contents = crashed
    records = list(LogReader(folder / LOG))
    for at in range(len(records[2].blobs)):
        blobs = [*records[2].blobs]
        blobs[at] = b"\xff" + blobs[at][1:-1]
        written(folder, [*records[:2], Record(records[2].data, tuple(blobs)), *records[3:]])
        document = recover(found_in(folder))
        assert kit.content_of(document) in contents[1:]
        while document.undo():
            pass
        release()


@pytest.mark.parametrize("change", ["record", "operation", "log"])
def test_what_a_later_version_wrote_is_kept_and_told(kit, crashed, change):
    folder, contents = crashed
    records = list(LogReader(folder / LOG))
    if change == "record":
        records[4].data["do"] = "fold"
    elif change == "operation":
        records[4].data["entry"]["ops"][0]["kind"] = "layer_folded"
    written(folder, records)
    if change == "log":
        data = (folder / LOG).read_bytes()
        (folder / LOG).write_bytes(data.replace(b"journal 1\n", b"journal 2\n", 1))
    at_least = 0 if change == "log" else 3
    assert_holds(kit, folder, contents, at_least=at_least, damage={Damage.LATER})


def test_of_two_logs_the_second_is_played_only_where_it_goes_on(kit, crashed):
    folder, contents = crashed
    records = list(LogReader(folder / LOG))
    for follows, number in ([0, 3], 3), ([0, 2], 3), (None, 3), ([0, 3], 0):
        written(folder, records[:3])
        begin = {**records[0].data, "generation": 1, "follows": follows}
        (folder / log_name(1)).unlink(missing_ok=True)
        log = LogWriter(folder / log_name(1))
        log.append(begin)
        for at, record in enumerate(records[3:], 1):
            log.append({**record.data, "number": at if number else number}, record.blobs)
        log.close()
        item = found_in(folder)
        is_whole = follows == [0, 3] and number == 3
        assert item.damage == (set() if is_whole else {Damage.STEPS})
        assert kit.content_of(recover(item)) == contents[-1 if is_whole else 2]
        release()


def test_the_base_of_another_document_is_not_played_on(kit, crashed, other):
    folder, _ = crashed
    shutil.copy(other / BASE, folder / BASE)
    before = files_in(folder)
    with pytest.raises(DocumentError, match="the document the journal began with, got another one"):
        recover(found_in(folder))
    assert files_in(folder) == before


def test_an_older_base_serves_where_the_newer_one_is_damaged(kit, crashed):
    folder, contents = crashed
    records = list(LogReader(folder / LOG))
    written(folder, records[:4])
    log = LogWriter(folder / log_name(1))
    log.append({**records[0].data, "generation": 1, "follows": [0, 4]})
    for at, record in enumerate(records[4:], 1):
        log.append({**record.data, "number": at}, record.blobs)
    log.close()
    (folder / base_name(1)).write_bytes(b"PK\3\4 and then the power went")
    item = found_in(folder)
    assert (item.damage, item.steps) == (set(), 3)
    assert kit.content_of(recover(item)) == contents[-1]


def test_a_damaged_journal_goes_only_when_a_person_discards_it(kit, crashed):
    folder, contents = crashed
    with open(folder / LOG, "ab") as file:
        file.write(b"torn")
    journal = journal_for(recover(found_in(folder)))
    assert journal.folder != folder
    assert journal.flush()
    journal.close(discard=True)  # the work was saved
    item = found_in(folder)
    assert item.damage
    discard(item)
    assert recoverable() == []
    assert not folder.exists()


def test_a_torn_log_without_a_base_is_told_and_stays(crashed):
    folder, _ = crashed
    restore(folder, {LOG: TORN})
    item = found_in(folder)
    assert item.damage == {Damage.START, Damage.STEPS}
    with pytest.raises(DocumentError):
        recover(item)
    assert files_in(folder) == {LOG: TORN}


def test_recovery_that_fails_or_is_killed_half_way_leaves_the_journal_for_another_try(
    kit, crashed, monkeypatch
):
    folder, contents = crashed
    before = files_in(folder)

    class Killed(BaseException):
        """As an exit in the middle, which no handler of errors stops."""

    def killed(*_args):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("app.document.playback._Player.play", killed)
        with pytest.raises(Killed):
            recover(found_in(folder))
    assert files_in(folder) == before
    assert kit.content_of(recover(found_in(folder))) == contents[-1]


def test_a_full_disk_while_recovering_costs_nothing(kit, crashed, monkeypatch):
    folder, contents = crashed
    before = files_in(folder)

    def no_room(*_args, **_options):
        raise OSError(28, "No space left on device")

    document = recover(found_in(folder))
    told = []
    with monkeypatch.context() as patch:
        patch.setattr("app.document.journal_log.LogWriter.__init__", no_room)
        journal = journal_for(document, on_trouble=told.append)
        kit.brush(document, (0, 0, 3, 3), 9)
        journal.flush()
        journal.close()
    assert [str(error) for error in told] == ["[Errno 28] No space left on device"]
    assert files_in(folder) == before
    assert kit.content_of(recover(found_in(folder))) == contents[-1]


def test_a_folder_that_cannot_be_looked_at_is_told(crashed, other, monkeypatch):
    folder, _ = crashed
    take = recovery.FolderLock.take

    def denied(path):
        if path == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return take(path)

    monkeypatch.setattr(recovery.FolderLock, "take", denied)
    assert {item.folder for item in recoverable()} == {folder, other}
    item = found_in(folder)
    assert item.damage == {Damage.FOLDER}
    with pytest.raises(DocumentError, match="a folder that can be written, got permission denied"):
        recover(item)


def test_a_fault_of_ours_while_looking_at_one_journal_does_not_hide_the_others(crashed, other, monkeypatch):
    folder, _ = crashed
    look = recovery._looked_at

    def broken(path):
        if path == folder:
            raise RuntimeError("a fault")
        return look(path)

    monkeypatch.setattr(recovery, "_looked_at", broken)
    assert {item.folder for item in recoverable()} == {folder, other}
    assert found_in(folder).damage == {Damage.FOLDER}


def test_a_record_of_json_that_is_no_object_ends_the_reading(kit, crashed):
    folder, contents = crashed
    log = (folder / LOG).read_bytes()
    for words in (b"[]", b"7", b"[" * 100_000, json.dumps({"do": "commit"}).encode(), b"\xff\xfe"):
        body = struct.pack("<II", len(words), 0) + words
        frame = struct.pack("<II", len(body), zlib.crc32(body))
        (folder / LOG).write_bytes(log + frame + body)
        item = found_in(folder)
        assert kit.content_of(recover(item)) == contents[-1]
        release()
        assert found_in(folder)
