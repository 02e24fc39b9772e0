"""The `run retarget` command: a picture and a new shape in, the picture remade at that shape out.

Everything that can be refused is refused before the work: places for results first, then the picture, then the edit.
Results are written whole or not at all.

Elsewhere: a sequence of frames in frames.py.
"""

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from app.console import Console
from app.edit_runs import all_seconds, recipe_text, run_edit, tell_result
from app.errors import DONE, UsageError
from app.frames import FRAMES_MOST, FrameFiles, plan_frames, run_frames
from app.options import Saving, Work
from app.outputs import check_distinct, check_output
from engine.corners import OFFICIAL_MULTIPLE, Corners
from engine.edits import EditInputs, RetargetEdit
from engine.pictures import ENDINGS, Picture, check_can_write, read_mask, read_picture, write_picture

SCALE_MOST = 1e9
"""Of a factor: far above every size there is, and far below what a number holds."""


@dataclass(frozen=True)
class RetargetFiles:
    """The files of one run."""

    image: Path
    out: Path
    lock: Path | None
    novelty_out: Path | None


@dataclass(frozen=True)
class RetargetFlags:
    """The new shape and how it is made, as the words on the command line say it."""

    size: str
    scale: str
    corners: str
    method: Literal["instant", "learned"]
    completeness: float | None
    is_official_match: bool
    is_lock_fitted: bool
    frames: int


@dataclass(frozen=True)
class Shape:
    """What the new shape is, before the picture is known; one of the three."""

    size_hw: tuple[int, int] | None = None
    scale_xy: tuple[float, float] | None = None
    corners_xy: Corners | None = None


def run_retarget(files: RetargetFiles, flags: RetargetFlags, saving: Saving, work: Work) -> int:
    """Remake the picture and write the result, or a sequence of frames.

    Returns:
        The exit code.

    Raises:
        UsageError: if options do not go together.
        OutputError: if a result's place cannot take it.
        EngineError: if a file cannot be read or the job cannot be done.
    """
    console = work.console()
    shape = parse_shape(flags)
    _check_together(files, flags, saving, work)
    frame_files = _check_files(files, flags)
    seconds: dict[str, float] = {}
    notes: tuple[str, ...] = ()

    with console.progress(f"retarget {files.image.name}") as show:
        started = time.perf_counter()
        show(0.0, "decode")
        picture = read_picture(files.image)
        size_hw = (picture.pixels.shape[0], picture.pixels.shape[1])
        edit = make_edit(shape, size_hw, flags, work)
        if frame_files is None:
            mode = mode_with(picture.mode, has_alpha=edit.corners_xy is not None)
            check_can_write(
                files.out,
                mode=mode,
                size_hw=edit.result_hw,
                is_opaque=edit.corners_xy is None and picture.is_opaque,
                flatten_rgb=saving.flatten_rgb,
            )
        lock = None
        if files.lock is not None:
            lock = read_mask(files.lock, size_hw=size_hw, fit=flags.is_lock_fitted)
        inputs = EditInputs(image=picture.pixels, lock=lock)
        seconds["decode"] = time.perf_counter() - started

        if frame_files is not None:
            frames = plan_frames(edit, size_hw, flags.frames)
            report = run_frames(frames, inputs, frame_files, work.device, show)
            notes = ("frames have 8 bits a channel",) if picture.is_deep else ()
            _tell_frames(
                console, frame_files, {**report, "notes": [*picture.notes, *report["notes"], *notes]}
            )
            return DONE
        result = run_edit(edit, inputs, work.device, lambda step: show(step.share, step.word))

        started = time.perf_counter()
        show(1.0, "encode")
        notes = write_picture(
            replace(picture, pixels=result.image, mode=mode),
            files.out,
            text=recipe_text(edit, result.report),
            quality=saving.jpeg_quality,
            flatten_rgb=saving.flatten_rgb,
        )
        if files.novelty_out is not None:
            assert result.novelty is not None, "the instant method maps what it invented"
            write_picture(Picture(result.novelty, "L"), files.novelty_out)
        seconds["encode"] = time.perf_counter() - started

    report = dict(result.report)
    report["seconds"] = all_seconds(seconds, report["seconds"])
    report["notes"] = [*picture.notes, *report["notes"], *notes]
    tell_result(console, files.out, {"novelty": files.novelty_out}, report)
    return DONE


def make_edit(shape: Shape, size_hw: tuple[int, int], flags: RetargetFlags, work: Work) -> RetargetEdit:
    """Build the edit for a picture of ``size_hw``.

    Raises:
        pydantic.ValidationError: if the new size is beyond the limits, or the corners make no shape.
    """
    target_hw = shape.size_hw
    if shape.scale_xy is not None:
        target_hw = scaled(size_hw, shape.scale_xy, is_official=flags.is_official_match)
    more: dict[str, Any] = {} if flags.completeness is None else {"completeness": flags.completeness}
    return RetargetEdit(
        weights=work.weights,
        quality=work.quality,
        seed=work.seed,
        method=flags.method,
        target_size_hw=target_hw,
        corners_xy=shape.corners_xy,
        is_official_match=flags.is_official_match,
        **more,
    ).settled()


