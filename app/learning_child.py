"""The child's side of learning.py: a training of one picture, told line by line, that never outlives its window.

    python -m app.learning_child learn --picture FILE --out DIR [--resume] [--target WxH]
    python -m app.learning_child keep --out DIR --name NAME [--beside]

Each line on standard output is a JSON object with a key ``say``. Standard input takes ``go`` (start although it will be
slow) and is closed to end: whoever started this may be asking for a pause or may be gone, and either way the step under
way is finished, everything is saved and the process leaves. If that takes too long, it leaves without.

On a processor the networks are smaller: minutes instead of hours. A run goes on with what it began with.
"""

import argparse
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import OUR_FAULT, AppError, explain
from app.learned_weights import FAMILY, WEIGHTS_NAME, free_name
from app.learning_holds import LEARNED_NAME
from app.learning_runs import begin_anew
from engine.locking import try_lock
from engine.private import open_private

if TYPE_CHECKING:
    from engine.training.events import Event, NoticeKind
    from engine.training.options import TrainOptions

NICENESS = 10
"""Below the engine, which is below the window: learning takes what they leave."""
PATIENCE_S = 60.0
"""Longest time that saving may take once nobody listens any more."""
LOCK_PATIENCE_S = 30.0
"""For another process to finish saving into the same folder: a document that was closed and opened again."""
STEP_PAUSE_S = 0.2
SNAPSHOT_S = 5.0
STRIP_STEPS = 100
SLOW = {"width": 16, "checkpoint_every": 100, "log_every": 10}
"""On a processor."""
UNSAID: tuple["NoticeKind", ...] = ("duration", "picture", "resumed")
"""Notices that the panel tells in its own way."""
LARGE_WORDS = (
    "the picture is large, so its texture is learned and not its things; a smaller copy is learned better"
)
DAMAGED_WORDS = "what was learned before cannot be read, so learning began anew"
BEGUN_WITH = ("recipe", "size", "width", "depth", "steps", "learning_rate", "loss", "precision", "seed")
"""Options that a run keeps when it goes on."""


class LearningError(AppError):
    """Learning that cannot begin."""


