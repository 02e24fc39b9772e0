"""Draw the demo's contact sheet: for each photo the hole, the edges that guided the fill, and the result.

One row a photo, three panels of one width. Below, pictures that were remade at another shape, beside what they were and
at the same scale: that their elements kept their size is what is to be seen.

The hole is tinted and outlined, never painted over: what was removed can
still be seen. Known edges and guessed edges have two colours that people with any colour vision tell apart, and the
guessed ones are the brighter: they are what the program invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

PANEL_WIDTH_PX = 500
MARGIN_PX = 40
GAP_PX = 16
ROW_GAP_PX = 34
TITLE_PX = 40
HEADING_PX = 24
CAPTION_PX = 16
ROW_WIDTH_PX = 3 * PANEL_WIDTH_PX + 2 * GAP_PX
SECTION_PX = 52
ENLARGED_AT_MOST = 2.0
"""A small picture that is remade; larger, it would only be blurred."""

PAPER = (250, 248, 244)
INK = (34, 32, 30)
SOFT_INK = (112, 106, 98)
# Orange and blue of the Okabe-Ito palette, chosen for all kinds of colour vision; blue is lightened for a dark panel.
HOLE_COLOUR = (230, 159, 0)
KNOWN_COLOUR = (86, 150, 200)


@dataclass(frozen=True)
class Row:
    """One photo of the sheet."""

    title: str
    """Two to five words."""

    removed: str
    """What the mask covers, as a noun."""

    figures: str
    """Size, time, place: one short line."""

    before: np.ndarray
    """(H, W, 3) uint8."""

    after: np.ndarray
    """(H, W, 3) uint8."""

    hole: np.ndarray
    """(H, W) bool."""

    edges: np.ndarray
    """(H, W) uint8: the edge map that guided the fill, known and guessed; 255 = surely an edge."""


@dataclass(frozen=True)
class ShapeRow:
    """One picture that was remade at another shape."""

    title: str
    """Two to five words."""

    change: str
    """From which size to which."""

    figures: str
    """Time and place: one short line."""

    before: np.ndarray
    """(H, W, 3) uint8."""

    after: np.ndarray
    """(h, w, 4) uint8."""

    lock: np.ndarray
    """(H, W) bool: what kept its shape."""


def draw_sheet(rows: Sequence[Row], *, subtitle: str, remade: Sequence[ShapeRow] = ()) -> Image.Image:
    """Lay the rows out on one page.

    Args:
        rows: the photos, in order; at least one.
        subtitle: one line under the title.
        remade: pictures at another shape, below.

    Returns:
        An RGB image, as wide as three panels and as high as it must be.
    """
    panels = [_panels(row) for row in rows]
    head = MARGIN_PX + TITLE_PX + 14 + CAPTION_PX + 24 + CAPTION_PX + 12
    row_heads = HEADING_PX + 8 + CAPTION_PX + 14
    pairs = [_pair(row) for row in remade]
    heights = [three[0].height for three in panels] + [max(one.height for one in pair) for pair in pairs]
    height = head + sum(row_heads + each + ROW_GAP_PX for each in heights) + MARGIN_PX - ROW_GAP_PX
    height += SECTION_PX if remade else 0
    width = 2 * MARGIN_PX + ROW_WIDTH_PX
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)

    title, heading, caption = (ImageFont.load_default(size) for size in (TITLE_PX, HEADING_PX, CAPTION_PX))
    pen.text((MARGIN_PX, MARGIN_PX - 8), "Pentimento", font=title, fill=INK)
    pen.text((MARGIN_PX, MARGIN_PX + TITLE_PX + 6), subtitle, font=caption, fill=SOFT_INK)
    y = head - CAPTION_PX - 8
    _draw_legend(pen, y, caption)
    y = head

    def write_head(y: int, title: str, words: str, figures: str) -> int:
        y += ROW_GAP_PX // 2
        pen.text((MARGIN_PX, y), title, font=heading, fill=INK)
        y += HEADING_PX + 8
        pen.text((MARGIN_PX, y), words, font=caption, fill=SOFT_INK)
        pen.text((width - MARGIN_PX, y), figures, font=caption, fill=SOFT_INK, anchor="ra")
        return y + CAPTION_PX + 14

    for row, three in zip(rows, panels, strict=True):
        y = write_head(y, row.title, f"removed: {row.removed}", row.figures)
        for column, panel in enumerate(three):
            sheet.paste(panel, (_column_x(column), y))
        y += three[0].height + ROW_GAP_PX // 2
    if remade:
        words = "Remade at another shape, at the same scale: nothing was learned, nothing is drawn out"
        pen.text((MARGIN_PX, y + ROW_GAP_PX // 2), words, font=caption, fill=SOFT_INK)
        y += SECTION_PX
    for shape_row, (before, after) in zip(remade, pairs, strict=True):
        y = write_head(y, shape_row.title, shape_row.change, shape_row.figures)
        sheet.paste(before, (MARGIN_PX, y))
        sheet.paste(after, (MARGIN_PX + before.width + GAP_PX, y), after)
        y += max(before.height, after.height) + ROW_GAP_PX // 2
    return sheet


def mark_hole(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Tint the hole and draw its outline.

    Args:
        picture: (H, W, 3) uint8; not modified.
        hole: (H, W) bool.

    Returns:
        (H, W, 3) uint8.
    """
    marked = picture.copy()
    tint = np.asarray(HOLE_COLOUR, dtype=np.float32)
    marked[hole] = (picture[hole] * 0.55 + tint * 0.45).astype(np.uint8)
    area = Image.fromarray(hole.astype(np.uint8) * 255)
    outline = np.asarray(area.filter(ImageFilter.MaxFilter(5))) > np.asarray(area)
    marked[outline] = HOLE_COLOUR
    return marked


