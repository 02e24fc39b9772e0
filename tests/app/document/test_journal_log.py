import os

import pytest

from app.document.journal_log import MAGIC, LaterLogError, LogReader, LogWriter, Record
from app.errors import DocumentError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log-0"


def _written(path, records):
    log = LogWriter(path)
    ends = []
    for data, blobs in records:
        log.append(data, blobs)
        ends.append(log.nbytes)
    log.sync()
    log.close()
    return ends


RECORDS = [({"n": 0}, ()), ({"n": 1, "words": "ä"}, (b"", b"abc")), ({"n": 2}, (os.urandom(100_000),))]


def test_records_come_back_in_order(path):
    _written(path, RECORDS)
    assert list(LogReader(path)) == [Record(data, tuple(blobs)) for data, blobs in RECORDS]


def test_a_torn_tail_costs_only_the_last_record(path):
    ends = _written(path, RECORDS)
    data = path.read_bytes()
    for end in [*range(len(MAGIC), ends[1] + 50), ends[2] - 1]:
        path.write_bytes(data[:end])
        reader = LogReader(path)
        assert len(list(reader)) == sum(end >= one for one in ends)
        assert reader.is_whole == (end in (len(MAGIC), *ends))


def test_a_changed_byte_ends_the_reading_there(path):
    ends = _written(path, RECORDS)
    data = path.read_bytes()
    for place in range(len(MAGIC), ends[1]):
        spoilt = bytearray(data)
        spoilt[place] ^= 0x40
        path.write_bytes(spoilt)
        expected = 0 if place < ends[0] else 1
        reader = LogReader(path)
        assert len(list(reader)) == expected
        assert not reader.is_whole


def test_garbage_behind_the_records_is_ignored(path):
    _written(path, RECORDS)
    with open(path, "ab") as file:
        file.write(b"\xff" * 1000)
    assert len(list(LogReader(path))) == 3


def test_a_log_of_a_later_version_is_refused_as_such(path):
    path.write_bytes(b"pentimento journal 2\n and what nobody knows yet")
    with pytest.raises(LaterLogError, match="got one of a later version; open it with that version"):
        list(LogReader(path))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", bytes(100), b"pentimento journal \n\n\n"])
def test_another_file_is_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(DocumentError, match="expected a journal of this version, got another file"):
        list(LogReader(path))


def test_a_missing_file_is_refused_in_words(path):
    with pytest.raises(DocumentError, match="a journal that can be read, got no such file"):
        list(LogReader(path))


class _FullDisk:
    """A file that takes a few bytes more and then none."""

    def __init__(self, file, room):
        self._file, self.room = file, room

    def write(self, data):
        if self.room <= 0:
            raise OSError(28, "No space left on device")
        count = self._file.write(bytes(data)[: self.room])
        self.room -= count
        return count

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_record_that_did_not_fit_is_cut_off_so_that_later_ones_are_found(path):
    log = LogWriter(path)
    log.append({"n": 0})
    log._file = _FullDisk(log._file, room=10)
    with pytest.raises(OSError, match="No space"):
        log.append({"n": 1}, [bytes(5000)])
    log._file.room = 10**9
    log.append({"n": 2})
    log.close()
    assert [record.data["n"] for record in LogReader(path)] == [0, 2]


def test_nan_in_a_report_does_not_cost_the_record(path):
    _written(path, [({"seam": float("nan"), "seconds": 1.5}, ())])
    assert list(LogReader(path)) == [Record({"seam": None, "seconds": 1.5})]
