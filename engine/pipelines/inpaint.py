"""Fill the holes of a picture: guess the edges inside, paint along them, set the fill in.

For each crop of the plan (see engine/crops.py):

1. The crop becomes float32 RGB in [0, 1]; grey is tripled; transparency is not looked at, it comes back as it was.
2. Edges of the known part are found (Canny), and the edge network completes them inside the hole. The map that guides
   the fill has the predicted edges inside and the found ones outside, as in the paper and in training. How readily a
   predicted edge counts can be asked for. Edges under the eraser go, drawn ones come; where both are, the drawn one
   stays. None of the three changes what the edge network is asked, so it answers once; what it said of the hole is kept.
3. The fill network paints the crop along that map.
4. Composite: ``image * (1 - mask) + fill * mask`` where the mask is above zero. Everything else is copied, never
   converted, so known pixels are the input's bit for bit.
5. The seam is measured, and smoothed if it shows (see engine/seams.py).

A crop with more pixels than the working size is filled coarse to fine. It is shrunk until it fits, known colours alone
being averaged, and filled there as above: that decides what is in the hole. Then, size by size up to its own, the fill
is enlarged and repainted window by window: the edges of the enlarged fill guide the fill network, the surroundings are
its context, and of its answer only the detail is taken; low frequencies stay those of the coarser fill, so windows
agree with each other. Windows fade into each other, and into the coarser fill towards the border of what they repaint.

The published test routine differs in three points, which ``is_official_match`` follows: the whole frame as one crop,
the raw answer of the edge network over the whole frame as edge map, and values cut off instead of rounded. Its output is
also smaller than its input where a side is no multiple of 4; here such a frame is padded by reflection and cut back.

A seed other than 0 asks for a variant: networks see every crop turned, and see other edges (see variants.py).

Letters: h, w a crop's sides in px.
Source: Nazeri et al., "EdgeConnect: Generative Image Inpainting with Adversarial Edge Learning", 2019,
    arXiv:1901.00212, section 3; coarse to fine is ours.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.crops import (
    Box,
    Crop,
    Window,
    context_of,
    count_windows,
    level_sizes,
    plan_crops,
    scan_mask,
    windows_over,
)
from engine.edges import LUMA, canny, centre_lines, luma
from engine.edits import EditInputs, InpaintEdit, plane_values
from engine.errors import MaskError
from engine.memory import digest_of
from engine.pipelines.exchange import Demand, Outcome, Tools
from engine.pipelines.levels import (
    Level,
    enlarge_into,
    scaled,
    shrink_known,
)
from engine.pipelines.pixels import bytes_of, colours_of, floats_of, rgb_of, sixteen_of
from engine.pipelines.variants import Variant, weighed
from engine.seams import RING_PX, Seam, smooth_seam, summarise

CALLS: Mapping[str, str] = {"edges": "predict", "fill": "paint"}
"""Which function of which network the pipeline calls; both blank the hole themselves."""

BAND_ROWS = 512
"""Rows composited together; bounds the memory for a hole of any size."""
EMPTY_NOTE = "nothing to fill: the mask is empty"


def demand(edit: InpaintEdit, inputs: EditInputs) -> Demand:
    """What a fill will need: the working size asked for, and for a whole frame as much as it has."""
    working_px = edit.working_size_px
    if edit.context == "full":
        h, w = inputs.size_hw
        left, top, right, bottom = edit.expand_ltrb
        working_px = max(working_px, math.ceil(math.sqrt((h + top + bottom) * (w + left + right))))
    return Demand(working_px, is_fixed=edit.is_official_match)


def run(edit: InpaintEdit, inputs: EditInputs, tools: Tools) -> Outcome:
    """Fill what the mask selects.

    Args:
        edit: settled, see `InpaintEdit.settled`.
        inputs: not modified.
        tools: networks, caches, progress.

    Returns:
        The picture in its own mode and depth; pixels where the mask is zero equal the input's.

    Raises:
        MaskError: if the mask selects everything or leaves [0, 1].
        Cancelled: if asked to stop; looked at before each network, crop and window.
    """
    with tools.clock("plan"):
        canvas = _Canvas.of(edit, inputs)
        scan = scan_mask(canvas.mask)
        if scan.is_full:
            hint = "nothing is left to fill from, unselect what should stay"
            said = "everything is masked, and nothing is left to fill from"
            raise MaskError(
                "mask", "a part of the picture left unselected", "everything selected", hint, said=said
            )
        crops = plan_crops(
            canvas.mask,
            scan,
            working_px=tools.working_px,
            is_whole_frame=edit.context == "full",
            context_box=context_of(edit),
        )
        result, edges = tools.copy_picture(canvas.image), np.zeros(scan.size_hw, dtype=np.uint8)
    painter = _Painter(edit, canvas, tools)
    counts = [painter.count_steps(crop) for crop in crops]
    tools.steps.restart(sum(counts))
    reports, seams = [], []
    for place, crop in enumerate(crops):
        report, seam = painter.paint(crop, result, edges)
        reports.append(report)
        seams.append(seam)
        tools.steps.catch_up(sum(counts[: place + 1]))
    tools.steps.finish("done")
    notes = () if crops else (EMPTY_NOTE,)
    return Outcome(result, tuple(reports), notes, summarise(seams), edges)


@dataclass(frozen=True)
class _Canvas:
    """The inputs, with new canvas around them where the edit asks for it."""

    image: np.ndarray
    mask: np.ndarray
    drawn: np.ndarray | None
    erased: np.ndarray | None

    @classmethod
    def of(cls, edit: InpaintEdit, inputs: EditInputs) -> "_Canvas":
        mask = np.zeros(inputs.size_hw, np.bool_) if inputs.mask is None else inputs.mask
        if not edit.is_expanding:
            return cls(inputs.image, mask, inputs.drawn_edges, inputs.erased_edges)
        left, top, right, bottom = edit.expand_ltrb

        def grown(plane: np.ndarray, value: float) -> np.ndarray:
            sides = ((top, bottom), (left, right), *(((0, 0),) * (plane.ndim - 2)))
            return np.pad(plane, sides, constant_values=value)

        image = grown(inputs.image, 0)
        if image.ndim == 3 and image.shape[2] in (2, 4):
            image[..., -1] = grown(inputs.image[..., -1], np.iinfo(image.dtype).max)
        whole = 1 if mask.dtype in (np.bool_, np.float32) else np.iinfo(mask.dtype).max
        drawn, erased = inputs.drawn_edges, inputs.erased_edges
        return cls(
            image,
            grown(mask, whole),
            None if drawn is None else grown(drawn, 0),
            None if erased is None else grown(erased, 0),
        )


@dataclass(frozen=True)
class _Lines:
    """Drawn and erased edges of one crop at one size, (h, w) float32 in [0, 1]; None where there are none."""

    drawn: np.ndarray | None
    erased: np.ndarray | None

    def applied(self, edges: np.ndarray) -> np.ndarray:
        """What is erased goes, what is drawn stays."""
        if self.erased is not None:
            edges = edges * (1 - self.erased)
        if self.drawn is not None:
            edges = np.maximum(edges, self.drawn)
        return edges

    def within(self, box: Box) -> "_Lines":
        """The part inside a box."""
        return self._mapped(lambda plane, _: plane[box.slices])

    def shrunk(self, size_hw: tuple[int, int]) -> "_Lines":
        """The same lines at a smaller size: a line of one pixel keeps its full strength."""
        import cv2

        def smaller(plane: np.ndarray, is_line: bool) -> np.ndarray:
            if plane.shape == size_hw:
                return plane
            gain = math.sqrt(plane.size / (size_hw[0] * size_hw[1])) if is_line else 1.0
            area = cv2.resize(plane, size_hw[::-1], interpolation=cv2.INTER_AREA)
            return np.asarray(np.minimum(area * np.float32(gain), 1))

        return self._mapped(smaller)

    def _mapped(self, change: Callable[[np.ndarray, bool], np.ndarray]) -> "_Lines":
        return _Lines(
            None if self.drawn is None else change(self.drawn, True),
            None if self.erased is None else change(self.erased, False),
        )


class _Painter:
    """Fills one crop after the other; holds what does not change between them."""

    def __init__(self, edit: InpaintEdit, canvas: _Canvas, tools: Tools) -> None:
        self._edit = edit
        self._canvas = canvas
        self._tools = tools
        self._variant = Variant.of(
            edit.seed, edge_sigma=edit.edge_sigma, edge_sensitivity=edit.edge_sensitivity
        )

    # Crop by crop ----------------------------------------------------------------------------------------------------

    def sizes(self, crop: Crop) -> tuple[tuple[int, int], ...]:
        """Levels of a crop, coarse to fine."""
        if self._edit.is_official_match:
            return (crop.frame.size_hw,)
        return level_sizes(crop.frame.size_hw, self._tools.working_px)

    def count_steps(self, crop: Crop) -> int:
        """Calls of networks, about: edges, fill, and a fill for each window."""
        frame_h, frame_w = crop.frame.size_hw
        hole_h, hole_w = crop.hole.size_hw
        windows = sum(
            count_windows((hole_h * h // frame_h, hole_w * w // frame_w), self._tools.working_px)
            for h, w in self.sizes(crop)[1:]
        )
        return 2 + windows

    def paint(self, crop: Crop, result: np.ndarray, edges: np.ndarray) -> tuple[dict[str, Any], Seam]:
        """Fill one crop; writes its hole into ``result`` and its edge map into ``edges``.

        Returns:
            The crop's entry in the report, and its seam.
        """
        tools, frame = self._tools, crop.frame
        sizes = self.sizes(crop)
        if len(sizes) == 1:
            fill, used = self._fill_once(floats_of(rgb_of(self._canvas.image[frame.slices])), frame)
            windows = 0
        else:
            fill, used, windows = self._fill_coarse_to_fine(crop, sizes)
        edges[frame.slices] = np.maximum(edges[frame.slices], used)
        tools.steps.begin("composite")
        own = np.zeros(frame.size_hw, dtype=np.bool_)
        hole = crop.hole.inside(frame).slices
        own[hole] = self._canvas.mask[crop.hole.slices] != 0
        with tools.clock("composite"):
            self._composite(colours_of(result)[frame.slices], fill, self._canvas.mask[frame.slices], own)
        with tools.clock("seam"):
            seam = self._seam(crop, result)
        box = [frame.x0, frame.y0, frame.x1, frame.y1]
        report = {
            "frame": box,
            "hole": [crop.hole.x0, crop.hole.y0, crop.hole.x1, crop.hole.y1],
            "hole_px": crop.hole_px,
            "levels_hw": [list(size) for size in sizes],
            "windows": windows,
            "seam": seam.as_dict(),
        }
        return report, seam

    def _composite(self, colours: np.ndarray, fill: np.ndarray, mask: np.ndarray, own: np.ndarray) -> None:
        """Set the fill into ``colours`` (h, w, C) where ``own`` is True, in bands of rows."""
        top = float(np.iinfo(colours.dtype).max)
        is_official = self._edit.is_official_match
        for first in range(0, own.shape[0], BAND_ROWS):
            rows = slice(first, first + BAND_ROWS)
            chosen = own[rows]
            if not chosen.any():
                continue
            new = floats_of(fill[rows][chosen])
            if colours.shape[2] == 1:
                new = (new @ np.array(LUMA, np.float32))[:, None]
            if not is_official:  # there, any value above zero is hole and nothing else
                share = plane_values("mask", mask[rows])[chosen][:, None]
                new = floats_of(colours[rows][chosen]) * (1 - share) + new * share
            values = np.clip(new * np.float32(top), 0, top)
            colours[rows][chosen] = (values if is_official else np.rint(values)).astype(colours.dtype)

    def _seam(self, crop: Crop, result: np.ndarray) -> Seam:
        """Look along the border of the hole, and smooth it unless the published routine is to be matched."""
        if self._edit.is_official_match:
            return Seam()
        size_hw = (result.shape[0], result.shape[1])
        around = crop.hole.grown(RING_PX + 2, size_hw)
        mask = self._canvas.mask[around.slices]
        hole = np.zeros(mask.shape, dtype=np.bool_)
        inner = crop.hole.inside(around).slices
        hole[inner] = mask[inner] != 0
        return smooth_seam(colours_of(result)[around.slices], hole, mask == 0, plane_values("mask", mask))

    # One size --------------------------------------------------------------------------------------------------------

    def _fill_once(self, image: np.ndarray, frame: Box) -> tuple[np.ndarray, np.ndarray]:
        """Fill a crop as it is: (h, w, 3) float32, and its edge map (h, w) uint8."""
        hole = self._canvas.mask[frame.slices] != 0
        return self._guess_and_paint(image, hole, self._lines(frame), frame)

    def _guess_and_paint(
        self, image: np.ndarray, hole: np.ndarray, lines: _Lines, frame: Box
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fill a crop at one size; ``frame`` says where it lies in the picture."""
        tools = self._tools
        tools.steps.begin("edges")
        with tools.clock("edges"):
            edges = lines.applied(self._guess_edges(image, hole))
        tools.steps.end("edges")
        tools.steps.begin("fill")
        with tools.clock("fill"):
            fill = self._call("fill", image, edges, hole)
        tools.steps.end("fill", bytes_of(np.where(hole[..., None], fill, image)), _corners(frame))
        return fill, bytes_of(edges)

    def _guess_edges(self, image: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """(h, w) float32: found edges outside the hole, predicted ones inside, which are soft."""
        gray = luma(image)
        found = canny(gray, sigma=self._variant.edge_sigma, known=~hole)
        if self._edit.edge_source == "drawn":
            return np.asarray(found & ~hole, dtype=np.float32)
        blanked = np.where(hole, 1, gray).astype(np.float32)
        is_official = self._edit.is_official_match

        def ask() -> np.ndarray:
            answer = self._call("edges", blanked, found, hole)
            return answer if is_official else answer[hole]

        kept = "frame" if is_official else "hole"
        key = digest_of(self._tools.tag, self._variant.tag, kept, blanked, found, hole)
        predicted = self._tools.codes.get(key, ask)
        if is_official:
            return predicted
        edges = found.astype(np.float32)
        edges[hole] = weighed(predicted, self._variant.edge_sensitivity)
        return edges

    def _call(self, name: str, *planes: np.ndarray) -> np.ndarray:
        """Call a network, padded by reflection where a side breaks its size rule and only then."""
        planes = tuple(self._variant.shown(plane) for plane in planes)
        h, w = planes[0].shape[:2]
        multiple, least = self._tools.size_multiple, self._tools.min_side_px
        below, beside = (max(-(-side // multiple) * multiple, least) - side for side in (h, w))
        padded = planes
        if below or beside:
            padded = tuple(
                np.pad(plane, ((0, below), (0, beside), *(((0, 0),) * (plane.ndim - 2))), mode="reflect")
                for plane in planes
            )
        return self._variant.turned_back(self._tools.calls[name](*padded)[:h, :w])

    def _lines(self, frame: Box) -> _Lines:
        def part(name: str, plane: np.ndarray | None) -> np.ndarray | None:
            return None if plane is None else plane_values(name, plane[frame.slices])

        drawn = part("drawn_edges", self._canvas.drawn)
        if drawn is not None and not self._edit.is_official_match:  # there, edge maps are taken as they are
            drawn = centre_lines(drawn)
        return _Lines(drawn, part("erased_edges", self._canvas.erased))

    # Coarse to fine --------------------------------------------------------------------------------------------------

    def _fill_coarse_to_fine(
        self, crop: Crop, sizes: tuple[tuple[int, int], ...]
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Fill a large crop: (h, w, 3) uint16, its edge map (h, w) uint8, and how many windows it took.

        Levels are kept as uint16: half the memory of floats, and 257 times finer than what is seen.
        """
        image = sixteen_of(rgb_of(self._canvas.image[crop.frame.slices]))
        hole = self._canvas.mask[crop.frame.slices] != 0
        lines = self._lines(crop.frame)
        level, level_hole = shrink_known(image, hole, sizes[0])
        if level_hole.any():
            fill, used = self._guess_and_paint(
                floats_of(level), level_hole, lines.shrunk(sizes[0]), crop.frame
            )
            level[level_hole] = sixteen_of(fill[level_hole])
        count = 0
        for size_hw in sizes[1:]:
            own_box = scaled(crop.hole.inside(crop.frame), crop.frame.size_hw, size_hw)
            coarse = level
            # The last one is written into the picture's own copy: no other level is as large.
            is_last = size_hw == hole.shape
            level, level_hole = (image, hole) if is_last else shrink_known(image, hole, size_hw)
            enlarge_into(level, level_hole, coarse)
            own = np.zeros_like(level_hole)
            own[own_box.slices] = level_hole[own_box.slices]
            used, level_lines = np.zeros(size_hw, dtype=np.uint8), lines.shrunk(size_hw)
            painted = Level.of(level, own)
            for window in windows_over(own, self._tools.working_px):
                self._repaint(painted, window, level_lines, used, crop.frame)
                count += 1
        return level, used, count

    def _repaint(
        self,
        level: Level,
        window: Window,
        lines: _Lines,
        used: np.ndarray,
        place: Box,
    ) -> None:
        """Give one window of a level its detail; changes ``level`` and ``used`` in place.

        ``place`` is where the whole level lies in the picture.
        """
        tools, frame = self._tools, window.frame
        tools.steps.begin("refine")
        with tools.clock("refine"):
            image = floats_of(level.pixels[frame.slices])
            found = canny(luma(image), sigma=self._variant.edge_sigma).astype(np.float32)
            edges = lines.within(frame).applied(found)
            level.take(window, self._call("fill", image, edges, level.target(window)))
            shown = ~level.own[frame.slices]
            shown[window.core.inside(frame).slices] = True
            used[frame.slices][shown] = bytes_of(edges)[shown]
        seen = scaled(frame, level.own.shape, place.size_hw)
        tools.steps.end("refine", bytes_of(floats_of(level.pixels[frame.slices])), _corners(seen, place))


def _corners(box: Box, within: Box | None = None) -> tuple[int, int, int, int]:
    """The box in the picture; given from the top left of ``within``, if that is given."""
    x, y = (0, 0) if within is None else (within.x0, within.y0)
    return box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y
