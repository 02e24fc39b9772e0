import json
import subprocess
import sys

import numpy as np
import pytest

from engine.edits import EditInputs, InpaintEdit, RetargetEdit
from engine.forecast import RUNS_KEPT, Forecasts, planned_megapixels, reported_megapixels

SHA = "a" * 64


def report(side=256, *, seconds=1.0, weights_seconds=0.0, device="cpu", sha=SHA, name="small", **more):
    """Of one crop of side x side, without windows."""
    return {
        "family": "inpaint",
        "device": device,
        "weights": {"name": name, "sha256": sha},
        "working_size_px": 512,
        "seconds": {"weights": weights_seconds, "total": seconds + weights_seconds},
        "crops": [{"levels_hw": [[side, side]], "windows": 0}],
        "notes": [],
        "peak_bytes": 0,
        **more,
    }


def holed(hole=64, size=2000):
    mask = np.zeros((size, size), np.uint8)
    mask[900 : 900 + hole, 900 : 900 + hole] = 255
    return mask


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "forecast.json"


def test_nothing_is_expected_where_nothing_was_run(path):
    assert Forecasts(path).forecast(InpaintEdit(), holed()) is None
    assert not path.exists()


def test_cost_follows_the_pixels_that_networks_see(path):
    forecasts = Forecasts(path)
    for side in (128, 192, 256, 384, 512):
        forecasts.remember(InpaintEdit(), report(side, seconds=0.1 + 4e-6 * side * side))
    for hole in (20, 100, 250):
        mask = holed(hole)
        pixels = planned_megapixels(InpaintEdit(), mask) * 1e6 / 2
        found = forecasts.forecast(InpaintEdit(), mask)
        assert found.seconds == pytest.approx(0.1 + 4e-6 * pixels, rel=0.01)
        assert found.runs == 5


def test_a_busy_moment_moves_little(path):
    forecasts = Forecasts(path)
    for side in (128, 192, 256, 384, 512):
        forecasts.remember(InpaintEdit(), report(side, seconds=4e-6 * side * side))
    calm = forecasts.forecast(InpaintEdit(), holed(100)).seconds
    forecasts.remember(InpaintEdit(), report(192, seconds=30.0))
    busy = forecasts.forecast(InpaintEdit(), holed(100))
    assert busy.seconds == pytest.approx(calm, rel=0.25)
    assert busy.seconds_at_most > 5 * calm


def test_one_run_is_enough_to_go_by(path):
    forecasts = Forecasts(path)
    forecasts.remember(InpaintEdit(), report(256, seconds=2.0, weights_seconds=7.0, peak_bytes=123))
    mask = holed(64)
    wanted = 2.0 * planned_megapixels(InpaintEdit(), mask) / (2 * 256 * 256 / 1e6)
    found = forecasts.forecast(InpaintEdit(), mask)
    assert found.seconds == pytest.approx(wanted)
    assert (found.memory_bytes, found.runs) == (123, 1)


def test_runs_of_another_kind_do_not_count(path):
    forecasts = Forecasts(path)
    forecasts.remember(InpaintEdit(), report(seconds=1.0))
    assert forecasts.forecast(InpaintEdit(quality="fast"), holed()) is None
    assert forecasts.forecast(InpaintEdit(weights="official"), holed()) is None
    assert forecasts.forecast(InpaintEdit(), holed(), device="GPU X") is None
    assert forecasts.forecast(InpaintEdit(weights="small"), holed(), device="cpu") is not None


def test_other_bytes_under_the_same_name_begin_anew(path):
    forecasts = Forecasts(path)
    for _ in range(3):
        forecasts.remember(InpaintEdit(), report(seconds=1.0))
    forecasts.remember(InpaintEdit(), report(seconds=5.0, sha="b" * 64))
    assert forecasts.forecast(InpaintEdit(), holed()).runs == 1


def test_runs_are_there_after_a_restart_and_old_ones_leave(path):
    forecasts = Forecasts(path)
    for _ in range(RUNS_KEPT + 9):
        forecasts.remember(InpaintEdit(), report())
    assert Forecasts(path).forecast(InpaintEdit(), holed()) == forecasts.forecast(InpaintEdit(), holed())
    assert Forecasts(path).forecast(InpaintEdit(), holed()).runs == RUNS_KEPT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"format": 99}',
        '{"format": 1, "runs": {"x": [{"megapixels": "NaN", "seconds": 1, "memory_bytes": 1}]}, "latest": {}}',
        '{"format": 1, "runs": {"x": [{"seconds": 1}]}, "latest": {}}',
        '{"format": 1, "runs": {"x": [{"megapixels": 1, "seconds": 1, "memory_bytes": 1e999}]}, "latest": {}}',
        '{"format": 1, "runs": {"x": 3}, "latest": {}}',
        '{"format": 1, "runs": [], "latest": []}',
        "[" * 100_000,
    ],
)
def test_a_spoiled_file_is_as_good_as_none(path, text):
    path.parent.mkdir()
    path.write_text(text)
    forecasts = Forecasts(path)
    assert forecasts.forecast(InpaintEdit(), holed()) is None
    forecasts.remember(InpaintEdit(), report())
    assert Forecasts(path).forecast(InpaintEdit(), holed()).runs == 1


