import numpy as np
import pytest

from app.document import transaction as transaction_module
from app.document.document import Document
from app.document.events import LayerChanged, LayerListChanged, PixelsChanged
from app.document.layers import Layer
from app.document.strokes import Stroke
from app.errors import DocumentError


@pytest.fixture
def document():
    pixels = np.random.default_rng(0).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    return Document((400, 500), layers=[Layer("picture", "photo", {"pixels": pixels}, origin_xy=(10, 20))])


def coverage_of(document):
    return document.mask_layer.planes["coverage"]


def test_the_values_before_are_told_while_a_stroke_goes_on(document):
    mask, coverage = document.mask_layer, coverage_of(document)
    with document.begin("First") as transaction, transaction.writing(mask.id, "coverage", (0, 0, 300, 300)):
        coverage[:300, :300] = 40
    transaction = document.begin("Second")
    for value in (50, 60):
        transaction.touch(mask.id, "coverage", (200, 200, 320, 320))
        coverage[200:320, 200:320] = value
        before = transaction.before(mask.id, "coverage", (190, 190, 330, 330))
        assert before.shape == (140, 140)
        assert before[:110, :110].min() == before[:110, :110].max() == 40
        assert before[110:].max() == before[:, 110:].max() == 0
    before[...] = 3
    transaction.rollback()
    assert coverage[:300, :300].min() == 40
    assert coverage[300:].max() == 0


def test_a_box_outside_the_plane_is_cut(document):
    mask = document.mask_layer
    with document.begin("Brush") as transaction:
        transaction.touch(mask.id, "coverage", (-50, -50, 10, 10))
        coverage_of(document)[:10, :10] = 255
        transaction.changed(mask.id, "coverage", (-50, -50, 10, 10))
        assert transaction.before(mask.id, "coverage", (-50, -50, 10, 10)).shape == (10, 10)
        assert transaction.before(mask.id, "coverage", (900, 0, 950, 10)).size == 0
    document.undo()
    assert coverage_of(document).max() == 0


def test_observers_hear_of_pixels_while_the_stroke_goes_on(document):
    heard = []
    document.observe(heard.append)
    photo = document.layers[0]
    transaction = document.begin("Paint")
    with transaction.writing(photo.id, "pixels", (0, 0, 30, 40)) as values:
        values[...] = 1
    assert heard == [PixelsChanged(photo.id, "pixels", (0, 0, 30, 40), (10, 20, 40, 60))]
    transaction.rollback()
    assert heard[1] == PixelsChanged(photo.id, "pixels", (0, 0, 256, 256), (10, 20, 266, 276))


def test_nothing_changed_makes_no_entry(document):
    mask = document.mask_layer
    with document.begin("Brush") as transaction:
        transaction.touch(mask.id, "coverage", (0, 0, 500, 400))
        transaction.set_layer(mask.id, opacity=0.5)
        transaction.set_layer(mask.id, opacity=1.0)
        transaction.clear_strokes(mask.id)
        transaction.clear_plane(mask.id, "coverage")
        transaction.set_current_result(None)
        transaction.move_layer(mask.id, 1)
    assert not document.can_undo
    assert not document.is_modified


def test_an_entry_holds_only_tiles_that_changed(document):
    mask = document.mask_layer
    with (
        document.begin("Brush") as transaction,
        transaction.writing(mask.id, "coverage", (0, 0, 500, 400)) as values,
    ):
        values[300, 300] = 1
    (entry,) = document.history.entries
    assert [(op.ty, op.tx) for op in entry.ops] == [(1, 1)]


def test_a_second_stroke_shares_what_the_first_left(document):
    mask = document.mask_layer
    for value in (10, 20):
        with (
            document.begin("Brush") as transaction,
            transaction.writing(mask.id, "coverage", (0, 0, 9, 9)) as values,
        ):
            values[...] = value
    first, second = document.history.entries
    assert second.ops[0].before is first.ops[0].after


def change_all_and_fail(document):
    mask, photo = document.mask_layer, document.layers[0]
    with document.begin("Brush") as transaction:
        with transaction.writing(mask.id, "coverage", (0, 0, 99, 99)) as values:
            values[...] = 9
        transaction.add_stroke(mask.id, Stroke("brush", "coverage", np.zeros((1, 5))))
        transaction.remove_layer(photo.id)
        transaction.add_layer(Layer("picture", "other", {"pixels": np.zeros((3, 3), np.uint8)}))
        raise ZeroDivisionError


def test_an_error_inside_rolls_back(document):
    mask = document.mask_layer
    with pytest.raises(ZeroDivisionError):
        change_all_and_fail(document)
    assert [layer.name for layer in document.layers] == ["photo", "Mask", "Edges"]
    assert document.layers[0].origin_xy == (10, 20)
    assert coverage_of(document).max() == 0
    assert mask.strokes == []
    assert document.transaction is None
    assert not document.can_undo


def test_a_commit_that_finds_no_memory_rolls_back(document, monkeypatch):
    """Else the change would stay open, and nothing could be drawn or undone any more."""
    before = coverage_of(document).copy()
    held = []

    def hold(array, **options):
        held.append(array)
        if len(held) > 2:
            raise MemoryError
        return original(array, **options)

    original = document.store.hold
    transaction = document.begin("Brush")
    with transaction.writing(document.mask_layer.id, "coverage", (0, 0, 500, 400)) as values:
        values[...] = 9
    monkeypatch.setattr(document.store, "hold", hold)
    with pytest.raises(MemoryError):
        transaction.commit()
    assert document.transaction is None
    assert np.array_equal(coverage_of(document), before)
    assert not document.can_undo


