"""Files that are wrong: every kind the program reads, changed at random from a fixed seed, is taken or refused in one line.

No exception but ours, no reader that takes longer than 20 s, no process above 2 GB, nothing written outside of its place.
`make test` reads a few of each kind; `make fuzz` reads thousands. A failure names the number of its file:
`python -m tests.fuzz.reader KIND SEED NUMBER NUMBER+1 FOLDER` reads that one again.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fuzz.reader import LIMIT_BYTES

pytestmark = pytest.mark.timeout(0)
ROOT = Path(__file__).parents[2]
KINDS = (
    "document",
    "journal",
    "settings",
    "edit",
    "weights",
    "manifest",
    "checkpoint",
    "run",
    "picture",
    "tar",
)

ALL_TAKEN = ("settings", "journal", "run")
"""What is damaged of these costs itself alone: the window opens, the steps or the checkpoint before the damage come back."""
MANY_LINES = ("edit",)
"""An edit's faults are pydantic's own, which the reader of a recipe turns into one line."""


def read_in_a_process(
    kinds: Sequence[str], seed: int, first: int, last: int, folder: Path
) -> tuple[list[dict], str]:
    """What became of each file, and what the process said when it died; empty where it did not."""
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.reader",
        ",".join(kinds),
        *map(str, (seed, first, last)),
        str(folder),
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=folder, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return lines, "" if done.returncode == 0 else f"exit {done.returncode}\n{done.stderr[-3000:]}"


def fault_of(line: dict) -> str:
    """What is wrong with what became of a file; empty where nothing is."""
    if line["outcome"] == "failed":
        return line["words"]
    if "\n" in line["words"] and line["kind"] not in MANY_LINES:
        return f"more than one line: {line['words']}"
    if line["escaped"]:
        return f"outside of its place: {line['escaped']}"
    return f"{line['peak_bytes'] / 1e9:.1f} GB" if line["peak_bytes"] > LIMIT_BYTES else ""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured through /proc")
def test_changed_files_are_taken_or_refused_in_one_line(request, tmp_path: Path, capsys) -> None:
    options = request.config.option
    count = max(1, options.fuzz_inputs // len(KINDS))
    kinds, first, found, faults = list(KINDS), 0, [], []
    while kinds:
        folder = tmp_path / f"{kinds[0]}-{first}"
        folder.mkdir()
        lines, death = read_in_a_process(kinds, options.fuzz_seed, first, count, folder)
        found += [line for line in lines if "outcome" in line]
        if not death:
            break
        assert lines, f"{kinds[0]}: nothing was read: {death}"
        last = lines[-1]
        faults.append(f"{last['kind']} {last['number']}: the process died: {death}")
        kinds, first = kinds[kinds.index(last["kind"]) :], last["number"] + 1
        if first >= count:
            kinds, first = kinds[1:], 0
    faults += [f"{line['kind']} {line['number']}: {fault}" for line in found if (fault := fault_of(line))]
    report = request.config.pluginmanager.get_plugin("terminalreporter")
    for kind in KINDS:
        mine = [line for line in found if line["kind"] == kind]
        told = Counter(line["outcome"] for line in mine)
        slowest, largest = (
            max((line[name] for line in mine), default=0) for name in ("seconds", "peak_bytes")
        )
        with capsys.disabled():
            report.write_line(
                f"{kind}: {len(mine)} files, {dict(told)}, slowest {slowest:.1f} s, most {largest / 1e6:.0f} MB"
            )
        assert told["refused"] or kind in ALL_TAKEN, f"{kind}: files that are never refused were not changed"
    assert not faults, f"{len(faults)} of {len(found)}, seed {options.fuzz_seed}:\n" + "\n".join(faults[:20])
    assert len(found) == count * len(KINDS)
