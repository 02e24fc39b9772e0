"""Whatever is drawn with whatever tool: undo goes back through every state, redo forward, and strokes replay."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.canvas.tools.registry import make_tools
from app.document.painting import replay

PLANES = ("drawn", "erased", "locked")
DRAWING = ("brush", "eraser", "edge_lock", "rectangle", "ellipse", "lasso", "bucket", "wand")
places = st.tuples(st.floats(-50, 350), st.floats(-50, 250))
held = st.sampled_from(["", "shift", "alt", "ctrl", "shift alt"])
gestures = st.tuples(
    st.sampled_from(DRAWING),
    st.sampled_from(["mask", "edges"]),
    st.lists(st.tuples(places, held, st.floats(0, 1)), min_size=1, max_size=5),
    st.booleans(),
)


def state(bench):
    return [bench.mask.copy(), *(bench.edges(plane).copy() for plane in PLANES)]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=st.lists(gestures, min_size=1, max_size=6))
def test_undo_and_redo_go_through_every_state(bench, todo):
    bench.__init__()
    tools = make_tools(bench.context)
    states = [state(bench)]
    for tool_id, target, points, is_cancelled in todo:
        bench.context.target = target
        tool, document = tools[tool_id], bench.document
        could_undo = document.undo_label
        (x, y), keys, pressure = points[0]
        bench.press(tool, x, y, keys, pressure=pressure, device="pen")
        for (x, y), keys, pressure in points[1:]:
            bench.move(tool, x, y, keys, pressure=pressure, device="pen")
        if is_cancelled and tool.is_busy:
            tool.cancel()
            assert same(state(bench), states[-1])
            assert document.undo_label == could_undo
            continue
        bench.release(tool, x, y, keys, device="pen", pressure=0)
        now = state(bench)
        if not same(now, states[-1]):
            states.append(now)
    for earlier in reversed(states[:-1]):
        undo_to(bench, earlier)
    for later in states[1:]:
        redo_to(bench, later)


def undo_to(bench, expected):
    """Entries that changed strokes alone (painting what is full already) lie between states."""
    while not same(state(bench), expected):
        assert bench.document.undo()


def redo_to(bench, expected):
    while not same(state(bench), expected):
        assert bench.document.redo()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    todo=st.lists(gestures.filter(lambda gesture: gesture[0] in DRAWING[:3]), min_size=1, max_size=5),
    smoothing=st.floats(0, 1),
)
def test_all_kept_strokes_replayed_on_an_empty_document_give_the_same_planes(bench, todo, smoothing):
    bench.__init__()
    bench.context.set_brush("mask", "brush", smoothing=smoothing, hardness=0.4, opacity=0.7)
    tools = make_tools(bench.context)
    for tool_id, target, points, _ in todo:
        bench.context.target = target
        (x, y), keys, pressure = points[0]
        bench.press(tools[tool_id], x, y, keys, pressure=pressure, device="pen")
        for (x, y), keys, pressure in points[1:]:
            bench.move(tools[tool_id], x, y, keys, pressure=pressure, device="pen")
        bench.release(tools[tool_id], x, y, keys, device="pen", pressure=0)
    expected, strokes = (
        state(bench),
        (
            list(bench.document.mask_layer.strokes),
            list(bench.document.edges_layer.strokes),
        ),
    )
    bench.__init__()
    layers = (bench.document.mask_layer, bench.document.edges_layer)
    for layer, kept in zip(layers, strokes, strict=True):
        for stroke in kept:
            with bench.document.begin("Replay") as transaction:
                replay(transaction, layer, stroke)
    assert same(state(bench), expected)
