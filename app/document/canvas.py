"""What a canvas can be, and the mask and the edges in its size.

Elsewhere: the document in document.py, giving its canvas another size in canvas_ops.py.
"""

from app.document.flatten import CHANNELS
from app.document.layers import PLANES, Layer
from app.document.tiles import MAX_SIDE_PX, clip_box, slices_of, tile_box
from app.errors import DocumentError


def check_canvas(size_hw: tuple[int, int], mode: str) -> None:
    """Refuse a size or a mode that no canvas can have.

    Raises:
        DocumentError: if it is none of those there are, or a side is too short or too long.
    """
    if mode not in CHANNELS:
        raise DocumentError("mode", f"one of {', '.join(CHANNELS)}", repr(mode), "convert the picture")
    h, w = size_hw
    if not (1 <= h <= MAX_SIDE_PX and 1 <= w <= MAX_SIDE_PX):
        raise DocumentError(
            "canvas", f"1 to {MAX_SIDE_PX} px a side", f"{w}x{h} px", "make the picture smaller"
        )


def with_mask_and_edges(layers: list[Layer], size_hw: tuple[int, int]) -> list[Layer]:
    """The layers with one mask and one edges layer on top of them."""
    for kind, make in (("mask", Layer.empty_mask), ("edges", Layer.empty_edges)):
        found = [layer for layer in layers if layer.kind == kind]
        if len(found) > 1:
            raise DocumentError("layers", f"one layer of {kind}", len(found), "join them into one")
        if not found:
            layers.append(make(size_hw))
        elif found[0].size_hw != size_hw or found[0].origin_xy != (0, 0):
            got = "{1}x{0} px".format(*found[0].size_hw)
            raise DocumentError(found[0].name, "the size of the canvas", got, "the file is damaged")
    if len({layer.id for layer in layers}) != len(layers):
        raise DocumentError("layers", "an id for each", "one used twice", "the file is damaged")
    return [
        *(layer for layer in layers if layer.kind == "picture"),
        *(layer for layer in layers if layer.kind != "picture"),
    ]


def resized(guide: Layer, size_hw: tuple[int, int]) -> Layer:
    """A mask or edges layer in the size of another canvas, cut or with room at the right and the bottom."""
    made = (Layer.empty_mask if guide.kind == "mask" else Layer.empty_edges)(size_hw)
    made.id, made.strokes = guide.id, list(guide.strokes)
    for name, value in guide.attributes.items():
        setattr(made, name, value)
    for plane in PLANES[guide.kind]:
        for tile in guide.written_tiles(plane):
            shared = clip_box(tile_box(*tile, guide.size_hw), size_hw)
            if shared != (0, 0, 0, 0):
                made.note_written(plane, tile)
                made.planes[plane][slices_of(shared)] = guide.planes[plane][slices_of(shared)]
    return made
