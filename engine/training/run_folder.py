"""The folder of a run: made, refused where another run lies or writes there, and cleared of what a killed one left.

Elsewhere: what is written in it in loop.py, its checkpoints in checkpoints.py.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.atomic import path_error
from engine.errors import TrainingError
from engine.locking import try_hold
from engine.private import PlaceError, part_kind, remove_files
from engine.training.checkpoints import FOLDER, checkpoint_files
from engine.training.events import Notice, Report
from engine.training.options import TrainOptions

PREVIEWS = "previews"
_PARTS = {
    FOLDER: (part_kind(b"PK\3\4"),),
    PREVIEWS: (part_kind(b"\x89PNG"),),
    "": (part_kind(b"{", b"\x89PNG"), part_kind(b"{", offset=8)),
}
"""How what a run writes begins, by the folder below its own: JSON, pictures, weights."""


def check_folder(options: TrainOptions) -> None:
    """Make the run's folder, and refuse one that holds another run.

    Raises:
        TrainingError: if it cannot be made, or holds checkpoints that are not asked for.
    """
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise TrainingError(options.out, "a folder", "a file", "choose another --out") from error
    except OSError as error:
        raise path_error(options.out, error, TrainingError) from error
    if not options.resume and any(path.is_file() for path in checkpoint_files(options.out)):
        hint = "add --resume to go on with it, or choose another --out"
        raise TrainingError(options.out, "a folder without a run", "checkpoints of an earlier run", hint)


@contextmanager
def alone_in(out: Path, tell: Report) -> Iterator[None]:
    """Be the only training that writes to a folder, and remove the parts of files that a killed one left there.

    A run that was killed holds nothing: the lock is the system's own.

    Raises:
        TrainingError: if another training writes there.
    """
    with ExitStack() as stack:
        try:
            is_mine = stack.enter_context(try_hold(out))
        except PlaceError:
            is_mine = True
            tell(Notice(f"{out} is on a disk without locks: see that no other training writes there"))
        except OSError as error:
            raise path_error(out, error, TrainingError) from error
        if not is_mine:
            hint = "wait for its end, or choose another --out"
            raise TrainingError(out, "a folder that no other training writes to", "one in use", hint)
        for below, kinds in _PARTS.items():
            remove_files(out.resolve() / below, kinds)
        yield
