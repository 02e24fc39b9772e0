"""The `weights` commands: lines or a JSON object around what `engine.weights` does."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from app.console import Console
from app.errors import BAD_INPUT, DONE, UsageError
from engine.weights import WeightsStore

MIB = 1 << 20


def list_weights(console: Console) -> int:
    """Say what there is, with its licence, and what can be fetched."""
    store = WeightsStore()
    rows = []
    for entry in store.entries():
        path = store.path_of(entry)
        rows.append({**entry.model_dump(mode="json"), "path": str(path), "is_here": path.is_file()})
    width = max((len(row["name"]) for row in rows), default=0)
    for row in rows:
        place = "here" if row["is_here"] else "not here"
        size = f"{row['bytes'] / MIB:.1f} MiB"
        console.say(
            f"{row['name']:{width}}  {row['family']}  {row['status']}  {size:>10}  {place}  licence: {row['licence']}"
        )
    if not rows:
        console.say(f"no weights; train some, or import them into {store.user}")
    console.answer({"folder": str(store.user), "weights": rows})
    return DONE


def verify_weights(console: Console) -> int:
    """Check every file against its digest.

    Returns:
        2 if a file is damaged or missing; weights that were never fetched are no fault.
    """
    reports = WeightsStore().verify()
    width = max((len(report.name) for report in reports), default=0)
    for report in reports:
        console.say(f"{report.state:11}  {report.name:{width}}  {report.path}  {report.detail}".rstrip())
    if not reports:
        console.say("no weights to verify")
    faults = [report for report in reports if report.state in ("damaged", "missing")]
    console.answer({"is_whole": not faults, "weights": [asdict(report) for report in reports]})
    return BAD_INPUT if faults else DONE


def import_weights(files: Sequence[Path], family: str, name: str, console: Console) -> int:
    """Turn a checkpoint the user has into weights of a family.

    Raises:
        UsageError: if no file is named.
        WeightsError: if the files are not what the family needs.
    """
    if not files:
        hint = "see 'pentimento weights import --help'"
        raise UsageError("FILES", "the checkpoint's files or their folder", "none", hint)
    imported = WeightsStore().import_official(list(files), family, name)
    for part in imported.missing:
        console.note(f"{part} was not there; it is needed only to train on")
    console.say(f"{imported.path}  {imported.entry.name}, licence: {imported.entry.licence}")
    answer = {"output": str(imported.path), "weights": imported.entry.model_dump(mode="json")}
    console.answer({**answer, "missing": list(imported.missing)})
    return DONE


def download_weights(name: str, console: Console, *, allow_http: bool = False) -> int:
    """Fetch weights of the manifest, going on where a broken download stopped.

    Raises:
        WeightsError: if the name is unknown, has no address, or the download fails.
    """
    with console.progress(f"download {name}") as show:
        path = WeightsStore().download(name, lambda step: show(step.share, step.word), allows_http=allow_http)
    console.say(str(path))
    console.answer({"output": str(path)})
    return DONE


def remove_weights(name: str, console: Console) -> int:
    """Remove imported or downloaded weights.

    Raises:
        WeightsError: if the name is unknown, or the weights come with the program.
    """
    path = WeightsStore().remove(name)
    console.say(f"removed {path}")
    console.answer({"removed": str(path)})
    return DONE
