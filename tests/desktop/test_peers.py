"""A saved document opens in Krita and in GIMP, with the right layers in the right places and the right pixels."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.document.document import Document
from app.document.flatten import flatten
from app.document.layers import Layer
from app.document.ora import read_ora, write_ora
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.result_actions import apply_result
from engine.edits import InpaintEdit, RetargetEdit
from engine.pictures import Picture
from tests.desktop.peers import GIMP, SeenLayer, picture_in_gimp
from tests.desktop.screen import missing_programs

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(600)]
SIZE_HW = (120, 160)


@pytest.fixture
def gimp():
    if missing := missing_programs(GIMP):
        pytest.skip(missing)


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def test_the_check_itself_reads_what_krita_sees(krita, tmp_path) -> None:
    """A file made by hand: were this to fail, the others would say nothing about ours."""
    rng = np.random.default_rng(3)
    below = rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)
    above = np.dstack([rng.integers(0, 256, (20, 30, 3), np.uint8), np.full((20, 30), 255, np.uint8)])
    path = tmp_path / "made.ora"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.writestr(
            "stack.xml",
            '<image version="0.0.3" w="160" h="120"><stack>'
            '<layer name="above" src="data/a.png" x="40" y="50"/>'
            '<layer name="below" src="data/b.png" x="0" y="0"/></stack></image>',
        )
        archive.writestr("data/a.png", png(above))
        archive.writestr("data/b.png", png(below))
        archive.writestr("mergedimage.png", png(below))
        archive.writestr("Thumbnails/thumbnail.png", png(above))

    seen = krita.layers(path)

    assert [(layer.name, layer.offset_xy) for layer in seen] == [("below", (0, 0)), ("above", (40, 50))]
    np.testing.assert_array_equal(seen[0].pixels[:, :, :3], below)
    np.testing.assert_array_equal(seen[1].pixels, above)
    shown = krita.picture(path)[:, :, :3]
    np.testing.assert_array_equal(shown[50:70, 40:70], above[:, :, :3])


@pytest.mark.parametrize(
    ("stack", "levels"),
    [
        ('<layer name="a" src="data/a.png" x="10" y="20" opacity="0.333"/>', 1),
        ('<layer name="a" src="data/a.png" x="-10" y="-20"/>', 0),
        ('<layer name="a" src="data/a.png" x="10" y="20" visibility="hidden"/>', 0),
        ('<stack name="g" opacity="0.5"><layer name="a" src="data/a.png" x="10" y="20"/></stack>', 1),
        ('<stack name="g" visibility="hidden"><layer name="a" src="data/a.png" x="1" y="2"/></stack>', 0),
    ],
)
def test_a_file_written_by_krita_shows_the_same_picture_here(krita, tmp_path, stack, levels) -> None:
    """Krita reads a stack made by hand and writes it its own way; we show what it then shows, save for rounding."""
    rng = np.random.default_rng(5)
    path = tmp_path / "made.ora"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        inner = f'{stack}<layer name="below" src="data/b.png"/>'
        archive.writestr(
            "stack.xml", f'<image version="0.0.3" w="160" h="120"><stack>{inner}</stack></image>'
        )
        archive.writestr("data/a.png", png(rng.integers(0, 256, (30, 40, 4), np.uint8)))
        archive.writestr("data/b.png", png(rng.integers(0, 256, (*SIZE_HW, 3), np.uint8)))
    document, _ = read_ora(krita.rewritten(path))
    shown = krita.picture(krita.rewritten(path))[:, :, :3].astype(int)
    assert np.abs(flatten(document, with_result=True).astype(int) - shown).max() <= levels


def saved(path, mode: str = "RGB", *, is_deep: bool = False) -> Document:
    """A document with two pictures, a mask, drawn and erased edges and a shown result, written to ``path``."""
    rng = np.random.default_rng(7)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    high, depth = (65536, np.uint16) if is_deep else (256, np.uint8)
    document = Document.from_picture(
        Picture(rng.integers(0, high, (*SIZE_HW, *channels), depth), mode), name="peer"
    )
    patch = rng.integers(0, high, (30, 40, 4), depth)
    patch[:, :, 3] = high - 1
    with document.begin("Set up") as change:
        change.add_layer(Layer("picture", "Patch", {"pixels": patch}, (100, 70)))
        for layer, plane, (y0, y1, x0, x1) in (
            (document.mask_layer, "coverage", (20, 60, 30, 80)),
            (document.edges_layer, "drawn", (25, 27, 35, 70)),
            (document.edges_layer, "erased", (50, 54, 40, 60)),
        ):
            with change.writing(layer.id, plane, (x0, y0, x1, y1)) as values:
                values[:] = 255
    shape = (40, 50, *channels)
    result = Result(
        box_xyxy=(30, 20, 80, 60),
        pixels=rng.integers(0, high, shape, depth),
        coverage=np.full((40, 50), 255, np.uint8),
        step=Step(edit=InpaintEdit().model_dump(mode="json")),
    )
    document.add_result(result)
    with Snapshot(document) as snapshot:
        write_ora(snapshot, path)
    return document


def marked(document: Document) -> np.ndarray:
    """Where mask and edges lie over the picture: (H, W) bool."""
    marked = np.zeros(SIZE_HW, bool)
    for layer in (document.mask_layer, document.edges_layer):
        for plane in layer.planes.values():
            marked |= plane > 0
    return marked


def named(seen: tuple[SeenLayer, ...], word: str) -> SeenLayer:
    """The one layer with this word in its name."""
    found = [layer for layer in seen if word.lower() in layer.name.lower()]
    assert len(found) == 1, [layer.name for layer in seen]
    return found[0]


def test_layers_and_pixels_are_right_in_krita(krita, tmp_path) -> None:
    document = saved(tmp_path / "ours.ora")
    seen = krita.layers(tmp_path / "ours.ora")

    photo, patch = document.layers[0], next(layer for layer in document.layers if layer.name == "Patch")
    np.testing.assert_array_equal(
        named(seen, photo.name).on_canvas(SIZE_HW)[:, :, :3], photo.planes["pixels"]
    )
    assert named(seen, "Patch").offset_xy == (100, 70)
    np.testing.assert_array_equal(named(seen, "Patch").pixels, patch.planes["pixels"])

    result = document.current_result
    assert named(seen, "Result").offset_xy == (30, 20)
    np.testing.assert_array_equal(named(seen, "Result").pixels[:, :, :3], result.pixels)
    for word, plane in (
        ("Mask", document.mask_layer.planes["coverage"]),
        ("Drawn", document.edges_layer.planes["drawn"]),
        ("Erased", document.edges_layer.planes["erased"]),
    ):
        np.testing.assert_array_equal(named(seen, word).on_canvas(SIZE_HW)[:, :, 3], plane, err_msg=word)


def test_what_krita_shows_is_what_we_show_under_the_marks(krita, tmp_path) -> None:
    """Mask and edges lie over the picture; elsewhere Krita shows the flattened picture with the result."""
    document = saved(tmp_path / "ours.ora")
    shown = krita.picture(tmp_path / "ours.ora")[:, :, :3]
    ours = flatten(document, with_result=True)
    clear = ~marked(document)
    np.testing.assert_array_equal(shown[clear], ours[clear])


@pytest.mark.parametrize("size_hw", [(120, 220), (90, 100)])
def test_a_document_that_took_another_size_opens_in_krita(krita, tmp_path, size_hw) -> None:
    document = saved(tmp_path / "ours.ora")
    pixels = np.random.default_rng(9).integers(0, 256, (*size_hw, 3), np.uint8)
    edit = RetargetEdit(target_size_hw=size_hw).model_dump(mode="json")
    coverage = np.full(size_hw, 255, np.uint8)
    document.add_result(
        Result(
            box_xyxy=(0, 0, *size_hw[::-1]),
            pixels=pixels,
            coverage=coverage,
            is_whole=True,
            step=Step(edit=edit),
        )
    )
    apply_result(document)
    with Snapshot(document) as snapshot:
        write_ora(snapshot, tmp_path / "ours.ora")
    seen = krita.layers(tmp_path / "ours.ora")
    np.testing.assert_array_equal(named(seen, "Retarget").on_canvas(size_hw)[:, :, :3], pixels)
    shown = krita.picture(tmp_path / "ours.ora")[:, :, :3]
    assert shown.shape == (*size_hw, 3)
    marks = document.mask_layer.planes["coverage"] > 0
    for plane in document.edges_layer.planes.values():
        marks = marks | (plane > 0)
    np.testing.assert_array_equal(shown[~marks], pixels[~marks])


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_other_modes_open_in_krita(krita, tmp_path, mode) -> None:
    document = saved(tmp_path / "ours.ora", mode)
    photo = document.layers[0].planes["pixels"]
    seen = named(krita.layers(tmp_path / "ours.ora"), document.layers[0].name)
    pixels = seen.on_canvas(SIZE_HW)
    if mode == "L":
        np.testing.assert_array_equal(pixels[:, :, 0], photo)
    else:
        has_colour = photo[:, :, 3] > 0  # what is clear has no colour elsewhere
        np.testing.assert_array_equal(pixels[has_colour], photo[has_colour])


def test_a_deep_picture_is_seen_right_in_krita(krita, tmp_path) -> None:
    """Krita mixes the layers of OpenRaster files with 8 bits, so one of its levels is what may differ."""
    document = saved(tmp_path / "ours.ora", is_deep=True)
    shown = krita.picture(tmp_path / "ours.ora")
    shown = shown.astype(int) * (257 if shown.dtype == np.uint8 else 1)
    ours = flatten(document, with_result=True).astype(int)
    clear = ~marked(document)
    assert np.abs(shown[clear][:, :3] - ours[clear]).max() <= 257


def test_gimp_shows_the_same_picture(gimp, tmp_path) -> None:
    document = saved(tmp_path / "ours.ora")
    shown = picture_in_gimp(tmp_path / "ours.ora", tmp_path)
    if shown is None:
        pytest.skip(
            "gimp: expected its OpenRaster plug-in, got none; Debian 12 ships GIMP without it, Krita looks instead"
        )
    ours = flatten(document, with_result=True)
    clear = ~marked(document)
    np.testing.assert_array_equal(shown[clear][:, :3], ours[clear])
