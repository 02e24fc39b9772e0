"""Read changed files, in a process of its own that is watched.

usage: python -m tests.fuzz.reader KIND[,KIND ...] SEED FIRST LAST FOLDER

Of each kind the files FIRST to LAST are read, of all but the first kind from 0 on. For each a line of JSON before (`kind`, `number`) and one after, with what became of it: `taken`, `refused` with the
words, or `failed` with the traceback. A reader that takes longer than `LIMIT_S` ends the process, with where it was on
stderr; so does memory beyond `LIMIT_BYTES`. Whatever opens a file to write, moves or removes one outside the folder of its
input, starts a program or a connection is noted as `escaped`.
"""

import faulthandler
import json
import logging
import os
import random
import resource
import shutil
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

LIMIT_S = 20
LIMIT_BYTES = 2_000_000_000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ON_PATHS = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
)
_NEVER = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
    "pickle.find_class",
)

_home: Path | None = None
_escaped: list[str] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _home is None:
        return
    if event in _NEVER:
        if event != "pickle.find_class" or not str(args[0]).startswith(("collections", "torch", "numpy")):
            _escaped.append(f"{event} {args[:2]}")
    elif event == "open":
        path, mode, flags = args
        if (isinstance(mode, str) and set(mode) & set("wax+")) or (
            isinstance(flags, int) and flags & _WRITING
        ):
            _check(event, path)
    elif event in _ON_PATHS:
        for path in args[:2] if event in ("os.rename", "os.link", "os.symlink") else args[:1]:
            _check(event, path)


def _check(event: str, path: object) -> None:
    """Note a path outside. One that is relative is beside the current folder, which is inside, or below an open one."""
    if not isinstance(path, str | bytes | os.PathLike):
        return
    text = os.fsdecode(path)
    full = os.path.normpath(os.path.join(str(_home), text))
    if not full.startswith(str(_home)) and text != os.devnull:
        _escaped.append(f"{event} {text}")


def changed_file(kind: Any, seeds: list[bytes], name: str, seed: int, number: int) -> bytes:
    """The file of a number: the same one each time."""
    rng = random.Random(f"{name} {seed} {number}")
    data, other = rng.choice(seeds), rng.choice(seeds)
    change = rng.choice(kind.changes)
    try:
        return bytes(change(rng, data, other))
    except Exception:  # noqa: BLE001 (a change that does not fit this file: bytes are changed instead)
        from tests.fuzz.mutations import spoiled

        return spoiled(rng, data, other)


def main() -> None:
    """Read the files of one kind after the other."""
    names, seed, first, last = sys.argv[1].split(","), *map(int, sys.argv[2:5])
    folder = Path(sys.argv[5]).resolve()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    _move_home(folder / "start")
    from tests.fuzz.kinds import KINDS

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_DATA, (held * 1024 + LIMIT_BYTES,) * 2)
    sys.addaudithook(_watch)
    for name in names:
        seeds = _valid_files(KINDS[name], folder / name)
        for number in range(first, last):
            data = changed_file(KINDS[name], seeds, name, seed, number)
            _read(KINDS[name], data, folder / name / str(number), {"kind": name, "number": number})
        first = 0


def _valid_files(kind: Any, folder: Path) -> list[bytes]:
    """The files that are changed. Unchanged they are taken, or the test tests nothing."""
    _move_home(folder / "seeds")
    seeds = list(kind.seeds(folder / "seeds"))
    for number, data in enumerate(seeds):
        _move_home(folder / f"plain-{number}")
        kind.read(data, folder / f"plain-{number}")
    return seeds


def _read(kind: Any, data: bytes, place: Path, about: dict[str, Any]) -> None:
    global _home
    _move_home(place)
    _say(about)
    _forget_peak()
    _escaped.clear()
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    start = time.perf_counter()
    outcome, words = "taken", ""
    _home = place
    try:
        kind.read(data, place)
    except kind.allowed as error:
        outcome, words = "refused", str(error)
    except BaseException:  # noqa: BLE001 (that is what is looked for)
        outcome, words = "failed", traceback.format_exc()
    _home = None
    faulthandler.cancel_dump_traceback_later()
    took = {"seconds": time.perf_counter() - start, "peak_bytes": _peak_bytes()}
    _say({**about, "outcome": outcome, "words": words, **took, "escaped": _escaped[:5]})
    os.chdir(place.parent)
    shutil.rmtree(place, ignore_errors=True)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _move_home(place: Path) -> None:
    """Let everything that a reader may call its own lie in one folder."""
    place.mkdir(parents=True)
    for variable in (
        "HOME",
        "PENTIMENTO_HOME",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    ):
        os.environ[variable] = str(place)
    import tempfile

    tempfile.tempdir = str(place)
    os.chdir(place)


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    """Largest memory held since `_forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