def scaled(
    size_hw: tuple[int, int], scale_xy: tuple[float, float], *, is_official: bool = False
) -> tuple[int, int]:
    """The size that is so many times another; the published routine's own way of rounding if ``is_official``."""
    by_axis = zip(size_hw, scale_xy[::-1], strict=True)
    if not is_official:
        h, w = (round(side * scale) for side, scale in by_axis)
        return h, w
    multiple = OFFICIAL_MULTIPLE
    h, w = (math.floor(side // multiple * multiple * scale / multiple) * multiple for side, scale in by_axis)
    return h, w


def mode_with(mode: str, *, has_alpha: bool) -> str:
    """The picture's mode, with transparency where the result has some."""
    return {"L": "LA", "RGB": "RGBA"}.get(mode, mode) if has_alpha else mode


def parse_shape(flags: RetargetFlags) -> Shape:
    """Read the new shape.

    Raises:
        UsageError: unless exactly one of the three is given, and can be read.
    """
    given = {"--size": flags.size, "--scale": flags.scale, "--corners": flags.corners}
    named = [name for name, words in given.items() if words]
    if len(named) != 1:
        got = " and ".join(named) or "none"
        hint = "for example --size 800x600, --scale 1.5 or --corners '0,0 400,40 400,300 0,260'"
        raise UsageError("retarget", "one of --size, --scale and --corners", got, hint)
    if flags.size:
        return Shape(size_hw=parse_size(flags.size))
    if flags.scale:
        return Shape(scale_xy=parse_scale(flags.scale))
    return Shape(corners_xy=parse_corners(flags.corners))


def parse_size(words: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT`` as height and width in px.

    Raises:
        UsageError: if these are not two whole numbers.
    """
    parts = [part.strip() for part in words.lower().split("x")]
    if len(parts) != 2 or not all(part.isdecimal() and len(part) < 7 for part in parts):
        raise UsageError("--size", "WIDTHxHEIGHT in pixels", f"'{words}'", "for example --size 800x600")
    width, height = (int(part) for part in parts)
    return height, width


def parse_scale(words: str) -> tuple[float, float]:
    """Read ``S`` or ``SX,SY``.

    Raises:
        UsageError: if these are not one or two numbers above 0.
    """
    numbers = _numbers(words)
    if numbers is None or len(numbers) > 2 or not all(0 < number <= SCALE_MOST for number in numbers):
        hint = "for example --scale 1.5, or --scale 2,1 for twice as wide"
        raise UsageError("--scale", "one factor or two, above 0", f"'{words}'", hint)
    return numbers[0], numbers[-1]


def parse_corners(words: str) -> Corners:
    """Read four times ``x,y`` in px.

    Raises:
        UsageError: if these are not four points.
    """
    points = [_numbers(part) for part in words.split()]
    if len(points) != 4 or not all(point is not None and len(point) == 2 for point in points):
        expected = "four points x,y in pixels: top left, top right, bottom right, bottom left"
        hint = "for example --corners '0,0 400,40 400,300 0,260'"
        raise UsageError("--corners", expected, f"'{words}'", hint)
    first, second, third, fourth = ((point[0], point[1]) for point in points if point is not None)
    return first, second, third, fourth


def _numbers(words: str) -> list[float] | None:
    """Finite numbers between commas; None where there is anything else."""
    try:
        numbers = [float(part) for part in words.split(",")]
    except ValueError:
        return None
    return numbers if all(math.isfinite(number) for number in numbers) else None


def _check_together(files: RetargetFiles, flags: RetargetFlags, saving: Saving, work: Work) -> None:
    if flags.frames and saving != Saving():
        given = "--flatten" if saving.flatten else "--jpeg-quality"
        hint = "frames keep every value and what is clear"
        raise UsageError(given, "one result", f"{flags.frames} frames", hint)
    saving.check(files.out)
    if flags.is_official_match and (flags.method != "learned" or flags.corners):
        got = "--corners" if flags.corners else f"--method {flags.method}"
        hint = "the published routine learned its picture and gives rectangles"
        raise UsageError("--match-official", "--method learned and a size beside it", got, hint)
    if flags.method == "instant" and work.weights:
        hint = "the instant method learns nothing, use --method learned"
        raise UsageError("--weights", "--method learned beside it", "--method instant", hint)
    if flags.method == "learned" and files.novelty_out is not None:
        hint = "networks do not say where they took a pixel from"
        raise UsageError("--novelty-out", "--method instant beside it", "--method learned", hint)
    if flags.frames and files.novelty_out is not None:
        raise UsageError("--novelty-out", "one result", f"{flags.frames} frames", "leave one of them out")
    if flags.frames and flags.frames < 2:
        hint = "the first shows the picture's own shape, the last the new one"
        raise UsageError("--frames", "2 frames or more", str(flags.frames), hint)
    if flags.frames > FRAMES_MOST:
        hint = "all are held in memory until they are written"
        raise UsageError("--frames", f"{FRAMES_MOST} frames or fewer", str(flags.frames), hint)


def _check_files(files: RetargetFiles, flags: RetargetFlags) -> FrameFiles | None:
    """Refuse places that cannot take a result; gives the places of frames where frames are wanted."""
    frame_files = None
    if flags.frames:
        frame_files = FrameFiles.at(files.out, flags.frames)
        for path in frame_files.paths:
            check_distinct(path, "--out", {"IMAGE": files.image, "--lock": files.lock})
    else:
        check_output(files.out, "--out", endings=ENDINGS)
    check_distinct(files.out, "--out", {"--lock": files.lock})
    if files.novelty_out is not None:
        check_output(files.novelty_out, "--novelty-out", endings=ENDINGS)
        others = {"--out": files.out, "IMAGE": files.image, "--lock": files.lock}
        check_distinct(files.novelty_out, "--novelty-out", others)
    return frame_files


def _tell_frames(console: Console, files: FrameFiles, report: dict[str, Any]) -> None:
    for note in report["notes"]:
        console.note(note)
    where = files.paths[0] if len(files.paths) == 1 else f"{files.paths[0]} to {files.paths[-1].name}"
    seconds = report["seconds"]["total"]
    console.say(f"{where}  {files.count} frames, {seconds:.1f} s on {report['device']}, {report['quality']}")
    console.answer({"output": [str(path) for path in files.paths], **report})
