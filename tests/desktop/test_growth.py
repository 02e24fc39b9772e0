import random

import pytest

from tests.desktop.growth import Growth, Sample, growth_of

MB = 2**20
SAMPLE_S = 20
SOAK_S = 1800
WARM_S = SOAK_S / 3


def watched(life_s, leak_mb_a_minute, *, cache_mb=20):
    """Half an hour of processes that live so long: each starts at 340 MB, fills a cache in its first minute, and leaks."""
    chance = random.Random(4)
    lives = {}
    for at_s in range(0, SOAK_S + 1, SAMPLE_S):
        age_s = at_s % life_s
        held_mb = 340 + cache_mb * min(age_s / 60, 1) + leak_mb_a_minute * age_s / 60 + chance.uniform(0, 4)
        lives.setdefault(str(at_s // life_s), []).append(Sample(at_s, int(held_mb * MB)))
    return lives


def grown_mb(lives):
    return growth_of(lives, WARM_S, SOAK_S).within(SOAK_S - WARM_S) / MB


@pytest.mark.parametrize("life_s", [SOAK_S + 1, 600, 240])
def test_a_saw_of_processes_that_do_not_grow_is_flat(life_s):
    assert abs(grown_mb(watched(life_s, 0))) < 25


@pytest.mark.parametrize("life_s", [SOAK_S + 1, 600, 240])
def test_a_leak_is_found_in_lives_of_any_length(life_s):
    """Four MB a minute are 80 in the twenty minutes after the warm-up, however often the process is replaced."""
    assert 60 < grown_mb(watched(life_s, 4)) < 100


def test_a_process_is_not_compared_with_the_one_before_it():
    """As it was once: the first third met the start of a process, the last third only old ones."""
    low = [Sample(at_s, 345 * MB) for at_s in range(400, 1000, SAMPLE_S)]
    high = [Sample(at_s, 420 * MB) for at_s in range(1000, SOAK_S, SAMPLE_S)]
    assert grown_mb({"1": low, "2": high}) == 0


def test_what_a_job_takes_once_is_no_growth():
    life = [Sample(at_s, (900 if at_s % 100 else 350) * MB) for at_s in range(0, SOAK_S, SAMPLE_S)]
    assert grown_mb({"1": life}) == 0


def test_lives_too_short_to_tell_cover_nothing():
    lives = watched(150, 50)
    assert growth_of(lives, WARM_S, SOAK_S) == Growth(0, 0.0, 0.0)
    assert Growth(0, 0.0, 0.0).within(1200) == 0
    assert growth_of(watched(SOAK_S + 1, 0), WARM_S, SOAK_S).covered == 1
