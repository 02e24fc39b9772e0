import numpy as np
import pytest

from engine.edits import EditInputs
from engine.errors import HostError
from engine.host_inputs import PICTURES_KEPT, SharedPictures, share_planes
from engine.shared import BEST_KIND


def picture(h=40, w=50):
    return np.random.default_rng(0).integers(0, 256, (h, w, 3), dtype=np.uint8)


@pytest.fixture
def pictures():
    pictures = SharedPictures(BEST_KIND)
    yield pictures
    pictures.close()
    assert pictures.keys == ()


def test_a_picture_is_copied_once_and_stays_while_it_is_used(pictures):
    image = picture()
    pictures.keep("a", image, is_for_one_job=False)
    pictures.keep("a", picture() // 2, is_for_one_job=False)  # the key says that it is the same
    shared = pictures["a"]
    assert np.array_equal(shared.segment.view(shared.layout), image)
    assert pictures.let_go("a") == []
    assert pictures.let_go("a") == []
    assert pictures.keys == ("a",)


def test_the_pictures_used_last_stay(pictures):
    for key in "abcd":
        pictures.keep(key, picture(), is_for_one_job=False)
    pictures.keep("a", picture(), is_for_one_job=False)
    left = [name for key in "abcda" for name in pictures.let_go(key)]
    assert left == ["b", "c"]
    assert pictures.keys == ("d", "a")
    assert PICTURES_KEPT == 2


def test_a_picture_of_one_job_leaves_with_it(pictures):
    pictures.keep("job 1", picture(), is_for_one_job=True)
    assert pictures.let_go("job 1") == ["job 1"]


def test_a_key_stands_for_one_picture(pictures):
    pictures.keep("a", picture(), is_for_one_job=False)
    with pytest.raises(
        HostError, match="image_key: expected .* under 'a', got .*; give another content another key"
    ):
        pictures.keep("a", picture(30), is_for_one_job=False)
    assert pictures["a"].jobs == 1


def test_only_rows_that_hold_something_are_shared():
    mask, drawn, erased = (np.zeros((1000, 500), kind) for kind in (np.uint8, bool, np.float32))
    mask[300:310, 4] = 9
    drawn[999, 0] = True
    planes, segment = share_planes(EditInputs(picture(1000, 500), mask, drawn, erased), BEST_KIND)
    found = {plane.name: (plane.first_row, plane.layout.shape, plane.shape) for plane in planes}
    assert found == {
        "mask": (300, (10, 500), (1000, 500)),
        "drawn_edges": (999, (1, 500), (1000, 500)),
        "erased_edges": (0, (0, 500), (1000, 500)),
    }
    assert segment.address.nbytes < 6000
    assert np.array_equal(segment.view(planes[0].layout), mask[300:310])
    segment.close()


def test_empty_planes_need_no_memory():
    planes, segment = share_planes(EditInputs(picture(), np.zeros((40, 50), np.uint8)), BEST_KIND)
    assert segment is None
    assert [plane.name for plane in planes] == ["mask"]
