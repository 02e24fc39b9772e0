"""Documents with something of everything in them, and what makes two documents equal."""

import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest

from app.document.document import Document
from app.document.layers import Layer
from app.document.learned import Learned
from app.document.recipe import Step
from app.document.results import Result
from app.document.strokes import BrushSettings, Stroke
from engine.metadata.kept import Metadata, Resolution

SIZE_HW = (60, 80)


def picture_of(rng, size_hw=SIZE_HW, mode="RGB", dtype=np.uint8):
    channels = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}[mode]
    return rng.integers(0, np.iinfo(dtype).max + 1, (*size_hw, *channels)).astype(dtype)


def brush(document, box, values, *, layer=None, plane="coverage", label="Brush"):
    """Write values into a box as a stroke does."""
    layer = layer or document.mask_layer
    x0, y0, x1, y1 = box
    samples = np.array([[x0, y0, 1, 0, 0], [x1, y1, 0.5, 10, -20]], np.float32)
    with document.begin(label) as change:
        change.touch(layer.id, plane, box)
        layer.planes[plane][y0:y1, x0:x1] = values
        change.changed(layer.id, plane, box)
        change.add_stroke(layer.id, Stroke("brush", plane, samples, BrushSettings(size_px=12)))


def result_of(rng, document, box, **options):
    x0, y0, x1, y1 = box
    size_hw = (y1 - y0, x1 - x0)
    dtype = np.uint16 if document.is_deep else np.uint8
    coverage = (rng.random(size_hw) < 0.7).astype(np.uint8) * 255
    return Result(
        box_xyxy=box,
        pixels=picture_of(rng, size_hw, document.mode, dtype),
        coverage=coverage,
        step=Step(edit={"family": "inpaint", "seed": 7}, weights={"name": "w", "sha256": "ab"}, seed=7),
        report={"seam": 0.25, "device": "cpu"},
        thumbnail=picture_of(rng, (9, 9), document.mode),
        **options,
    )


def weights_file(size=400, picture="1f" * 32, **metadata) -> bytes:
    """A safetensors file of some random bytes, as learning a picture leaves one."""
    values = np.random.default_rng(5).integers(0, 256, size).astype(np.uint8).tobytes()
    metadata = {"picture_sha256": picture, **metadata}
    header = {"__metadata__": metadata, "a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + values


def learned_of(picture="1f" * 32, **options) -> Learned:
    return Learned.of(picture, weights_file(**{"picture": picture, **options}))


def content_of(document) -> dict:
    """All that a file must keep, as plain data; arrays by their digest."""

    def told(array):
        return (
            None
            if array is None
            else (array.shape, array.dtype.name, hashlib.sha1(array.tobytes()).hexdigest())
        )

    def samples(stroke):
        return {**stroke.meta(), "samples": told(stroke.samples)}

    return {
        "size_hw": document.size_hw,
        "mode": document.mode,
        "is_deep": document.is_deep,
        "icc": document.icc_profile,
        "exif": document.metadata.exif,
        "metadata": asdict(document.metadata),
        "active": document.active_layer_id,
        "layers": [
            {
                **layer.meta(),
                "planes": {name: told(plane) for name, plane in layer.planes.items()},
                "strokes": [samples(stroke) for stroke in layer.strokes],
            }
            for layer in document.layers
        ],
        "results": {
            one.id: {
                **one.meta(),
                "arrays": [told(a) for a in (one.pixels, one.coverage, one.edges)],
                "thumbnail": told(one.thumbnail),
            }
            for one in document.results
        },
        "current": document.current_result_id,
        "learned": None if document.learned is None else document.learned.meta(),
    }


def full_document(rng, mode="RGB", dtype=np.uint8):
    """Two pictures, a mask, edges, strokes, three results, what was learned, a profile and camera data."""
    photo = Layer("picture", "Photo", {"pixels": picture_of(rng, mode=mode, dtype=dtype)})
    patch = Layer("picture", "Patch <1>", {"pixels": picture_of(rng, (20, 30), "RGBA")}, origin_xy=(-5, 50))
    patch.opacity, patch.is_visible = 0.4, False
    patch.step = Step(edit={"family": "inpaint"}, seed=3)
    document = Document(
        SIZE_HW,
        mode,
        is_deep=dtype == np.uint16,
        layers=[photo, patch],
        icc_profile=b"a profile",
        metadata=Metadata(
            exif=b"Exif of a camera",
            xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
            iptc=b"\x1c\x02\x50\x00\x03Zoe",
            text=(("Author", "Zo\u00eb"),),
            resolution=Resolution(300.0, 299.9994),
            colour=(("gAMA", b"\x00\x01\x86\xa0"),),
            size_hw=SIZE_HW,
        ),
    )
    brush(document, (10, 5, 40, 25), rng.integers(0, 256, (20, 30)))
    brush(document, (0, 59, 80, 60), 255, layer=document.edges_layer, plane="drawn")
    brush(document, (79, 0, 80, 60), 7, layer=document.edges_layer, plane="locked")
    edges = rng.integers(0, 256, (20, 30)).astype(np.uint8)
    document.add_result(result_of(rng, document, (10, 5, 40, 25), edges=edges), amend=True)
    document.add_result(result_of(rng, document, (0, 0, 8, 8), is_starred=True), make_current=False)
    document.add_result(result_of(rng, document, (10, 5, 41, 25), is_draft=True))
    document.add_learned(learned_of())
    return document


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture
def full(rng):
    return full_document(rng)


@pytest.fixture
def kit():
    """The functions above, for tests that make more than one document."""

    class Kit:
        picture_of = staticmethod(picture_of)
        brush = staticmethod(brush)
        result_of = staticmethod(result_of)
        content_of = staticmethod(content_of)
        full_document = staticmethod(full_document)
        weights_file = staticmethod(weights_file)
        learned_of = staticmethod(learned_of)

    return Kit
