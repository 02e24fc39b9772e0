"""Train a family: read top to bottom, this is all a run does.

A step: fetch the micro-batches; average their denominators over micro-batches and processes; for each, both sides'
losses and one backward through their sum; average the gradients over processes; step the generators and the
discriminators; take the new weights into the running means. Both sides see the weights as they were before the step.

A run is a line of stages. Each starts with fresh optimisers, and its generators take over the running means of the
stage before, so that a stage builds on what would have been shipped.

The same options and pictures give the same losses on the same machine, stopped and resumed or not: samples are
functions of (seed, position), and everything else that lives from step to step is in the checkpoint.

Elsewhere: one step in step.py; the folder in run_folder.py, what goes on from there in checkpoints.py; pictures in
sources.py, store.py, batches.py; holes in samples/; one side's gradients in gradients.py.
"""

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.atomic import path_error, write_atomically
from engine.errors import DataGoneError, TrainingError
from engine.out_of_memory import is_out_of_memory
from engine.training import film
from engine.training.averages import AveragedWeights
from engine.training.batches import Positions, batch_bytes, default_workers, load
from engine.training.checkpoints import OtherRunError, save_checkpoint, take_newest
from engine.training.data import BrokenFiles, RunData
from engine.training.estimate import estimate_run
from engine.training.events import (
    Event,
    Measured,
    Notice,
    Report,
    StageStarted,
    Stepped,
    Written,
    duration,
)
from engine.training.families import training_of
from engine.training.gradients import Side
from engine.training.meter import Meter
from engine.training.options import TrainOptions
from engine.training.previews import write_grid
from engine.training.processes import Processes, launch, local_processes
from engine.training.run_folder import PREVIEWS, alone_in, check_folder
from engine.training.snapshots import Snapshots
from engine.training.stages import StageSpan, learning_rate_factor, spans
from engine.training.step import take_step
from engine.training.stopping import Deadline, stop_on_signals
from engine.training.weights import load_start, make_objective, write_results
from models.objective import Batch, Group, Objective
from models.registry import family_spec

_log = logging.getLogger("engine.training")

BAD_STEPS_LIMIT = 50
"""Steps with gradients that are not finite, between two lines of metrics, at which a run gives up (or all of them)."""

SNAPSHOT_NAME = "snapshot.png"
"""In a run's folder: what the weights beside it paint, while they are learned."""

_PREVIEW_ROWS = 8


@dataclass(frozen=True)
class TrainResult:
    """How a run ended."""

    weights: Path
    """The averaged generators, ready for use."""

    discriminators: Path
    """The other side, for further training from these weights."""

    step: int
    """Steps done, earlier parts of a resumed run included."""

    steps: int
    """Steps asked for."""

    reason: str
    """``finished``, ``stopped`` or ``time limit``."""

    skipped_steps: int
    """Steps of this part whose gradients were not finite."""

    broken_files: int
    """Files found broken in this part."""


def train(
    options: TrainOptions, *, report: Report | None = None, should_stop: Callable[[], bool] | None = None
) -> TrainResult:
    """Run a training, or the rest of one.

    Ctrl-C and SIGTERM end it after the step under way, with everything saved; a second one ends it at once. Under
    torchrun, or with ``devices`` above 1, this returns in every process; the first one reports and writes.

    Args:
        options: what to do.
        report: told about every event, in this thread.
        should_stop: asked after every step; True ends the run as Ctrl-C does.

    Returns:
        Where the results lie and how it ended.

    Raises:
        TrainingError: if it cannot start or go on.
        WeightsError: if the weights to start from, or the feature network, cannot be used.
    """
    started = time.monotonic()
    processes = launch(options)
    tell: Report = (report or _ignore) if processes.is_first else _ignore
    check_folder(options)
    with alone_in(options.out, tell) if processes.is_first else nullcontext():
        return _train(
            options, processes, tell, Deadline(options.time_limit_minutes * 60, started, should_stop)
        )


