import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.document import ora_foreign
from app.document.flatten import flatten
from app.document.ora import read_ora, write_ora
from app.document.snapshot import Snapshot
from app.errors import DocumentError
from engine.png_writer import write_png

KRITA = Path(__file__).parent / "samples" / "krita.ora"
"""Written by Krita 5.1.5: a group, a hidden layer, a blend mode, layers beside the canvas."""


def png(pixels) -> bytes:
    file = io.BytesIO()
    write_png(file, pixels)
    return file.getvalue()


def foreign(tmp_path, inner, pictures, size_wh=(24, 16)) -> Path:
    stack = f'<image w="{size_wh[0]}" h="{size_wh[1]}"><stack>{inner}</stack></image>'
    path = tmp_path / "foreign.ora"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {"mimetype": b"image/openraster", "stack.xml": stack, **pictures}.items():
            archive.writestr(name, data)
    return path


def test_a_file_of_krita_opens_with_its_layers_where_they_were():
    document, notes = read_ora(KRITA)
    assert (document.size_hw, document.mode, document.is_deep) == ((16, 24), "RGB", False)
    photo, multiplied, off, inner = [layer for layer in document.layers if layer.kind == "picture"]
    assert [x.name for x in (photo, multiplied, off, inner)] == ["Photo", "Multiplied", "Off", "Inner"]
    expected = np.zeros((16, 24, 3), np.uint8)
    expected[..., 0], expected[..., 1], expected[..., 2] = np.arange(24) * 10, np.arange(16)[:, None] * 15, 77
    assert np.array_equal(photo.planes["pixels"], expected)
    assert (inner.origin_xy, inner.is_visible) == ((3, 2), True)
    assert inner.opacity == pytest.approx(0.498039 * 0.8)
    assert inner.planes["pixels"].shape == (4, 6, 4)
    assert inner.planes["pixels"][0, 0].tolist() == [250, 20, 30, 255]
    assert inner.planes["pixels"][1, 1].tolist() == [250, 20, 30, 128]
    assert (off.origin_xy, off.is_visible) == ((10, 8), False)
    assert multiplied.origin_xy == (-2, 14)
    assert notes == (
        "groups were opened, their layers lie in one list now",
        "the opacity of group 'Group' was given to each of its layers",
        "layer 'Multiplied' is blended plainly, its mode 'svg:multiply' was left out",
    )
    flat = flatten(document, with_result=True)
    assert flat[15, 23].tolist() == expected[15, 23].tolist()


def test_a_file_of_krita_survives_becoming_ours(kit, tmp_path):
    document, _ = read_ora(KRITA)
    with Snapshot(document) as snapshot:
        write_ora(snapshot, tmp_path / "ours.ora")
    again, notes = read_ora(tmp_path / "ours.ora")
    assert kit.content_of(again) == kit.content_of(document)
    assert notes == ()


@pytest.mark.parametrize(
    ("shape", "dtype", "mode"),
    [
        ((16, 24), np.uint8, "L"),
        ((16, 24, 2), np.uint8, "LA"),
        ((16, 24, 3), np.uint16, "RGB"),
        ((16, 24, 4), np.uint16, "RGBA"),
        ((8, 24, 3), np.uint8, "RGBA"),  # part of the canvas is clear
    ],
)
def test_the_layers_say_the_mode_and_depth(tmp_path, rng, shape, dtype, mode):
    pixels = rng.integers(0, 200, shape).astype(dtype)
    document, _ = read_ora(foreign(tmp_path, '<layer src="a" name="A"/>', {"a": png(pixels)}))
    assert (document.mode, document.is_deep) == (mode, dtype == np.uint16)
    assert np.array_equal(document.layers[0].planes["pixels"], pixels)


def test_an_alpha_that_hides_nothing_is_no_alpha(tmp_path):
    pixels = np.full((16, 24, 4), 255, np.uint8)
    document, _ = read_ora(foreign(tmp_path, '<layer src="a"/>', {"a": png(pixels)}))
    assert document.mode == "RGB"
    assert document.layers[0].planes["pixels"].shape == (16, 24, 3)
    assert document.layers[0].name == "Layer 1"


def test_an_empty_file_is_a_clear_canvas(tmp_path):
    document, _ = read_ora(foreign(tmp_path, "", {}))
    assert (document.mode, document.size_hw) == ("RGBA", (16, 24))
    assert not flatten(document, with_result=True)[..., 3].any()


