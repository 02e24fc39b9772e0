import threading

import numpy as np
import pytest

from app.document.document import Document
from app.document.flatten import flatten
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.document.strokes import Stroke
from app.errors import DocumentError

SIZE_HW = (600, 700)


@pytest.fixture
def document():
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    return Document(SIZE_HW, layers=[Layer("picture", "photo", {"pixels": pixels})], icc_profile=b"icc")


def paint(document, value, box=(0, 0, 700, 600), plane="coverage"):
    layer = document.mask_layer if plane == "coverage" else document.layers[0]
    with document.begin("Brush") as transaction, transaction.writing(layer.id, plane, box) as values:
        values[...] = value


def make_result():
    pixels, coverage = np.full((9, 9, 3), 5, np.uint8), np.full((9, 9), 255, np.uint8)
    return Result(box_xyxy=(0, 0, 9, 9), pixels=pixels, coverage=coverage, step=Step(edit={}))


def test_a_snapshot_does_not_see_what_comes_after_it(document):
    paint(document, 10, (0, 0, 300, 300))
    mask, photo = document.mask_layer, document.layers[0]
    document.add_result(make_result())
    planes = {layer.id: {n: p.copy() for n, p in layer.planes.items()} for layer in document.layers}
    picture = flatten(document, with_result=True)
    with Snapshot(document) as snapshot:
        assert np.array_equal(snapshot.plane(mask.id, "coverage"), planes[mask.id]["coverage"])
        paint(document, 20)
        document.undo()
        document.undo()
        document.undo()
        paint(document, 1, plane="pixels")
        with document.begin("Delete") as transaction:
            transaction.remove_layer(photo.id)
        document.undo()
        paint(document, 2, plane="pixels")
        for layer_id, expected in planes.items():
            for plane, values in expected.items():
                assert np.array_equal(snapshot.plane(layer_id, plane), values)
        assert np.array_equal(snapshot.flatten(with_result=True), picture)
        part = snapshot.flatten((5, 5, 90, 80), with_result=False)
        assert np.array_equal(part, planes[photo.id]["pixels"][5:80, 5:90])
        assert snapshot.icc_profile == b"icc"


def test_undoing_what_the_snapshot_holds_does_not_change_it(document):
    paint(document, 10, (0, 0, 300, 300))
    mask = document.mask_layer
    with Snapshot(document) as undone:
        document.undo()
        assert mask.planes["coverage"].max() == 0
        with Snapshot(document) as redone:
            document.redo()
            assert undone.plane(mask.id, "coverage").max() == 10
            assert redone.plane(mask.id, "coverage").max() == 0


def test_with_a_stroke_under_way_the_snapshot_holds_what_was_before_it(document):
    paint(document, 10)
    mask = document.mask_layer
    transaction = document.begin("Brush")
    with transaction.writing(mask.id, "coverage", (0, 0, 100, 100)) as values:
        values[...] = 50
    transaction.add_stroke(mask.id, Stroke("brush", "coverage", np.zeros((1, 5))))
    transaction.set_layer(mask.id, opacity=0.5)
    late = make_result()
    document.add_result(late)
    with Snapshot(document) as snapshot:
        with transaction.writing(mask.id, "coverage", (50, 50, 500, 500)) as values:
            values[...] = 60
        assert snapshot.plane(mask.id, "coverage").min() == snapshot.plane(mask.id, "coverage").max() == 10
        assert snapshot.layer_meta(mask.id).strokes == ()
        assert snapshot.layer_meta(mask.id).opacity == 1
        transaction.commit()
        assert snapshot.plane(mask.id, "coverage").max() == 10
        assert [result.id for result in snapshot.results] == [late.id]
        assert snapshot.current_result_id == late.id
        document.mark_saved(None, snapshot)
    assert document.is_modified


def test_a_layer_removed_by_the_open_transaction_is_still_there(document):
    photo = document.layers[0]
    pixels = photo.planes["pixels"].copy()
    transaction = document.begin("Delete")
    with transaction.writing(photo.id, "pixels", (0, 0, 300, 300)) as values:
        values[...] = 0
    transaction.remove_layer(photo.id)
    with Snapshot(document) as snapshot:
        assert [meta.name for meta in snapshot.layers_meta] == ["photo", "Mask", "Edges"]
        assert np.array_equal(snapshot.plane(photo.id, "pixels"), pixels)
    transaction.rollback()