def test_a_layer_that_finds_no_memory_is_not_half_there(document, monkeypatch):
    def fail(array, **options):
        raise MemoryError

    layers = document.layers
    monkeypatch.setattr(document.store, "hold", fail)
    with pytest.raises(MemoryError), document.begin("Paste") as transaction:
        transaction.add_layer(Layer("picture", "new", {"pixels": np.zeros((3, 3, 3), np.uint8)}))
    assert document.layers == layers


def test_values_beyond_the_limit_are_packed_while_the_stroke_goes_on(document, monkeypatch):
    monkeypatch.setattr(transaction_module, "RAW_LIMIT_BYTES", 100_000)
    mask = document.mask_layer
    transaction = document.begin("Invert")
    with transaction.writing(mask.id, "coverage", (0, 0, 500, 400)) as values:
        values[...] = 255
    assert document.store.settle()
    assert any(kept.blob.is_packed for kept in transaction.kept_tiles().values())
    assert transaction.before(mask.id, "coverage", (0, 0, 500, 400)).max() == 0
    transaction.commit()
    document.undo()
    assert coverage_of(document).max() == 0


def test_a_cleared_plane_comes_back(document):
    mask = document.mask_layer
    with (
        document.begin("Brush") as transaction,
        transaction.writing(mask.id, "coverage", (300, 200, 400, 300)),
    ):
        coverage_of(document)[200:300, 300:400] = 77
    with document.begin("Clear") as transaction:
        transaction.clear_plane(mask.id, "coverage")
    assert not mask.has_any("coverage")
    document.undo()
    assert int(coverage_of(document).astype(int).sum()) == 77 * 100 * 100


def test_a_new_layer_lies_above_the_pictures_and_below_the_mask(document):
    heard = []
    document.observe(heard.append)
    layer = Layer("picture", "new", {"pixels": np.zeros((3, 3, 3), np.uint8)})
    with document.begin("Paste") as transaction:
        transaction.add_layer(layer)
    assert [one.name for one in document.layers] == ["photo", "new", "Mask", "Edges"]
    assert LayerListChanged() in heard
    document.active_layer_id = layer.id
    document.undo()
    assert document.active_layer_id == document.layers[0].id


def test_attributes_are_set_one_by_one_and_told(document):
    heard = []
    document.observe(heard.append)
    photo, revision = document.layers[0], document.picture_revision
    with document.begin("Move") as transaction:
        transaction.set_layer(photo.id, origin_xy=(np.int64(3), 4), name="sky")
    assert (photo.origin_xy, photo.name) == ((3, 4), "sky")
    assert heard.count(LayerChanged(photo.id)) == 2
    assert document.picture_revision == revision + 1
    document.undo()
    assert (photo.origin_xy, photo.name) == ((10, 20), "photo")


def test_what_a_document_does_not_allow_is_refused_and_changes_nothing(document):
    mask, edges, photo = document.mask_layer, document.edges_layer, document.layers[0]
    transaction = document.begin("Brush")
    for call, words in (
        (
            lambda: transaction.touch("nobody", "coverage", (0, 0, 1, 1)),
            "layer: expected one of this document",
        ),
        (lambda: transaction.touch(mask.id, "pixels", (0, 0, 1, 1)), "Mask: expected one of coverage"),
        (lambda: transaction.remove_layer(mask.id), "Mask: expected a picture layer to be removed"),
        (lambda: transaction.add_layer(Layer.empty_mask((400, 500))), "Mask: expected a picture layer"),
        (lambda: transaction.add_layer(photo), "photo: expected a layer of its own"),
        (lambda: transaction.set_layer(mask.id, origin_xy=(1, 1)), "Mask: expected the whole canvas"),
        (lambda: transaction.set_layer(photo.id, opacity=2), "layer opacity: expected a number from 0 to 1"),
        (lambda: transaction.set_layer(photo.id, planes={}), "layer: expected one of name"),
        (lambda: transaction.move_layer(photo.id, 1), "photo: expected a place from 0 to 0"),
        (lambda: transaction.move_layer(edges.id, 0), "Edges: expected a place from 1 to 2"),
        (lambda: transaction.set_current_result("gone"), "result: expected one of this document"),
        (lambda: document.begin("Other"), "Other: expected no other change under way, got 'Brush'"),
        (
            lambda: transaction.add_layer(
                Layer("picture", "n", {"pixels": np.zeros((1, 1), np.uint8)}), index=9
            ),
            "index: expected 0 to 1, got 9",
        ),
        (
            lambda: transaction.add_layer(
                Layer("picture", "n", {"pixels": np.zeros((1, 1), np.uint8)}), index=2
            ),
            "index: expected 0 to 1, got 2",
        ),
    ):
        with pytest.raises(DocumentError) as refused:
            call()
        assert str(refused.value).startswith(words)
    transaction.commit()
    assert not document.can_undo
    with pytest.raises(DocumentError, match="Brush: expected an open transaction"):
        transaction.touch(mask.id, "coverage", (0, 0, 1, 1))
