"""What a retarget edit is made from, and the result that comes of the engine's reply."""

import numpy as np
import pytest

from app.document.document import Document
from app.document.recipe import Step
from app.document.results import Result
from app.document.retarget_builder import (
    RetargetSettings,
    base_of,
    base_picture,
    is_retarget,
    picture_key,
    remade_result,
    retarget_request,
    settings_of,
    shape_of,
)
from app.document.retarget_shape import Shape, drag
from app.document.snapshot import Snapshot
from app.errors import DocumentError
from engine.host import HostReply, Patch
from tests.app.fakes import make_document, stroke

WIDER = Shape.of_box((-10, 0, 90, 40))


@pytest.fixture
def document():
    made = make_document((40, 60))
    yield made
    made.close()


def reply(size_hw, channels=3, value=9, *, novelty=None, edit=None):
    h, w = size_hw
    pixels = np.full((h, w, channels), value, np.uint8)
    planes = {} if novelty is None else {"novelty": (Patch((0, 0, w, h), novelty),)}
    return HostReply(
        size_hw, (Patch((0, 0, w, h), pixels),), (), {"seconds": {"total": 0.5}, "crops": []}, planes
    )


def a_fill(document, value=77):
    """A result that lies on the picture and is shown."""
    pixels = np.full((10, 10, 3), value, np.uint8)
    made = Result(
        box_xyxy=(5, 5, 15, 15),
        pixels=pixels,
        coverage=np.full((10, 10), 255, np.uint8),
        step=Step(edit={"family": "inpaint"}),
    )
    document.add_result(made)
    return made


def remake(document, shape=WIDER, settings=None):
    edit, _inputs, provenance = retarget_request(document, shape, settings or RetargetSettings())
    made = remade_result(edit, reply(shape.size_hw), shape, provenance)
    document.add_result(made)
    return made


def test_a_rectangle_is_asked_for_by_its_size_and_free_corners_by_their_places(document):
    edit, inputs, provenance = retarget_request(document, WIDER, RetargetSettings(seed=3, completeness=0.25))
    assert (edit.target_size_hw, edit.corners_xy, edit.seed, edit.completeness) == ((40, 100), None, 3, 0.25)
    assert np.array_equal(inputs.image, document.layers[0].planes["pixels"])
    assert inputs.lock is None
    assert provenance["image"]["layers"] == [document.layers[0].id]
    free = drag(WIDER, "top_right", (-20, 5), is_free=True).shape
    edit, _, _ = retarget_request(document, free, RetargetSettings())
    assert edit.target_size_hw is None
    assert edit.corners_xy == ((0, 0), (80, 5), (100, 40), (0, 40))


def test_what_is_masked_is_locked_only_where_that_is_wished(document):
    stroke(document, (4, 4, 20, 20))
    assert retarget_request(document, WIDER, RetargetSettings())[1].lock is None
    _, inputs, provenance = retarget_request(document, WIDER, RetargetSettings(is_locked=True))
    assert inputs.lock is not None
    assert inputs.lock[10, 10] == 255
    assert inputs.lock[30, 30] == 0
    assert provenance["lock"]["layers"] == [document.mask_layer.id]
    stroke(document, (30, 30, 34, 34))
    assert inputs.lock[31, 31] == 0, "the engine's own, while the user goes on"


def test_with_nothing_masked_nothing_is_locked(document):
    _, inputs, provenance = retarget_request(document, WIDER, RetargetSettings(is_locked=True))
    assert inputs.lock is None
    assert "lock" not in provenance


def test_a_mask_over_everything_is_refused(document):
    stroke(document, (0, 0, 60, 40))
    with pytest.raises(
        DocumentError, match="mask: expected something left that may change its shape, got all"
    ):
        retarget_request(document, WIDER, RetargetSettings(is_locked=True))


def test_a_picture_that_is_too_small_is_refused():
    document = Document.blank((20, 300))
    with pytest.raises(
        DocumentError,
        match=r"picture to remake: expected 32 to 12000 px a side and up to 120 megapixels, got 300x20 px",
    ):
        retarget_request(document, WIDER, RetargetSettings())


def test_a_shape_that_is_none_is_refused(document):
    with pytest.raises(
        DocumentError, match="shape: expected one a picture fits in, got 32 px is the shortest"
    ):
        retarget_request(document, Shape.of_box((0, 0, 5, 50)), RetargetSettings())