def test_a_layer_added_by_the_open_transaction_is_not_the_active_one(document):
    """Else the file would name a layer that it does not hold, and not be opened again."""
    transaction = document.begin("Paste")
    transaction.add_layer(Layer("picture", "new", {"pixels": np.zeros((3, 3, 3), np.uint8)}))
    document.active_layer_id = document.layers[1].id
    with Snapshot(document) as snapshot:
        assert snapshot.active_layer_id is None
    transaction.rollback()


def test_reading_beside_a_busy_user_gives_one_moment(document):
    """Every tile is written over and over, with undo between, while another thread reads all of it."""
    paint(document, 7)
    mask, photo = document.mask_layer, document.layers[0]
    pixels = photo.planes["pixels"].copy()
    snapshot = Snapshot(document)
    wrong: list[str] = []
    is_done = threading.Event()

    def read():
        for _ in range(6):
            if not (snapshot.plane(mask.id, "coverage") == 7).all():
                wrong.append("coverage")
            if not np.array_equal(snapshot.plane(photo.id, "pixels"), pixels):
                wrong.append("pixels")
        is_done.set()

    reader = threading.Thread(target=read)
    reader.start()
    value = 0
    while not is_done.is_set() or value < 5:
        value = value % 250 + 1
        paint(document, value, (value, value, 600, 500))
        paint(document, value, (value, 0, 650, 550), "pixels")
        if value % 2:
            document.undo()
    reader.join()
    snapshot.close()
    assert wrong == []


def test_what_was_never_written_is_known(document):
    with Snapshot(document) as snapshot:
        mask = document.mask_layer
        paint(document, 3)
        assert snapshot.written_box(mask.id, "coverage") == (0, 0, 0, 0)
        assert snapshot.plane(mask.id, "coverage").max() == 0
        assert snapshot.written_box(document.layers[0].id, "pixels") == (0, 0, 700, 600)
    with Snapshot(document) as snapshot:
        assert snapshot.written_box(mask.id, "coverage") == (0, 0, 700, 600)
        assert snapshot.read(mask.id, "coverage", (690, 590, 900, 900)).tolist() == [[3] * 10] * 10


def test_results_and_stars_are_those_of_the_moment(document):
    result = make_result()
    document.add_result(result)
    with Snapshot(document) as snapshot:
        with document.begin("Star") as transaction:
            transaction.star_result(result.id, True)
            transaction.remove_result(result.id)
        document.store.settle()
        assert snapshot.current_result is not None
        assert not snapshot.current_result.is_starred
        assert snapshot.current_result.pixels.max() == 5


def test_plain_data_of_a_layer_is_that_of_the_moment(document):
    layer = document.layers[0]
    plain = layer.meta()
    with Snapshot(document) as snapshot:
        with document.begin("Rename") as transaction:
            transaction.set_layer(layer.id, name="other", origin_xy=(5, 5))
        assert snapshot.layer_meta(layer.id).to_plain() == plain
        assert snapshot.layer_meta(layer.id).box_xyxy == (0, 0, 700, 600)


def test_a_closed_snapshot_takes_nothing_more_and_gives_nothing(document):
    snapshot = Snapshot(document)
    snapshot.close()
    snapshot.close()
    paint(document, 3)
    assert snapshot._kept == {}
    with pytest.raises(DocumentError, match="Mask: expected one of coverage, of an open snapshot"):
        snapshot.plane(document.mask_layer.id, "coverage")


def test_a_forgotten_snapshot_is_handed_nothing(document):
    Snapshot(document)
    paint(document, 3)
    with Snapshot(document):
        pass
    assert document.inner._snapshots == ()


def test_what_a_snapshot_does_not_have_is_refused(document):
    with Snapshot(document) as snapshot:
        with pytest.raises(DocumentError, match="layer: expected one of the snapshot, got 'x'"):
            snapshot.plane("x", "pixels")
        with pytest.raises(DocumentError, match="Mask: expected one of coverage"):
            snapshot.plane(document.mask_layer.id, "pixels")
