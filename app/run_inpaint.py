"""The `run inpaint` command: files in, an edit and its inputs to the engine, files out.

Everything that can be refused is refused before the network runs: places for results first, then the pictures, then
the edit. Results are written whole or not at all.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from app.edit_runs import all_seconds, recipe_text, run_edit, tell_result
from app.errors import DONE, UsageError
from app.options import Saving, Work
from app.outputs import check_distinct, check_output
from engine.edits import EditInputs, InpaintEdit
from engine.pictures import (
    ENDINGS,
    Picture,
    check_can_write,
    read_mask,
    read_official_mask,
    read_picture,
    write_picture,
)

EDGE_ENDINGS = ENDINGS - {".jpg", ".jpeg"}
"""Formats that keep a line of one pixel; JPEG smears it."""

_FAINT_SHARE = 0.9  # what a lossy format leaves of white is more


@dataclass(frozen=True)
class InpaintFiles:
    """The files of one run."""

    image: Path
    out: Path
    mask: Path | None
    edges: Path | None
    erase_edges: Path | None
    edges_out: Path | None


@dataclass(frozen=True)
class InpaintFlags:
    """How the files are read and the hole is filled, as the words on the command line say it."""

    context: str
    is_mask_fitted: bool
    is_inverted: bool
    expand: str
    is_official_match: bool
    edge_sensitivity: float


def run_inpaint(files: InpaintFiles, flags: InpaintFlags, saving: Saving, work: Work) -> int:
    """Fill what the mask marks and write the result.

    Returns:
        The exit code.

    Raises:
        UsageError: if options do not go together.
        OutputError: if a result's place cannot take it.
        EngineError: if a file cannot be read or the job cannot be done.
    """
    console = work.console()
    edit = make_edit(flags, work)
    saving.check(files.out)
    _check_files(files, has_expansion=any(edit.expand_ltrb))
    seconds: dict[str, float] = {}

    with console.progress(f"inpaint {files.image.name}") as show:
        started = time.perf_counter()
        show(0.0, "decode")
        picture = read_picture(files.image)
        check_can_write(
            files.out,
            mode=picture.mode,
            size_hw=_grown_hw(picture, edit),
            is_opaque=picture.is_opaque,
            flatten_rgb=saving.flatten_rgb,
        )
        inputs = _read_inputs(files, flags, picture)
        seconds["decode"] = time.perf_counter() - started

        result = run_edit(edit, inputs, work.device, lambda step: show(step.share, step.word))

        started = time.perf_counter()
        show(1.0, "encode")
        text = recipe_text(edit, result.report)
        notes = write_picture(
            replace(picture, pixels=result.image),
            files.out,
            text=text,
            quality=saving.jpeg_quality,
            flatten_rgb=saving.flatten_rgb,
        )
        if files.edges_out is not None:
            write_picture(Picture(result.edges, "L"), files.edges_out)
        seconds["encode"] = time.perf_counter() - started

    report = dict(result.report)
    report["seconds"] = all_seconds(seconds, report["seconds"])
    report["notes"] = [*picture.notes, *_faint(inputs.mask), *report["notes"], *notes]
    tell_result(console, files.out, {"edges": files.edges_out}, report)
    return DONE


def make_edit(flags: InpaintFlags, work: Work) -> InpaintEdit:
    """Build the edit; ``--match-official`` implies exact and the whole frame.

    Raises:
        UsageError: if ``--expand`` or ``--context`` cannot be read or do not go with ``--match-official``.
    """
    expand_ltrb = parse_expand(flags.expand)
    context, context_box = parse_context(flags.context)
    if flags.is_official_match and any(expand_ltrb):
        raise UsageError(
            "--expand", "nothing beside --match-official", f"'{flags.expand}'", "leave one of them out"
        )
    return InpaintEdit(
        weights=work.weights,
        quality=work.quality,
        seed=work.seed,
        context=context,
        context_box=context_box,
        expand_ltrb=expand_ltrb,
        is_official_match=flags.is_official_match,
        edge_sensitivity=flags.edge_sensitivity,
    ).settled()


def parse_expand(words: str) -> tuple[int, int, int, int]:
    """Read ``l,t,r,b`` in pixels; nothing means no expansion.

    Raises:
        UsageError: if these are not four whole numbers from 0.
    """
    if not words:
        return (0, 0, 0, 0)
    parts = [part.strip() for part in words.split(",")]
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):
        hint = "for example --expand 0,0,256,0 adds 256 px on the right"
        raise UsageError("--expand", "four whole numbers l,t,r,b from 0, in pixels", f"'{words}'", hint)
    left, top, right, bottom = (int(part) for part in parts)
    return (left, top, right, bottom)


def parse_context(words: str) -> tuple[Literal["hole", "full", "box"], tuple[int, int, int, int] | None]:
    """Read ``hole``, ``full``, or a box ``x0,y0,x1,y1`` in pixels.

    Raises:
        UsageError: if it is none of these, or the box has no inside.
    """
    if words == "hole" or words == "full":
        return words, None
    parts = [part.strip() for part in words.split(",")]
    if len(parts) == 4 and all(part.isdecimal() and len(part) < 7 for part in parts):
        x0, y0, x1, y1 = (int(part) for part in parts)
        if x0 < x1 and y0 < y1:
            return "box", (x0, y0, x1, y1)
    hint = "for example --context 100,50,600,400 shows the network that part"
    raise UsageError("--context", "hole, full, or a box x0,y0,x1,y1 in pixels", f"'{words}'", hint)


def _check_files(files: InpaintFiles, *, has_expansion: bool) -> None:
    if files.mask is None and not has_expansion:
        hint = "white marks what goes; only --expand needs no mask"
        raise UsageError("--mask", "a picture", "none", hint)
    check_output(files.out, "--out", endings=ENDINGS)
    read = {"--mask": files.mask, "--edges": files.edges, "--erase-edges": files.erase_edges}
    check_distinct(files.out, "--out", read)
    if files.edges_out is not None:
        check_output(files.edges_out, "--edges-out", endings=EDGE_ENDINGS)
        check_distinct(files.edges_out, "--edges-out", {"--out": files.out, "IMAGE": files.image, **read})


def _faint(mask: np.ndarray | None) -> tuple[str, ...]:
    """What to say of a mask that selects nothing fully: nobody who meant a hole should have to guess."""
    strongest = 1.0 if mask is None else float(mask.max())
    if not 0 < strongest < _FAINT_SHARE:
        return ()
    return (f"the mask selects no pixel by more than {strongest:.0%}; make it white where all is to go",)


def _grown_hw(picture: Picture, edit: InpaintEdit) -> tuple[int, int]:
    left, top, right, bottom = edit.expand_ltrb
    height, width = picture.pixels.shape[:2]
    return height + top + bottom, width + left + right


def _read_inputs(files: InpaintFiles, flags: InpaintFlags, picture: Picture) -> EditInputs:
    size_hw = picture.pixels.shape[:2]
    is_official = flags.is_official_match

    def read(path: Path | None) -> np.ndarray | None:
        is_fitted = flags.is_mask_fitted or is_official
        return (
            None
            if path is None
            else read_mask(path, size_hw=size_hw, invert=flags.is_inverted, fit=is_fitted)
        )

    if is_official and not flags.is_inverted and files.mask is not None:
        mask = read_official_mask(files.mask, size_hw=size_hw)
    else:
        mask = read(files.mask)
    return EditInputs(
        image=picture.pixels,
        mask=mask,
        drawn_edges=read(files.edges),
        erased_edges=read(files.erase_edges),
    )
