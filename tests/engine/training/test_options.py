import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training.options import FREE_TO_CHANGE, OWN, TrainOptions, minutes_of
from models.retarget.recipe import RECIPES


@pytest.fixture
def options():
    return TrainOptions(data=(Path("pictures"),), out=Path("out"))


def test_options_are_plain_json(options):
    plain = options.as_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["data"] == ["pictures"]
    assert set(plain) == {entry.name for entry in fields(TrainOptions)}


def test_only_known_fields_may_change(options):
    assert {entry.name for entry in fields(TrainOptions)} >= FREE_TO_CHANGE
    before = options.as_json()
    assert replace(options, workers=3, batch=2, accumulate=4, log_every=7).changed(before) is None
    assert replace(options, steps=7).changed(before) == ("steps", 100_000, 7)
    assert replace(options, mask_ratio=(0.1, 0.2)).changed(before) == ("mask_ratio", [0.05, 0.5], [0.1, 0.2])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"data": ()},
            "data: expected a folder, a tar file or a picture, got nothing; name what to learn from",
        ),
        ({"steps": 0}, "steps: expected 1 or more, got 0; give a larger number"),
        ({"workers": -2}, "workers: expected -1 or more, got -2; give a larger number"),
        ({"warmup": -1}, "warmup: expected 0 or more, got -1; give a larger number"),
        (
            {"time_limit_minutes": float("nan")},
            "time_limit_minutes: expected 0 minutes or more, got nan; write it like 90s",
        ),
        ({"size": 100}, "size: expected a multiple of 8, 32 or more, got 100; networks halve the side"),
        ({"precision": "fp16"}, "precision: expected one of 32, bf16, got 'fp16'; see --help"),
        ({"schedule": "steps"}, "schedule: expected one of cosine, constant, got 'steps'; see --help"),
        ({"gan": "wgan"}, "gan: expected one of nsgan, lsgan, hinge, got 'wgan'; see --help"),
        (
            {"learning_rate": 2.0},
            "learning_rate: expected a number in [0, 1], got 2.0; see --help for the usual",
        ),
        ({"ema": 1.0}, "ema: expected a decay in [0, 1), got 1.0; 0.999 is usual, 0 switches averaging off"),
        ({"momentum": 1.0}, "momentum: expected a number in [0, 1), got 1.0; 0 is as published"),
        (
            {"mask_ratio": (10, 20)},
            "mask_ratio: expected 0 <= low <= high <= 0.95, high above 0, got (10, 20); shares",
        ),
        ({"snapshot_every": -1.0}, "snapshot_every: expected 0 or more, got -1.0; give a larger number"),
        (
            {"family": "retarget", "target_hw": (16, 99)},
            "target: expected sides from 32 to 4096 px, got 99 x 16; write --target WIDTHxHEIGHT",
        ),
        (
            {"recipe": "fast"},
            "recipe: expected no such option for inpaint, got 'fast'; only retarget knows it",
        ),
        (
            {"family": "retarget", "masks": Path("m")},
            "masks: expected no such option for retarget, got PosixPath('m'); only inpaint knows it",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(options, change, words):
    with pytest.raises(TrainingError) as caught:
        replace(options, **change)
    assert str(caught.value).startswith(words)


def test_own_fields_are_fields_of_one_family(options):
    assert {entry.name for entry in fields(TrainOptions)} >= set().union(*OWN.values())
    assert not OWN["inpaint"] & OWN["retarget"]


def test_a_recipe_fills_in_what_is_not_given():
    given = {"data": (Path("a.png"),), "out": Path("out"), "device": "cpu"}
    official = TrainOptions.of("retarget", recipe="official", **given)
    recipe = RECIPES["official"]
    assert (official.steps, official.size, official.learning_rate) == (75_000, 256, 5e-5)
    assert (official.momentum, official.discriminator_rate, official.batch) == (recipe.momentum, 1.0, 1)
    assert (official.options, official.ema, official.snapshot_every) == ("official", 0.0, 5.0)
    fast = TrainOptions.of("retarget", steps=7, **given)
    assert (fast.recipe, fast.steps, fast.size) == ("fast", 7, RECIPES["fast"].crop_px)
    assert fast.ema > 0
    assert TrainOptions.of("inpaint", **given) == TrainOptions(**given)


def test_an_unknown_recipe_is_refused_by_name():
    with pytest.raises(
        TrainingError, match=r"recipe: expected official or fast or fast-shapes, got 'slow'; fast"
    ):
        TrainOptions.of("retarget", recipe="slow", data=(Path("a.png"),), out=Path("out"))


@pytest.mark.parametrize(
    ("text", "minutes"), [("90s", 1.5), ("20m", 20.0), ("2h", 120.0), ("1.5", 1.5), ("0", 0.0), ("1H", 60.0)]
)
def test_a_time_has_a_unit_or_is_in_minutes(text, minutes):
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "s", "soon", "20d", "2 hours"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"could not convert"):
        minutes_of(text)
