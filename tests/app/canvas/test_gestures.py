import math

import pytest

from app.canvas.gestures import Drag, Pinch, wheel_scale
from app.canvas.viewport import Viewport


@pytest.fixture
def viewport() -> Viewport:
    made = Viewport((1000, 1000), (400.0, 400.0))
    made.zoom_to(1.0)
    return made


def test_a_pan_keeps_the_point_under_the_pointer(viewport):
    held = viewport.to_canvas(100, 100)
    drag = Drag("pan", (100, 100), (100, 100))
    for at in ((120, 90), (180, 60)):
        assert drag.to(at, viewport) == 1.0
        assert viewport.to_canvas(*at) == pytest.approx(held)


def test_a_zoom_drag_holds_where_it_started(viewport):
    held = viewport.to_canvas(100, 100)
    Drag("zoom", (100, 100), (100, 100)).to((187, 100), viewport)
    assert viewport.scale == pytest.approx(2.0, rel=0.01)
    assert viewport.to_canvas(100, 100) == pytest.approx(held, abs=0.5)


def test_a_turn_follows_the_pointer_round_the_middle(viewport):
    Drag("rotate", (300, 200), (300, 200)).to((200, 300), viewport)
    assert viewport.rotation_deg == pytest.approx(90.0)


def test_a_size_drag_counts_sideways_pixels_and_leaves_the_view(viewport):
    before = viewport.matrix
    drag = Drag("resize", (100, 100), (100, 100))
    assert drag.to((102, 300), viewport) == 1.0
    assert drag.to((110, 300), viewport) == pytest.approx(math.exp(0.08))
    assert drag.to((100, 300), viewport) == pytest.approx(math.exp(-0.08))
    assert viewport.matrix == before


def test_two_fingers_keep_what_lies_under_them(viewport):
    one, other = (100.0, 150.0), (300.0, 150.0)
    held = viewport.to_canvas(*one), viewport.to_canvas(*other)
    Pinch(one, other).to((80.0, 200.0), (380.0, 200.0), viewport)
    assert viewport.scale == pytest.approx(1.5)
    assert viewport.to_canvas(80.0, 200.0) == pytest.approx(held[0], abs=1.0)
    assert viewport.to_canvas(380.0, 200.0) == pytest.approx(held[1], abs=1.0)


def test_two_wobbling_fingers_do_not_turn_the_view_but_a_real_turn_does(viewport):
    pinch = Pinch((100.0, 200.0), (300.0, 200.0))
    pinch.to((100.0, 190.0), (300.0, 210.0), viewport)
    assert viewport.rotation_deg == 0.0
    pinch.to((120.0, 140.0), (280.0, 260.0), viewport)
    assert viewport.rotation_deg == pytest.approx(math.degrees(math.atan2(120, 160)), abs=0.1)


def test_four_notches_double_the_scale():
    assert wheel_scale(1.0, 480.0) == pytest.approx(2.0)
    assert wheel_scale(1.0, -480.0) == pytest.approx(0.5)


def test_the_wheel_stops_at_100_percent():
    assert wheel_scale(0.95, 120.0) == 1.0
    assert wheel_scale(1.05, -120.0) == 1.0
    assert wheel_scale(1.0, 120.0) > 1.0
