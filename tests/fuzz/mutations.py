"""Change valid files so that they are wrong in ways that files go wrong: torn, flipped, spliced, and lying about numbers.

Two depths. `spoiled` changes bytes, whatever they mean. The other functions open a container, change what is inside, and
close it again with checksums that fit, so that a reader's first check does not stop everything. All draw from the given
generator alone: one seed, one file.
"""

import gzip
import io
import json
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63 - 1,
    2**64 - 1,
)
"""Lengths, counts and offsets that lie."""
WORDS = ("", "\0", "..", "../../outside", "/etc/passwd", "a" * 5000, "NaN", "\ud83d\ude00", "%s%n", "-1")
VALUES: tuple[Any, ...] = (None, True, -1, 0, 2**63, 1e308, -0.0, 10**40, [], {}, [[]], {"": None}, *WORDS)


def spoiled(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """Bytes with one to four faults."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(_FAULTS)(rng, made, other or data)
    return bytes(made)


def _flip(rng: random.Random, made: bytearray, _other: bytes) -> None:
    if made:
        made[_place(rng, made)] ^= 1 << rng.randrange(8)


def _overwrite(rng: random.Random, made: bytearray, _other: bytes) -> None:
    if made:
        place = _place(rng, made)
        width = rng.choice((1, 2, 4, 8))
        number = rng.choice(NUMBERS) & ((1 << 8 * width) - 1)
        made[place : place + width] = number.to_bytes(width, rng.choice(("little", "big")))


def _cut(rng: random.Random, made: bytearray, _other: bytes) -> None:
    del made[_place(rng, made) if made else 0 :]


def _remove(rng: random.Random, made: bytearray, _other: bytes) -> None:
    if made:
        place = _place(rng, made)
        del made[place : place + rng.randint(1, 64)]


def _double(rng: random.Random, made: bytearray, _other: bytes) -> None:
    if made:
        place = _place(rng, made)
        piece = made[place : place + rng.randint(1, 400)]
        made[place:place] = piece * rng.choice((1, 2, 50))


def _splice(rng: random.Random, made: bytearray, other: bytes) -> None:
    if made and other:
        place, start = _place(rng, made), rng.randrange(len(other))
        made[place : place + 200] = other[start : start + rng.randint(1, 400)]


def _blank(rng: random.Random, made: bytearray, _other: bytes) -> None:
    if made:
        place = _place(rng, made)
        length = min(rng.randint(1, 600), len(made) - place)
        made[place : place + length] = bytes([rng.choice((0, 255))]) * length


def _append(rng: random.Random, made: bytearray, other: bytes) -> None:
    made += rng.choice((b"\0" * 512, other[:300], rng.randbytes(40)))


_FAULTS = (_flip, _flip, _overwrite, _overwrite, _cut, _remove, _double, _splice, _blank, _append)


def _place(rng: random.Random, made: bytearray) -> int:
    """Anywhere, but as often near the start, where headers are."""
    return rng.randrange(min(len(made), rng.choice((64, 512, len(made)))))


# Plain data -----------------------------------------------------------------------------------------------------------


def changed_value(rng: random.Random, value: Any) -> Any:
    """Plain data of which one value, somewhere, is another, missing, double or nested too deep."""
    places = list(_places(value))
    if not places:
        return rng.choice(VALUES)
    owner, key = rng.choice(places)
    way = rng.randrange(7)
    if way == 0:
        del owner[key]
    elif way == 1 and isinstance(owner, dict):
        owner[rng.choice(WORDS)] = owner.pop(key)
    elif way == 2 and isinstance(owner[key], int | float) and not isinstance(owner[key], bool):
        owner[key] = rng.choice((*NUMBERS, -owner[key], owner[key] * 1e9, owner[key] + 1e-7))
    elif way == 3 and isinstance(owner[key], str) and owner[key]:
        owner[key] = spoiled(rng, owner[key].encode()).decode(errors="replace")
    elif way == 4 and isinstance(owner[key], list) and owner[key]:
        owner[key] = owner[key] * rng.choice((2, 3, 50))
    elif way == 5:
        _, donor_key = donor = rng.choice(places)
        owner[key] = json.loads(json.dumps(donor[0][donor_key]))
    else:
        owner[key] = rng.choice(VALUES)
    return value


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for key in range(len(value)):
            yield value, key
            yield from _places(value[key])


def changed_json(rng: random.Random, data: bytes, _other: bytes = b"") -> bytes:
    """JSON with one to three changed values; now and then it is nested beyond reason."""
    if rng.random() < 0.05:
        return b"[" * rng.choice((70, 5000, 200_000)) + data
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = changed_value(rng, value)
    return json.dumps(value).encode()


def changed_text(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """Lines or words moved, doubled and changed: for XML and TOML."""
    pieces = data.split(rng.choice((b"\n", b" ", b'"', b"<", b"=")))
    separator = rng.choice((b"\n", b" ", b'"', b"<", b"="))
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(pieces))
        way = rng.randrange(4)
        if way == 0:
            pieces[place] = rng.choice((*WORDS, *map(str, NUMBERS), "1e400", "9" * 5000)).encode()
        elif way == 1:
            pieces.insert(place, pieces[rng.randrange(len(pieces))])
        elif way == 2:
            pieces[place] = pieces[place] * rng.choice((2, 100))
        else:
            del pieces[place]
            pieces = pieces or [b""]
    return separator.join(pieces) if rng.random() < 0.5 else spoiled(rng, data, other)


# Containers -----------------------------------------------------------------------------------------------------------


def changed_zip(rng: random.Random, data: bytes, _other: bytes = b"") -> bytes:
    """A zip of which one entry is changed, missing, double, renamed or packed anew."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [(info.filename, info.compress_type, archive.read(info)) for info in archive.infolist()]
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(entries))
        name, packing, content = entries[place]
        way = rng.randrange(10)
        if way == 0:
            del entries[place]
            entries = entries or [("", 0, b"")]
        elif way == 1:
            entries[place] = (rng.choice(WORDS) or name, packing, content)
        elif way == 2:
            entries.append(entries[place])
        elif way == 3:
            entries[place] = (name, zipfile.ZIP_DEFLATED, content + bytes(rng.choice((1000, 3_000_000))))
        else:
            entries[place] = (name, packing, changed_content(rng, name, content))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, packing, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = packing
            info.filename = name  # unchecked
            archive.writestr(info, content)
    return made.getvalue()


