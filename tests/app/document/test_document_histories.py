"""Random lives of a document: undo and redo bring back every bit, and a snapshot never changes."""

import json

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.document.blobs import BlobStore
from app.document.document import Document
from app.document.events import EntryCommitted, EntryRedone, EntryUndone, ResultArrived
from app.document.flatten import flatten
from app.document.history import entry_from_record
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.document.strokes import Stroke

SIZE_HW = (270, 300)  # four tiles, three of them small


def state_of(document):
    """Everything undo is responsible for, as plain comparable data."""
    return (
        tuple(
            (
                layer.id,
                layer.name,
                layer.is_visible,
                layer.opacity,
                layer.origin_xy,
                tuple(stroke.id for stroke in layer.strokes),
                tuple((name, plane.tobytes()) for name, plane in layer.planes.items()),
            )
            for layer in document.layers
        ),
        document.current_result_id,
        tuple((result.id, result.is_starred) for result in document.results),
        (document.size_hw, document.mode),
    )


def undoable(state):
    """The state without results: those are never lost."""
    return state[0], state[1], state[3]


class Lives(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 1000))
    def start(self, seed):
        self.rng = np.random.default_rng(seed)
        pixels = self.rng.integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
        layer = Layer("picture", "photo", {"pixels": pixels}, id="photo")
        self.document = Document(SIZE_HW, "RGB", layers=[layer], store=BlobStore(budget_bytes=20_000))
        first = Layer("picture", "photo", {"pixels": pixels.copy()}, id="photo")
        self.twin = Document(SIZE_HW, "RGB", layers=[first])  # lives by the journal's records alone
        for kind in ("mask", "edges"):
            own = next(one for one in self.document.layers if one.kind == kind)
            next(one for one in self.twin.layers if one.kind == kind).id = own.id
        self.document.observe(self.follow)
        self.states = {0: undoable(state_of(self.document))}
        self.snapshots = []

    def follow(self, event):
        """What a journal does, through JSON and back."""
        if isinstance(event, EntryCommitted):
            record, packed = event.entry.to_record()
            self.twin.apply_entry(entry_from_record(json.loads(json.dumps(record)), packed))
        elif isinstance(event, EntryUndone):
            self.twin.undo_entry()
        elif isinstance(event, EntryRedone):
            self.twin.redo_entry()
        elif isinstance(event, ResultArrived):
            record, packed = event.result.to_record()
            self.twin.add_result(
                Result.from_record(json.loads(json.dumps(record)), packed), make_current=False
            )

    def done(self):
        """Remember what the history's position means."""
        position = self.document.history.position
        self.states = {at: state for at, state in self.states.items() if at < position}
        self.states[position] = undoable(state_of(self.document))

    def random_box(self):
        x0, y0 = int(self.rng.integers(0, SIZE_HW[1])), int(self.rng.integers(0, SIZE_HW[0]))
        return (x0, y0, x0 + int(self.rng.integers(1, 200)), y0 + int(self.rng.integers(1, 200)))

    def scribble(self, transaction, layer, plane):
        box = self.random_box()
        before = transaction.before(layer.id, plane, box)
        with transaction.writing(layer.id, plane, box) as values:
            values[...] = self.rng.integers(0, 256, values.shape)
        assert np.array_equal(transaction.before(layer.id, plane, box), before)

    @rule(plane=st.sampled_from(["coverage", "drawn", "erased", "locked"]), count=st.integers(1, 3))
    def stroke(self, plane, count):
        document = self.document
        layer = document.mask_layer if plane == "coverage" else document.edges_layer
        with document.begin("Brush") as transaction:
            for _ in range(count):
                self.scribble(transaction, layer, plane)
            transaction.add_stroke(layer.id, Stroke("brush", plane, np.zeros((2, 5))))
        self.done()

    @rule()
    def paint_a_picture(self):
        pictures = [layer for layer in self.document.layers if layer.kind == "picture"]
        if not pictures:
            return
        with self.document.begin("Paint") as transaction:
            self.scribble(transaction, pictures[int(self.rng.integers(len(pictures)))], "pixels")
        self.done()

    @rule()
    def clear_the_mask(self):
        document = self.document
        before = document.history.position
        with document.begin("Clear") as transaction:
            transaction.clear_plane(document.mask_layer.id, "coverage")
            transaction.clear_strokes(document.mask_layer.id)
        assert document.mask_layer.planes["coverage"].max() == 0
        if document.history.position != before:
            self.done()

    @rule(opacity=st.floats(0, 1), is_visible=st.booleans())
    def change_a_layer(self, opacity, is_visible):
        layers = self.document.layers
        layer = layers[int(self.rng.integers(len(layers)))]
        before = self.document.history.position
        with self.document.begin("Opacity", merge_key=layer.id) as transaction:
            transaction.set_layer(layer.id, opacity=opacity, is_visible=is_visible)
            if layer.kind == "picture":
                transaction.set_layer(layer.id, origin_xy=(int(opacity * 20) - 10, 3))
        if self.document.history.position != before:
            self.done()

    @rule(has_alpha=st.booleans())
    def add_a_layer(self, has_alpha):
        pixels = self.rng.integers(0, 256, (40, 280, 4 if has_alpha else 3), dtype=np.uint8)
        layer = Layer("picture", "pasted", {"pixels": pixels}, origin_xy=(5, 7))
        with self.document.begin("Paste") as transaction:
            transaction.add_layer(layer)
            self.scribble(transaction, layer, "pixels")
        self.done()

    @rule()
    def remove_a_layer(self):
        pictures = [layer for layer in self.document.layers if layer.kind == "picture"]
        if not pictures:
            return
        with self.document.begin("Delete") as transaction:
            self.scribble(transaction, pictures[0], "pixels")
            transaction.remove_layer(pictures[0].id)
        self.done()

    @rule()
    def move_a_layer(self):
        pictures = [layer for layer in self.document.layers if layer.kind == "picture"]
        if len(pictures) < 2:
            return
        with self.document.begin("Move") as transaction:
            transaction.move_layer(pictures[0].id, len(pictures) - 1)
        self.done()

    @rule(height=st.integers(200, 600), width=st.integers(200, 600))
    def resize_the_canvas(self, height, width):
        with self.document.begin("Canvas") as transaction:
            self.scribble(transaction, self.document.mask_layer, "coverage")
            transaction.set_canvas((height, width), "RGBA" if width % 2 else "RGB")
            self.scribble(transaction, self.document.mask_layer, "coverage")
            self.scribble(transaction, self.document.edges_layer, "drawn")
        self.done()

    @rule(is_draft=st.booleans(), amend=st.booleans())
    def a_result_arrives(self, is_draft, amend):
        pixels = self.rng.integers(0, 256, (30, 20, 3), dtype=np.uint8)
        coverage = self.rng.integers(0, 2, (30, 20), dtype=np.uint8)
        result = Result(
            box_xyxy=(5, 6, 25, 36), pixels=pixels, coverage=coverage, step=Step(edit={}), is_draft=is_draft
        )
        redo = self.document.history.next_redo
        is_joined = amend and self.document.history.newest is not None
        self.document.add_result(result, amend=amend)
        if is_joined and redo is not None:
            assert self.document.history.next_redo is redo
            self.document.undo()  # a redo after it goes on from another picture: stop comparing here
            self.states = {at: s for at, s in self.states.items() if at <= self.document.history.position}
            return
        self.done()

    @precondition(lambda self: self.document.results)
    @rule(index=st.integers(0, 100))
    def star_and_delete(self, index):
        result = self.document.results[index % len(self.document.results)]
        with self.document.begin("Star") as transaction:
            transaction.star_result(result.id, not result.is_starred)
        self.done()
        if index % 3 == 0:
            with self.document.begin("Delete result") as transaction:
                transaction.remove_result(result.id)
            self.done()

    @rule()
    def roll_back(self):
        document, before = self.document, state_of(self.document)
        transaction = document.begin("Cancelled")
        self.scribble(transaction, document.mask_layer, "coverage")
        pictures = [layer for layer in document.layers if layer.kind == "picture"]
        if pictures:
            self.scribble(transaction, pictures[0], "pixels")
            transaction.remove_layer(pictures[0].id)
        transaction.add_layer(Layer("picture", "new", {"pixels": np.ones((9, 9, 3), np.uint8)}))
        transaction.set_canvas((222, 333))
        self.scribble(transaction, document.mask_layer, "coverage")
        transaction.set_current_result(None)
        transaction.rollback()
        assert state_of(document) == before

    @rule(count=st.integers(1, 5))
    def undo(self, count):
        for _ in range(count):
            self.document.undo()
            expected = self.states.get(self.document.history.position)
            if expected is not None:
                assert undoable(state_of(self.document)) == expected

    @rule(count=st.integers(1, 5))
    def redo(self, count):
        for _ in range(count):
            self.document.redo()
            expected = self.states.get(self.document.history.position)
            if expected is not None:
                assert undoable(state_of(self.document)) == expected

    @rule()
    def take_a_snapshot(self):
        if len(self.snapshots) < 3:
            picture = flatten(self.document, with_result=True)
            self.snapshots.append((Snapshot(self.document), state_of(self.document), picture))

    @precondition(lambda self: self.snapshots)
    @rule()
    def read_a_snapshot(self):
        snapshot, state, picture = self.snapshots.pop(0)
        with snapshot:
            for meta, (layer_id, name, is_visible, opacity, origin_xy, stroke_ids, planes) in zip(
                snapshot.layers_meta, state[0], strict=True
            ):
                assert (meta.id, meta.name, meta.is_visible) == (layer_id, name, is_visible)
                assert (meta.opacity, meta.origin_xy) == (opacity, origin_xy)
                assert tuple(stroke.id for stroke in meta.strokes) == stroke_ids
                for plane, data in planes:
                    assert snapshot.plane(meta.id, plane).tobytes() == data
            assert (snapshot.current_result_id, (snapshot.size_hw, snapshot.mode)) == (state[1], state[3])
            assert tuple((one.id, one.is_starred) for one in snapshot.results) == state[2]
            assert np.array_equal(snapshot.flatten(with_result=True), picture)

    @invariant()
    def the_journal_tells_the_same_story(self):
        if hasattr(self, "document"):
            own, twin = state_of(self.document), state_of(self.twin)
            assert (own[0], own[3]) == (twin[0], twin[3])
            if self.document.current_result_id in {result.id for result in self.twin.results}:
                assert own[1] == twin[1]

    def teardown(self):
        if hasattr(self, "document"):
            assert self.document.store.settle()
            self.document.close()
            self.twin.close()


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
