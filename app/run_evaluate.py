"""The `evaluate` command: pictures nobody trained on, the family and its baselines, one report a run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.console import Console
from app.errors import DONE, UsageError
from app.outputs import check_output

if TYPE_CHECKING:
    from engine.evaluation import EvaluateOptions, Evaluation


def run_evaluate(
    family: str | None,
    *,
    is_all: bool,
    weights: Sequence[str],
    out: Path,
    options: "EvaluateOptions",
    console: Console,
) -> int:
    """Evaluate one family or all, with one or several weights, and write the reports.

    Args:
        family: hyphen or underscore; None under ``is_all``.
        is_all: every family that can be evaluated.
        weights: names or files, one run each; the default weights if empty.
        out: the report; with several runs each adds its family and weights to the name.
        options: everything but the weights.
        console: where to speak.

    Returns:
        The exit code.

    Raises:
        UsageError: if neither or both of family and ``--all`` are given, or ``--all`` and weights.
        EngineError: as `engine.evaluation.evaluate`.
    """
    from engine.evaluation import EVALUATED_FAMILIES, evaluate, write_report
    from engine.evaluation.report import REPORT_SUFFIXES

    if (family is None) != is_all:
        got = "both" if is_all else "neither"
        raise UsageError(
            "FAMILY", "a family or --all", got, f"known: {', '.join(sorted(EVALUATED_FAMILIES))}"
        )
    if is_all and weights:
        raise UsageError("--weights", "nothing beside --all", "weights", "weights belong to one family")
    families = sorted(EVALUATED_FAMILIES) if family is None else [family]
    runs = [(name, one) for name in families for one in (weights or ("",))]
    paths = report_paths(out, runs)
    for path in paths:
        check_output(path, "--out", endings=frozenset(REPORT_SUFFIXES))

    answers: list[dict[str, Any]] = []
    for (name, one), path in zip(runs, paths, strict=True):
        with console.progress(f"evaluate {name}") as show:
            evaluation = evaluate(
                name,
                replace(options, weights=one),
                report=lambda step, show=show: show(step.share, step.word),
            )
        write_report(evaluation, path)
        _say_table(console, evaluation)
        console.say(str(path))
        answers.append({"output": str(path), **evaluation.as_json()})
    console.answer({"evaluations": answers} if len(answers) > 1 else answers[0])
    return DONE


def report_paths(out: Path, runs: Sequence[tuple[str, str]]) -> list[Path]:
    """One report path a run: the one that was named, or with several runs one beside it for each.

    Args:
        out: as the user named it.
        runs: family and weights of each run.
    """
    if len(runs) == 1:
        return [out]
    several_weights = len({weights for _, weights in runs}) > 1
    paths = []
    for index, (family, weights) in enumerate(runs, start=1):
        ending = f"-{index}-{Path(weights).stem}" if several_weights else ""
        paths.append(out.with_name(f"{out.stem}-{family}{ending}{out.suffix}"))
    return paths


def _say_table(console: Console, evaluation: "Evaluation") -> None:
    from engine.evaluation import markdown_table

    console.say(markdown_table(evaluation))
    for note in evaluation.notes:
        console.note(note)
