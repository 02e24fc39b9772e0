"""The layer stack of an OpenRaster file: read any program's, write ours.

Groups are flattened on the way in: their places add up, their opacities multiply, what is in a hidden group is
hidden. What a flat stack of pictures cannot hold is told in notes, never dropped in silence.

Hostile text ends in one line: no document type, so no entities; depth, number and length are limited; places and
opacities are finite and in range.

Source: OpenRaster 0.0.6 draft, "Layer stack specification" and "File layout specification" (freedesktop.org).
Elsewhere: the archive in archive.py; who calls this in ora_reader.py and ora_writer.py.
"""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from xml.parsers import expat

from app.document.layers import OPACITY_SLACK
from app.document.tiles import MAX_SIDE_PX
from app.errors import DocumentError
from engine.metadata.kept import Resolution

PLAIN_BLEND = "svg:src-over"
DEPTH_LIMIT = 64
ELEMENT_LIMIT = 10_000
OFFSET_LIMIT_PX = 4 * MAX_SIDE_PX  # as far as a layer of ours may lie
_ATTRIBUTE_LIMIT = 4096
_HINT = "save the document again as OpenRaster"


@dataclass(frozen=True)
class StackLayer:
    """A picture in the stack, placed on the canvas."""

    name: str
    src: str
    """Entry of the archive that holds its PNG."""
    offset_xy: tuple[int, int] = (0, 0)
    """Top left corner on the canvas, in px."""
    opacity: float = 1.0
    is_visible: bool = True


@dataclass(frozen=True)
class StackGroup:
    """Layers that belong together; ours have neither offset nor opacity of their own."""

    name: str
    layers: tuple[StackLayer, ...]
    """Bottom to top."""
    is_visible: bool = True


@dataclass(frozen=True)
class Stack:
    """What ``stack.xml`` says."""

    size_hw: tuple[int, int]
    layers: tuple[StackLayer, ...]
    """Bottom to top, out of their groups."""
    notes: tuple[str, ...] = ()
    """What was left out, as sentences for the user."""


def write_stack(
    size_hw: tuple[int, int],
    items: Sequence[StackLayer | StackGroup],
    *,
    resolution: Resolution | None = None,
) -> bytes:
    """The text of ``stack.xml``.

    Args:
        size_hw: the canvas in px.
        items: bottom to top.
        resolution: of the photo; 72 pixels an inch where it is not known, as the format wants whole numbers.
    """
    height, width = size_hw
    known = resolution if resolution is not None and resolution.is_per_inch else Resolution(72, 72)
    xres, yres = (str(max(1, round(number))) for number in (known.x, known.y))
    image = ElementTree.Element("image", version="0.0.3", w=str(width), h=str(height), xres=xres, yres=yres)
    root = ElementTree.SubElement(image, "stack")
    for item in reversed(items):
        if isinstance(item, StackLayer):
            _add_layer(root, item)
            continue
        group = ElementTree.SubElement(
            root,
            "stack",
            {"name": _printable(item.name), "opacity": "1.0", "visibility": _visibility(item.is_visible)},
        )
        for layer in reversed(item.layers):
            _add_layer(group, layer)
    ElementTree.indent(image)
    text: bytes = ElementTree.tostring(image, encoding="utf-8", xml_declaration=True)
    return text


def read_stack(data: bytes, *, name: str) -> Stack:
    """Understand the ``stack.xml`` of any program.

    Args:
        data: its bytes.
        name: what to call the document in an error.

    Raises:
        DocumentError: if it is no such text, or breaks a limit.
    """
    reader = _Reader(name)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_document_type
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DocumentError(name, "a layer stack in XML", f"damaged text ({error})", _HINT) from error
    except (ValueError, LookupError) as error:  # an encoding nobody knows
        raise DocumentError(name, "a layer stack in UTF-8", "another encoding", _HINT) from error
    return reader.stack()


@dataclass(frozen=True)
class _Place:
    """What a group hands down to its layers."""

    offset_xy: tuple[int, int] = (0, 0)
    opacity: float = 1.0
    is_visible: bool = True


