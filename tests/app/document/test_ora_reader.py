import contextlib
import copy
import hashlib
import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.document import ora_reader
from app.document.document import Document
from app.document.layers import Layer
from app.document.ora import read_ora, write_ora
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.document.strokes import Stroke
from app.errors import AppError, DocumentError
from engine.errors import EngineError
from engine.png_writer import write_png
from tests.app.document.conftest import learned_of

INDEX = "pentimento/document.json"
LEARNED = "pentimento/learned.safetensors"


def png(pixels) -> bytes:
    file = io.BytesIO()
    write_png(file, pixels)
    return file.getvalue()


def archive_of(entries) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.fixture
def entries(full, tmp_path):
    """Entries of a whole file of ours."""
    path = tmp_path / "whole.ora"
    with Snapshot(full) as snapshot:
        write_ora(snapshot, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def reopened(tmp_path, entries):
    path = tmp_path / "changed.ora"
    path.write_bytes(archive_of(entries))
    return read_ora(path)


def refusal(tmp_path, entries) -> str:
    with pytest.raises(DocumentError) as caught:
        reopened(tmp_path, entries)
    words = str(caught.value)
    assert "\n" not in words
    assert words.startswith(str(tmp_path / "changed.ora"))
    return words.replace(str(tmp_path / "changed.ora"), "file")


def test_an_archive_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "words.odt"
    path.write_bytes(archive_of({"mimetype": b"application/vnd.oasis.opendocument.text", "stack.xml": b""}))
    with pytest.raises(DocumentError, match="expected an OpenRaster file, got an archive of another kind"):
        read_ora(path)


def test_an_archive_without_a_stack_is_refused(tmp_path):
    assert "expected an entry 'stack.xml'" in refusal(tmp_path, {"mimetype": b"image/openraster"})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DocumentError, match=r"gone\.ora: expected a document, got no such file"):
        read_ora(tmp_path / "gone.ora")


# What was learned ----------------------------------------------------------------------------------------------------


def without_learned(tmp_path, entries) -> str:
    """Everything but what was learned is there; what is said of that."""
    document, notes = reopened(tmp_path, entries)
    assert document.learned is None
    assert len(document.results) == 3
    assert "pentimento/learned.safetensors" not in document.unknown_entries
    (note,) = notes
    assert note.startswith("what was learned of the picture was left out: ")
    return note


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[:-1], "where the header announces"),
        (lambda data: data[:-1] + b"!", "'"),
        (lambda data: b"", "0 bytes that do not hold"),
        (lambda data: data[:8], "8 bytes that do not hold"),
        (lambda data: b"\x80\x02}q\x00." + data, " bytes that do not hold"),
        (lambda data: (1 << 60).to_bytes(8, "little") + data[8:], " bytes that do not hold"),
        (lambda data: (2).to_bytes(8, "little") + b"[]" + data, "a header that is not a table"),
        (lambda data: (4000).to_bytes(8, "little") + b"[" * 4000, "a header of JSON at most 64 deep"),
    ],
)
def test_weights_that_are_damaged_or_forged_are_left_out_and_told(entries, tmp_path, spoil, said):
    entries[LEARNED] = spoil(entries[LEARNED])
    assert said in without_learned(tmp_path, entries)


@pytest.mark.parametrize(
    "entry",
    [None, b"", b"no picture", png(np.zeros((700, 4, 3), np.uint8)), png(np.zeros((9, 9, 3), np.uint16))],
)
def test_a_thumbnail_of_a_result_that_is_damaged_costs_itself_alone(kit, entries, tmp_path, entry):
    whole, _ = reopened(tmp_path, entries)
    index = json.loads(entries[INDEX])
    for one in index["results"]:
        name = f"pentimento/results/{one['id']}-thumbnail.png"
        if entry is None:
            del entries[name]
        else:
            entries[name] = entry
    document, notes = reopened(tmp_path, entries)
    assert notes == ()
    assert [one.thumbnail for one in document.results] == [None] * 3
    for one, kept in zip(document.results, whole.results, strict=True):
        np.testing.assert_array_equal(one.pixels, kept.pixels)


def test_weights_too_large_are_left_out_before_they_are_read(entries, tmp_path, monkeypatch):
    monkeypatch.setattr(ora_reader, "LEARNED_LIMIT_BYTES", 100)
    assert without_learned(tmp_path, entries).endswith(" bytes")


@pytest.mark.parametrize(
    "meta",
    [7, [], {}, {"picture_sha256": "../../evil"}, {"picture_sha256": "1f" * 32, "sha256": None}],
)
def test_words_of_weights_that_lie_leave_them_out(entries, tmp_path, meta):
    index = json.loads(entries[INDEX])
    entries[INDEX] = json.dumps({**index, "learned": meta})
    without_learned(tmp_path, entries)