def changed_content(rng: random.Random, name: str, content: bytes) -> bytes:
    """An entry changed as what its name says it is."""
    change = spoiled
    for ending, known in _BY_ENDING.items():
        if name.endswith(ending) and content and rng.random() < 0.8:
            change = known
    try:
        return change(rng, content, b"")
    except (ValueError, IndexError, struct.error, zlib.error, RecursionError):
        return spoiled(rng, content)


def changed_png(rng: random.Random, data: bytes, _other: bytes = b"") -> bytes:
    """A PNG of which one chunk is changed, its checksum fitting."""
    chunks, place = [], 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    way = rng.randrange(6)
    if way == 0:
        del chunks[at]
    elif way == 1:
        chunks.insert(rng.randrange(len(chunks)), chunks[at])
    elif way == 2 and kind == b"IDAT":
        chunks[at] = (kind, zlib.compress(spoiled(rng, zlib.decompress(content))))
    else:
        chunks[at] = (kind, spoiled(rng, content))
    return data[:8] + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def changed_safetensors(rng: random.Random, data: bytes, _other: bytes = b"") -> bytes:
    """A safetensors file with a header that says something else, of a length that fits."""
    length = int.from_bytes(data[:8], "little")
    header = changed_json(rng, data[8 : 8 + length])
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def changed_log(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """A journal of which one record says something else, is missing, double or moved, its checksum fitting."""
    start = data.index(b"\n") + 1
    bodies, place = [], start
    while place + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, place)
        bodies.append(data[place + 8 : place + 8 + length])
        place += 8 + length
    at = rng.randrange(len(bodies))
    way = rng.randrange(7)
    if way == 0:
        del bodies[at]
    elif way == 1:
        bodies.insert(rng.randrange(len(bodies)), bodies[at])
    elif way == 2:
        bodies[at] = spoiled(rng, bodies[at], other)
    else:
        length, count = struct.unpack_from("<II", bodies[at])
        text = changed_json(rng, bodies[at][8 : 8 + length])
        bodies[at] = struct.pack("<II", len(text), count) + text + bodies[at][8 + length :]
    return data[:start] + b"".join(struct.pack("<II", len(body), zlib.crc32(body)) + body for body in bodies)


def changed_tar(rng: random.Random, data: bytes, other: bytes = b"") -> bytes:
    """A tar, packed or not, of which one member's name, kind, size or content is another."""
    is_packed = data[:2] == b"\x1f\x8b"
    if rng.random() < 0.3:
        plain = spoiled(rng, gzip.decompress(data) if is_packed else data, other)
        return gzip.compress(plain, mtime=0) if is_packed else plain
    made = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as archive,
        tarfile.open(fileobj=made, mode="w:gz" if is_packed else "w", format=tarfile.PAX_FORMAT) as target,
    ):
        members = archive.getmembers()
        chosen = rng.randrange(len(members))
        for number, member in enumerate(members):
            file = archive.extractfile(member)
            content = file.read() if file is not None else b""
            if number == chosen:
                way = rng.randrange(5)
                if way == 0:
                    member.name = rng.choice(WORDS) + rng.choice(("", ".png"))
                elif way == 1:
                    member.type = rng.choice(
                        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE)
                    )
                    member.linkname = rng.choice(WORDS)
                elif way == 2:
                    member.pax_headers = {
                        rng.choice(("path", "size", "GNU.sparse.size")): rng.choice(("9" * 30, "-1", "x"))
                    }
                else:
                    content = spoiled(rng, content, other)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return made.getvalue()


_BY_ENDING: dict[str, Callable[[random.Random, bytes, bytes], bytes]] = {
    ".json": changed_json,
    ".xml": changed_text,
    ".toml": changed_text,
    ".png": changed_png,
    ".safetensors": changed_safetensors,
}
