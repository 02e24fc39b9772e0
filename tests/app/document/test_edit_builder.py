import numpy as np
import pytest

from app.document.document import Document
from app.document.edit_builder import (
    inpaint_request,
    result_from_reply,
    settings_of,
    usual_frame,
)
from app.document.flatten import flatten
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.results import Result
from app.document.strokes import Stroke
from app.errors import DocumentError
from engine.edits import InpaintEdit, InpaintSettings
from engine.host import HostReply, Patch

SIZE_HW = (300, 320)


@pytest.fixture
def document():
    pixels = np.random.default_rng(0).integers(0, 200, (*SIZE_HW, 3), dtype=np.uint8)
    return Document(SIZE_HW, layers=[Layer("picture", "photo", {"pixels": pixels})])


def paint(document, plane, box, value=255, tool="brush"):
    layer = document.mask_layer if plane == "coverage" else document.edges_layer
    with document.begin("Brush") as transaction:
        with transaction.writing(layer.id, plane, box) as values:
            values[...] = value
        stroke = Stroke(tool, plane, np.zeros((1, 5)))
        transaction.add_stroke(layer.id, stroke)
    return stroke


def reply_of(document, box, value=222, edges_value=90, size_hw=None, report=None):
    h, w = box[3] - box[1], box[2] - box[0]
    pixels = flatten(document, box, with_result=False)
    pixels[2:-2, 2:-2] = value
    edges = np.full((h + 10, w + 10), edges_value, np.uint8)
    frame = (box[0] - 5, box[1] - 5, box[2] + 5, box[3] + 5)
    return HostReply(
        size_hw=document.size_hw if size_hw is None else size_hw,
        patches=(Patch(box, pixels),),
        edges=(Patch(frame, edges),),
        report=report or {},
    )


def test_an_empty_mask_is_refused(document):
    with pytest.raises(DocumentError, match="mask: expected something selected, got nothing; brush over"):
        inpaint_request(document, InpaintSettings())


def test_the_request_is_the_picture_without_the_result_and_the_mask_as_it_is(document):
    stroke = paint(document, "coverage", (50, 60, 80, 90), 128)
    reply = reply_of(document, (50, 60, 80, 90))
    document.add_result(result_from_reply(document, InpaintEdit(), reply))
    settings = InpaintSettings(
        quality="fast", seed=4, edge_sensitivity=0.75, edge_sigma=3.0, working_size_px=256
    )
    edit, inputs, provenance = inpaint_request(document, settings)
    assert (edit.quality, edit.seed, edit.edge_sensitivity, edit.edge_sigma) == ("fast", 4, 0.75, 3.0)
    assert edit.working_size_px == 256
    assert np.array_equal(inputs.image, document.layers[0].planes["pixels"])
    assert np.array_equal(inputs.mask, document.mask_layer.planes["coverage"])
    assert inputs.drawn_edges is None
    assert inputs.erased_edges is None
    mask_id, photo_id = document.mask_layer.id, document.layers[0].id
    assert provenance == {
        "image": {"kind": "layers", "layers": [photo_id]},
        "mask": {"kind": "strokes", "layer": mask_id, "plane": "coverage", "strokes": [stroke.id]},
    }
    paint(document, "coverage", (0, 0, 99, 99), 9)
    assert inputs.mask[0, 0] == 0


def test_drawn_and_erased_edges_are_handed_on(document):
    paint(document, "coverage", (50, 60, 80, 90))
    paint(document, "drawn", (55, 60, 56, 90), 200)
    paint(document, "erased", (60, 60, 70, 90), 100)
    _, inputs, provenance = inpaint_request(document, InpaintSettings())
    assert np.array_equal(inputs.drawn_edges, document.edges_layer.planes["drawn"])
    assert np.array_equal(inputs.erased_edges, document.edges_layer.planes["erased"])
    assert provenance["drawn_edges"]["plane"] == "drawn"
    assert provenance["erased_edges"]["plane"] == "erased"


def test_locked_edges_are_those_of_the_shown_result(document):
    box = (50, 60, 80, 90)
    paint(document, "coverage", box)
    result = result_from_reply(document, InpaintEdit(), reply_of(document, box, edges_value=100))
    document.add_result(result)
    paint(document, "locked", (40, 60, 60, 70), 255)  # half of it beside the result
    paint(document, "locked", (60, 60, 70, 70), 51)
    paint(document, "drawn", (52, 60, 53, 70), 180)
    _, inputs, provenance = inpaint_request(document, InpaintSettings())
    drawn = inputs.drawn_edges
    assert drawn[65, 45] == 0
    assert drawn[65, 55] == 100
    assert drawn[65, 65] == 20
    assert drawn[65, 52] == 180
    assert drawn[75, 55] == 0
    assert inputs.erased_edges[65, [45, 55, 65, 75]].tolist() == [0, 255, 51, 0]
    assert provenance["locked_edges"]["result"] == result.id
    assert document.edges_layer.planes["drawn"][65, 55] == 0


