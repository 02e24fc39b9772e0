import io
import os
import struct
import zipfile

import pytest

from app.document import archive as archive_module
from app.document.archive import ArchiveReader, document_limit, is_safe_name
from app.errors import DocumentError
from engine.bounds import memory_share


def _zip(entries, **options) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file


def _read_all(file, **options) -> None:
    with ArchiveReader(file, **options) as archive:
        for name in archive.names:
            archive.read(name)


def _refusal(file, **options) -> str:
    with pytest.raises(DocumentError) as caught:
        _read_all(file, **options)
    return str(caught.value)


def test_entries_come_back_and_folders_do_not_count(tmp_path):
    path = tmp_path / "a.ora"
    path.write_bytes(_zip([("mimetype", b"image/openraster"), ("data/", b""), ("data/a", b"1")]).getvalue())
    with ArchiveReader(path) as archive:
        assert archive.names == ("mimetype", "data/a")
        assert archive.read("data/a") == b"1"
        assert "data/a" in archive
        assert "data/b" not in archive


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/../../b", "c:/a", "a\\b", "a//b", "./a", "a\nb", "", "..", "a/.."]
)
def test_names_that_leave_the_archive_are_unsafe(name):
    assert not is_safe_name(name)


@pytest.mark.parametrize("name", ["../evil.png", "/etc/passwd", "C:\\evil.png", "data/../../evil"])
def test_an_archive_with_such_a_name_is_refused(name):
    words = _refusal(_zip([("mimetype", b""), (name, b"x")]))
    assert words.startswith("document: expected names inside the archive, got '")


def test_a_name_is_shown_short_and_printable():
    words = _refusal(_zip([("/\x1b[31m" + "a" * 500, b"")]))
    assert "\x1b" not in words
    assert len(words) < 200


def test_two_entries_of_one_name_are_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        file = _zip([("stack.xml", b"1"), ("stack.xml", b"2")])
    assert "expected every entry once, got 'stack.xml' twice" in _refusal(file)


def test_a_bomb_is_refused_before_it_is_unpacked():
    file = _zip([("bomb", bytes(64 << 20))], compression=zipfile.ZIP_DEFLATED)
    assert "packed at most 200:1" in _refusal(file)


def test_many_small_bombs_are_refused_together():
    file = _zip([(f"b{number}", bytes(1 << 20)) for number in range(9)], compression=zipfile.ZIP_DEFLATED)
    words = _refusal(file, limit_bytes=8 << 20)
    assert "expected at most 8388608 bytes in all layers, masks and results, got 9437184 bytes" in words


def test_reading_an_entry_twice_counts_twice():
    with ArchiveReader(_zip([("a", bytes(600))]), limit_bytes=1000) as archive:
        archive.read("a")
        assert archive.left_bytes == 400
        with pytest.raises(
            DocumentError, match="at most 1000 bytes in all layers, masks and results, got 1200 bytes or more"
        ):
            archive.read("a")


def test_an_entry_larger_than_its_kind_allows_is_refused():
    with ArchiveReader(_zip([("a", bytes(600))])) as archive, pytest.raises(DocumentError) as caught:
        archive.read("a", limit_bytes=10)
    assert "'a' of at most 10 bytes, got 600 bytes" in str(caught.value)


def test_a_missing_entry_is_named():
    with ArchiveReader(_zip([("a", b"")])) as archive, pytest.raises(DocumentError) as caught:
        archive.read("stack.xml")
    assert "expected an entry 'stack.xml', got none of that name" in str(caught.value)


def test_an_entry_that_lies_about_its_size_is_refused():
    data = bytearray(_zip([("a", bytes(range(200)))]).getvalue())
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 100)
    assert "document: expected" in _refusal(io.BytesIO(bytes(data)))


def test_a_changed_byte_is_found_by_its_checksum():
    data = bytearray(_zip([("a", b"the pixels of a layer")]).getvalue())
    data[data.find(b"pixels")] ^= 1
    assert "expected a whole entry 'a'" in _refusal(io.BytesIO(bytes(data)))


def test_packing_of_an_unusual_kind_is_refused():
    file = _zip([("a", b"x" * 100)], compression=zipfile.ZIP_BZIP2)
    assert "packed in another way" in _refusal(file)


def test_an_encrypted_entry_is_refused():
    data = bytearray(_zip([("a", b"secret")]).getvalue())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    assert "which is encrypted" in _refusal(io.BytesIO(bytes(data)))


def test_too_many_entries_are_refused(monkeypatch):
    monkeypatch.setattr("app.document.archive.ENTRY_LIMIT", 3)
    assert "expected at most 3 entries, got 4" in _refusal(_zip([(str(n), b"") for n in range(4)]))


def test_a_directory_that_would_fill_the_memory_is_not_read():
    data = bytearray(_zip([("a", b"")]).getvalue())
    place = data.rfind(b"PK\x05\x06")
    data[place + 12 : place + 16] = struct.pack("<I", 1 << 30)
    assert "got a directory of 1073741824 bytes" in _refusal(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("data", [b"", b"PK", b"\x89PNG\r\n" * 9, bytes(5000)])
def test_what_is_no_zip_is_refused_in_words(data):
    assert "expected an OpenRaster file, got a damaged or cut-off file" in _refusal(io.BytesIO(data))


def test_a_cut_off_archive_is_refused_wherever_it_ends():
    data = _zip([("a", os.urandom(300)), ("b", b"2")]).getvalue()
    for end in range(0, len(data), 7):
        assert _refusal(io.BytesIO(data[:end]))


def test_folder_and_missing_file_are_named(tmp_path):
    assert "expected a document, got a folder" in _refusal(tmp_path)
    assert "expected a document, got no such file" in _refusal(tmp_path / "none.ora")


def test_a_stored_entry_can_be_read_though_its_checksum_is_wrong(tmp_path):
    data = bytearray(_zip([("a", b"some words"), ("b", b"others")]).getvalue())
    data[data.index(b"some words")] ^= 1
    with ArchiveReader(io.BytesIO(bytes(data))) as archive:
        with pytest.raises(DocumentError):
            archive.read("a")
        assert archive.read_stored("a") == b"rome words"
        assert (archive.read_start("a", 4), archive.read_start("b", 4)) == (b"", b"othe")
        assert archive.read_stored("b") == b"others"
        with pytest.raises(DocumentError, match="expected an entry 'c' that is not packed, got none"):
            archive.read_stored("c")


def test_a_document_may_become_more_where_its_file_is_large(monkeypatch):
    monkeypatch.delenv(archive_module.LIMIT_VARIABLE, raising=False)
    assert document_limit(1 << 20) == 1536 << 20, "four clear layers of 16384 px pack to a megabyte"
    assert document_limit(1 << 40) == memory_share(2)


def test_the_environment_says_how_large_a_document_may_be(monkeypatch):
    monkeypatch.setenv(archive_module.LIMIT_VARIABLE, "3000")
    assert document_limit(1) == 3_000_000_000
    for word in ("0", "-1", "much", "1e9", "9" * 5000, "\u0663"):
        monkeypatch.setenv(archive_module.LIMIT_VARIABLE, word)
        with pytest.raises(
            DocumentError, match=r"^PENTIMENTO_MAX_DOCUMENT_MB: expected a whole number of meg"
        ):
            document_limit(1)


def test_the_start_of_an_entry_is_read_alone():
    with ArchiveReader(_zip([("a", bytes(600))])) as archive:
        assert archive.read_start("a", 10) == bytes(10)
        assert archive.read_start("none", 10) == b""
