import shutil

import numpy as np
import pytest
from PIL import Image

from engine.errors import DataGoneError, TrainingError
from engine.training import events
from engine.training.data import open_data


def test_the_probe_is_kept_back_and_always_the_same(small):
    told = []
    data = open_data(small(), told.append)
    again = open_data(small(), told.append)
    assert len(data.batches.picked) == 22
    assert len(data.probe["image"]) == 2
    assert all((tensor == again.probe[name]).all() for name, tensor in data.probe.items())
    assert data.digest == again.digest
    assert events.Notice("22 pictures to learn from, 2 kept back for previews") in told
    other = open_data(small(seed=1), told.append)
    assert other.batches.picked.tolist() != data.batches.picked.tolist()


def test_a_probe_of_its_own_leaves_all_data_to_learn_from(small, pictures, tmp_path):
    (tmp_path / "probe").mkdir()
    for number in range(3):
        (tmp_path / "probe" / f"{number}.png").write_bytes((pictures / f"{number:02d}.png").read_bytes())
    data = open_data(small(probe=tmp_path / "probe"), lambda event: None)
    assert len(data.batches.picked) == 24
    assert len(data.probe["hole"]) == 3


def test_masks_of_a_folder_make_the_holes(small, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    mask = np.zeros((48, 48), np.uint8)
    mask[10:30, 10:30] = 255
    Image.fromarray(mask).save(masks / "one.png")
    data = open_data(small(masks=masks, mask_ratio=(0.0, 0.9)), lambda event: None)
    for position in range(6):
        rows, columns, _ = np.nonzero(data.batches.sample(position)["hole"])
        box = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert len(rows) >= box - 4  # resizing may round the corners


def test_masks_without_a_hole_are_refused_by_name(small, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (48, 48)).save(masks / "black.png")
    with pytest.raises(
        TrainingError, match=r"masks: expected at least one mask with a hole, got none in .*; masks are"
    ):
        open_data(small(masks=masks), lambda event: None)


def test_data_that_cannot_be_decoded_is_refused_by_name(small, tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "b.png").write_text("no picture")
    with pytest.raises(
        TrainingError, match=r"data: expected at least one whole picture, got 2 files that cannot be de"
    ):
        open_data(small(data=(tmp_path,)), lambda event: None)


def test_what_is_left_out_is_told_by_name_up_to_a_limit_and_then_counted(small, pictures, tmp_path):
    for number in range(25):
        (tmp_path / f"{number:02d}.png").symlink_to("nowhere")
    (tmp_path / "good.png").write_bytes((pictures / "00.png").read_bytes())
    told = []
    open_data(small(data=(tmp_path,)), told.append)
    skipped = [event for event in told if isinstance(event, events.Skipped)]
    assert [event.name for event in skipped] == [f"{number:02d}.png" for number in range(20)]
    reason = "cannot be read (no such file or directory)"
    assert events.Notice(f"5 more files are left out: 5 x {reason}") in told


@pytest.mark.parametrize(("gone", "is_enough"), [(2, True), (3, False)])
def test_more_than_a_tenth_of_the_files_gone_is_an_error(small, pictures, tmp_path, gone, is_enough):
    folder = shutil.copytree(pictures, tmp_path / "data")
    data = open_data(small(data=(folder,), memory_bytes=1), lambda event: None)
    for number in range(gone):
        (folder / f"{number:02d}.png").unlink()
        data.batches.store.get(number)
    if is_enough:
        data.check_there()
        return
    with pytest.raises(DataGoneError, match="data: expected 24 pictures, got 3 gone or more; bring them"):
        data.check_there()