def test_a_layer_that_is_no_png_is_left_out_and_told(tmp_path):
    pictures = {"a": png(np.zeros((16, 24, 3), np.uint8)), "b": b"<svg/>"}
    document, notes = read_ora(foreign(tmp_path, '<layer src="b" name="Words"/><layer src="a"/>', pictures))
    assert len(document.layers) == 3  # the picture, mask and edges
    assert notes == ("layer 'Words' is no PNG and was left out",)


def test_unknown_entries_of_others_are_kept(tmp_path):
    pictures = {"a": png(np.zeros((16, 24, 3), np.uint8)), "data/palette.gpl": b"GIMP Palette"}
    document, _ = read_ora(foreign(tmp_path, '<layer src="a"/>', pictures))
    assert document.unknown_entries == {"data/palette.gpl": b"GIMP Palette"}


def test_one_picture_named_by_many_layers_counts_each_time(tmp_path):
    pictures = {"a": png(np.zeros((500, 500, 4), np.uint8))}
    path = foreign(tmp_path, '<layer src="a"/>' * 100, pictures)
    words = r"at most 10000000 bytes in all layers, masks and results, got 10000\d+ bytes or more"
    with pytest.raises(DocumentError, match=words):
        read_ora(path, limit_bytes=10_000_000)


def test_four_layers_of_one_large_picture_are_refused_by_their_headers(tmp_path, monkeypatch):
    """A megabyte that would become 4 GiB: refused before the first of them is decoded."""
    data = bytearray(png(np.zeros((2, 2, 4), np.uint8)))
    data[16:24] = struct.pack(">II", 16384, 16384)
    path = foreign(tmp_path, '<layer src="a"/>' * 4, {"a": bytes(data)})
    monkeypatch.setattr(ora_foreign, "read_png", lambda *_args, **_ways: pytest.fail("nothing is decoded"))
    with pytest.raises(DocumentError) as caught:
        read_ora(path)
    assert "expected at most 1610612736 bytes in all layers, masks and results, got 429496" in str(
        caught.value
    )
    assert str(caught.value).endswith("; set PENTIMENTO_MAX_DOCUMENT_MB higher if you trust the file")


@pytest.mark.parametrize("src", ["none.png", "../a", "/etc/passwd", "stack.xml "])
def test_a_layer_whose_picture_is_missing_leaves_the_others(tmp_path, src):
    pictures = {"b": png(np.full((16, 24, 3), 9, np.uint8))}
    path = foreign(tmp_path, f'<layer name="gone" src="{src}"/><layer name="kept" src="b"/>', pictures)
    document, notes = read_ora(path)
    assert [layer.name for layer in document.layers if layer.kind == "picture"] == ["kept"]
    assert notes == ("the picture of layer 'gone' is not in the file, the layer was left out",)


def test_a_document_of_nothing_but_missing_pictures_is_refused(tmp_path):
    with pytest.raises(
        DocumentError, match="expected a layer that can be shown, got none; save the document"
    ):
        read_ora(foreign(tmp_path, '<layer src="none.png"/>', {}))


@pytest.mark.parametrize("damage", [slice(0, 60), slice(0, 20), slice(0, -12)])
def test_a_damaged_layer_leaves_the_others(tmp_path, damage):
    rng = np.random.default_rng(1)
    whole = png(rng.integers(0, 256, (16, 24, 3), np.uint8))
    path = foreign(tmp_path, '<layer name="top" src="a"/><layer src="b"/>', {"a": whole[damage], "b": whole})
    document, notes = read_ora(path)
    kept = [layer for layer in document.layers if layer.kind == "picture"]
    assert len(kept) == 1 or (len(kept) == 2 and not notes), "a missing end alone takes no pixel away"
    assert len(kept) == 2 or notes[0].startswith("layer 'top' was left out: expected a whole PNG")


def test_an_opacity_a_hair_out_of_range_is_taken_as_the_end_of_it(tmp_path):
    inner = '<layer src="a" opacity="1.0000001"/><layer src="a" opacity="-1e-9"/>'
    document, notes = read_ora(foreign(tmp_path, inner, {"a": png(np.zeros((2, 2, 3), np.uint8))}))
    assert sorted(layer.opacity for layer in document.layers if layer.kind == "picture") == [0.0, 1.0]
    assert notes == ()


def test_camera_data_in_a_layer_does_not_turn_it(tmp_path):
    pixels = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3)
    exif, file = Image.Exif(), io.BytesIO()
    exif[274] = 6
    Image.fromarray(pixels).save(file, "png", exif=exif)
    document, _ = read_ora(foreign(tmp_path, '<layer src="a"/>', {"a": file.getvalue()}))
    layer = next(layer for layer in document.layers if layer.kind == "picture")
    assert np.array_equal(layer.planes["pixels"], pixels)