def test_the_fill_that_is_shown_belongs_to_the_picture(document):
    fill = a_fill(document)
    _, inputs, provenance = retarget_request(document, WIDER, RetargetSettings())
    assert (inputs.image[8, 8] == 77).all()
    assert provenance["image"]["result"] == fill.id
    assert not (document.layers[0].planes["pixels"][8, 8] == 77).all(), "the layer is not written to"


def test_a_remade_picture_is_made_from_the_first_picture_again(document):
    fill = a_fill(document)
    key = picture_key(document)
    before = base_picture(document).copy()
    remake(document)
    assert base_of(document) is fill
    assert picture_key(document) == key
    assert np.array_equal(base_picture(document), before)


def test_a_base_that_was_deleted_counts_no_more(document):
    fill = a_fill(document)
    remake(document)
    with document.begin("Delete") as change:
        change.remove_result(fill.id)
    assert base_of(document) is None


def test_the_result_lies_where_the_shape_lay(document):
    made = remake(document)
    assert made.box_xyxy == (-10, 0, 90, 40)
    assert made.is_whole
    assert is_retarget(made.step)
    assert made.coverage.all()
    assert shape_of(made) == WIDER
    assert document.undo_label == "Retarget to 100 × 40"


def test_free_corners_come_back_from_the_recipe(document):
    free = drag(WIDER, "top_right", (-20, 5), is_free=True).shape
    edit, _, provenance = retarget_request(document, free, RetargetSettings())
    answer = reply(free.size_hw, channels=4)
    answer.patches[0].pixels[:5, 90:, 3] = 0
    made = remade_result(edit, answer, free, provenance)
    assert shape_of(made) == free
    assert made.coverage[0, 99] == 0
    assert made.coverage[20, 20] == 255


def test_the_map_of_what_was_invented_comes_along(document):
    novelty = np.random.default_rng(0).integers(0, 256, (40, 100)).astype(np.uint8)
    edit, _, provenance = retarget_request(document, WIDER, RetargetSettings())
    made = remade_result(edit, reply((40, 100), novelty=novelty), WIDER, provenance)
    assert np.array_equal(made.novelty, novelty)
    assert remade_result(edit, reply((40, 100)), WIDER, provenance).novelty is None


@pytest.mark.parametrize(
    ("answer", "got"),
    [(reply((40, 60)), "60x40 px"), (HostReply((40, 100), (), (), {}, {}), "nothing")],
    ids=["another size", "nothing"],
)
def test_a_reply_that_is_not_the_picture_asked_for_is_refused(document, answer, got):
    edit, _, _ = retarget_request(document, WIDER, RetargetSettings())
    with pytest.raises(DocumentError, match=f"remade picture: expected 100x40 px, got {got}"):
        remade_result(edit, answer, WIDER)


def test_settings_come_back_from_the_recipe(document):
    stroke(document, (4, 4, 20, 20))
    settings = RetargetSettings(seed=5, quality="fast", completeness=0.75, is_locked=True)
    assert settings_of(remake(document, settings=settings).step) == settings


@pytest.mark.parametrize("corners", [[[1, 2]], "corners", [[0, 0], [0, 0], [0, 0], [0, 0]], [["a", 1]] * 4])
def test_a_recipe_from_elsewhere_gives_at_least_the_box(document, corners):
    made = remake(document)
    made.step = Step(edit={**made.step.edit, "corners_xy": corners})
    assert shape_of(made) == WIDER


def test_a_remade_picture_survives_a_file(document, tmp_path):
    from app.document.ora_reader import read_ora
    from app.document.ora_writer import write_ora

    a_fill(document)
    made = remake(document)
    with Snapshot(document) as snapshot:
        write_ora(snapshot, tmp_path / "a.ora")
    again, _ = read_ora(tmp_path / "a.ora")
    assert shape_of(again.current_result) == shape_of(made)
    assert base_of(again).id == base_of(document).id
    assert np.array_equal(base_picture(again), base_picture(document))
    with Snapshot(document) as snapshot:
        assert np.array_equal(base_picture(snapshot), base_picture(document))
    assert settings_of(again.current_result.step) == RetargetSettings()
    again.close()