def _train(
    options: TrainOptions, processes: Processes, tell: Report, should_end: Callable[[], str]
) -> TrainResult:
    spec = family_spec(options.family)
    family = training_of(spec.name)
    data = family.open_data(options, tell)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        objective, network_options = make_objective(options, spec, data, tell)
    objective.to(memory_format=processes.memory_format)  # type: ignore[call-overload]
    if not options.resume:
        load_start(objective, options, tell)
    objective.to(processes.device).train()
    run = _Run(options, objective, asdict(network_options), data, processes, tell)
    if options.resume:
        run.resume()
    processes.share_from_first(list(objective.state_dict().values()))
    if processes.is_first:
        _write_options(options, asdict(network_options), tell)

    with stop_on_signals() as signals, _fast_convolutions(processes, family.has_one_shape):
        try:
            reason = run.go(should_end, signals)
        except DataGoneError:
            run.broken.end()
            run.save()
            raise
        run.broken.end()
        run.save()
        if processes.is_first:
            run.write()
            run.write_film()
        processes.part()
    return TrainResult(
        weights=options.out / f"{spec.name}.safetensors",
        discriminators=options.out / "discriminators.safetensors",
        step=run.step,
        steps=options.steps,
        reason=reason,
        skipped_steps=run.skipped_steps,
        broken_files=run.broken.count,
    )


