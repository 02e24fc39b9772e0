import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from app.canvas.overlays import MaskLook
from app.canvas.scene import LIGHT, Scene
from app.canvas.viewport import Viewport
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.results import Result
from tests.app.canvas.fakes import document_of, is_same, photo, result_of, rgb_of, seen, write

H, W = 300, 400
RESULT_BOX = (100, 80, 180, 160)
INSIDE = (slice(84, 156), slice(104, 176))


def scene_of(document) -> Scene:
    scene = Scene()
    scene.colours = LIGHT
    scene.set_document(document)
    return scene


def shown(scene: Scene, *, scale: float = 1.0, size_wh=(W, H), box=None, onto=None, **turn) -> np.ndarray:
    """(h, w, 3) of the whole view."""
    viewport = Viewport(scene.document.size_hw, size_wh, turn.get("ratio", 1.0))
    viewport.zoom_to(scale)
    viewport.rotate_by(turn.get("degrees", 0.0))
    size = [round(side * viewport.device_ratio) for side in size_wh]
    image = onto if onto is not None else QImage(*size, QImage.Format.Format_RGB32)
    scene.paint(image, box or (0, 0, *size), viewport)
    return rgb_of(image)


def test_a_picture_at_100_percent_is_itself(document):
    assert np.array_equal(shown(scene_of(document)), document.layers[0].planes["pixels"])


def test_100_percent_on_a_dense_screen_is_itself(document):
    seen = shown(scene_of(document), size_wh=(W / 2, H / 2), ratio=2.0)
    assert np.array_equal(seen, document.layers[0].planes["pixels"])