class _Leave(Exception):  # noqa: N818  (no error: asked to go before anything was learned)
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn, or keep what was learned.

    Returns:
        0 done or stopped with everything saved, else 1; what was wrong is the last line.
    """
    words = _parser().parse_args(arguments)
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded; see engine/host_child.py
    try:
        if words.what == "keep":
            say("kept", name=keep(words.out, words.name, is_beside=words.beside))
        else:
            learner = _Learner(words)  # it listens from now on: waiting for another process can be given up
            with _alone_in(words.out):
                learner.run()
    except _Leave:
        say("end", reason="stopped", step=0, steps=0)
    except Exception as error:  # noqa: BLE001  (the window is told of everything, in words)
        told = explain(error)
        if told.exit_code == OUR_FAULT:
            traceback.print_exc()  # into the log beside the weights
        say("failed", name=Path(told.name).name, sentence=told.sentence, next_step=told.next_step)
        return 1
    return 0


def say(word: str, **parts: Any) -> None:
    """Tell the window something; if it is gone, nobody."""
    try:
        print(json.dumps({"say": word, **parts}), flush=True)  # noqa: T201  (this is what the output is for)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (for the rest of this process)


def keep(out: Path, name: str, *, is_beside: bool = False) -> str:
    """Copy what was learned into the user's weights under a name.

    Args:
        out: where it lies.
        name: what had it gives way, once the copy is whole.
        is_beside: what has it stays, and another name like it is taken.

    Returns:
        The name that was taken.

    Raises:
        WeightsError: if there is nothing, or no room for it.
    """
    from engine.weights import WeightsStore

    store = WeightsStore()
    if is_beside:
        name = free_name(name, [entry.name for entry in store.entries()])
    store.import_official([out / WEIGHTS_NAME], FAMILY, name, may_replace=True)
    return name


class _Learner:
    def __init__(self, words: argparse.Namespace) -> None:
        self._words = words
        self._should_stop = threading.Event()
        self._may_go = threading.Event()
        self._has_begun = threading.Event()
        self._step_next = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def run(self) -> None:
        from engine.training.checkpoints import NoCheckpointError
        from engine.training.loop import train

        if self._words.resume and not _can_go_on(self._words.out):
            self._begin_anew()
        options = options_of(self._words)
        self._is_slow = _is_slow(options.device)
        try:
            result = train(options, report=self._tell, should_stop=self._should_stop.is_set)
        except NoCheckpointError:
            self._begin_anew()
            options = options_of(self._words)
            result = train(options, report=self._tell, should_stop=self._should_stop.is_set)
        say("end", reason=result.reason, step=result.step, steps=result.steps)

    def _begin_anew(self) -> None:
        say("note", text=DAMAGED_WORDS)
        begin_anew(self._words.out)
        self._words.resume = False
        self._may_go.set()  # it was wished

    def _listen(self) -> None:
        """Wait for words until there can be no more; then end."""
        with suppress(OSError, ValueError):
            for line in sys.stdin:
                if line.strip() == "go":
                    self._may_go.set()
        self._should_stop.set()
        self._may_go.set()
        if not self._has_begun.is_set():
            say("end", reason="stopped", step=0, steps=0)
            os._exit(0)  # nothing is learned yet that could be lost
        time.sleep(PATIENCE_S)
        os._exit(1)

    def _tell(self, event: "Event") -> None:
        from engine.training.events import Estimated, Measured, Notice, Stepped, Written

        match event:
            case Notice(text, kind) if kind not in UNSAID:
                say("note", text=LARGE_WORDS if kind == "large_picture" else text)
            case Estimated():
                say("estimate", seconds=event.seconds, is_slow=self._is_slow)
                if self._is_slow and not self._words.resume:
                    self._may_go.wait()
                    if self._should_stop.is_set():
                        raise _Leave
            case Stepped(step, steps):
                self._has_begun.set()
                now = time.monotonic()
                if now >= self._step_next or step == steps:
                    self._step_next = now + STEP_PAUSE_S
                    say("step", step=step, steps=steps)
            case Measured():
                loss = sum(value for name, value in event.terms.items() if name.startswith("generator/"))
                say("measure", loss=loss, seconds_left=event.seconds_left)
            case Written(kind, path) if kind in ("snapshot", "preview") and path.suffix == ".png":
                say("picture", path=str(path))
            case Written("snapshot" | "weights"):
                say("weights")


def options_of(words: argparse.Namespace) -> "TrainOptions":
    """What to learn with: as the run in the folder began, or as this machine allows."""
    from engine.training.options import TrainOptions

    target_hw = None
    if words.target:
        w, _, h = words.target.partition("x")
        target_hw = (int(h), int(w))
    picked: dict[str, Any] = {"device": "auto"}
    if words.resume:
        before = _options_in(words.out)
        picked |= {name: before[name] for name in BEGUN_WITH}
        picked |= {name: before[name] for name in ("checkpoint_every", "log_every")}
    elif _is_slow("auto"):
        picked |= SLOW
    if words.quick:
        picked |= json.loads(words.quick)
    return TrainOptions.of(
        "retarget",
        data=(words.picture,),
        out=words.out,
        resume=words.resume,
        target_hw=target_hw,
        preview_every=STRIP_STEPS,
        **{"snapshot_every": SNAPSHOT_S, **picked},
    )


def _options_in(out: Path) -> Any:
    """What the run in a folder was told at its start.

    Raises:
        OSError, ValueError, KeyError or TypeError: if that cannot be read.
    """
    from engine.bounds import JSON_LIMIT_BYTES, read_json, read_limited

    return read_json(read_limited(out / "options.json", JSON_LIMIT_BYTES))["train"]


def _can_go_on(out: Path) -> bool:
    """Whether what a run was told at its start can be read; its checkpoints are read by the run itself."""
    try:
        before = _options_in(out)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(before, dict) and all(name in before for name in BEGUN_WITH)


def _is_slow(device: str) -> bool:
    import torch

    return device == "cpu" or not torch.cuda.is_available()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep two processes from writing the same run.

    Raises:
        LearningError: if another one goes on doing so.
    """
    end = time.monotonic() + LOCK_PATIENCE_S
    with open_private(folder / LEARNED_NAME, "ab") as file:
        while not try_lock(file, folder):
            if time.monotonic() >= end:
                hint, said = "pause it there first", "this picture is being learned in another window"
                raise LearningError(
                    "picture", "one that nobody learns", "somebody else who learns it", hint, said=said
                )
            time.sleep(0.2)
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.learning_child", allow_abbrev=False)
    parser.add_argument("what", choices=("learn", "keep"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--target", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--quick", default="", help="options as JSON, for tests")
    return parser


if __name__ == "__main__":
    sys.exit(main())
