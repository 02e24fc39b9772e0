import io
import os
import zipfile

import numpy as np
import pytest

from app.document.document import Document
from app.document.flatten import flatten
from app.document.layers import Layer
from app.document.ora import read_ora, write_ora
from app.document.png_stream import read_png
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.document.stack_xml import read_stack
from app.errors import DocumentError
from engine.metadata.kept import Metadata, Resolution

LIMIT = 1 << 30


def save(document, path, **options):
    with Snapshot(document) as snapshot:
        write_ora(snapshot, path, **options)
    return path


def pixels_in(archive, name):
    return read_png(archive.read(name), name=name, limit_bytes=LIMIT).pixels


@pytest.mark.parametrize("is_copy", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_everything_comes_back(kit, rng, tmp_path, mode, dtype, is_copy):
    document = kit.full_document(rng, mode, dtype)
    again, notes = read_ora(save(document, tmp_path / "a.ora", is_copy=is_copy))
    assert kit.content_of(again) == kit.content_of(document)
    assert notes == ()
    assert again.id == document.id
    assert not again.is_modified
    assert (again.path, again.name) == (tmp_path / "a.ora", "a")


def test_a_picture_of_one_channel_with_a_third_axis_comes_back(kit, rng, tmp_path):
    layer = Layer("picture", "Grey", {"pixels": kit.picture_of(rng)[..., :1]})
    document = Document((60, 80), "L", layers=[layer])
    again, _ = read_ora(save(document, tmp_path / "a.ora"))
    assert again.layers[0].planes["pixels"].shape == (60, 80, 1)
    assert kit.content_of(again) == kit.content_of(document)


def test_what_was_learned_is_stored_as_the_file_it_is(kit, full, tmp_path):
    with zipfile.ZipFile(save(full, tmp_path / "a.ora")) as archive:
        info = archive.getinfo("pentimento/learned.safetensors")
        assert info.compress_type == zipfile.ZIP_STORED
        assert archive.read(info) == kit.weights_file()
    again, _ = read_ora(tmp_path / "a.ora")
    assert again.learned.data() == kit.weights_file()
    with full.begin("Leave out") as change:
        change.remove_learned()
    with zipfile.ZipFile(save(full, tmp_path / "b.ora")) as archive:
        assert "pentimento/learned.safetensors" not in archive.namelist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_other_programs_hear_what_the_values_mean_and_how_large_they_print(rng, kit, tmp_path, dtype):
    """A plain sRGB profile beside values of another space would make every program show them wrongly."""
    metadata = Metadata(colour=(("cICP", b"\x0c\x10\x00\x01"),), resolution=Resolution(299.9994, 150))
    layer = Layer("picture", "Photo", {"pixels": kit.picture_of(rng, dtype=dtype)})
    document = Document((60, 80), is_deep=dtype == np.uint16, layers=[layer], metadata=metadata)
    with zipfile.ZipFile(save(document, tmp_path / "a.ora")) as archive:
        assert b'xres="300" yres="150"' in archive.read("stack.xml")
        for name in ("mergedimage.png", f"data/{layer.id}.png"):
            decoded = read_png(archive.read(name), name=name, limit_bytes=LIMIT)
            assert (decoded.metadata.colour, decoded.icc_profile) == (metadata.colour, None)


def test_damaged_words_of_the_photo_refuse_no_document(full, tmp_path):
    save(full, tmp_path / "a.ora")
    with zipfile.ZipFile(tmp_path / "a.ora") as old, zipfile.ZipFile(tmp_path / "b.ora", "w") as new:
        for info in old.infolist():
            data = b"[]" if info.filename == "pentimento/metadata.json" else old.read(info)
            new.writestr(info, data)
    again, notes = read_ora(tmp_path / "b.ora")
    assert again.metadata == Metadata(exif=full.metadata.exif)
    assert notes == ("words, resolution and rights of the photo's file are damaged and were left out",)


def test_an_untouched_mask_stays_untouched(tmp_path):
    document = Document.blank((300, 700))
    again, _ = read_ora(save(document, tmp_path / "a.ora"))
    assert again.mask_layer.written_tiles("coverage") == set()
    assert not again.edges_layer.has_any("drawn")


def test_other_programs_find_layers_by_name_place_and_pixels(full, tmp_path):
    with zipfile.ZipFile(save(full, tmp_path / "a.ora")) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        stack = read_stack(archive.read("stack.xml"), name="a")
        names = [layer.name for layer in stack.layers]
        assert names == ["Photo", "Patch <1>", "Result", "Mask", "Drawn", "Erased", "Locked"]
        photo, patch, result, mask, drawn, erased, _ = stack.layers
        assert np.array_equal(pixels_in(archive, photo.src), full.layers[0].planes["pixels"])
        assert (patch.offset_xy, patch.opacity, patch.is_visible) == ((-5, 50), 0.4, False)

        assert result.offset_xy == (10, 5)
        shown, current = pixels_in(archive, result.src), full.current_result
        assert np.array_equal(shown[..., 3], current.coverage)
        assert np.array_equal(shown[..., :3], current.pixels)

        tinted = pixels_in(archive, mask.src)
        coverage = full.mask_layer.planes["coverage"]
        x, y = mask.offset_xy
        assert np.array_equal(tinted[..., 3], coverage[y : y + tinted.shape[0], x : x + tinted.shape[1]])
        assert tinted[..., 3].astype(int).sum() == coverage.astype(int).sum()
        assert (tinted[0, 0, :3] == (230, 159, 0)).all()

        assert drawn.offset_xy == (0, 59)
        assert pixels_in(archive, drawn.src).shape == (1, 80, 4)
        assert pixels_in(archive, erased.src).tolist() == [[[213, 94, 0, 0]]]  # nothing: one clear pixel


def test_the_flat_picture_is_what_the_user_saw(full, tmp_path):
    with zipfile.ZipFile(save(full, tmp_path / "a.ora")) as archive:
        assert np.array_equal(pixels_in(archive, "mergedimage.png"), flatten(full, with_result=True))


@pytest.mark.parametrize(
    ("size_hw", "expected"), [((60, 80), (60, 80)), ((1000, 3000), (85, 256)), ((2000, 1), (256, 1))]
)
def test_the_thumbnail_is_a_small_picture_of_it(tmp_path, size_hw, expected):
    document = Document.blank(size_hw)
    document.layers[0].planes["pixels"][: size_hw[0] // 2] = (200, 100, 50)
    with zipfile.ZipFile(save(document, tmp_path / "a.ora")) as archive:
        thumbnail = pixels_in(archive, "Thumbnails/thumbnail.png")
    assert thumbnail.shape == (*expected, 3)
    assert thumbnail[0, 0].tolist() == [200, 100, 50]
    assert thumbnail[-1, -1].tolist() == [255, 255, 255]


def test_a_deep_document_has_a_thumbnail_of_8_bits(kit, rng, tmp_path):
    document = kit.full_document(rng, "RGB", np.uint16)
    with zipfile.ZipFile(save(document, tmp_path / "a.ora")) as archive:
        assert pixels_in(archive, "Thumbnails/thumbnail.png").dtype == np.uint8
        assert pixels_in(archive, "mergedimage.png").dtype == np.uint16


def test_a_copy_for_ourselves_leaves_out_what_only_others_look_at(full, tmp_path):
    with zipfile.ZipFile(save(full, tmp_path / "a.ora", is_copy=True)) as archive:
        assert "mergedimage.png" not in archive.namelist()


def test_the_same_document_gives_the_same_file(full, tmp_path):
    first, second = save(full, tmp_path / "a.ora"), save(full, tmp_path / "b.ora")
    assert first.read_bytes() == second.read_bytes()


def test_what_is_drawn_after_the_snapshot_is_not_in_the_file(kit, full, tmp_path):
    before = kit.content_of(full)
    with Snapshot(full) as snapshot:
        kit.brush(full, (0, 0, 80, 60), 255)
        full.undo()
        kit.brush(full, (20, 0, 80, 60), 128)
        write_ora(snapshot, tmp_path / "a.ora")
    again, _ = read_ora(tmp_path / "a.ora")
    assert kit.content_of(again) == before


def test_unknown_entries_survive_a_round_trip(full, tmp_path):
    full.unknown_entries = {"data/brushes.xml": b"<b/>", "extra/deep/x": b"1", "mimetype": b"never this one"}
    again, _ = read_ora(save(full, tmp_path / "a.ora"))
    assert again.unknown_entries == {"data/brushes.xml": b"<b/>", "extra/deep/x": b"1"}
    third, _ = read_ora(save(again, tmp_path / "b.ora"))
    assert third.unknown_entries == again.unknown_entries


def test_a_large_unknown_entry_that_packs_to_nothing_comes_back(full, tmp_path):
    full.unknown_entries = {"data/plain.raw": bytes(20 << 20)}
    again, _ = read_ora(save(full, tmp_path / "a.ora"))
    assert again.unknown_entries == full.unknown_entries


def test_a_document_of_a_long_day_comes_back(tmp_path):
    """Every live fill is a result, and each of them takes up to three entries of the file."""
    pixel = np.full((1, 1), 9, np.uint8)
    step = Step(edit={})
    results = [Result(box_xyxy=(0, 0, 1, 1), pixels=pixel, coverage=pixel, step=step) for _ in range(5001)]
    document = Document((1, 1), "L", results=results)
    again, _ = read_ora(save(document, tmp_path / "a.ora", is_copy=True))
    assert len(again.results) == 5001


def test_a_copy_opens_wherever_its_pixels_fit(tmp_path, rng):
    """A copy for ourselves holds pixels as they are: its bytes and what they become are not there at once."""
    pixels = rng.integers(0, 256, (900, 1000, 3), dtype=np.uint8)
    document = Document((900, 1000), layers=[Layer("picture", "Photo", {"pixels": pixels})])
    path = save(document, tmp_path / "a.ora", is_copy=True)
    again, _ = read_ora(path, limit_bytes=pixels.nbytes * 3 // 2)
    assert np.array_equal(again.layers[0].planes["pixels"], pixels)
    with pytest.raises(DocumentError):
        read_ora(path, limit_bytes=pixels.nbytes - 1)


def test_progress_rises_to_one(full, tmp_path):
    shares = []
    save(full, tmp_path / "a.ora", progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_full_disk_leaves_the_old_file_as_it_was(full, tmp_path, monkeypatch):
    path = save(full, tmp_path / "a.ora")
    before = path.read_bytes()

    def no_room(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.document.ora_writer.write_png", no_room)
    with pytest.raises(DocumentError) as caught:
        save(full, path)
    assert "expected free space on the disk, got no space left" in str(caught.value)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.ora"]


def test_a_disk_that_fills_up_at_the_very_end_is_told_the_same_way(full, tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DocumentError, match="expected free space on the disk"):
        save(full, tmp_path / "a.ora")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_named(full, tmp_path):
    with pytest.raises(DocumentError, match="expected a folder that exists, got no such folder"):
        save(full, tmp_path / "none" / "a.ora")


def test_a_read_only_folder_is_told_in_words(full, tmp_path, monkeypatch):
    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("engine.atomic.os.open", denied)
    with pytest.raises(DocumentError, match="expected a place that can be written, got no permission"):
        save(full, tmp_path / "a.ora")


def test_the_archive_is_whole_for_a_strict_reader(full, tmp_path):
    with zipfile.ZipFile(io.BytesIO(save(full, tmp_path / "a.ora").read_bytes())) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
