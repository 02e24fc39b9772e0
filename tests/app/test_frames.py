"""Sequences between two shapes: how they are laid out, and what is written."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from pydantic import ValidationError

from app.__main__ import main
from app.errors import OutputError, UsageError
from app.frames import FrameFiles, plan_frames
from engine.edits import RetargetEdit


def sequence(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


def frames_of(photo: Path, out: Path, *words: object) -> int:
    return main(["run", "retarget", str(photo), "--out", str(out), "--device", "cpu", *map(str, words)])


def test_sizes_go_evenly_from_the_own_to_the_new_one() -> None:
    found = plan_frames(RetargetEdit(target_size_hw=(44, 96), seed=4), (44, 56), 3)
    assert [frame.edit.target_size_hw for frame in found.frames] == [(44, 56), (44, 76), (44, 96)]
    assert {(frame.left, frame.top, frame.edit.seed) for frame in found.frames} == {(0, 0, 4)}
    assert found.canvas_hw == (44, 96)


def test_corners_move_straight_and_the_canvas_holds_all_of_them() -> None:
    edit = RetargetEdit(corners_xy=((-10, 4), (60, 0), (56, 44), (0, 50)))
    found = plan_frames(edit, (44, 56), 3)
    assert found.frames[0].edit.corners_xy == ((0, 0), (56, 0), (56, 44), (0, 44))
    assert found.frames[1].edit.corners_xy == ((-5, 2), (58, 0), (56, 44), (0, 47))
    assert [(frame.left, frame.top) for frame in found.frames] == [(10, 0), (5, 0), (0, 0)]
    assert found.canvas_hw == (50, 70)


def test_more_frames_than_memory_should_hold_are_refused() -> None:
    words = (
        "--frames: expected frames of 2.1 GB together, got 40 frames of 6000x4000 px, 3.8 GB; ask for fewer"
    )
    with pytest.raises(UsageError, match=words):
        plan_frames(RetargetEdit(target_size_hw=(4000, 3000)), (4000, 6000), 40)


def test_a_picture_that_is_too_small_for_its_first_frame_is_refused() -> None:
    with pytest.raises(
        ValidationError, match="target_size_hw: expected sides from 32 to 12000 px, got 56x20 px"
    ):
        plan_frames(RetargetEdit(target_size_hw=(44, 96)), (20, 56), 3)


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_a_moving_picture_holds_every_frame_on_one_canvas(photo, tmp_path, capsys, ending) -> None:
    out = tmp_path / f"move{ending}"
    assert frames_of(photo, out, "--size", "80x44", "--frames", 3) == 0
    assert capsys.readouterr().out.startswith(f"{out}  3 frames, ")
    found = sequence(out)
    assert [frame.shape for frame in found] == [(44, 80, 4)] * 3
    assert not found[0][:, 56:, 3].any()
    assert found[0][:, :56, 3].all()
    assert found[2][..., 3].all()


def test_numbered_files_and_folders_sort(photo, tmp_path) -> None:
    assert frames_of(photo, tmp_path / "row.png", "--size", "80x44", "--frames", 2) == 0
    assert sorted(path.name for path in tmp_path.glob("row*")) == ["row-001.png", "row-002.png"]
    assert frames_of(photo, tmp_path / "some" / "frames", "--scale", "1,1.2", "--frames", 2, "--quiet") == 0
    names = sorted(path.name for path in (tmp_path / "some" / "frames").iterdir())
    assert names == ["frame-001.png", "frame-002.png"]
    with Image.open(tmp_path / "some" / "frames" / names[-1]) as last:
        assert (last.size, last.mode) == ((56, 53), "RGBA")


def test_frames_without_a_way_to_write_them_are_refused(photo, tmp_path, capsys) -> None:
    assert frames_of(photo, tmp_path / "a.jpg", "--size", "80x44", "--frames", 3) == 2
    line = capsys.readouterr().err
    assert "--out: expected a name ending in .gif, .webp or .png, or a folder, got 'a.jpg'" in line
    with pytest.raises(OutputError, match="expected a folder that exists"):
        FrameFiles.at(tmp_path / "none" / "a.gif", 3)


def test_deep_pictures_say_that_frames_are_not(tmp_path, capsys) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray(np.full((40, 40), 30000, np.uint16)).save(deep)
    assert frames_of(deep, tmp_path / "a.webp", "--size", "44x40", "--frames", 2) == 0
    assert "note: frames have 8 bits a channel" in capsys.readouterr().err
    assert sequence(tmp_path / "a.webp")[0][0, 0].tolist() == [116, 116, 116, 255]