def draw_edges(
    picture: np.ndarray, hole: np.ndarray, edges: np.ndarray, size: tuple[int, int]
) -> Image.Image:
    """Draw known and guessed edges over a darkened grey picture, each edge pixel at least one pixel of the panel.

    Args:
        picture: (H, W, 3) uint8.
        hole: (H, W) bool.
        edges: (H, W) uint8, 255 = edge; the less certain a guess, the fainter it shows.
        size: (width, height) of the panel in pixels.

    Returns:
        An RGB image of that size.
    """
    ground = Image.fromarray(picture).convert("L").resize(size, Image.Resampling.LANCZOS)
    panel = np.repeat((np.asarray(ground, dtype=np.float32) * 0.22 + 14)[..., None], 3, axis=2).astype(
        np.uint8
    )
    shade = np.asarray(Image.fromarray(hole.astype(np.uint8) * 255).resize(size)) > 127
    panel[shade] = panel[shade] // 2
    width, height = size
    for area, colour in ((~hole, KNOWN_COLOUR), (hole, HOLE_COLOUR)):
        ys, xs = np.nonzero(area & (edges > 0))
        strength = np.zeros((height, width, 1), dtype=np.float32)
        places = (ys * height // edges.shape[0], xs * width // edges.shape[1], 0)
        # The square root keeps a faint guess visible; found edges are all or nothing.
        np.maximum.at(strength, places, np.sqrt(edges[ys, xs] / np.float32(255)))
        panel = (panel * (1 - strength) + np.asarray(colour) * strength).astype(np.uint8)
    return Image.fromarray(panel)


def _panels(row: Row) -> tuple[Image.Image, Image.Image, Image.Image]:
    height_px = round(row.before.shape[0] * PANEL_WIDTH_PX / row.before.shape[1])
    size = (PANEL_WIDTH_PX, height_px)
    before = Image.fromarray(mark_hole(row.before, row.hole)).resize(size, Image.Resampling.LANCZOS)
    after = Image.fromarray(row.after).resize(size, Image.Resampling.LANCZOS)
    return before, draw_edges(row.before, row.hole, row.edges, size), after


def _pair(row: ShapeRow) -> tuple[Image.Image, Image.Image]:
    """Before and after at one scale, so that both fit beside each other."""
    total = row.before.shape[1] + row.after.shape[1]
    scale = min((ROW_WIDTH_PX - GAP_PX) / total, ENLARGED_AT_MOST)

    def sized(picture: np.ndarray) -> Image.Image:
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        return Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)

    return sized(mark_hole(row.before, row.lock)), sized(row.after)


def _column_x(column: int) -> int:
    return MARGIN_PX + column * (PANEL_WIDTH_PX + GAP_PX)


def _draw_legend(pen: ImageDraw.ImageDraw, y: int, font: ImageFont.FreeTypeFont) -> None:
    """Name the three columns; in the second, name the two colours by a dash of each."""
    pen.text((_column_x(0), y), "before, with the hole", font=font, fill=INK)
    x = _column_x(1)
    for colour, words in ((KNOWN_COLOUR, "known edges"), (HOLE_COLOUR, "edges guessed for the fill")):
        pen.line([(x, y + 10), (x + 22, y + 10)], fill=colour, width=4)
        pen.text((x + 30, y), words, font=font, fill=INK)
        x += 30 + round(pen.textlength(words, font=font)) + 26
    pen.text((_column_x(2), y), "after", font=font, fill=INK)