class _Run:
    """What lives from step to step."""

    def __init__(
        self,
        options: TrainOptions,
        objective: Objective,
        network_options: Mapping[str, Any],
        data: RunData,
        processes: Processes,
        tell: Report,
    ) -> None:
        self.options, self.objective, self.data = options, objective, data
        self.network_options = network_options
        self.processes, self.tell = processes, tell
        self.spec = family_spec(options.family)
        self.family = training_of(self.spec.name)
        self.cuts = 0
        self.snapshots = Snapshots(options.snapshot_every if processes.is_first else 0.0, self._snapshot)
        self.step = 0
        self.seconds_before = 0.0
        self.skipped_steps = 0
        self.averages = AveragedWeights(objective.ema_networks(), options.ema)
        self.broken = BrokenFiles(data.stores, tell)
        self.spans = spans(objective.stages, options.steps, options.stage)
        self.sides: dict[str, Side] = {}
        self.stage = ""
        self._saved_step = -1
        self._started = time.monotonic()
        self._restored_sides: Mapping[str, Any] = {}
        self._stream: Iterator[dict[str, Tensor]] = iter(())
        self._has_room_to_paint = True

    # The run ------------------------------------------------------------------------------------------------------

    def go(self, should_end: Callable[[], str], signals: Callable[[], bool]) -> str:
        """Step until the end or until someone wants to stop; answer why it ended."""
        if self.step >= self.options.steps:
            self.tell(Notice(f"all {self.options.steps} steps are done; give a larger --steps in a new run"))
            return "finished"
        while not self._fits(self._estimate):
            pass
        self._stream = self._batches()
        try:
            for span in self.spans:
                if self.step >= span.last_step:
                    continue
                self._begin(span)
                reason = self._go_through(span, should_end, signals)
                if reason:
                    return reason
        finally:
            self._stream = iter(())  # ends the loader's processes, which wait for no signal
        return "finished"

    def _go_through(self, span: StageSpan, should_end: Callable[[], str], signals: Callable[[], bool]) -> str:
        meter = Meter()
        micro_batches: list[Batch] = []

        def step() -> None:
            micro_batches[:] = self._take_step(span, meter)

        while self.step < span.last_step:
            if not self._fits(step):
                self._stream = self._batches()
                continue
            self.averages.update()
            self.step += 1
            self.tell(Stepped(self.step, self.options.steps, span.stage.name))
            is_last = self.step == span.last_step
            if self.step % self.options.log_every == 0 or is_last:
                self._measure(meter, micro_batches[-1], span)
                meter = Meter()
            if self.step % self.options.preview_every == 0 or is_last:
                self._preview(span.stage.name)
            if self.step % self.options.checkpoint_every == 0:
                self.save()
            self.snapshots.look()
            reason = "stopped" if signals() else should_end()
            if self.processes.any_wants(bool(reason)):
                return reason or "stopped"
        return ""

    def _take_step(self, span: StageSpan, meter: Meter) -> list[Batch]:
        """Move the live weights by one step; answer with the batches it was taken on."""
        done, steps = self.step - span.first_step, span.last_step - span.first_step
        self.objective.at_step(done, steps)
        micro_batches = self._fetch()
        factor = self.objective.learning_rate_factor(done, steps)
        if factor is None:
            factor = learning_rate_factor(
                done, steps, warmup=self.options.warmup, schedule=self.options.schedule
            )
        terms, is_good = take_step(
            self.objective, span.stage.name, micro_batches, self.sides, factor, self.processes
        )
        meter.add(terms, is_good)
        return micro_batches

    def _fetch(self) -> list[Batch]:
        """The next micro-batches.

        Raises:
            DataGoneError: if too many of the pictures are gone, whatever their loader made of that.
        """
        try:
            return [
                self.objective.prepare(self.processes.taken(next(self._stream)))
                for _ in range(self.options.accumulate)
            ]
        finally:
            self.data.check_there()

    def _fits(self, work: Callable[[], None]) -> bool:
        """Do something; where memory runs out, take less from now on and say no.

        Raises:
            TrainingError: if there is no less to take.
        """
        try:
            work()
            return True
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        self._take_less(self.cuts + 1)  # outside: the error holds what filled the memory
        return False

    def _take_less(self, cuts: int) -> None:
        found = None
        if self.family.smaller is not None and self.processes.count == 1:
            found = self.family.smaller(self.objective, self.data, self.options, cuts)
        if found is None:
            hint = "give a smaller --size, --batch or --width, or close other programs"
            raise TrainingError("memory", "room for one step", "none left", hint)
        self.data, word = found
        self.cuts = cuts
        if self.processes.is_cuda:
            torch.cuda.empty_cache()
        self.tell(Notice(f"memory ran out: going on with {word}"))

    def _begin(self, span: StageSpan) -> None:
        """Take a stage up: fresh optimisers, or those of the checkpoint where it was left."""
        name = span.stage.name
        if self.stage != name:
            self.averages.hand_over()
            self._restored_sides = {}
        self.stage = name
        self.sides = self._make_sides(span)
        for group, state in self._restored_sides.items():
            self.sides[group].load(state)
        self._restored_sides = {}
        self.tell(StageStarted(name, span.stage.summary, span.first_step, span.last_step))

    def _make_sides(self, span: StageSpan) -> dict[str, Side]:
        rate = self.options.learning_rate * span.stage.learning_rate_scale
        name = span.stage.name
        sides: tuple[tuple[Group, float], ...] = (
            ("generator", 1.0),
            ("discriminator", self.options.discriminator_rate),
        )
        return {
            group: Side(
                self.objective.trained_parameters(group, name),
                rate * share,
                self.options.momentum,
                self.family.second_beta,
            )
            for group, share in sides
        }

    def _batches(self) -> Iterator[dict[str, Tensor]]:
        options, processes = self.options, self.processes
        workers = options.workers if options.workers >= 0 else default_workers(local_processes(options))
        positions = Positions(
            first_step=self.step,
            last_step=options.steps,
            batch=options.batch,
            accumulate=options.accumulate,
            rank=processes.rank,
            processes=processes.count,
        )
        size = batch_bytes(self.data.probe) * options.batch // len(next(iter(self.data.probe.values())))
        return load(
            self.data.batches, positions, workers=workers, batch_bytes=size, is_pinned=processes.is_cuda
        )

    # What it tells ------------------------------------------------------------------------------------------------

    def _estimate(self) -> None:
        left = [span for span in self.spans if span.last_step > self.step]
        estimated = estimate_run(
            self.objective,
            left,
            self.step,
            self.data.batches,
            self._make_sides,
            self.processes,
            batch=self.options.batch,
            accumulate=self.options.accumulate,
        )
        self.tell(estimated)
        if self.family.offer and not self.processes.is_cuda:
            self.tell(
                Notice(
                    f"learning takes about {duration(estimated.seconds)} on this processor, and can be stopped "
                    f"and used at any moment; {self.family.offer}",
                    "duration",
                )
            )

    def _measure(self, meter: Meter, batch: Batch, span: StageSpan) -> None:
        """Write a line of metrics; the only place, with previews, where the processor waits for the GPU."""
        terms, bad_steps = meter.read(self.processes)
        self.skipped_steps += bad_steps
        if bad_steps >= min(BAD_STEPS_LIMIT, meter.steps) and bad_steps > 0:
            got = f"{bad_steps} of {meter.steps} steps without"
            hint = "lower --learning-rate, or go on from an earlier checkpoint; nothing was saved since the last one"
            raise TrainingError(f"stage {span.stage.name}", "finite gradients", got, hint)
        if bad_steps:
            self.tell(Notice(f"{bad_steps} steps had gradients that were not finite and moved nothing"))
        self.broken.tell()
        if not self.processes.is_first:
            return
        with self.processes.autocast():
            metrics = self.objective.metrics(batch, span.stage.name)
        elapsed = meter.seconds()
        pictures = meter.steps * self.options.batch * self.options.accumulate * self.processes.count
        pace = elapsed / meter.steps
        measured = Measured(
            step=self.step,
            steps=self.options.steps,
            stage=span.stage.name,
            terms=terms,
            metrics=metrics,
            pictures_per_second=pictures / elapsed,
            seconds=self.seconds(),
            seconds_left=pace * (self.options.steps - self.step),
        )
        self.tell(measured)
        line = {key: value for key, value in asdict(measured).items() if key != "seconds_left"}
        self._note_down({**line, "skipped_steps": bad_steps})

    def _preview(self, stage: str) -> None:
        """Show the averaged generators on the probe, and measure them there."""
        if not self.processes.is_first:
            return
        probe = self.objective.prepare(self.processes.taken(self.data.probe))
        with torch.no_grad(), self.averages.in_place(), self.processes.autocast():
            metrics = self.objective.metrics(probe, stage)
            few = {key: value[:_PREVIEW_ROWS] for key, value in probe.items()}
            rows = self.objective.preview(few, stage) if self.family.picture is None else self._painted()
        if rows is not None:
            path = self._preview_path(stage)
            write_grid(path, rows)
            self.tell(Written("preview", path))
        self._note_down({"step": self.step, "stage": stage, "probe": metrics})

    def _note_down(self, numbers: Mapping[str, Any]) -> None:
        """Add a line to the metrics."""
        path = self.options.out / "metrics.jsonl"
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(numbers) + "\n")
        except OSError as error:
            raise path_error(path, error, TrainingError) from error

    def _preview_path(self, stage: str) -> Path:
        return self.options.out / PREVIEWS / f"{stage}-{self.step:07d}.png"

    def _snapshot(self) -> None:
        """Write what the run would leave if it ended now, for whoever wants to use it."""
        self.write(is_snapshot=True)
        with torch.no_grad(), self.averages.in_place(), self.processes.autocast():
            rows = self._painted()
        if rows is not None:
            path = self.options.out / SNAPSHOT_NAME
            write_grid(path, rows)
            self.tell(Written("snapshot", path))

    def _painted(self) -> Tensor | None:
        """The one picture as the weights now paint it; None where there is none, or no memory for it."""
        if self.family.picture is None or not self._has_room_to_paint:
            return None
        try:
            return self.family.picture(self.objective, self.data, self.options)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        self._has_room_to_paint = False
        self.tell(Notice("no memory for previews at this shape: going on without; give a smaller --target"))
        return None

    def write_film(self) -> None:
        """Where one picture is learned, show how it went, and what came of it."""
        if self.data.picture is None or self.stage == "":
            return
        if not self._preview_path(self.stage).is_file():
            self._preview(self.stage)
        frames = sorted((self.options.out / PREVIEWS).glob("*.png"), key=lambda path: path.stem[-7:])
        if not frames:
            return
        strip, pair = self.options.out / "film.png", self.options.out / "before-after.png"
        film.write_film(strip, self.data.picture, frames)
        film.write_pair(pair, self.data.picture, frames[-1])
        for path in (strip, pair):
            self.tell(Written("film", path))

    def seconds(self) -> float:
        """Wall time of the run, earlier parts included."""
        return self.seconds_before + time.monotonic() - self._started

    # What it keeps ------------------------------------------------------------------------------------------------

    def write(self, *, is_snapshot: bool = False) -> None:
        """Write the averaged generators and, at the end, the discriminators."""
        write_results(
            self.objective,
            self.averages,
            self.options,
            self.spec,
            self.network_options,
            self.step,
            self.tell,
            metadata=self.data.metadata,
            is_snapshot=is_snapshot,
        )

    def save(self) -> None:
        """Write a checkpoint, unless this step has one."""
        if self._saved_step == self.step or not self.processes.is_first:
            return
        state = {
            "step": self.step,
            "stage": self.stage,
            "objective": self.objective.house_state(),
            "averages": self.averages.state(),
            "sides": {name: side.state() for name, side in self.sides.items()},
            "options": self.options.as_json(),
            "pictures_per_step": self._pictures_per_step(),
            "data": self.data.digest,
            "cuts": self.cuts,
            "seconds": self.seconds(),
        }
        path = save_checkpoint(self.options.out, self.step, state)
        self._saved_step = self.step
        self.tell(Written("checkpoint", path))

    def resume(self) -> None:
        """Go on from the newest checkpoint that can be used; tell which it is, and which are passed over.

        Raises:
            TrainingError: if there is none; if an option that matters, or the set of pictures, is another than before.
        """
        taken, passed = take_newest(self.options.out, self._restore)
        for path, reason in passed:
            self.tell(Notice(f"{path.name} cannot be used ({reason}); an earlier checkpoint is taken"))
        self.tell(Notice(f"going on from {taken.name}", "resumed"))

    def _restore(self, path: Path, state: Mapping[str, Any]) -> None:
        """Take a checkpoint; what fails midway is written over by the next that is taken.

        Raises:
            OtherRunError: if an option that matters, or the set of pictures, is another than before.
            TrainingError: if something is missing or does not fit.
        """
        changed = self.options.changed(state["options"])
        hint = "give it as before, or start a new run in another folder with --from"
        if changed is not None:
            name, was, now = changed
            raise OtherRunError(name, f"{was!r} as in {path.name}", repr(now), hint)
        if state["pictures_per_step"] != self._pictures_per_step():
            was, now = state["pictures_per_step"], self._pictures_per_step()
            raise OtherRunError("batch x accumulate x devices", f"{was} as in {path.name}", now, hint)
        if state["data"] != self.data.digest:
            raise OtherRunError("data", f"the pictures of {path.name}", "another set of names", hint)
        self._check_place(path, state["step"], state["stage"], state["sides"])
        absent = self.objective.load_house_state(state["objective"])
        if absent:
            raise TrainingError(path, "all networks", f"none of {absent[0]}", "take an earlier checkpoint")
        self.averages.load(state["averages"])
        for span in self.spans:
            if span.stage.name == state["stage"]:
                for group, side in self._make_sides(span).items():
                    side.load(state["sides"][group])
        for cut in range(state.get("cuts", 0)):
            self._take_less(cut + 1)
        self.step = self._saved_step = state["step"]
        self.stage = state["stage"]
        self.seconds_before = state["seconds"]
        self._restored_sides = state["sides"]

    def _check_place(self, path: Path, step: int, stage: str, sides: Mapping[str, Any]) -> None:
        """Hold where a checkpoint says it is against the stages of this run."""
        spans = [span for span in self.spans if span.stage.name == stage]
        if not any(span.first_step < step <= span.last_step for span in spans):
            got = f"step {step} of stage '{stage}'"
            raise TrainingError(path, "a step of this run", got, "take an earlier checkpoint")
        if sides.keys() != {"generator", "discriminator"}:
            raise TrainingError(path, "both sides", f"{len(sides)} of them", "take an earlier checkpoint")

    def _pictures_per_step(self) -> int:
        return self.options.batch * self.options.accumulate * self.processes.count


def _ignore(event: Event) -> None:
    del event


def _write_options(options: TrainOptions, network_options: Mapping[str, Any], tell: Report) -> None:
    path = options.out / "options.json"
    text = {
        "train": options.as_json(),
        "networks": network_options,
        "command": sys.argv,
        "torch": torch.__version__,
    }
    content = (json.dumps(text, indent=2) + "\n").encode()
    write_atomically(path, lambda file: file.write(content), error_type=TrainingError)
    tell(Written("options", path))


@contextmanager
def _fast_convolutions(processes: Processes, has_one_shape: bool) -> Iterator[None]:
    """Let cuDNN try its kernels once for each shape, where every batch of a run has the same."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = processes.is_cuda and has_one_shape
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before