def test_weights_that_are_not_there_are_told(entries, tmp_path):
    del entries[LEARNED]
    assert "none of that name" in without_learned(tmp_path, entries)


def test_weights_that_no_index_names_are_not_taken_and_not_kept(entries, tmp_path):
    index = json.loads(entries[INDEX])
    del index["learned"]
    entries[INDEX] = json.dumps(index)
    document, notes = reopened(tmp_path, entries)
    assert (document.learned, document.unknown_entries, notes) == (None, {}, ())


# Files of ours, damaged or made up -----------------------------------------------------------------------------------


def test_a_stack_that_another_program_changed_wins_and_is_told(entries, tmp_path):
    entries["stack.xml"] = entries["stack.xml"].replace(b'name="Photo"', b'name="Retouched"')
    document, notes = reopened(tmp_path, entries)
    assert document.layers[0].name == "Retouched"
    assert [layer.name for layer in document.layers if layer.kind == "picture"][-1] == "Locked"
    assert notes[0] == "another program changed the file: strokes, mask and results of ours were left out"
    assert not document.results


def test_pixels_that_another_program_changed_are_taken(entries, tmp_path):
    stack = entries["stack.xml"].decode()
    src = stack[stack.index('name="Photo" src="') + 18 :].split('"')[0]
    entries[src] = png(np.full((60, 80, 3), 9, np.uint8))
    document, _ = reopened(tmp_path, entries)
    assert (document.layers[0].planes["pixels"] == 9).all()
    assert len(document.results) == 3


def test_a_file_of_a_later_version_is_not_misread(entries, tmp_path):
    index = json.loads(entries[INDEX])
    entries[INDEX] = json.dumps({**index, "format": 2})
    words = refusal(tmp_path, entries)
    assert words == "file: expected a file of version 1 or older, got version 2; update this program"


def _set(*keys_and_value):
    *keys, value = keys_and_value

    def spoil(index):
        part = index
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = value

    return spoil


def _twice(key):
    return lambda index: index[key].append(index[key][0])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_set("format", "1"), "the version of its layout"),
        (_set("size_hw", [60, 80, 3]), "two whole numbers from 1 to 16384 for size_hw"),
        (_set("size_hw", [10**9, 80]), "two whole numbers from 1 to 16384"),
        (_set("size_hw", [61, 80]), "planes of the canvas's size"),
        (_set("size_hw", [True, 80]), "two whole numbers"),
        (_set("mode", "CMYK"), "one of L, LA, RGB, RGBA"),
        (_set("is_deep", 1), "true or false for is_deep"),
        (_set("id", "../../evil"), "an id of letters and numbers, got '../../evil'"),
        (_set("active_layer_id", "f" * 32), "one of this document"),
        (_set("current_result_id", "f" * 32), "one of this document"),
        (_set("layers", {}), "a list of layers, got dict"),
        (_set("layers", 0, []), "an object, got list"),
        (_set("layers", 0, "kind", "text"), "layers of picture, mask, edges"),
        (_set("layers", 0, "kind", {}), "layers of picture, mask, edges, got {}"),
        (_set("layers", 0, "kind", "mask"), "an object, got NoneType"),
        (_set("layers", 0, "opacity", 2), "a number from 0 to 1"),
        (_set("layers", 0, "origin_xy", [10**9, 0]), "two whole numbers"),
        (_set("layers", 0, "is_visible", "yes"), "true or false"),
        (_set("layers", 0, "name", None), "words of at most 1000 letters"),
        (_set("layers", 0, "id", "/abs"), "an id of letters and numbers"),
        (_set("layers", 3, "planes", "drawn", "shape", 1e308), "the shape of each picture, got 1e+308"),
        (_set("layers", 0, "planes", "pixels", "shape", [80, 60, 3]), "(80, 60, 3) in"),
        (_set("layers", 2, "planes", "coverage", "offset_xy", [60, 50]), "inside the canvas"),
        (_set("layers", 2, "planes", "coverage", "offset_xy", [-1, 0]), "two whole numbers from 0"),
        (_set("layers", 2, "strokes", 0, "count", 10**9), "further samples, got 1000000000"),
        (_set("layers", 2, "strokes", 0, "brush", "size_px", 0), "brush size_px"),
        (_set("layers", 2, "kind", "edges"), "an object, got NoneType"),
        (_set("results", 0, "box_xyxy", [0, 0, 10, 10]), "(10, 10) or (10, 10, C)"),
        (_set("results", 0, "box_xyxy", [0, 0, 10**12, 10]), "four whole numbers"),
        (_set("results", 0, "step", {}), "step.edit"),
        (_set("results", 0, "id", "a/b"), "an id of letters and numbers"),
        (_set("results", 0, "arrays", {"pixels": [20, 30, 3]}), "pixels and coverage of each result"),
        (_twice("layers"), "every picture once, got 'data/"),
        (_twice("results"), "every picture once, got 'pentimento/results/"),
    ],
)
def test_an_index_that_lies_is_refused_in_one_line(entries, tmp_path, spoil, words):
    index = json.loads(entries[INDEX])
    spoil(index)
    entries[INDEX] = json.dumps(index)
    assert words in refusal(tmp_path, entries)