def test_sixteen_bits_are_shown_as_eight():
    deep = photo((H, W), dtype=np.uint16)
    assert np.array_equal(shown(scene_of(document_of(deep))), np.round(deep / 257).astype(np.uint8))


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGBA", 4)])
def test_transparency_shows_the_checkerboard(mode, channels):
    pixels = np.full((H, W, channels), 60, np.uint8)
    if channels in (2, 4):
        pixels[:, : W // 2, -1] = 0
        pixels[:, W // 2 :, -1] = 255
    seen = shown(scene_of(document_of(pixels, mode)))
    assert (seen[:, W // 2 :] == 60).all()
    if mode != "L":
        tones = {tuple(tone) for tone in seen[:, : W // 2].reshape(-1, 3).tolist()}
        assert tones == {(250, 250, 250), (218, 218, 220)}


def test_layers_lie_over_each_other_in_their_places(document):
    top = np.zeros((50, 60, 3), np.uint8)
    with document.begin("add") as transaction:
        layer = Layer("picture", "Top", {"pixels": top}, origin_xy=(30, 40), opacity=0.5)
        transaction.add_layer(layer, 1)
    scene = scene_of(document)
    base = document.layers[0].planes["pixels"].astype(int)
    seen = shown(scene)
    assert np.abs(seen[40:90, 30:90] - base[40:90, 30:90] / 2).max() <= 1
    assert np.array_equal(seen[:40], base[:40])
    with document.begin("hide") as transaction:
        transaction.set_layer(layer.id, is_visible=False)
    scene.refresh_layers()
    assert np.array_equal(shown(scene), base)


@pytest.mark.parametrize("scale", [1.0, 0.6, 2.5])
def test_a_layer_larger_than_the_canvas_ends_at_its_border(document, scale):
    pasted = Layer("picture", "Pasted", {"pixels": np.full((H + 80, W + 80, 3), 200, np.uint8)}, (-40, -40))
    with document.begin("Paste") as transaction:
        transaction.add_layer(pasted, 1)
    margin = 30
    size_wh = (round(W * scale) + 2 * margin, round(H * scale) + 2 * margin)
    image = shown(scene_of(document), scale=scale, size_wh=size_wh)
    desk = (LIGHT.desk.red(), LIGHT.desk.green(), LIGHT.desk.blue())
    inside, edge = margin + 3, margin - 3
    assert (image[inside:-inside, inside:-inside] == 200).all()
    for beside in (image[:edge], image[-edge:], image[:, :edge], image[:, -edge:]):
        assert (beside == desk).all()


def test_a_moved_layer_is_painted_at_its_new_place(document):
    layer = document.layers[0]
    scene = scene_of(document)
    shown(scene)
    with document.begin("move") as transaction:
        transaction.set_layer(layer.id, origin_xy=(10, 0))
    scene.refresh_layers()
    assert np.array_equal(shown(scene)[:, 10:], layer.planes["pixels"][:, :-10])


def test_the_result_replaces_the_picture_where_it_counts(document):
    scene = scene_of(document)
    document.add_result(result_of(document, RESULT_BOX))
    assert scene.refresh_result() == RESULT_BOX
    seen = shown(scene)
    base = document.layers[0].planes["pixels"]
    assert (seen[INSIDE] == 255).all()
    seen[INSIDE] = base[INSIDE]
    assert np.array_equal(seen, base)


def test_the_same_result_is_not_painted_again(document):
    scene = scene_of(document)
    document.add_result(result_of(document, RESULT_BOX))
    scene.refresh_result()
    assert scene.refresh_result() is None


def test_a_transparent_result_makes_a_hole():
    document = document_of(np.full((H, W, 4), 255, np.uint8), "RGBA")
    document.add_result(result_of(document, RESULT_BOX, value=0))
    seen = shown(scene_of(document))
    assert (seen[:, :, 2] == 220).any()
    assert {tuple(tone) for tone in seen[INSIDE].reshape(-1, 3).tolist()} == {
        (250, 250, 250),
        (218, 218, 220),
    }
    assert (seen[:80] == 255).all()


def test_comparing_hides_the_result_and_every_mark(document):
    document.add_result(result_of(document, RESULT_BOX))
    write(document, "coverage", RESULT_BOX)
    write(document, "drawn", (0, 0, 50, 3))
    scene = scene_of(document)
    base = document.layers[0].planes["pixels"]
    assert not np.array_equal(shown(scene), base)
    scene.compare.is_held = True
    assert np.array_equal(shown(scene), base)


def test_the_wipe_shows_the_picture_on_the_left(document):
    document.add_result(result_of(document, RESULT_BOX))
    scene = scene_of(document)
    scene.compare.share = 140 / W
    seen = shown(scene)
    base = document.layers[0].planes["pixels"]
    assert np.array_equal(seen[:, :140], base[:, :140])
    assert (seen[84:156, 140:176] == 255).all()


def test_the_mask_is_striped_until_a_result_is_there(document):
    write(document, "coverage", RESULT_BOX)
    scene = scene_of(document)
    base = document.layers[0].planes["pixels"]
    assert (shown(scene)[INSIDE] != base[INSIDE]).any(axis=2).all()
    document.add_result(result_of(document, RESULT_BOX, 77))
    scene.refresh_result()
    seen = shown(scene)
    assert (seen[INSIDE] == 77).all()
    assert (seen[80, 100:180] != base[80, 100:180]).any(axis=1).all(), "the outline stays"


def test_hidden_marks_are_not_painted(document):
    write(document, "coverage", RESULT_BOX)
    write(document, "locked", RESULT_BOX)
    scene = scene_of(document)
    base = document.layers[0].planes["pixels"]
    with document.begin("hide") as transaction:
        transaction.set_layer(document.mask_layer.id, is_visible=False)
    assert not np.array_equal(shown(scene), base)
    scene.shows_edges = False
    assert np.array_equal(shown(scene), base)


def test_guessed_edges_are_shown_in_the_hole_alone(document):
    edges = np.zeros((80, 80), np.uint8)
    edges[40] = 255
    document.add_result(result_of(document, RESULT_BOX, 77, edges))
    seen = shown(scene_of(document))
    assert (seen[120, 104:176] != 77).any(axis=1).mean() > 0.9
    base = document.layers[0].planes["pixels"]
    assert np.array_equal(seen[120, 60:98], base[120, 60:98])


@pytest.mark.parametrize("haze", [20, 90, 200])
def test_a_haze_of_guesses_leaves_the_fill_in_sight(document, haze):
    document.add_result(result_of(document, RESULT_BOX, 77, np.full((80, 80), haze, np.uint8)))
    seen = shown(scene_of(document))
    assert (seen[84:156, 104:176] == 77).all()


@pytest.mark.parametrize("scale", [0.3, 0.5, 0.8])
def test_guesses_over_a_large_hole_are_found_between_events(scale, monkeypatch):
    """To find them all at once would take longer than a paint may."""
    large = document_of(np.full((2100, 2100, 3), 90, np.uint8))
    edges = np.full((2100, 2100), 30, np.uint8)
    edges[::50] = 200
    large.add_result(result_of(large, (0, 0, 2100, 2100), 77, edges))
    scene = scene_of(large)
    viewport = Viewport(large.size_hw, (700.0, 700.0))
    viewport.zoom_to(scale)
    image = QImage(700, 700, QImage.Format.Format_RGB32)

    def paint() -> np.ndarray:
        scene.paint(image, (0, 0, 700, 700), viewport)
        return rgb_of(image).astype(int)

    monkeypatch.setattr("app.canvas.scene.FINE_WITHIN_S", -1.0)
    rough = paint()
    monkeypatch.setattr("app.canvas.scene.FINE_WITHIN_S", 60.0)
    changed, is_more = scene.refine(viewport, (0, 0, 700, 700), 60.0)
    assert changed
    assert not is_more
    fine = paint()
    assert (np.abs(fine - 77).max(axis=2) > 20).mean() > 0.01
    assert np.abs(rough - fine).max() > 20
    assert scene.refine(viewport, (0, 0, 700, 700), 60.0) == ([], False)
    large.close()


def test_a_faint_guess_is_a_faint_stroke(document):
    seen = {}
    for strength in (14, 60, 255):
        edges = np.full((80, 80), 8, np.uint8)
        edges[40] = strength
        document.add_result(result_of(document, RESULT_BOX, 77, edges))
        rows = np.abs(shown(scene_of(document))[84:156, 104:176].astype(int) - 77).max(axis=(1, 2))
        assert np.flatnonzero(rows > 3).tolist() in ([35, 36, 37], [36]), "the line and the dark beside it"
        seen[strength] = rows[36]
    assert 25 < seen[14] < 0.65 * seen[60] < 0.65 * seen[255]


def test_a_preview_is_shown_at_any_resolution_and_taken_away(document):
    scene = scene_of(document)
    base = document.layers[0].planes["pixels"]
    assert scene.set_preview(RESULT_BOX, np.full((10, 10, 3), 40, np.uint8)) == RESULT_BOX
    seen = shown(scene)
    assert (seen[80:160, 100:180] == 40).all()
    assert np.array_equal(seen[:80], base[:80])
    assert scene.set_preview(None, None) == RESULT_BOX
    assert np.array_equal(shown(scene), base)
    assert scene.set_preview(None, None) is None


def test_the_mask_does_not_hide_a_preview(document):
    write(document, "coverage", RESULT_BOX)
    scene = scene_of(document)
    scene.set_preview(RESULT_BOX, np.full((80, 80, 3), 40, np.uint8))
    assert (shown(scene)[85:155, 105:175] == 40).all()


@pytest.mark.parametrize("scale", [0.4, 0.75, 1.0, 2.6])
@pytest.mark.parametrize("degrees", [0.0, 270.0])
def test_repainting_what_changed_equals_painting_all(document, scale, degrees, monkeypatch):
    monkeypatch.setattr(
        "app.canvas.scene.FINE_WITHIN_S", 60.0
    )  # a busy machine would paint the first one roughly
    scene = scene_of(document)
    edges = np.zeros((80, 80), np.uint8)
    edges[::9] = 255
    document.add_result(result_of(document, RESULT_BOX, 77, edges))
    scene.refresh_result()
    write(document, "coverage", (60, 60, 170, 220))
    write(document, "drawn", (120, 50, 122, 250))
    write(document, "erased", (200, 50, 250, 90))
    write(document, "locked", (200, 120, 250, 190))
    viewport = Viewport(document.size_hw, (300.0, 240.0))
    viewport.zoom_to(scale)
    viewport.rotate_by(degrees)
    image = QImage(300, 240, QImage.Format.Format_RGB32)
    scene.paint(image, (0, 0, 300, 240), viewport)
    whole = rgb_of(image).astype(int)
    for box in ((111, 70, 190, 151), (0, 0, 77, 77), (140, 119, 142, 121)):
        image.fill(QColor(255, 0, 255))
        scene.paint(image, box, viewport)
        seen = rgb_of(image).astype(int)
        rows, columns = slice(box[1], box[3]), slice(box[0], box[2])
        assert np.abs(seen[rows, columns] - whole[rows, columns]).max() <= 2
        seen[rows, columns] = (255, 0, 255)
        assert (seen == (255, 0, 255)).all(), "nothing outside the box is touched"


@pytest.mark.parametrize("scale", [0.3, 0.75, 1.0, 1.4, 2.6])
def test_repainting_a_part_of_a_transparent_picture_equals_painting_all(scale, monkeypatch):
    monkeypatch.setattr("app.canvas.scene.FINE_WITHIN_S", 60.0)  # as above
    pixels = photo((H, W), 4)
    pixels[..., 3] = np.linspace(0, 255, W).astype(np.uint8)
    document = document_of(pixels, "RGBA")
    document.add_result(result_of(document, RESULT_BOX, 90))
    scene = scene_of(document)
    whole = shown(scene, scale=scale).astype(int)
    box = (111, 70, 190, 151)
    image = QImage(W, H, QImage.Format.Format_RGB32)
    part = shown(scene, scale=scale, box=box, onto=image).astype(int)
    assert np.abs(part[70:151, 111:190] - whole[70:151, 111:190]).max() <= 2


def test_a_kept_stroke_is_no_change_of_the_layers(document):
    scene = scene_of(document)
    with document.begin("rename") as transaction:
        transaction.set_layer(document.mask_layer.id, name="Hole")
    assert not scene.refresh_layers()
    with document.begin("hide") as transaction:
        transaction.set_layer(document.mask_layer.id, is_visible=False)
    assert scene.refresh_layers()


def test_the_mask_look_is_used(document):
    write(document, "coverage", RESULT_BOX)
    scene = scene_of(document)
    orange = shown(scene)
    scene.mask_look = MaskLook("blue")
    assert shown(scene)[INSIDE][..., 2].mean() > orange[INSIDE][..., 2].mean() + 30


def test_no_document_is_an_empty_desk():
    scene = Scene()
    image = QImage(20, 20, QImage.Format.Format_RGB32)
    scene.paint(image, (0, 0, 20, 20), Viewport((1, 1), (20, 20)))
    assert (rgb_of(image) == (38, 38, 40)).all()


# A result in the place of the picture ---------------------------------------------------------------------------------


def show_whole(document, box, value=200):
    """Show a remade picture of one colour."""
    x0, y0, x1, y1 = box
    size_hw = (y1 - y0, x1 - x0)
    result = Result(
        box_xyxy=box,
        pixels=np.full((*size_hw, 3), value, np.uint8),
        coverage=np.full(size_hw, 255, np.uint8),
        is_whole=True,
        step=Step(edit={"family": "retarget"}),
    )
    document.add_result(result)
    return result


def test_a_whole_result_is_seen_alone_in_its_own_place(make_view, document):
    write(document, "coverage", (0, 0, 400, 300))
    view = make_view(document)
    view.zoom_to(0.7)
    show_whole(document, (50, -40, 250, 360))
    image = seen(view)
    matrix = view.viewport.matrix
    inside = [round(part) for part in matrix.map(150, 330)]  # below the canvas
    assert (image[inside[1], inside[0]] == 200).all()
    beside = [round(part) for part in matrix.map(350, 150)]  # on the canvas, where the picture was
    desk = view.scene.colours.desk
    assert tuple(image[beside[1], beside[0]]) == (desk.red(), desk.green(), desk.blue())
    assert view.scene.picture_box == (50, -40, 250, 360)


def test_holding_tab_shows_the_picture_a_whole_result_stands_for(make_view, document):
    view = make_view(document)
    before = seen(view)
    show_whole(document, (50, -40, 250, 360))
    assert not is_same(seen(view), before)
    view.set_comparing(True)
    assert is_same(seen(view), before)
    assert view.scene.picture_box == (0, 0, 400, 300)


def test_undo_repaints_all_that_a_whole_result_hid(make_view, document):
    view = make_view(document)
    before = seen(view)
    show_whole(document, (50, -40, 250, 360))
    seen(view)
    document.undo()
    assert is_same(seen(view), before)


def test_a_whole_result_is_made_exact_beyond_the_canvas(make_view, document):
    view = make_view(document)
    view.zoom_to(0.4)
    show_whole(document, (0, 0, 800, 500), value=90)
    image = seen(view)
    at = [round(part) for part in view.viewport.matrix.map(700, 450)]
    assert (image[at[1], at[0]] == 90).all()
