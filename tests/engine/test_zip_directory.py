"""A zip is refused by its directory, before an entry is unpacked."""

import io
import struct
import zipfile

import pytest

from engine.bounds import BoundsError
from engine.zip_directory import open_zip


def archive(count: int = 3) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for number in range(count):
            made.writestr(f"{number}", f"content {number}")
    return stream.getvalue()


def test_a_whole_archive_opens() -> None:
    opened = open_zip(io.BytesIO(archive()), limit_entries=3)
    assert [opened.read(name) for name in opened.namelist()] == [b"content 0", b"content 1", b"content 2"]


def test_too_many_entries_are_refused() -> None:
    with pytest.raises(BoundsError, match=r"at most 2 entries, got 3"):
        open_zip(io.BytesIO(archive()), limit_entries=2)


def test_a_directory_too_large_to_be_read_is_refused_by_its_size() -> None:
    with pytest.raises(BoundsError, match=r"at most 1 entries, got a directory of 1910 bytes"):
        open_zip(io.BytesIO(archive(40)), limit_entries=1)


def test_entries_that_share_bytes_are_refused() -> None:
    data = bytearray(archive())
    end = data.rfind(b"PK\5\6")
    first = struct.unpack_from("<I", data, end + 16)[0]
    second = data.find(b"PK\1\2", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]  # where its bytes begin
    with pytest.raises((BoundsError, zipfile.BadZipFile), match=r"share bytes|Overlapped"):
        open_zip(io.BytesIO(bytes(data)), limit_entries=3)


@pytest.mark.parametrize("data", [b"", b"PK\3\4 and so on", archive()[:-23], b"PK\5\6" + b"\0" * 17])
def test_what_is_no_zip_is_told_as_such(data: bytes) -> None:
    with pytest.raises(zipfile.BadZipFile):
        open_zip(io.BytesIO(data), limit_entries=3)


def test_a_far_directory_outside_the_file_is_told() -> None:
    locator = b"PK\6\7" + struct.pack("<IQI", 0, 1 << 60, 1)
    end = b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, 0xFFFFFFFF, 0, 0)
    with pytest.raises(zipfile.BadZipFile, match=r"an end record outside the file"):
        open_zip(io.BytesIO(locator + end), limit_entries=3)