def test_locked_edges_without_a_result_lock_nothing(document):
    paint(document, "coverage", (50, 60, 80, 90))
    paint(document, "locked", (50, 60, 80, 90))
    _, inputs, provenance = inpaint_request(document, InpaintSettings())
    assert inputs.drawn_edges is None
    assert inputs.erased_edges is None
    assert "locked_edges" not in provenance


def test_a_result_counts_where_the_mask_is(document):
    box = (50, 60, 80, 90)
    paint(document, "coverage", box)
    edit, inputs, provenance = inpaint_request(document, InpaintSettings(seed=9))
    inputs.mask[70:75, 55:75] = 0
    report = {"weights": {"name": "starter", "sha256": "ab"}, "crops": [{"frame": [0, 0, 9, 9]}], "seed": 9}
    reply = reply_of(document, box, report=report)
    result = result_from_reply(document, edit, reply, provenance, mask=inputs.mask, is_draft=True)
    assert result.box_xyxy == box
    assert result.is_draft
    assert np.array_equal(result.coverage > 0, inputs.mask[60:90, 50:80] > 0)
    assert result.pixels[result.coverage == 0].max() == 0
    assert result.edges.min() == 90
    assert result.step == Step(
        edit=edit.model_dump(mode="json"),
        inputs=provenance,
        weights={"name": "starter", "sha256": "ab"},
        seed=9,
        crops=report["crops"],
    )
    assert result.step.reopened() == edit
    document.add_result(result)
    shown = flatten(document, with_result=True)
    picture = document.layers[0].planes["pixels"]
    assert np.array_equal(shown[70:75, 55:75], picture[70:75, 55:75])
    assert (shown[80:88, 55:75] == 222).all()
    assert np.array_equal(shown[:60], picture[:60])


def test_without_the_mask_a_result_counts_where_it_differs(document):
    box = (50, 60, 80, 90)
    paint(document, "coverage", (50, 60, 80, 61))  # what is left of it since the engine was asked
    result = result_from_reply(document, InpaintEdit(), reply_of(document, box))
    expected = np.zeros((30, 30), bool)
    expected[2:-2, 2:-2] = True
    expected[0] = True
    assert np.array_equal(result.coverage > 0, expected)
    document.add_result(result)
    shown = flatten(document, box, with_result=True)
    assert (shown[2:-2, 2:-2] == 222).all()


def test_two_holes_make_one_result(document):
    boxes = [(10, 10, 20, 20), (200, 250, 230, 270)]
    patches = tuple(
        Patch(box, np.full((box[3] - box[1], box[2] - box[0], 3), 250, np.uint8)) for box in boxes
    )
    reply = HostReply(size_hw=SIZE_HW, patches=patches, edges=(), report={})
    for box in boxes:
        paint(document, "coverage", box)
    result = result_from_reply(document, InpaintEdit(), reply)
    assert result.box_xyxy == (10, 10, 230, 270)
    assert int((result.coverage > 0).sum()) == 100 + 600
    assert result.edges is None
    assert (result.pixels[result.coverage > 0] == 250).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size_hw": (10, 10)}, "result: expected 320x300 px as the picture, got 10x10 px"),
        ({"patches": ()}, "result: expected a filled hole, got nothing changed"),
    ],
)
def test_a_reply_that_does_not_fit_is_refused(document, changes, words):
    fields = {"size_hw": SIZE_HW, "patches": (), "edges": (), "report": {}, **changes}
    with pytest.raises(DocumentError) as refused:
        result_from_reply(document, InpaintEdit(), HostReply(**fields))
    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("more", [{"context": "full"}, {"context": "box", "context_box": (1, 2, 30, 40)}])
def test_settings_come_back_from_a_step(more):
    settings = InpaintSettings(seed=3, edge_source="drawn", weights="mine", **more)
    step = Step(edit=InpaintEdit(**settings.model_dump()).model_dump(mode="json"))
    assert settings_of(step) == settings


def test_the_settings_of_the_panel_are_the_defaults_of_the_edit():
    edit = InpaintEdit()
    assert InpaintSettings().model_dump() == {
        name: getattr(edit, name) for name in InpaintSettings.model_fields
    }


def test_the_first_frame_is_the_hole_and_what_lies_around_it(document):
    assert usual_frame(document) == (0, 0, 320, 300)
    paint(document, "coverage", (150, 140, 160, 150))
    assert usual_frame(document) == (86, 76, 224, 214)
    paint(document, "coverage", (100, 140, 300, 150))
    assert usual_frame(document) == (0, 40, 320, 250)


def test_a_step_of_a_result_is_plain_data(document):
    paint(document, "coverage", (50, 60, 80, 90))
    edit, _, provenance = inpaint_request(document, InpaintSettings())
    result = result_from_reply(document, edit, reply_of(document, (50, 60, 80, 90)), provenance)
    record, packed = result.to_record()
    assert Result.from_record(record, packed).step == result.step
