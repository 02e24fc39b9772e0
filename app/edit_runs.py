"""What every `run` command does with its edit: run it on an engine of its own, and say what came of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.console import Console
from engine.edits import Edit, EditInputs
from engine.progress import ProgressCallback

if TYPE_CHECKING:
    from engine.engine import Result


def run_edit(edit: Edit, inputs: EditInputs, device: str, progress: ProgressCallback) -> "Result":
    """Run one edit on an engine of its own; torch is loaded here, after everything cheap was checked."""
    from engine.engine import Engine

    engine = Engine(device=device)
    try:
        return engine.run(edit, inputs, progress=progress)
    finally:
        engine.close()


def recipe_text(edit: Edit, report: Mapping[str, Any]) -> dict[str, str]:
    """What a PNG says of how it was made: the edit and the digest of its weights, as JSON."""
    recipe = {"edit": edit.model_dump(mode="json"), "weights": report.get("weights")}
    return {"Software": "Pentimento", "pentimento.recipe": json.dumps(recipe, default=str)}


def all_seconds(files: Mapping[str, float], engine: Mapping[str, float]) -> dict[str, float]:
    """Seconds by phase in their order.

    Args:
        files: ``decode`` and ``encode``.
        engine: as the engine's report has them, from decoded to composited.

    Returns:
        The phases, ``engine`` for all between, and ``total`` for everything.
    """
    phases = {name: value for name, value in engine.items() if name != "total"}
    decode, encode = round(files["decode"], 4), round(files["encode"], 4)
    total = round(decode + engine["total"] + encode, 4)
    return {"decode": decode, **phases, "encode": encode, "engine": engine["total"], "total": total}


def tell_result(
    console: Console, out: Path, others: Mapping[str, Path | None], report: dict[str, Any]
) -> None:
    """Say what was written, in lines or as JSON.

    Args:
        console: the command's voice.
        out: the result.
        others: further files by what they are; None where one was not asked for.
        report: the engine's, with the command's own seconds and notes.
    """
    outputs = {"output": str(out)}
    for note in report["notes"]:
        console.note(note)
    console.say(f"{out}  {report['seconds']['total']:.1f} s on {report['device']}, {report['quality']}")
    for name, path in others.items():
        if path is not None:
            outputs[f"{name}_output"] = str(path)
            console.say(f"{path}  {name}")
    console.answer({**outputs, **report})
