import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.document.flatten import flatten
from app.document.ora import read_ora, write_ora
from app.document.png_stream import write_png
from app.document.snapshot import Snapshot
from app.errors import DocumentError

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
    with pytest.raises(DocumentError, match="bytes of pixels"):
        read_ora(path, limit_bytes=10_000_000)


@pytest.mark.parametrize("src", ["none.png", "../a", "/etc/passwd", "stack.xml "])
def test_a_layer_whose_picture_is_missing_is_refused(tmp_path, src):
    path = foreign(tmp_path, f'<layer src="{src}"/>', {})
    with pytest.raises(DocumentError, match="expected an entry '.*', got none of that name"):
        read_ora(path)
