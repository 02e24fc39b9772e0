"""Learn the picture of a document while the window goes on: start, pause, go on, keep, use what is there so far.

A child process learns; nothing of torch comes into this one. What is learned is kept among the user's weights when
learning is over or when that is asked for; until then it lies in the picture's own folder, and a pause, a closed
document, a closed window and a lost process all leave it there. The document carries what was kept, so that whoever
opens it on another machine is offered it.

Elsewhere: what is shown of it in learning_state.py, learning_film.py and panels/learning.py, the folders in
learning_runs.py, weights and what a document carries in learned_weights.py, the process in learning_process.py, its
side in learning_child.py.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.background import Background
from app.document.learned import LEARNED_LIMIT_BYTES, Learned
from app.document.retarget_builder import base_picture
from app.document.snapshot import Snapshot
from app.errors import AppError
from app.learned_weights import CARRIED_NAME, Kept, kept_name, kept_of, lay_out, read_kept
from app.learning_film import film_of, thinned, thumbs
from app.learning_holds import hold
from app.learning_process import MODULE, LearningProcess
from app.learning_runs import KINDS, SO_FAR_NAME, Run, found_in, prepare
from app.learning_state import LearningState, Phase
from engine.atomic import write_atomically
from engine.errors import EngineError
from engine.private import open_private, remove_folder

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.events import Event
    from app.document.retarget_shape import Shape

GONE_WORDS = "The folder in which this picture was learned is gone, and with it what was learned. It can be learned anew."
CARRIED_UNASKED_BYTES = 32 << 20
"""What is kept goes into the document by itself up to this size; networks of the published width take 19 MB."""
SHOWN_MOST_PX = 512 * 512
"""Of previews: painting larger ones would take too much of the time."""


class LearningController(QObject):
    """Learns the picture of one document at a time.

    Args:
        parent: owner, as Qt has it.
        module: what is started, as `LearningProcess` takes it.
        extra: further words for it.
    """

    state_changed = Signal(object)
    """`LearningState`."""
    film_changed = Signal(object)
    """Tuple of `QImage`, newest last."""
    use_asked = Signal(str)
    """Remake the picture with the weights of this file."""
    kept = Signal(str)
    """What was learned has this name among the weights now."""
    found = Signal(str)
    """The picture was learned before, and what was learned has this name among the weights."""
    refused = Signal(object)
    """An exception that a person should read: the document cannot carry, or leave out, what was learned."""

    def __init__(
        self, parent: QObject | None = None, *, module: str = MODULE, extra: Sequence[str] = ()
    ) -> None:
        super().__init__(parent)
        self._module, self._extra = module, extra
        self._background = Background(self)
        self._document: Document | None = None
        self._stop_observing = lambda: None
        self._shape: Shape | None = None
        self._run: Run | None = None
        self._hold: IO[bytes] | None = None
        """Keeps the folder of the run that is shown from being cleared up."""
        self._process: LearningProcess | None = None
        self._wish: Literal["", "pause", "keep"] = ""
        self._failure = self._kept = ""
        self._turn = 0
        self._state = LearningState()
        self._film: tuple[QImage, ...] = ()

    @property
    def state(self) -> LearningState:
        """What is shown now."""
        return self._state

    @property
    def film(self) -> tuple[QImage, ...]:
        """Looks at what was learned, newest last."""
        return self._film

    @property
    def process(self) -> LearningProcess | None:
        """The child that runs."""
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether a child learns or keeps."""
        return self._process is not None

    # What the user does ----------------------------------------------------------------------------------------------

    def set_document(self, document: "Document | None") -> None:
        """Work on another document; what is learned of the old one is saved, and its process ends."""
        self._let_go()
        self._document = document
        self._show_run(None)
        self._stop_observing = (
            document.observe(self._document_changed) if document is not None else lambda: None
        )
        self._show_film(())
        self._set(LearningState("none" if document is None else "idle"))

    def set_shape(self, shape: "Shape | None") -> None:
        """In which shape looks at what was learned show the picture; holds from the next start."""
        self._shape = shape

    def look(self) -> None:
        """Look whether this picture was learned before, in part or to be kept, here or where its document comes from."""
        if self._state.phase == "idle":
            self._prepare(self._looked)

    def learn(self) -> None:
        """Learn the picture as it is now; where that was begun before, offer to go on."""
        if self._state.phase in ("idle", "kept", "carried", "failed") or self._state.is_other:
            self._set(LearningState("preparing"))
            self._prepare(self._prepared)

    def go_on(self) -> None:
        """Go on where learning was left; where the picture was changed since, say so and wait."""
        if self._state.phase not in ("paused", "failed"):
            return
        before, step = self._run, self._state.step

        def prepared(run: Run, _film: tuple[QImage, ...]) -> None:
            if before is not None and step and before.digest != run.digest:
                self._show_run(before)  # what is learned of it can still be used and kept
                self._set(replace(self._state, phase="paused", is_other=True))
            elif step and not run.step:
                self._fail(GONE_WORDS)
            else:
                self._start(run)

        self._set(replace(self._state, phase="preparing", words=""))
        self._prepare(prepared)

    def start_anyway(self) -> None:
        """It will be slow, and is wished."""
        if self._state.phase == "asking" and self._process is not None:
            self._set(replace(self._state, phase="learning"))
            self._process.tell("go")

    def pause(self) -> None:
        """Save everything and end the process."""
        self._end("pause")

    def keep(self) -> None:
        """Learn no more; what was learned gets a name among the weights."""
        if self._process is not None:
            self._end("keep")
        elif self._state.has_weights:
            self._keep()

    def bring_in(self) -> None:
        """Make weights of the user's out of what the document carries; they are checked as any that are brought in."""
        document, run = self._document, self._run
        if self._state.phase != "carried" or document is None or document.learned is None or run is None:
            return
        learned = document.learned
        self._turn += 1
        turn = self._turn

        def laid_out(place: Path) -> None:
            if turn == self._turn:
                self._keep(place)

        def failed(error: Exception) -> None:
            if turn == self._turn:
                self._fail(_words_of(error))

        self._set(replace(self._state, phase="keeping"))
        self._background.run(lambda: lay_out(learned, run.folder), laid_out, failed)

    def carry(self, is_carried: bool) -> None:
        """Have the document carry what was learned, or leave it out; the latter can be undone."""
        document = self._document
        if document is None:
            return
        if is_carried:
            self._take_in(LEARNED_LIMIT_BYTES)
            return
        try:
            with document.begin("Leave out what was learned") as change:
                change.remove_learned()
        except AppError as error:
            self.refused.emit(error)
            self.state_changed.emit(self._state)

    def use_so_far(self) -> None:
        """Remake the picture with what is learned by now."""
        if self._run is None or not self._state.has_weights:
            return
        target = self._run.folder / SO_FAR_NAME
        try:  # a copy: the weights themselves are written anew every few seconds
            with open_private(self._run.weights, "rb") as weights:
                write_atomically(target, lambda file: shutil.copyfileobj(weights, file), is_private=True)
        except (OSError, EngineError) as error:
            self._set(replace(self._state, words=_words_of(error)))
            return
        self.use_asked.emit(str(target))

    def close(self) -> None:
        """The window goes: what runs saves and ends by itself."""
        self._let_go()
        self._show_run(None)
        self._background.close()

    # Getting ready ---------------------------------------------------------------------------------------------------

    def _prepare(self, done: Any) -> None:
        """Write the picture into its folder and see what is there, beside the window."""
        document = self._document
        if document is None:
            return
        self._turn += 1
        turn, snapshot = self._turn, Snapshot(document)
        is_looking = done == self._looked

        def work() -> tuple[Run, tuple[QImage, ...]]:
            with snapshot:
                pixels = base_picture(snapshot)
            run = prepare(pixels, is_written=not is_looking)
            return run, film_of(run.previews)

        def arrived(found: tuple[Run, tuple[QImage, ...]]) -> None:
            if turn == self._turn:
                self._show_run(found[0])
                done(*found)

        def failed(error: Exception) -> None:
            if turn == self._turn and not is_looking:
                self._fail(_words_of(error))

        self._background.run(work, arrived, failed)

    def _looked(self, run: Run, film: tuple[QImage, ...]) -> None:
        if self._state.phase != "idle":
            return
        learned = self._document.learned if self._document is not None else None
        if run.kept is not None and run.is_all_kept:
            self._show_film(film)
            self._set(LearningState("kept", run.step, run.steps, words=run.kept.name))
            self.found.emit(run.kept.name)
        elif learned is not None and _is_news(learned, run):
            self._set(LearningState("carried"))
        elif run.step:
            self._offer(run, film)

    def _prepared(self, run: Run, film: tuple[QImage, ...]) -> None:
        if run.step:
            self._offer(run, film)
        else:
            self._start(run)

    def _offer(self, run: Run, film: tuple[QImage, ...]) -> None:
        """It was begun before: show how far."""
        self._show_film(film)
        self._set(LearningState("paused", run.step, run.steps, has_weights=run.weights.is_file()))

    def _start(self, run: Run) -> None:
        words = ["learn", "--picture", str(run.folder / "picture.png"), "--out", str(run.folder)]
        words += ["--resume"] if run.step else []
        if not run.step:
            self._show_film(())
        if (size := self._target()) is not None:
            words += ["--target", f"{size[1]}x{size[0]}"]
        self._set(
            LearningState(
                "preparing", run.step, run.steps, has_weights=bool(run.step) and run.weights.is_file()
            )
        )
        self._spawn(words)

    def _target(self) -> tuple[int, int] | None:
        h, w = self._shape.size_hw if self._shape is not None else (0, 0)
        is_own = self._document is not None and (h, w) == self._document.size_hw
        return (h, w) if 0 < h * w <= SHOWN_MOST_PX and not is_own else None

    def _spawn(self, words: list[str]) -> None:
        assert self._run is not None, "prepared"
        self._turn += 1
        turn, bring = self._turn, self._background.bring
        self._wish, self._failure, self._kept = "", "", ""
        try:
            self._process = LearningProcess(
                [*words, *self._extra],
                self._run.folder,
                lambda said: bring(lambda one: self._heard(turn, one), said),
                lambda code: bring(lambda one: self._ended(turn, one), code),
                self._module,
            )
        except OSError as error:
            self._fail(_words_of(error))

    # What the child says ---------------------------------------------------------------------------------------------

    def _heard(self, turn: int, said: dict[str, Any]) -> None:
        if turn != self._turn:
            return
        state = self._state
        match said.get("say"):
            case "estimate":
                phase: Phase = "learning"
                if said["is_slow"] and not state.step:
                    phase = "asking"
                if state.phase == "preparing":
                    self._set(
                        replace(state, phase=phase, seconds=said["seconds"], seconds_left=said["seconds"])
                    )
            case "step":
                self._set(replace(state, step=said["step"], steps=said["steps"]))
            case "measure":
                self._set(replace(state, loss=said["loss"], seconds_left=said["seconds_left"]))
            case "weights":
                self._set(replace(state, has_weights=True))
            case "picture":
                self._show_film((*self._film, *thumbs([Path(said["path"])])))
            case "note":
                self._set(replace(state, words=_sentence(said["text"])))
            case "failed":
                self._failure = " ".join(
                    _sentence(part) for part in (said["sentence"], said["next_step"]) if part
                )
            case "end":
                self._set(replace(state, step=said["step"] or state.step, steps=said["steps"] or state.steps))
                if said["reason"] == "finished":
                    self._wish = "keep"
            case "kept":
                self._kept = said["name"]

    def _ended(self, turn: int, code: int) -> None:
        if turn != self._turn:
            return
        self._process = None
        state = self._state
        if self._kept:
            self._set(replace(state, phase="kept", words=self._kept, seconds_left=None))
            self.kept.emit(self._kept)
            self._take_in(CARRIED_UNASKED_BYTES)
        elif code != 0 or not self._wish or state.phase == "keeping":
            self._fail(self._failure or "Learning ended by itself.")
        elif not state.step:
            self._set(LearningState("idle"))
        elif self._wish == "keep":
            self._keep()
        else:
            self._set(replace(state, phase="paused", words=""))

    def _end(self, wish: Literal["pause", "keep"]) -> None:
        if self._state.phase not in ("preparing", "asking", "learning"):
            return
        if self._process is None:  # its picture is still being written
            self._turn += 1
            phase: Phase = "paused" if self._state.step else "idle"
            self._set(replace(self._state, phase=phase))
            return
        self._wish = wish
        self._set(replace(self._state, phase="saving", words=""))
        self._process.leave()

    def _keep(self, place: Path | None = None) -> None:
        """Give what was learned, or what lies in another folder, a name among the weights."""
        assert self._run is not None, "learned"
        name = kept_name(self._document.name if self._document is not None else "", self._run.digest)
        self._set(replace(self._state, phase="keeping", words=""))
        words = ["keep", "--out", str(place or self._run.folder), "--name", name]
        self._spawn([*words, "--beside"] if place is not None else words)  # the user's own stay

    def _take_in(self, limit_bytes: int) -> None:
        """Have the document carry what is kept of its picture, unless it is larger."""
        document, run = self._document, self._run
        assert run is not None, "kept"

        def read() -> tuple[Kept | None, Learned | None]:
            remove_folder(run.folder / CARRIED_NAME, KINDS[CARRIED_NAME])
            kept = kept_of(run.digest)
            is_wanted = kept is not None and kept.nbytes <= limit_bytes
            return kept, read_kept(kept, run.digest) if kept is not None and is_wanted else None

        def arrived(found: tuple[Kept | None, Learned | None]) -> None:
            if document is None or document is not self._document or self._run is None:
                return
            kept, learned = found
            if self._run.digest == run.digest:
                self._run = replace(self._run, kept=kept)
            carried = document.learned
            if learned is not None and (carried is None or carried.sha256 != learned.sha256):
                document.add_learned(learned)
            self._set(self._state)

        def failed(error: Exception) -> None:
            self.refused.emit(error)
            self.state_changed.emit(self._state)

        self._background.run(read, arrived, failed)

    def _document_changed(self, event: "Event") -> None:
        from app.document.events import LearnedChanged

        if not isinstance(event, LearnedChanged) or self._document is None:
            return
        if self._state.phase == "carried" and self._document.learned is None:
            self._set(LearningState("idle"))
        else:
            self._set(self._state)
        self.look()

    def _fail(self, words: str) -> None:
        """Something went wrong: say it, and what is still there."""
        self._process = None
        run = found_in(self._run) if self._run is not None else None
        if run is not None and not run.folder.is_dir():
            words = GONE_WORDS
        self._show_run(run)
        step, has_weights = (run.step, run.weights.is_file()) if run is not None else (0, False)
        if step:
            words += f" What was learned up to step {step} is kept."
        self._set(
            LearningState(
                "failed", step, run.steps if run is not None else 0, words=words, has_weights=has_weights
            )
        )

    def _let_go(self) -> None:
        """Hear no more of what runs, which saves and ends by itself, and of the document."""
        self._stop_observing()
        self._stop_observing = lambda: None
        self._turn += 1
        if self._process is not None:
            self._process.leave()
            self._process = None

    def _show_run(self, run: Run | None) -> None:
        before, self._hold = self._hold, hold(run.folder) if run is not None else None
        self._run = run
        if before is not None:
            before.close()

    def _show_film(self, film: tuple[QImage, ...]) -> None:
        self._film = film = thinned(film)
        self.film_changed.emit(film)

    def _set(self, state: LearningState) -> None:
        kept = self._run.kept if self._run is not None else None
        learned = self._document.learned if self._document is not None else None
        state = replace(
            state,
            kept_bytes=kept.nbytes if kept is not None else 0,
            carried_bytes=learned.nbytes if learned is not None else 0,
        )
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)


def _is_news(learned: Learned, run: Run) -> bool:
    """Whether a document carries what was learned of its picture elsewhere."""
    is_kept_here = run.kept is not None and run.kept.sha256 == learned.sha256
    return learned.picture_sha256 == run.digest and not is_kept_here


def _words_of(error: Exception) -> str:
    from app.errors import explain

    told = explain(error)
    return " ".join(_sentence(part) for part in (told.sentence, told.next_step) if part)


def _sentence(words: str) -> str:
    words = " ".join(words.split())
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
