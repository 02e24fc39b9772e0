import numpy as np
import pytest

from engine.edits import EditInputs, InpaintEdit
from engine.host_jobs import JobList
from engine.shared import BEST_KIND, Segment


@pytest.fixture
def forgotten():
    return []


@pytest.fixture
def jobs(forgotten):
    made = JobList(BEST_KIND, forgotten.append)
    yield made
    made.close()


def add(jobs, key="", value=1):
    mask = np.zeros((4, 5), np.uint8)
    mask[1, 1] = 255
    return jobs.add(InpaintEdit(), EditInputs(np.full((4, 5, 3), value, np.uint8), mask), key)


def test_jobs_run_one_at_a_time_in_their_order(jobs):
    first, second = add(jobs, "a"), add(jobs, "a")
    assert jobs.start_next().number == first
    assert jobs.start_next() is None
    assert jobs.numbers == (first, second)
    assert jobs.end_running(second) is None
    jobs.release(jobs.end_running(first))
    assert jobs.start_next().number == second
    assert jobs.numbers == (second,)


def test_a_waiting_job_is_taken_out_by_its_number_or_its_turn(jobs):
    numbers = [add(jobs, "a") for _ in range(3)]
    assert jobs.end_waiting(numbers[1]).number == numbers[1]
    assert jobs.end_waiting(numbers[1]) is None
    assert [jobs.end_waiting().number, jobs.end_waiting().number] == [numbers[0], numbers[2]]
    assert jobs.end_waiting() is None


def test_a_picture_is_there_until_its_last_job_has_ended(jobs, forgotten):
    number = add(jobs, "", value=7)
    job = jobs.start_next()
    shown = jobs.picture(job)
    assert (shown.segment.view(shown.layout) == 7).all()
    assert jobs.picture_keys == (f"job {number}",)
    jobs.release(jobs.end_running(number))
    assert jobs.picture_keys == ()
    assert forgotten == [f"job {number}"]


def test_a_job_without_room_for_its_masks_leaves_nothing(jobs, forgotten, monkeypatch):
    create = Segment.create
    made = []

    def scarce(nbytes, kind):
        made.append(nbytes)
        if len(made) == 2:  # after the picture
            raise MemoryError
        return create(nbytes, kind)

    monkeypatch.setattr(Segment, "create", scarce)
    with pytest.raises(MemoryError):
        add(jobs)
    assert (jobs.numbers, jobs.picture_keys, forgotten) == ((), (), ["job 1"])
