import json
import math

import pytest

from engine.evaluation.table import Evaluation, Measure, Method, Row, Skipped, shown


@pytest.fixture
def evaluation():
    return Evaluation(
        family="inpaint",
        protocol="house",
        measures=(Measure("psnr", "PSNR dB", True, 2), Measure("edge", "edges", True)),
        methods=(Method("ours", "ours", "product"),),
        rows=(
            Row("ours", "10-20", 3, {"psnr": math.inf, "edge": None}),
            Row("ours", "all", 3, {"psnr": 31.25, "edge": math.nan}),
        ),
        pictures=3,
        skipped=(Skipped("a.png", "broken"),),
        settings={"seed": 0},
    )


def test_json_round_trip_keeps_numbers_and_names_infinity(evaluation):
    data = json.loads(json.dumps(evaluation.as_json(), allow_nan=False))
    assert data["rows"][0]["values"] == {"psnr": "inf", "edge": None}
    assert data["rows"][1]["values"] == {"psnr": 31.25, "edge": None}
    assert data["skipped"] == [{"name": "a.png", "reason": "broken"}]
    assert data["measures"][0]["better"] == "higher"
    assert data["pictures"] == 3


def test_row_is_found_by_method_and_bin(evaluation):
    assert evaluation.row("ours", "all").values["psnr"] == 31.25
    with pytest.raises(KeyError, match="theirs in all"):
        evaluation.row("theirs", "all")


def test_bins_keep_the_order_of_the_rows(evaluation):
    assert evaluation.bins() == ("10-20", "all")


@pytest.mark.parametrize(
    ("value", "text"), [(1.2345, "1.23"), (math.inf, "inf"), (None, "-"), (math.nan, "-"), (-0.5, "-0.50")]
)
def test_shown_value(value, text):
    assert shown(value, 2) == text
