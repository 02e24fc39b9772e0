"""A program without a window that edits at random until it is killed; and the same edits once more, for comparison.

Run as a script with a round and a number of milliseconds to think between steps. It recovers what the round before left,
keeps a journal, and says how many steps are done.
"""

import hashlib
import random
import sys
import time

import numpy as np

from app.document import journal as journal_module
from app.document.document import Document
from app.document.journal_reader import Damage
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.recovery import journal_for, recover, recoverable
from app.document.results import Result
from app.document.strokes import Stroke

SIZE_HW = (150, 300)


def start() -> Document:
    """What the first round begins with; the same every time."""
    ramp = np.add.outer(np.arange(SIZE_HW[0]), np.arange(SIZE_HW[1])).astype(np.uint8)
    return Document(SIZE_HW, layers=[Layer("picture", "Photo", {"pixels": np.dstack([ramp] * 3)})])


def digest(document: Document, *, current: str | None = "as it is") -> str:
    """The content, without names that are drawn at random."""
    told = hashlib.sha1()
    for layer in document.layers:
        told.update(repr((layer.kind, layer.name, layer.opacity, layer.is_visible)).encode())
        for plane in layer.planes.values():
            told.update(plane.tobytes())
        for stroke in layer.strokes:
            told.update(stroke.samples.tobytes())
    current = document.current_result_id if current == "as it is" else current
    for result in document.results:
        told.update(repr((result.box_xyxy, result.is_starred, result.id == current)).encode())
        told.update(result.pixels.tobytes())
    return told.hexdigest()


class Editor:
    """Does one random step after the other; the same for the same round and document."""

    def __init__(self, document: Document, number: int) -> None:
        self.document = document
        self._drawn = random.Random(number)
        self._noise = np.random.default_rng(number)
        self._done = self._undone = 0  # entries of this round: older ones need not be in the history

    def step(self, *, is_cut: bool = False) -> list[str]:
        """Do one thing; gives the digests a journal may be cut at: in its middle if it has one, and after it.

        Args:
            is_cut: stop in the middle: a result has come and is not shown yet.
        """
        document = self.document
        kinds = ["brush"] * 6 + ["edges"] * 2 + ["result", "opacity", "star", "layer"]
        kinds += ["live result", "undo", "undo"] if self._done else []
        kinds += ["redo"] * 3 if self._undone else []
        kind = self._drawn.choice(kinds)
        middle = []
        if kind == "undo":
            document.undo_entry()
            self._done, self._undone = self._done - 1, self._undone + 1
        elif kind == "redo":
            document.redo_entry()
            self._done, self._undone = self._done + 1, self._undone - 1
        elif kind.endswith("result"):
            before = document.current_result_id
            document.add_result(self._result(), make_current=not is_cut, amend=kind.startswith("live"))
            middle = [digest(document, current=before)]
            self._done += 1
            self._undone = self._undone if kind.startswith("live") else 0
        elif self._transact(kind):
            self._done, self._undone = self._done + 1, 0
        return [*middle, digest(document)]

    def _transact(self, kind: str) -> bool:
        document = self.document
        with document.begin(kind) as change:
            if kind in ("brush", "edges"):
                layer = document.mask_layer if kind == "brush" else document.edges_layer
                plane = "coverage" if kind == "brush" else "drawn"
                x0, y0, x1, y1 = self._box()
                change.touch(layer.id, plane, (x0, y0, x1, y1))
                layer.planes[plane][y0:y1, x0:x1] = self._noise.integers(0, 256, (y1 - y0, x1 - x0))
                change.changed(layer.id, plane, (x0, y0, x1, y1))
                change.add_stroke(layer.id, Stroke("brush", plane, self._noise.random((9, 5))))
            elif kind == "opacity":
                change.set_layer(document.layers[0].id, opacity=self._drawn.randrange(100) / 100)
            elif kind == "star" and document.results:
                result = self._drawn.choice(document.results)
                change.star_result(result.id, not result.is_starred)
            elif kind == "layer":
                pixels = self._noise.integers(0, 256, (20, 30, 4)).astype(np.uint8)
                change.add_layer(Layer("picture", f"Layer {self._drawn.random()}", {"pixels": pixels}), 1)
            else:
                return False
        return True

    def _box(self) -> tuple[int, int, int, int]:
        x, y = self._drawn.randrange(SIZE_HW[1] - 40), self._drawn.randrange(SIZE_HW[0] - 30)
        return (x, y, x + self._drawn.randint(1, 40), y + self._drawn.randint(1, 30))

    def _result(self) -> Result:
        box = self._box()
        size_hw = (box[3] - box[1], box[2] - box[0])
        pixels = self._noise.integers(0, 256, (*size_hw, 3)).astype(np.uint8)
        return Result(
            box_xyxy=box,
            pixels=pixels,
            coverage=np.full(size_hw, 255, np.uint8),
            step=Step(edit={"family": "inpaint"}),
        )


def say(words: object) -> None:
    """Tell the one who started us, at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(number: int, pause_ms: int, long_log_bytes: int) -> None:
    """Edit until killed."""
    journal_module.LONG_LOG_BYTES = long_log_bytes
    items = [item for item in recoverable() if Damage.START not in item.damage]
    document = recover(items[0]) if items else start()
    journal_for(document)
    say(f"ready {digest(document)}")
    editor, count = Editor(document, number), 0
    while True:
        editor.step()
        count += 1
        say(count)
        time.sleep(pause_ms / 1000)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