@pytest.mark.parametrize(
    "text", ["[]", "NaN", '{"format": NaN}', "{", "[" * 99999, '{"format": 1e999}', '{"format": 1}']
)
def test_an_index_that_is_no_index_is_refused(entries, tmp_path, text):
    entries[INDEX] = text
    if text == '{"format": 1}':  # it does not know the stack, so the stack alone is believed
        assert reopened(tmp_path, entries)[1][0].startswith("another program changed the file")
    else:
        assert INDEX in refusal(tmp_path, entries)


def test_samples_that_are_not_whole_are_refused(entries, tmp_path):
    entries["pentimento/strokes.f32"] += b"\x00"
    assert "samples of 20 bytes" in refusal(tmp_path, entries)


def test_samples_that_are_no_numbers_are_refused(entries, tmp_path):
    samples = np.frombuffer(entries["pentimento/strokes.f32"], "<f4").copy()
    samples[3] = np.nan
    entries["pentimento/strokes.f32"] = samples.tobytes()
    assert "finite numbers, got NaN or infinity" in refusal(tmp_path, entries)


@pytest.mark.parametrize("which", ["Photo", "Mask", "Result"])
def test_a_layer_whose_picture_lies_about_its_size_is_refused(entries, tmp_path, which):
    stack = entries["stack.xml"].decode()
    src = stack[stack.index(f'name="{which}" src="') :].split('src="')[1].split('"')[0]
    src = next(n for n in entries if n.endswith("-pixels.png")) if which == "Result" else src
    data = entries[src]
    header = b"IHDR" + struct.pack(">II", 20000, 30000) + data[24:29]
    entries[src] = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    assert "bytes in all layers, masks and results, got " in refusal(tmp_path, entries)


@pytest.mark.parametrize("data", [None, b"", b"words", b"\x89PNG\r\n\x1a\n"])
def test_pictures_that_are_lost_leave_the_rest_of_the_document(entries, tmp_path, data):
    index = json.loads(entries[INDEX])
    layers = index["layers"]
    result_id = index["current_result_id"]
    lost = (
        layers[1]["planes"]["pixels"]["src"],
        layers[2]["planes"]["coverage"]["src"],
        f"pentimento/results/{result_id}-coverage.png",
    )
    for src in lost:
        entries[src] = data
    document, notes = reopened(tmp_path, {name: part for name, part in entries.items() if part is not None})
    assert [layer.id for layer in document.layers] == [one["id"] for one in layers if one is not layers[1]]
    assert len(document.results) == len(index["results"]) - 1
    assert document.current_result is None
    assert not document.mask_layer.planes["coverage"].any()
    assert [note.split(": expected ")[0] for note in notes] == [
        f"layer '{layers[1]['name']}' was left out",
        "what layer 'Mask' held as coverage was left out",
        "a result was left out",
    ]


def test_a_layer_opacity_of_ours_a_hair_above_one_is_one(entries, tmp_path):
    index = json.loads(entries[INDEX])
    index["layers"][0]["opacity"] = 1.0000001
    entries[INDEX] = json.dumps(index)
    document, _ = reopened(tmp_path, entries)
    assert document.layers[0].opacity == 1.0


@pytest.mark.parametrize("value", [None, [], {}, "x", 1e308, -1, 2**62, True, [None], "\ud800"])
def test_any_field_of_another_kind_ends_in_words_of_ours(entries, tmp_path, value):
    """A few fields for each value: all of them with every value take a minute."""
    for number, keys in enumerate(_places(json.loads(entries[INDEX]))):
        if number % 24 != len(repr(value)) % 24:
            continue
        index = json.loads(entries[INDEX])
        _set(*keys, value)(index)
        with contextlib.suppress(DocumentError):
            reopened(tmp_path, {**entries, INDEX: json.dumps(index)})


def _places(part, above=()):
    """Where every value of plain data lies, as keys from the outside in."""
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield (*above, key)
        yield from _places(value, (*above, key))


def test_a_mask_without_alpha_is_refused(entries, tmp_path):
    index = json.loads(entries[INDEX])
    entries[index["layers"][2]["planes"]["coverage"]["src"]] = png(np.zeros((20, 30, 3), np.uint8))
    assert "colours and alpha of 8 bits" in refusal(tmp_path, entries)


