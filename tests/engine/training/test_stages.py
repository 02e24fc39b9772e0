import pytest

from engine.errors import TrainingError
from engine.training.stages import COSINE_END, learning_rate_factor, spans
from models.objective import Stage

STAGES = (Stage("one", "", 0.35), Stage("two", "", 0.35), Stage("three", "", 0.2), Stage("four", "", 0.1))


@pytest.mark.parametrize("steps", [1, 2, 7, 10, 99, 100_000])
def test_spans_cover_every_step_once(steps):
    found = spans(STAGES, steps)
    covered = [step for span in found for step in (span.first_step, span.last_step)]
    assert covered[0] == 0
    assert covered[-1] == steps
    assert covered[1:-1:2] == covered[2::2]
    assert all(span.last_step > span.first_step for span in found)


def test_shares_hold():
    assert [span.last_step - span.first_step for span in spans(STAGES, 1000)] == [350, 350, 200, 100]


def test_one_stage_takes_all_steps():
    (span,) = spans(STAGES, 10, "three")
    assert (span.stage.name, span.first_step, span.last_step) == ("three", 0, 10)
    with pytest.raises(
        TrainingError, match=r"stage: expected one of one, two, three, four, got 'five'; leave it out"
    ):
        spans(STAGES, 10, "five")


def test_the_rate_climbs_and_falls():
    rates = [learning_rate_factor(step, 100, warmup=10, schedule="cosine") for step in range(100)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert COSINE_END < rates[-1] < COSINE_END + 0.01
    flat = [learning_rate_factor(step, 100, warmup=0, schedule="constant") for step in range(100)]
    assert set(flat) == {1.0}
