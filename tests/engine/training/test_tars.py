"""Tars: whole ones as `tarfile` reads them, damaged ones up to the damage, and numbers that lie bounded."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest

from engine.bounds import BoundsError
from engine.training import tars
from engine.training.tars import TAR_ERRORS, TarWalk

PACKERS = {"": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def header(name="x.png", size=0, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.USTAR_FORMAT if size < 8**11 else tarfile.GNU_FORMAT)


def tar_of(names, layout=tarfile.PAX_FORMAT):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=layout) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 700
            tar.addfile(info, io.BytesIO(bytes(range(70)) * 10))
    return packed.getvalue()


@pytest.fixture
def walk(tmp_path):
    """Writes a tar, walks through it, and answers with its members and the error at the end."""

    def run(content):
        path = tmp_path / "in"
        path.write_bytes(content)
        found = []
        try:
            for member in TarWalk(path, lambda name, size: True):
                found.append(member)
        except TAR_ERRORS as error:
            return found, error
        return found, None

    return run


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("packer", PACKERS)
def test_whole_tars_are_read_as_tarfile_reads_them(walk, layout, packer):
    names = ["a.png", "b/" + "long/" * 12 + "c.png"]
    if layout != tarfile.USTAR_FORMAT:
        names += ["d" * 300 + ".png", "ä.png"]
    plain = tar_of(names, layout)
    members, error = walk(PACKERS[packer](plain))
    assert error is None
    assert [member.name for member in members] == names
    content = bytes(range(70)) * 10
    for member in members:
        assert plain[member.offset : member.offset + member.size_bytes] == content
        assert member.content == (content if packer else None)


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz"])
def test_any_flipped_bit_of_a_packed_tar_is_one_of_the_errors(walk, packer):
    whole = PACKERS[packer](tar_of(["a.png", "b.png"]))
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 16
        walk(bytes(damaged))  # other exceptions come out


def test_a_damaged_header_in_the_middle_is_said_and_what_was_before_stays(walk):
    damaged = bytearray(tar_of(["a.png", "b.png", "c.png"], tarfile.USTAR_FORMAT))
    damaged[3 * 512 + 7] ^= 1  # in the header of b.png
    members, error = walk(bytes(damaged))
    assert [member.name for member in members] == ["a.png"]
    assert "bad checksum" in str(error)


def test_a_wiped_header_is_no_end(walk):
    damaged = bytearray(tar_of(["a.png", "b.png"], tarfile.USTAR_FORMAT))
    damaged[3 * 512 : 4 * 512] = bytes(512)
    _, error = walk(bytes(damaged))
    assert "a header is wiped out" in str(error)


def test_a_tar_cut_short_anywhere_before_its_end_mark_is_said(walk):
    whole = tar_of(["a.png", "b.png"], tarfile.USTAR_FORMAT)
    for length in range(1, 7 * 512, 64):
        members, error = walk(whole[:length])
        assert isinstance(error, EOFError | tarfile.HeaderError), length
        assert len(members) == (length >= 3 * 512) + (length >= 6 * 512)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE])
@pytest.mark.parametrize("packer", PACKERS)
def test_a_name_or_header_of_gigabytes_is_refused_before_it_is_read(walk, kind, packer):
    lying = header("long", 3 << 30, kind) + bytes(4096)
    _, error = walk(PACKERS[packer](tar_of(["a.png"])[: 3 * 512] + lying))
    assert isinstance(error, BoundsError)
    assert str(error) == "expected at most 1048576 bytes in a header or name, got 3221225472 bytes"


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("size", [1 << 20, 1 << 45])
def test_a_member_shorter_than_its_header_says_is_an_early_end(walk, packer, size):
    members, error = walk(PACKERS[packer](header(size=size) + bytes(1024)))
    assert members == []
    assert isinstance(error, EOFError)


def test_a_bomb_is_unpacked_up_to_the_limit(walk, monkeypatch):
    monkeypatch.setattr(tars, "PACKED_LIMIT_BYTES", 100_000)
    _, error = walk(gzip.compress(header(size=200_000) + bytes(200_000)))
    assert isinstance(error, BoundsError)
    assert "at most 100000 bytes unpacked from one tar file (unpack it first)" in str(error)


def test_an_xz_file_that_asks_for_much_memory_is_refused(walk, monkeypatch):
    monkeypatch.setattr(tars, "_XZ_MEMORY_BYTES", 1 << 20)
    _, error = walk(lzma.compress(tar_of(["a.png"])))
    assert "memory" in str(error).lower()


def test_members_and_records_are_counted(walk, monkeypatch):
    monkeypatch.setattr(tars, "MEMBER_LIMIT", 5)
    monkeypatch.setattr(tars, "RECORD_LIMIT", 5)
    members, error = walk(header() * 9 + bytes(1024))
    assert len(members) == 5
    assert "at most 5 members in a tar file" in str(error)
    records = b"6 a=b\n" * 9
    _, error = walk(header("x", len(records), tarfile.XHDTYPE) + records.ljust(512, b"\0"))
    assert "at most 5 PAX records in a tar file" in str(error)


@pytest.mark.parametrize("records", [b"99 path=x\n", b"-5 a=b\n", b"a", b"6 a=bc", b"0 \n", b"9" * 400])
def test_damaged_pax_records_are_said(walk, records):
    members, error = walk(header("x", len(records), tarfile.XHDTYPE) + records.ljust(512, b"\0"))
    assert members == []
    assert "a damaged PAX header" in str(error)


def test_long_names_in_a_row_and_old_sparse_files_are_walked_over(walk):
    names = header("long", 5, tarfile.GNUTYPE_LONGNAME) + b"a.png".ljust(512, b"\0")
    sparse = bytearray(header("s.png", 512, tarfile.GNUTYPE_SPARSE))
    sparse[482] = 1
    total = 256 + sum(sparse[:148]) + sum(sparse[156:512])
    sparse[148:156] = b"%06o\0 " % total
    content = names * 3000 + header() + bytes(sparse) + bytes(512) + b"x" * 512 + header("z.png")
    members, error = walk(content + bytes(1024))
    assert error is None
    assert [(member.name, member.kind) for member in members] == [
        ("a.png", "file"),
        ("s.png", "sparse file"),
        ("z.png", "file"),
    ]
