import numpy as np

from app.sheet import (
    HOLE_COLOUR,
    KNOWN_COLOUR,
    MARGIN_PX,
    PANEL_WIDTH_PX,
    PAPER,
    Row,
    ShapeRow,
    draw_edges,
    draw_sheet,
    mark_hole,
)


def make_row(height: int = 40, width: int = 60) -> Row:
    picture = np.full((height, width, 3), 90, dtype=np.uint8)
    hole = np.zeros((height, width), dtype=bool)
    hole[10:20, 10:20] = True
    edges = np.zeros((height, width), dtype=np.uint8)
    edges[15] = 255
    return Row("A title", "a thing", "60 x 40 px", picture, picture.copy(), hole, edges)


def test_the_sheet_holds_three_panels_a_row_and_grows_with_rows() -> None:
    one = draw_sheet([make_row()], subtitle="words")
    two = draw_sheet([make_row(), make_row(60, 40)], subtitle="words")
    assert one.mode == "RGB"
    assert one.width == two.width > 3 * PANEL_WIDTH_PX
    assert two.height > one.height + PANEL_WIDTH_PX * 60 // 40


def test_the_hole_is_tinted_and_outlined_and_the_rest_untouched() -> None:
    row = make_row()
    marked = mark_hole(row.before, row.hole)
    assert (marked[15, 15] != row.before[15, 15]).any()
    assert tuple(marked[9, 15]) == HOLE_COLOUR
    assert (marked[30:] == row.before[30:]).all()
    assert (row.before == 90).all()


def test_known_and_guessed_edges_have_their_own_colours() -> None:
    row = make_row()
    panel = np.asarray(draw_edges(row.before, row.hole, row.edges, (60, 40)))
    assert tuple(panel[15, 5]) == KNOWN_COLOUR
    assert tuple(panel[15, 15]) == HOLE_COLOUR
    assert tuple(panel[30, 30]) not in (KNOWN_COLOUR, HOLE_COLOUR)


def test_every_edge_survives_a_smaller_panel() -> None:
    row = make_row()
    panel = np.asarray(draw_edges(row.before, row.hole, row.edges, (20, 13)))
    assert (panel[15 * 13 // 40, :3] == KNOWN_COLOUR).all()


def test_a_faint_guess_is_drawn_faintly() -> None:
    """A fifth of certainty shows at its square root, a bit under half: faint, and still seen."""
    row = make_row()
    row.edges[15] = 51
    panel = np.asarray(draw_edges(row.before, row.hole, row.edges, (60, 40))).astype(int)
    gain = panel[15, 15] - panel[12, 12]
    assert HOLE_COLOUR[0] // 4 < gain[0] < HOLE_COLOUR[0] // 2


def make_shape_row(size_hw: tuple[int, int] = (40, 60), new_hw: tuple[int, int] = (40, 120)) -> ShapeRow:
    after = np.full((*new_hw, 4), 200, dtype=np.uint8)
    after[..., 3] = 255
    after[:, : new_hw[1] // 2, 3] = 0
    lock = np.zeros(size_hw, dtype=bool)
    return ShapeRow(
        "A title", "60 x 40 px to 120 x 40 px", "1 s", np.full((*size_hw, 3), 123, np.uint8), after, lock
    )


def test_a_new_shape_lies_beside_the_old_one_at_the_same_scale_with_paper_where_it_is_transparent() -> None:
    sheet = np.asarray(draw_sheet([make_row()], subtitle="words", remade=[make_shape_row()]))
    below = sheet[draw_sheet([make_row()], subtitle="words").height - MARGIN_PX :]
    before, after = (below == 123).all(axis=2), (below == 200).all(axis=2)
    assert before.any(axis=0).sum() == 2 * 60
    assert 110 <= after.any(axis=0).sum() <= 2 * 60  # the visible half, less what the resizing softened
    assert before.any(axis=1).sum() == after.any(axis=1).sum() == 2 * 40
    assert (below == PAPER).all(axis=2).mean() > 0.5


def test_large_new_shapes_are_shrunk_to_fit() -> None:
    sheet = draw_sheet([make_row()], subtitle="words", remade=[make_shape_row((400, 900), (400, 3000))])
    assert sheet.width == draw_sheet([make_row()], subtitle="words").width