def test_a_spoiled_file_is_kept_aside_and_told(path):
    path.parent.mkdir()
    path.write_text("spoiled")
    told = []
    Forecasts(path, on_notice=told.append).forecast(InpaintEdit(), holed())
    assert [(notice.code, notice.what) for notice in told] == [("damaged", "what past jobs took")]
    assert told[0].aside.read_text() == "spoiled"


def test_two_processes_each_keep_their_runs(path):
    one, two = Forecasts(path), Forecasts(path)
    for forecasts in (one, two):
        forecasts.forecast(InpaintEdit(), holed())  # each has read the file by now
    one.remember(InpaintEdit(), report())
    two.remember(InpaintEdit(), report())
    assert Forecasts(path).forecast(InpaintEdit(), holed()).runs == 2


def test_a_file_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    forecasts = Forecasts(tmp_path / "file" / "forecast.json")
    forecasts.remember(InpaintEdit(), report())
    assert forecasts.forecast(InpaintEdit(), holed()).runs == 1


def test_a_run_that_was_short_of_memory_or_did_nothing_is_not_kept(path):
    forecasts = Forecasts(path)
    forecasts.remember(InpaintEdit(), report(was_memory_short=True))
    forecasts.remember(InpaintEdit(), report(crops=[]))
    assert forecasts.forecast(InpaintEdit(), holed()) is None


def test_an_empty_mask_costs_nothing(path):
    forecasts = Forecasts(path)
    forecasts.remember(InpaintEdit(), report())
    for mask in (None, np.zeros((10, 10), np.uint8)):
        assert forecasts.forecast(InpaintEdit(), mask).seconds == 0


@pytest.mark.parametrize(
    "edit",
    [
        {},
        {"context": "full"},
        {"context": "box", "context_box": (0, 20, 190, 120)},
        {"working_size_px": 64},
        {"expand_ltrb": (0, 0, 40, 8)},
    ],
)
def test_the_plan_counts_what_the_report_counts(engine, edit):
    mask = np.zeros((150, 200), np.uint8)
    mask[40:110, 60:140] = 255
    image = np.random.default_rng(0).integers(0, 256, (150, 200, 3), dtype=np.uint8)
    edit = InpaintEdit(**edit)
    found = engine.run(edit, EditInputs(image, mask)).report
    assert planned_megapixels(edit, mask) == pytest.approx(reported_megapixels(edit, found), rel=0.15)
    assert json.dumps(found)


def test_each_way_of_retargeting_is_forecast_by_its_own_runs(path):
    forecasts = Forecasts(path)
    instant = RetargetEdit(target_size_hw=(256, 256))
    ran = report(256, seconds=3.0, weights=None)
    ran["crops"][0]["source_hw"] = [256, 256]
    forecasts.remember(instant, ran)
    assert forecasts.forecast(RetargetEdit(target_size_hw=(256, 256), method="learned"), None) is None
    assert forecasts.forecast(instant, None).seconds == pytest.approx(3.0)
    larger = RetargetEdit(target_size_hw=(256, 512))
    assert forecasts.forecast(larger, None, size_hw=(256, 256)).seconds == pytest.approx(4.5)
    assert Forecasts(path).forecast(instant, None).runs == 1


@pytest.mark.parametrize("quality", ["exact", "fast"])
def test_remaking_from_patches_is_forecast_before_the_first_run(path, quality):
    """Seconds and memory of a camera's photo are known beforehand, and bounded whatever its size."""
    edit = RetargetEdit(target_size_hw=(4000, 9000), quality=quality)
    found = Forecasts(path).forecast(edit, None, size_hw=(4000, 6000))
    assert found.runs == 0
    assert 2 < found.seconds < 60
    pixels = 4000 * 6000 * 4 + 4000 * 9000 * 5
    assert pixels < found.memory_bytes < pixels + 700e6
    largest = RetargetEdit(target_size_hw=(10000, 12000), quality=quality)
    assert Forecasts(path).forecast(largest, None, size_hw=(10000, 12000)).seconds < 10 * found.seconds


def test_a_report_of_remaking_counts_what_the_plan_counts(path):
    edit = RetargetEdit(target_size_hw=(3000, 3000))
    ran = {"crops": [{"source_hw": [2000, 3000], "levels_hw": [[3000, 3000]], "windows": 0}]}
    assert reported_megapixels(edit, ran) == planned_megapixels(edit, None, (2000, 3000))


def test_a_forecast_needs_no_torch():
    code = "import sys, engine.forecast; assert 'torch' not in sys.modules and 'cv2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
