"""The `train` command: what the loop tells becomes lines, and a bar where there is a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from app.console import Console
from app.errors import DONE
from app.interrupts import is_first_process
from app.options import TrainFlags
from engine.training import events
from engine.training.options import TrainOptions

if TYPE_CHECKING:
    from rich.progress import Progress


def make_options(family: str, flags: TrainFlags) -> TrainOptions:
    """Build the options from the words that were given; the rest keeps its default.

    Args:
        family: hyphen or underscore.
        flags: None where a word was not given.

    Raises:
        TrainingError: if a value cannot be used.
        WeightsError: if the weights to start from are not known.
    """
    values = {field.name: getattr(flags, field.name) for field in fields(flags)}
    chosen: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if flags.loss is not None:
        chosen["loss"] = dict(flags.loss)
    if flags.parts is not None:
        chosen["parts"] = dict(flags.parts)
    if flags.from_weights is not None:
        from engine.weights import WeightsStore

        chosen["from_weights"] = WeightsStore().resolve(flags.from_weights, family).path
    return TrainOptions.of(family, **chosen)


def run_train(options: TrainOptions, console: Console) -> int:
    """Train and draw what is told; the loop itself catches Ctrl-C, saves and comes back.

    Returns:
        0, also after Ctrl-C: what was learned is saved.

    Raises:
        TrainingError: if there is nothing to learn from, or a checkpoint of another run.
    """
    from engine.training import train

    with _bar(console) as bar:
        result = train(options, report=TrainView(console, bar).tell)
    if is_first_process():
        if result.reason != "finished":
            console.say(
                f"{result.reason} at step {result.step} of {result.steps}, saved; go on with --resume"
            )
        console.answer({"output": str(result.weights), "seed": options.seed, **asdict(result)})
    return DONE


class TrainView:
    """Draws the events of a run: lines that stay, and a bar below them on a terminal.

    Args:
        console: where lines go.
        bar: the bar, or None where nobody looks.
    """

    def __init__(self, console: Console, bar: "Progress | None") -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("train", total=None, word="") if bar is not None else None

    def tell(self, event: events.Event) -> None:
        """Draw one event."""
        if isinstance(event, events.Stepped):
            self._move(event)
            return
        if isinstance(event, events.Written) and event.kind == "snapshot":
            return  # every few seconds
        line = event_line(event)
        if self._bar is not None and not self._console.is_json:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        elif isinstance(event, events.Notice | events.Skipped):
            self._console.note(line)
        else:
            self._console.say(line)

    def _move(self, event: events.Stepped) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=event.step, total=event.steps, word=event.stage)


def event_line(event: events.Event) -> str:
    """One line for an event that stays on the screen."""
    match event:
        case events.Notice(text=text):
            return text
        case events.Skipped(name=name, reason=reason):
            return f"{name} is left out: {reason}"
        case events.Estimated():
            return (
                f"about {span(event.seconds)} to go, {event.pictures_per_second:.1f} pictures/s, "
                f"{event.peak_bytes / (1 << 30):.1f} GiB"
            )
        case events.StageStarted():
            return f"stage {event.stage} ({event.summary}): steps {event.first_step} to {event.last_step}"
        case events.Measured():
            numbers = {**event.terms, **event.metrics}
            words = "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
            return (
                f"{event.step}/{event.steps}  {words}  {event.pictures_per_second:.1f} pictures/s, "
                f"{span(event.seconds_left)} to go"
            )
        case events.Written(kind=kind, path=path):
            return f"{path}  {kind}"
        case _:
            return str(event)


def span(seconds: float) -> str:
    """A time in words a person reads at a glance: ``42 s``, ``7 min``, ``3.2 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@contextmanager
def _bar(console: Console) -> Iterator["Progress | None"]:
    if not console.has_progress:
        yield None
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.fields[word]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=RichConsole(stderr=True)) as bar:
        yield bar
