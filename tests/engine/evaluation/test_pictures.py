import numpy as np
import pytest

from engine.errors import EngineError, EvaluationError, PictureError
from engine.evaluation.options import EvaluateOptions
from engine.evaluation.pictures import (
    MASK_BINS,
    MERGED_BINS,
    fitted,
    hole_of,
    pick_files,
    read_case,
)


def names(files):
    return [file.name.rsplit("/", 1)[-1] for file in files]


@pytest.mark.parametrize("source", ["folder", "packed"])
def test_subset_keeps_one_folder_of_any_source(source, request):
    data = (request.getfixturevalue(source),)
    assert len(pick_files(EvaluateOptions(data=data), [])) == 4
    files = pick_files(EvaluateOptions(data=data, subset="scenes"), [])
    assert names(files) == ["broken.png", "one.png", "two.png"]


def test_unknown_subset_names_those_there_are(folder):
    with pytest.raises(EvaluationError) as caught:
        pick_files(EvaluateOptions(data=(folder,), subset="scene"), [])
    assert str(caught.value) == (
        "subset: expected a folder inside the data, got 'scene'; the sources have the folders faces, scenes"
    )


def test_missing_source_is_refused_by_name(tmp_path):
    with pytest.raises(EngineError, match=r"gone: expected .*, got nothing there; correct the path"):
        pick_files(EvaluateOptions(data=(tmp_path / "gone",)), [])


def test_limit_picks_by_the_seed(folder):
    def picked(seed, limit=2):
        return names(pick_files(EvaluateOptions(data=(folder,), limit=limit, seed=seed), []))

    assert picked(0) == picked(0)
    assert len(picked(0)) == 2
    assert len({tuple(picked(seed)) for seed in range(8)}) > 1
    assert len(picked(0, limit=99)) == 4


def test_case_is_a_square_with_one_hole_of_each_bin(folder):
    options = EvaluateOptions(data=(folder,), size=64, subset="faces")
    case = read_case(pick_files(options, [])[0], options)
    assert case.image.shape == (64, 64, 3)
    assert case.image.dtype == np.uint8
    for hole, (low, high) in zip(case.holes, MASK_BINS.values(), strict=True):
        assert low <= hole.mean() <= high


def test_broken_picture_is_a_picture_error(folder):
    options = EvaluateOptions(data=(folder,), subset="scenes")
    with pytest.raises(PictureError):
        read_case(pick_files(options, [])[0], options)


def test_own_size_is_cut_to_multiples_of_four():
    options = EvaluateOptions(data=("x",), size=0)
    image = np.arange(45 * 67 * 3).reshape(45, 67, 3).astype(np.uint8)
    assert fitted(image, options).shape == (44, 64, 3)
    assert (fitted(image[:44, :64], options) == image[:44, :64]).all()


def test_too_small_picture_of_own_size_is_refused():
    image = np.zeros((20, 64, 3), np.uint8)
    with pytest.raises(PictureError) as caught:
        fitted(image, EvaluateOptions(data=("x",), size=0))
    assert str(caught.value) == "picture: expected sides of at least 32 px, got 64x20; it is left out"


def test_square_of_the_asked_size_is_not_resampled():
    image = np.random.default_rng(0).integers(0, 256, (64, 90, 3), np.uint8)
    assert (fitted(image, EvaluateOptions(data=("x",), size=64)) == image[:, 13:77]).all()


def test_hole_follows_name_bin_and_seed():
    first = hole_of("a.png", (64, 64), "10-20", 0)
    assert (first == hole_of("a.png", (64, 64), "10-20", 0)).all()
    for other in (("b.png", "10-20", 0), ("a.png", "20-30", 0), ("a.png", "10-20", 1)):
        assert (first != hole_of(other[0], (64, 64), other[1], other[2])).any()


def test_merged_bins_are_made_of_bins():
    assert all(part in MASK_BINS for parts in MERGED_BINS.values() for part in parts)
    assert MERGED_BINS["all"] == tuple(MASK_BINS)
