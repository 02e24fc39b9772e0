import pytest

from app.fill_state import (
    Cost,
    FillState,
    memory_words,
    seam_words,
    seconds_words,
    shortage_words,
    weights_listed,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.001, "10 ms"), (0.043, "40 ms"), (0.5, "0.5 s"), (9.4, "9.4 s"), (12.4, "12 s"), (200, "3 min")],
)
def test_a_duration_is_said_with_two_digits_at_most(seconds, words):
    assert seconds_words(seconds) == words


def test_memory_is_said_in_the_unit_that_fits():
    assert [memory_words(count) for count in (10, 120_000_000, 2_400_000_000)] == ["1 MB", "120 MB", "2.4 GB"]


def test_a_cost_without_memory_says_time_alone():
    assert Cost(0.52).words == "about 0.5 s"
    assert Cost(0.52, 118_000_000).words == "about 0.5 s, 118 MB"


def test_filling_needs_a_document_and_a_hole():
    assert not FillState(has_document=True).can_fill
    assert not FillState(has_hole=True).can_fill
    assert FillState(has_document=True, has_hole=True).can_fill


def test_what_runs_and_what_waits_is_said():
    state = FillState(running="asked", word="edges", queued=2)
    assert state.running_words == "Fill: edges, 2 waiting"
    assert state.is_busy
    assert FillState(queued=1).is_busy
    assert FillState(running="draft").running_words == "Draft"
    assert not FillState().is_busy
    assert FillState(queued=1).is_waiting_for_engine
    assert not FillState(queued=1, is_engine_up=True).is_waiting_for_engine
    assert not FillState().is_waiting_for_engine
    assert FillState().running_words == ""


def test_a_seam_is_said_beside_the_picture_s_own_steps():
    seam = {"border_px": 40, "colour_step": 0.02, "picture_colour_step": 0.019, "corrected": False}
    words = seam_words({"seam": seam})
    assert words.figure == "5.1 levels, picture 4.8"
    assert words.verdict == "not visible"
    assert not words.is_visible


def test_a_seam_that_shows_is_called_so_as_the_engine_judges_it():
    from engine.seams import Seam

    for step, own in ((0.05, 0.01), (0.0129, 0.01), (0.013, 0.01), (0.01, 0.01)):
        seam = Seam(colour_step=step, picture_colour_step=own, border_px=9)
        words = seam_words({"seam": seam.as_dict()})
        assert words.is_visible == seam.is_visible, (step, own)
        assert (words.verdict == "may show") == seam.is_visible


def test_a_smoothed_seam_says_so_and_none_says_nothing():
    assert seam_words({"seam": {"border_px": 4, "colour_step": 0.0, "corrected": True}}).verdict == "smoothed"
    assert seam_words({}) is None
    assert seam_words({"seam": {"border_px": 0}}) is None


def test_a_shortage_of_memory_is_said():
    levels = {"levels_hw": [[100, 100], [200, 200]]}
    short = {"working_size_px": 128, "crops": [levels], "notes": [], "device": "cpu"}
    assert shortage_words(short, 512) == "filled at 128 px instead of 512 px"
    assert shortage_words(short, 128) == ""
    elsewhere = {**short, "was_memory_short": True}
    assert shortage_words(elsewhere, 128) == "filled on cpu in the end"


@pytest.mark.parametrize(
    "report",
    [
        {"working_size_px": 256, "crops": [{"levels_hw": [[90, 90]]}], "notes": ["fast is exact here"]},
        {"working_size_px": "x", "crops": 3, "notes": 4},
        {"working_size_px": 1, "crops": [None, {"levels_hw": 2}]},
        {},
    ],
)
def test_where_a_hole_fits_or_a_report_says_nothing_no_shortage_is_said(report):
    assert shortage_words(report, 512) == ""


def test_the_default_weights_come_first_and_say_which_they_are():
    rows = weights_listed("inpaint")
    assert rows[0].name == ""
    assert "inpaint-starter" in rows[0].title
    assert "inpaint-starter" in [row.name for row in rows[1:]]
    assert all(row.tip for row in rows)
