"""The command line: one sub-command a function, each a thin call.

Nothing heavy is imported here. A command imports its own part when it runs, so that ``--help`` is quick and this module
starts without Qt and without torch. Exit codes and error lines are made in `app.__main__`.

Elsewhere: shared options in options.py, what is printed in console.py, the parser's refusals in usage.py.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from app.errors import DONE
from app.options import Output, Saving, Several, TrainFlags, Whole, Work
from app.usage import by_its_option, unknown_command, usage_error

app = App(
    name="pentimento",
    help="Draw on a photo, and what you drew becomes the picture.",
    version_flags=["--version"],
    default_parameter=Parameter(negative=()),
    print_error=False,
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
    help_format="plaintext",
)
run_app = App(name="run", help="Run one tool on a picture.")
weights_app = App(name="weights", help="List, check, import, fetch and remove weights.")
app.command(run_app)
app.command(weights_app)


def run(words: Sequence[str]) -> int:
    """Parse the words and run their command.

    Raises:
        UsageError: if the words make no command; whatever the command itself raises.
    """
    try:
        code = app(list(words))
    except CycloptsError as error:
        raise usage_error(error, app, words) from error
    except Exception as error:
        named = by_its_option(error, words)
        if named is None:
            raise
        raise named from error
    return code if isinstance(code, int) else DONE


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pentimento")
    except PackageNotFoundError:
        return "not installed: run from a clone"


app.version = _version


@app.default
def window(*files: Path, sample: str = "") -> int:
    """Open the window.

    Args:
        files: Photos and documents to open.
        sample: Open this bundled photo with its mask; coffee, for example.
    """
    for file in files:
        if not file.suffix and not file.exists():
            raise unknown_command(str(file), [name for name in app if not name.startswith("-")])
    from app.start import run_window

    return run_window(files, sample)


@run_app.command
def inpaint(
    image: Path,
    /,
    *,
    out: Path,
    mask: Path | None = None,
    edges: Path | None = None,
    erase_edges: Path | None = None,
    edge_sensitivity: float = 0.5,
    edges_out: Path | None = None,
    context: str = "hole",
    fit_mask: bool = False,
    invert: bool = False,
    expand: str = "",
    match_official: bool = False,
    saving: Saving | None = None,
    work: Work | None = None,
) -> int:
    """Remove what the mask marks, and fill the hole.

    Args:
        image: The photo.
        out: Where the result goes; the file's ending says its format.
        mask: White on black, or a picture whose alpha varies: white is what goes. Grey blends.
        edges: Edges to add, white on black: the fill follows them.
        erase_edges: Where guessed edges are removed, white on black.
        edge_sensitivity: How readily a guessed edge counts, 0 to 1: 0 none, 0.5 as guessed, 1 all.
        edges_out: Where the edge map that was used goes.
        context: hole: look at the hole and its surroundings; full: at the whole frame; or at a box, as x0,y0,x1,y1.
        fit_mask: Resize a mask of another size instead of refusing it.
        invert: Black is what goes: turns mask and edges round.
        expand: Pixels to add left, top, right, bottom, as l,t,r,b; the new border is filled too.
        match_official: Do what the official test routine does; needs imported weights.
        saving: How the result is written.
        work: Where and how to work.
    """
    from app.run_inpaint import InpaintFiles, InpaintFlags, run_inpaint

    files = InpaintFiles(image, out, mask, edges, erase_edges, edges_out)
    flags = InpaintFlags(context, fit_mask, invert, expand, match_official, edge_sensitivity)
    return run_inpaint(files, flags, saving or Saving(), work or Work())


@run_app.command
def retarget(
    image: Path,
    /,
    *,
    out: Path,
    size: str = "",
    scale: str = "",
    corners: str = "",
    method: Literal["instant", "learned"] = "instant",
    lock: Path | None = None,
    fit_mask: bool = False,
    completeness: float | None = None,
    frames: Whole = 0,
    novelty_out: Path | None = None,
    match_official: bool = False,
    saving: Saving | None = None,
    work: Work | None = None,
) -> int:
    """Remake a picture at another size or shape, with its elements at their own size.

    Args:
        image: The picture, 32 to 12000 px a side and up to 120 megapixels.
        out: Where the result goes; the file's ending says its format.
        size: New size in pixels, as WIDTHxHEIGHT; 32 to 12000 a side.
        scale: Or so many times the picture's own: S, or SX,SY.
        corners: Or where its corners go, in pixels: "x,y x,y x,y x,y" from the top left clockwise.
        method: instant: from the picture's patches, in seconds; learned: by weights that learned this picture.
        lock: White on black: what keeps its shape.
        fit_mask: Resize a lock of another size instead of refusing it.
        completeness: How much of the picture must come back, 0 to 1.
        frames: So many pictures from the own shape to the new: a moving .gif or .webp, numbered .png, or a folder.
        novelty_out: Where the map of what is copied (black) and invented (white) goes.
        match_official: Do what the official test routine does; needs imported weights.
        saving: How the result is written.
        work: Where and how to work.
    """
    from app.run_retarget import RetargetFiles, RetargetFlags, run_retarget

    files = RetargetFiles(image, out, lock, novelty_out)
    flags = RetargetFlags(size, scale, corners, method, completeness, match_official, fit_mask, frames)
    return run_retarget(files, flags, saving or Saving(), work or Work())


@weights_app.command(name="list")
def list_weights(*, output: Output | None = None) -> int:
    """List the weights this machine has or can fetch."""
    from app.weights_commands import list_weights

    return list_weights((output or Output()).console())


@weights_app.command(name="verify")
def verify_weights(*, output: Output | None = None) -> int:
    """Check every file against its digest; exits 2 if one is damaged."""
    from app.weights_commands import verify_weights

    return verify_weights((output or Output()).console())


@weights_app.command(name="import")
def import_weights(*files: Path, family: str, name: str, output: Output | None = None) -> int:
    """Import a checkpoint you have as weights of a family.

    Args:
        files: The official checkpoint's files, or their folder.
        family: inpaint or retarget.
        name: What the weights are called from then on.
        output: How to answer.
    """
    from app.weights_commands import import_weights

    return import_weights(list(files), family, name, (output or Output()).console())


@weights_app.command(name="download")
def download_weights(name: str, /, *, allow_http: bool = False, output: Output | None = None) -> int:
    """Fetch weights of the manifest; a broken download goes on where it stopped.

    Args:
        name: As `weights list` shows it.
        allow_http: Fetch over plain http too, which others on the way can read and change; the digest is checked.
        output: How to answer.
    """
    from app.weights_commands import download_weights

    return download_weights(name, (output or Output()).console(), allow_http=allow_http)


@weights_app.command(name="remove")
def remove_weights(name: str, /, *, output: Output | None = None) -> int:
    """Remove imported or downloaded weights.

    Args:
        name: As `weights list` shows it.
        output: How to answer.
    """
    from app.weights_commands import remove_weights

    return remove_weights(name, (output or Output()).console())


@app.command
def train(family: str, /, *, flags: TrainFlags, output: Output | None = None) -> int:
    """Train a family, or fine-tune it on your own pictures. Ctrl-C saves.

    Args:
        family: inpaint, or retarget (one picture, ready for use at any moment).
        flags: What to learn from, and how.
        output: How to answer.
    """
    from app.run_train import make_options, run_train

    return run_train(make_options(family, flags), (output or Output()).console())


@app.command
def evaluate(
    family: str | None = None,
    /,
    *,
    data: Several[Path],
    out: Path,
    is_all: Annotated[bool, Parameter(name="--all")] = False,
    weights: Several[str] = (),
    features: Path | None = None,
    protocol: Literal["house", "official"] = "house",
    subset: str = "",
    limit: Whole | None = None,
    size: Whole = 256,
    quality: Literal["exact", "fast"] = "exact",
    device: str = "auto",
    seed: Whole = 0,
    output: Output | None = None,
) -> int:
    """Measure a family and its baselines on pictures nobody trained on.

    Args:
        family: inpaint or retarget.
        data: Folders, tar files or pictures.
        out: The report, .json or .html.
        is_all: Every family.
        weights: Weights by name or file, one run each; the family's own if left out.
        features: Network whose features FID compares; no FID without it.
        protocol: house: colour, inside the hole; official: what the method's authors measured.
        subset: Only pictures below this folder of the data.
        limit: At most this many pictures.
        size: Side in pixels the pictures are brought to; 0 keeps their own.
        quality: exact or fast.
        device: auto, cpu, cuda or cuda:N.
        seed: Picks masks, and pictures under a limit.
        output: How to answer.
    """
    from app.run_evaluate import run_evaluate
    from engine.evaluation import EvaluateOptions

    options = EvaluateOptions(
        data=tuple(data), subset=subset, features=features, protocol=protocol, limit=limit, size=size,
        device=device, quality=quality, seed=seed,
    )  # fmt: skip
    console = (output or Output()).console()
    return run_evaluate(family, is_all=is_all, weights=weights, out=out, options=options, console=console)


@app.command
def demo(*, out: Path = Path("demo_out"), work: Work | None = None) -> int:
    """Remove something from each bundled photo, with a before/after sheet.

    Args:
        out: Folder of the results.
        work: Where and how to work.
    """
    from app.demo import run_demo

    return run_demo(out, work or Work())


@app.command
def doctor(*, output: Output | None = None) -> int:
    """Say what works here, and what to do about what does not; exits 2 if the program cannot be used."""
    from app.doctor import run_doctor

    return run_doctor((output or Output()).console())
