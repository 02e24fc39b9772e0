from app.canvas.pointer import PointerEvent


def test_modifiers_are_asked_by_name():
    event = PointerEvent("press", (1.0, 2.0), modifiers=frozenset({"shift", "alt"}))
    assert (event.shift, event.ctrl, event.alt) == (True, False, True)


def test_a_mouse_presses_fully_and_stands_upright():
    event = PointerEvent("press", (1.0, 2.0))
    assert (event.pressure, event.tilt_xy, event.is_eraser_end) == (1.0, (0.0, 0.0), False)


def test_a_moved_event_keeps_everything_else():
    event = PointerEvent("move", (1.0, 2.0), pressure=0.3, device="pen")
    moved = event.moved_to((9.0, 9.0))
    assert (moved.canvas_xy, moved.pressure, moved.device) == ((9.0, 9.0), 0.3, "pen")
    assert event.canvas_xy == (1.0, 2.0)
