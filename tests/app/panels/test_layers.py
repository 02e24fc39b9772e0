import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSpinBox, QToolButton

from app.document.layers import Layer
from app.panels.layer_rows import DETAIL_ROLE, THUMB_ROLE, VISIBLE_ROLE, eye_box, thumbnail
from app.panels.layers import LayersPanel
from tests.app.fakes import drop, make_document


@pytest.fixture
def document():
    made = make_document()
    with made.begin("Paste") as change:
        change.add_layer(Layer("picture", "Pasted", {"pixels": np.full((10, 12, 3), 90, np.uint8)}))
    return made


@pytest.fixture
def panel(qtbot, document) -> LayersPanel:
    made = LayersPanel()
    qtbot.addWidget(made)
    made.resize(300, 320)
    made.show()
    made.set_document(document)
    return made


def names(panel: LayersPanel) -> list[str]:
    model = panel.list.model()
    return [model.index(row).data() for row in range(model.rowCount())]


def choose(panel: LayersPanel, name: str) -> None:
    panel.list.setCurrentIndex(panel.list.model().index(names(panel).index(name)))


def press(panel: LayersPanel, name: str) -> None:
    button = panel.findChild(QToolButton, name)
    assert button.isEnabled()
    button.click()


def test_layers_are_listed_top_first(panel) -> None:
    assert names(panel) == ["Edges", "Mask", "Pasted", "photo"]


def test_no_document_no_rows(panel) -> None:
    panel.set_document(None)
    assert names(panel) == []
    assert not panel.findChild(QSpinBox, "layer_opacity_value").isEnabled()


def test_a_click_on_the_eye_hides_and_undo_shows(panel, document) -> None:
    row = panel.list.visualRect(panel.list.model().index(2))
    at = eye_box(row).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at.x(), at.y()))
    layer = next(one for one in document.layers if one.name == "Pasted")
    assert not layer.is_visible
    assert panel.list.model().index(2).data(VISIBLE_ROLE) is False
    assert document.undo_label == "Hide layer"
    document.undo()
    assert layer.is_visible


def test_space_hides_without_the_mouse(panel, document) -> None:
    choose(panel, "photo")
    QTest.keyClick(panel.list, Qt.Key.Key_Space)
    assert not document.layers[0].is_visible


def test_choosing_a_row_makes_the_layer_active_and_back(panel, document) -> None:
    choose(panel, "Pasted")
    assert document.layer(document.active_layer_id).name == "Pasted"
    document.active_layer_id = document.layers[0].id
    assert panel.chosen_layer().name == "photo"


def test_layers_move_and_go(panel, document) -> None:
    choose(panel, "Pasted")
    press(panel, "layer_down")
    assert names(panel) == ["Edges", "Mask", "photo", "Pasted"]
    choose(panel, "Pasted")
    press(panel, "layer_up")
    choose(panel, "Pasted")
    press(panel, "layer_delete")
    assert names(panel) == ["Edges", "Mask", "photo"]
    assert not panel.findChild(QToolButton, "layer_delete").isEnabled()
    document.undo()
    assert names(panel) == ["Edges", "Mask", "Pasted", "photo"]


def test_mask_and_edges_stay_where_they_are(panel) -> None:
    choose(panel, "Mask")
    for name in ("layer_up", "layer_down", "layer_delete"):
        assert not panel.findChild(QToolButton, name).isEnabled()


def test_sliding_the_opacity_is_one_step(panel, document) -> None:
    choose(panel, "Pasted")
    before = document.history.position
    for value in (80, 60, 40):
        panel.findChild(QSpinBox, "layer_opacity_value").setValue(value)
    layer = panel.chosen_layer()
    assert layer.opacity == 0.4
    assert panel.list.currentIndex().data(DETAIL_ROLE) == "Picture, 40 %"
    document.undo()
    assert layer.opacity == 1.0
    assert document.history.position == before


def test_a_layer_can_be_renamed(panel, document) -> None:
    model = panel.list.model()
    assert model.setData(model.index(2), "  Sky ")
    assert names(panel)[2] == "Sky"
    assert not model.setData(model.index(2), " ")
    assert not model.flags(model.index(0)) & Qt.ItemFlag.ItemIsEditable


def test_a_screen_reader_hears_what_is_hidden(panel, document) -> None:
    with document.begin("Hide layer") as change:
        change.set_layer(document.layers[0].id, is_visible=False)
    index = panel.list.model().index(3)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "photo, picture, hidden"


@pytest.mark.parametrize(
    ("mode", "dtype"), [("L", "uint8"), ("LA", "uint8"), ("RGB", "uint16"), ("RGBA", "uint8")]
)
def test_a_thumbnail_is_small_and_alike(qapp, mode, dtype) -> None:
    document = make_document((400, 300), mode, dtype)
    image = thumbnail(document.layers[0])
    assert max(image.width(), image.height()) <= 160
    assert (
        image.pixelColor(0, 0).lightness()
        < image.pixelColor(image.width() - 1, image.height() - 1).lightness()
    )


def test_the_mask_is_seen_in_its_thumbnail(panel, document, qtbot) -> None:
    layer = document.mask_layer
    with document.begin("Brush") as change, change.writing(layer.id, "coverage", (0, 0, 60, 40)) as values:
        values[...] = 255
    assert thumbnail(layer).pixelColor(3, 3).lightness() == 255


def test_thumbnails_of_mask_and_edges_follow_the_canvas(panel, document, qtbot) -> None:
    rows = [panel.list.model().index(names(panel).index(name)) for name in ("Mask", "Edges")]
    assert [(row.data(THUMB_ROLE).width(), row.data(THUMB_ROLE).height()) for row in rows] == [(60, 40)] * 2
    places = [row.row() for row in rows]
    with document.begin("Canvas") as change:
        change.set_canvas((30, 20))

    def sizes():
        thumbs = [panel.list.model().index(place).data(THUMB_ROLE) for place in places]
        return [(thumb.width(), thumb.height()) for thumb in thumbs]

    qtbot.waitUntil(lambda: sizes() == [(20, 30)] * 2)
    document.undo()
    qtbot.waitUntil(lambda: sizes() == [(60, 40)] * 2)


def test_a_file_is_taken_by_the_row_of_the_mask_alone(panel, document, qtbot, tmp_path) -> None:
    rows = {
        name: panel.list.visualRect(panel.list.model().index(at, 0)) for at, name in enumerate(names(panel))
    }
    dropped = []
    panel.mask_dropped.connect(dropped.append)
    viewport = panel.list.viewport()
    assert not drop(viewport, tmp_path / "a.png", at=rows["Edges"].center())
    assert not drop(viewport, tmp_path / "a.png", tmp_path / "b.png", at=rows["Mask"].center())
    assert dropped == []
    choose(panel, "Pasted")
    assert drop(viewport, tmp_path / "a.png", at=rows["Mask"].center())
    assert dropped == [str(tmp_path / "a.png")]
    assert panel.chosen_layer().kind == "mask", "it was seen what takes it"
