import pytest

from app.canvas.viewport import KEEP_VISIBLE_PX, LARGEST_FIT, MAX_SCALE, MIN_SCALE, Viewport


def viewport(**more) -> Viewport:
    return Viewport((600, 800), (500.0, 400.0), **more)


def turned() -> Viewport:
    made = viewport()
    made.zoom_to(1.7)
    made.rotate_by(33.0)
    made.mirror()
    return made


@pytest.mark.parametrize("made", [viewport(), viewport(device_ratio=2.0), turned()])
def test_there_and_back_again(made):
    assert made.to_canvas(*made.to_view(123.25, 456.5)) == pytest.approx((123.25, 456.5))


def test_fit_shows_all_with_a_margin():
    made = viewport()
    made.fit()
    x0, y0, x1, y1 = made.to_view_box((0, 0, 800, 600))
    assert x0 >= 23
    assert y0 >= 23
    assert x1 <= 477
    assert y1 <= 377
    assert (x0 + x1) / 2 == pytest.approx(250, abs=1)
    assert min(x0, y0) <= 25


def test_fit_of_a_turned_canvas_shows_all():
    made = viewport()
    made.rotate_by(45.0)
    made.fit()
    x0, y0, x1, y1 = made.to_view_box((0, 0, 800, 600))
    assert min(x0, y0) >= 0
    assert x1 <= 500
    assert y1 <= 400


def test_a_tiny_picture_is_not_blown_up_without_end():
    made = Viewport((4, 4), (500, 400))
    made.fit()
    assert made.scale == LARGEST_FIT


@pytest.mark.parametrize("at", [(10.0, 20.0), (250.0, 200.0), (499.0, 3.0)])
def test_zoom_holds_the_point_under_the_pointer(at):
    made = viewport()
    made.fit()
    made.zoom_to(0.9)
    before = made.to_canvas(*at)
    made.zoom_to(2.4, at)
    assert made.to_canvas(*at) == pytest.approx(before, abs=0.5)  # the origin lies on a whole pixel


def test_zoom_stays_in_its_range():
    made = viewport()
    made.zoom_to(1e9)
    assert made.scale == MAX_SCALE
    made.zoom_to(0.0)
    assert made.scale == MIN_SCALE


def test_zoom_steps_are_whole_and_meet_100_percent():
    made = viewport()
    made.zoom_to(0.7)
    made.zoom_step(1)
    assert made.scale == 1.0
    made.zoom_step(1)
    assert made.scale == 1.5
    made.zoom_step(-2)
    assert made.scale == pytest.approx(0.6667)
    made.zoom_step(100)
    assert made.scale == MAX_SCALE


def test_100_percent_is_a_device_pixel_on_a_dense_screen():
    made = viewport(device_ratio=2.0)
    made.zoom_to(1.0)
    assert made.view_scale == 0.5
    assert made.device_matrix.a == 1.0


@pytest.mark.parametrize("degrees", [0.0, 90.0, 20.0])
def test_the_origin_lies_on_a_whole_device_pixel(degrees):
    made = viewport(device_ratio=1.5)
    made.zoom_to(0.77)
    made.rotate_by(degrees)
    made.pan_by(3.3, 4.1)
    matrix = made.device_matrix
    assert matrix.e == pytest.approx(round(matrix.e), abs=1e-6)
    assert matrix.f == pytest.approx(round(matrix.f), abs=1e-6)


def test_quarter_turns_are_exact():
    made = viewport()
    made.rotate_by(90.0)
    assert made.is_upright
    assert (made.matrix.a, made.matrix.d) == (0.0, 0.0)
    assert (made.matrix.b, made.matrix.c) == (1.0, -1.0)


def test_mirror_swaps_left_and_right_of_what_is_seen():
    made = viewport()
    made.rotate_by(30.0)
    x, y = made.to_view(350.0, 280.0)
    made.mirror()
    assert made.to_view(350.0, 280.0) == pytest.approx((500.0 - x, y), abs=1.0)
    made.mirror()
    assert made.to_view(350.0, 280.0) == pytest.approx((x, y), abs=1.0)
    assert made.rotation_deg == pytest.approx(30.0)


def test_reset_stands_upright():
    made = turned()
    made.reset_rotation()
    assert (made.rotation_deg, made.is_mirrored) == (0.0, False)


def test_panning_never_loses_the_canvas():
    made = viewport()
    made.pan_by(1e6, -1e6)
    x0, _, _, y1 = made.to_view_box((0, 0, 800, 600))
    assert x0 == pytest.approx(500 - KEEP_VISIBLE_PX, abs=1)
    assert y1 == pytest.approx(KEEP_VISIBLE_PX, abs=1)


def test_a_resized_window_looks_at_the_same_place():
    made = viewport()
    made.zoom_to(2.0)
    made.pan_by(40.0, -30.0)
    before = made.to_canvas(250, 200)
    made.resize((900, 700), 1.0)
    assert made.to_canvas(450, 350) == pytest.approx(before, abs=0.5)


def test_canvas_boxes_are_cut_to_the_canvas():
    made = viewport()
    made.zoom_to(0.25)
    assert made.to_canvas_box((0, 0, 500, 400), 5) == (0, 0, 800, 600)


def test_another_box_can_be_fitted_than_the_canvas():
    viewport = Viewport((300, 400), (500, 400))
    viewport.fit()
    assert viewport.is_fitted
    viewport.fit_box = (-200, 0, 400, 300)
    assert not viewport.is_fitted
    viewport.fit()
    assert viewport.is_fitted
    x0, _, x1, _ = viewport.to_view_box((-200, 0, 400, 300))
    assert (x0, x1) == (24, 477)  # whole pixels around it
    viewport.set_canvas((300, 400))
    viewport.fit()
    assert viewport.centre_xy == (200, 150), "another canvas is fitted itself"


def test_what_lies_beside_the_canvas_can_be_looked_at_closely():
    viewport = Viewport((300, 400), (500, 400))
    viewport.fit_box = (3000, 0, 3100, 100)
    viewport.fit()
    viewport.zoom_to(8.0)
    assert viewport.to_canvas(250, 200) == pytest.approx((3050, 50), abs=0.2)