def test_a_document_larger_than_allowed_is_refused_before_it_is_decoded(entries, tmp_path):
    path = tmp_path / "whole2.ora"
    path.write_bytes(archive_of(entries))
    with pytest.raises(DocumentError, match=r"at most \d+ (further )?bytes"):
        read_ora(path, limit_bytes=60_000)


# Fuzz ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small whole file of ours, and the same entries unpacked, to be mutated."""
    folder = tmp_path_factory.mktemp("fuzz")
    rng = np.random.default_rng(1)
    layer = Layer("picture", "Photo", {"pixels": rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)})
    document = Document((6, 8), layers=[layer])
    with document.begin("Brush") as change:
        change.touch(document.mask_layer.id, "coverage", (1, 1, 5, 4))
        document.mask_layer.planes["coverage"][1:4, 1:5] = 200
        change.add_stroke(document.mask_layer.id, Stroke("brush", "coverage", rng.random((3, 5))))
    result = Result(
        box_xyxy=(1, 1, 5, 4),
        pixels=rng.integers(0, 256, (3, 4, 3)).astype(np.uint8),
        coverage=np.full((3, 4), 255, np.uint8),
        step=Step(edit={"family": "inpaint"}),
        report={"seam": 0.5},
    )
    document.add_result(result)
    document.add_learned(learned_of())
    with Snapshot(document) as snapshot:
        write_ora(snapshot, folder / "small.ora")
    data = (folder / "small.ora").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return folder, data, {name: archive.read(name) for name in archive.namelist()}


def _open_or_be_refused(path, data) -> None:
    """Anything but an error of the house fails the test."""
    path.write_bytes(data)
    with contextlib.suppress(AppError, EngineError):
        read_ora(path)


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(data=st.data())
def test_mutated_files_open_or_are_refused(small, data):
    folder, whole, _ = small
    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(spoilt) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "drop", "repeat", "number"])):
            case "flip":
                spoilt[place] ^= data.draw(st.integers(1, 255))
            case "cut":
                del spoilt[max(place, 1) :]
            case "drop":
                del spoilt[place : place + data.draw(st.integers(1, 40))]
            case "repeat":
                spoilt[place:place] = spoilt[place : place + data.draw(st.integers(1, 40))]
            case "number":
                spoilt[place : place + 4] = struct.pack(
                    "<I", data.draw(st.sampled_from([0, 2**31, 2**32 - 1]))
                )
        spoilt = spoilt or bytearray(b"P")
    _open_or_be_refused(folder / "mutated.ora", bytes(spoilt))


_WORDS = [b"0", b"-1", b"1e308", b"NaN", b"null", b"[]", b"{}", b'""', b"9" * 20, b"../", b"true", b"<"]
_VALUES = [0, -1, 2, 10**20, 1e308, 0.5, None, True, "", "../x", "a" * 2000, [], [0], [1, 2], {}, {"a": 1}]


def _spoil_bytes(data, whole) -> bytes:
    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(spoilt)))
        if data.draw(st.booleans()):
            spoilt[place : place + data.draw(st.integers(0, 12))] = data.draw(st.sampled_from(_WORDS))
        else:
            spoilt[place : place + 1] = data.draw(st.binary(max_size=3))
    return bytes(spoilt)


def _spoil_value(data, part) -> None:
    """Put another value somewhere into plain data, or take one out."""
    while part:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if isinstance(part[key], dict | list) and part[key] and data.draw(st.integers(0, 4)):
            part = part[key]
            continue
        if data.draw(st.integers(0, 5)):
            part[key] = copy.deepcopy(data.draw(st.sampled_from(_VALUES)))
        else:
            del part[key]
        return


@settings(max_examples=600, deadline=None, database=None, derandomize=True)
@given(data=st.data())
def test_files_with_mutated_entries_open_or_are_refused(small, data):
    """The zip is whole and its checksums right, so that what lies behind them is reached."""
    folder, _, entries = small
    entries = dict(entries)
    index = json.loads(entries[INDEX])
    match data.draw(st.sampled_from(["any", "stack", "index", "values", "values", "values"])):
        case "any":
            name = data.draw(st.sampled_from(sorted(entries)))
            entries[name] = _spoil_bytes(data, entries[name])
        case "stack":
            entries["stack.xml"] = _spoil_bytes(data, entries["stack.xml"])
            if data.draw(st.booleans()):  # believed as ours
                index["stack_sha256"] = hashlib.sha256(entries["stack.xml"]).hexdigest()
                entries[INDEX] = json.dumps(index)
        case "index":
            entries[INDEX] = _spoil_bytes(data, entries[INDEX])
        case "values":
            for _ in range(data.draw(st.integers(1, 3))):
                _spoil_value(data, index)
            entries[INDEX] = json.dumps(index)
    _open_or_be_refused(folder / "mutated.ora", archive_of(entries))