@dataclass
class _Reader:
    """Takes the elements as they come, top to bottom, and keeps the layers."""

    name: str
    size_hw: tuple[int, int] | None = None
    layers: list[StackLayer] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    places: list[_Place] = field(default_factory=list)
    elements: int = 0
    depth: int = 0

    def refuse_document_type(self, *_parts: object) -> None:
        raise DocumentError(
            self.name, "a layer stack without DOCTYPE", "one with a DOCTYPE", "it may be hostile, take it out"
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        self.depth += 1
        if self.elements > ELEMENT_LIMIT:
            raise self._error(f"at most {ELEMENT_LIMIT} layers", "more")
        if self.depth > DEPTH_LIMIT:
            raise self._error(f"groups at most {DEPTH_LIMIT} deep", "deeper ones")
        if any(len(value) > _ATTRIBUTE_LIMIT for value in attributes.values()):
            raise self._error(f"names of at most {_ATTRIBUTE_LIMIT} signs", "a longer one")
        if (tag == "image") != (self.depth == 1):
            raise self._error("one image around its stacks", f"'{tag[:40]}' there")
        if tag == "image":
            self.size_hw = (self._side(attributes, "h"), self._side(attributes, "w"))
        elif tag == "stack":
            self._enter(attributes)
        elif tag == "layer":
            self._add(attributes)
        else:
            self.notes[f"'{tag[:40]}' elements were left out, only pictures are kept"] = None

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag == "stack":
            self.places.pop()

    def stack(self) -> Stack:
        """All of it, once the text ended."""
        if self.size_hw is None:
            raise self._error("a canvas size", "none")
        return Stack(self.size_hw, tuple(reversed(self.layers)), tuple(self.notes))

    def _enter(self, attributes: Mapping[str, str]) -> None:
        outer = self.places[-1] if self.places else _Place()
        place = self._placed(outer, attributes)
        if self.places:  # the outermost stack is the canvas itself, not a group
            label = self._label(attributes, "group")
            self.notes["groups were opened, their layers lie in one list now"] = None
            if place.opacity != outer.opacity:
                self.notes[f"the opacity of {label} was given to each of its layers"] = None
        self.places.append(place)

    def _add(self, attributes: Mapping[str, str]) -> None:
        if not self.places:
            raise self._error("layers inside a stack", "one outside")
        src = attributes.get("src", "")
        label = self._label(attributes, "layer")
        if not src:
            self.notes[f"{label} has no picture and was left out"] = None
            return
        place = self._placed(self.places[-1], attributes)
        name = attributes.get("name") or f"Layer {len(self.layers) + 1}"
        self.layers.append(StackLayer(name, src, place.offset_xy, place.opacity, place.is_visible))

    def _placed(self, outer: _Place, attributes: Mapping[str, str]) -> _Place:
        x, y = outer.offset_xy
        offset_xy = (self._offset(attributes, "x", x), self._offset(attributes, "y", y))
        said = self._number(attributes.get("opacity", "1.0"))
        opacity = min(max(said, 0.0), 1.0)
        if abs(said - opacity) > OPACITY_SLACK:
            raise self._error("opacities from 0 to 1", f"{said:g}")
        blend = attributes.get("composite-op", PLAIN_BLEND)
        if blend != PLAIN_BLEND and self.places:  # below the outermost stack lies nothing to be blended with
            label = self._label(attributes, "group" if "src" not in attributes else "layer")
            self.notes[f"{label} is blended plainly, its mode '{blend[:40]}' was left out"] = None
        is_visible = outer.is_visible and attributes.get("visibility", "visible") != "hidden"
        return replace(outer, offset_xy=offset_xy, opacity=outer.opacity * opacity, is_visible=is_visible)

    def _label(self, attributes: Mapping[str, str], word: str) -> str:
        name = " ".join(_printable(attributes.get("name", "")).split())
        return f"{word} '{name[:40]}'" if name else f"a {word} without name"

    def _side(self, attributes: Mapping[str, str], key: str) -> int:
        side = round(self._number(attributes.get(key, "0")))
        if not 1 <= side <= MAX_SIDE_PX:
            raise self._error(f"a canvas with sides of 1 to {MAX_SIDE_PX} px", f"{side:.0f} px")
        return side

    def _offset(self, attributes: Mapping[str, str], key: str, outer: int) -> int:
        value = outer + self._number(attributes.get(key, "0"))
        if abs(value) > OFFSET_LIMIT_PX:
            raise self._error(f"places within {OFFSET_LIMIT_PX} px", f"{value:g} px")
        return round(value)

    def _number(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError as error:
            raise self._error("numbers in the layer stack", repr(text)[:40]) from error
        if not math.isfinite(value):
            raise self._error("finite numbers in the layer stack", text[:40])
        return value

    def _error(self, expected: str, got: str) -> DocumentError:
        return DocumentError(self.name, expected, got, _HINT)


def _add_layer(parent: ElementTree.Element, layer: StackLayer) -> None:
    ElementTree.SubElement(
        parent,
        "layer",
        {
            "name": _printable(layer.name),
            "src": layer.src,
            "x": str(layer.offset_xy[0]),
            "y": str(layer.offset_xy[1]),
            "opacity": repr(float(layer.opacity)),
            "visibility": _visibility(layer.is_visible),
            "composite-op": PLAIN_BLEND,
        },
    )


def _visibility(is_visible: bool) -> str:
    return "visible" if is_visible else "hidden"


def _printable(name: str) -> str:
    """A name without the signs that XML cannot hold."""
    return "".join(
        sign if sign.isprintable() or sign == " " else "\N{REPLACEMENT CHARACTER}" for sign in name
    )
