"""A picture pulled into another shape by real events: a side, a free corner, what is seen on the way, undo, Esc, a file.

A picture of the screen is taken at each step; look at them after a change to the window.
"""

import pytest
from PIL import Image

from tests.desktop.editor import Editor
from tests.desktop.program import ROOT
from tests.desktop.screen import Point
from tests.desktop.test_flow import Shots, changed

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(600)]

SIZE_WH = (240, 160)
SHAPE = "window.retargeting.controller.shape"
STATE = "window.retargeting.controller.state"


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    with Image.open(ROOT / "resources" / "samples" / "coffee.png") as sample:
        sample.convert("RGB").resize(SIZE_WH).save(path)
    return path


def take_handle(editor: Editor, handle: str, to: Point, *, held: str = "") -> None:
    """Press on a handle and pull it to a point of the picture, without letting go."""
    x, y = editor.ask(f"list({SHAPE}.handle_xy({handle!r}))")
    points = [(x + (to[0] - x) * share, y + (to[1] - y) * share) for share in (0, 0.25, 0.5, 0.75, 1)]
    places = editor.to_screen(points)
    words = ["mousemove", *map(float, places[0]), "sleep", 0.1, *(["keydown", held] if held else [])]
    words += ["mousedown", 1]
    for place in places[1:]:
        words += ["mousemove", *map(float, place), "sleep", 0.05]
    editor.screen.do(*words)
    editor.settle()


def let_go(editor: Editor, *, held: str = "") -> None:
    editor.screen.do("mouseup", 1, *(["keyup", held] if held else []))
    editor.settle()


def bring_in_sight(editor: Editor, name: str) -> None:
    """Turn the wheel over the panel until a widget of it is in sight."""
    for _ in range(20):
        at, height = editor.ask(
            f"seen = widget('retarget_scroll').viewport(); w = widget({name!r})\n"
            "[w.mapTo(seen, w.rect().center()).y(), seen.height()]"
        )
        if 12 <= at <= height - 12:
            break
        # Beside the fields, which would take the wheel for themselves.
        editor.screen.wheel(editor.rect("retarget_scroll").at(0.02, 0.5), -1 if at > height - 12 else 1)
        editor.settle()


def press(editor: Editor, name: str) -> None:
    """Click a button of the panel with the mouse, wherever it is."""
    bring_in_sight(editor, name)
    assert editor.ask(f"widget({name!r}).isEnabled()"), name
    editor.click(name)


def wait_for_picture(editor: Editor, count: int) -> None:
    """Until so many pictures were remade and the newest is shown."""
    editor.wait_for(
        f"d = widget('canvas').document\nlen(d.results) == {count} and d.current_result is not None "
        f"and d.current_result.id == d.results[-1].id and not {STATE}.is_busy",
        240,
    )
    editor.settle()


def test_a_picture_is_pulled_into_another_shape(start, screen, shots, tmp_path, photo) -> None:
    take = Shots(screen, shots).take
    home = tmp_path / "home"
    editor: Editor = start(home=home, kind=Editor)
    editor.wait_for_window()
    editor.open_file(photo)
    editor.focus_canvas()
    editor.key("r")
    assert editor.ask("window.tools.current.id") == "retarget"
    opened = take("handles")
    canvas = editor.rect("canvas").box_xyxy

    # A side handle: the picture follows the pointer before anything is remade.
    take_handle(editor, "right", (300, 80))
    dragging = take("dragging-a-side")
    assert changed(opened, dragging, canvas) > 0.1
    assert editor.ask(f"list({SHAPE}.size_hw)") == [160, 300]
    assert editor.document("len(document.results)") == 0
    let_go(editor)
    editor.wait_for(f"{STATE}.is_busy", 20)
    take("remaking")
    wait_for_picture(editor, 1)
    remade = take("remade")
    assert editor.document("list(document.current_result.size_hw)") == [160, 300]
    assert editor.document("list(document.size_hw)") == [160, 240], (
        "the canvas keeps its size while it is a result"
    )
    assert changed(dragging, remade, canvas) > 0.1
    assert editor.document("document.undo_label") == "Retarget to 300 × 160"

    # What was invented, by a click on its box.
    editor.ask("widget('retarget_map').click()")
    editor.settle()
    mapped = take("map")
    assert changed(remade, mapped, canvas) > 0.01
    editor.ask("widget('retarget_map').click()")

    # A free corner.
    take_handle(editor, "top_right", (250, 40), held="ctrl")
    take("dragging-a-corner")
    let_go(editor, held="ctrl")
    assert not editor.ask(f"{SHAPE}.is_rectangle")
    wait_for_picture(editor, 2)
    free = take("remade-with-a-free-corner")
    assert changed(remade, free, canvas) > 0.05
    assert editor.document("document.current_result.pixels.shape[2]") == 4
    assert editor.document("int(document.current_result.pixels[2, -3, 3])") == 0, "clear beside the corner"

    # Undo takes picture and shape back, one after the other; redo brings both.
    editor.key("ctrl+z")
    assert editor.ask(f"list({SHAPE}.size_hw)") == [160, 300]
    assert editor.ask(f"{SHAPE}.is_rectangle")
    take("undone")
    editor.key("ctrl+z")
    assert editor.ask(f"list({SHAPE}.size_hw)") == [160, 240]
    assert editor.document("document.current_result_id") is None
    editor.key("ctrl+shift+z", "ctrl+shift+z")
    assert not editor.ask(f"{SHAPE}.is_rectangle")

    # A handle that goes no further is red and says why; Esc puts it back.
    take_handle(editor, "left", (296, 80))
    assert editor.ask(f"{STATE}.reason") == "32 px is the shortest side"
    take("no-further")
    editor.key("Escape")
    let_go(editor)
    assert editor.ask(f"{SHAPE}.size_hw[1]") == 300
    assert editor.document("len(document.results)") == 2

    # Esc while it is remade: nothing comes of it.
    take_handle(editor, "bottom", (150, 220))
    let_go(editor)
    editor.wait_for(f"{STATE}.is_busy", 20)
    editor.key("Escape")
    editor.wait_for(f"not {STATE}.is_busy", 20)
    assert editor.document("len(document.results)") == 2
    assert editor.ask(f"list({SHAPE}.size_hw)") == [160, 300]

    # As a layer, it gives the document its size: what is seen stays what it is. Undo takes both back.
    press(editor, "retarget_layer")
    editor.wait_for("widget('canvas').document.current_result is None", 20)
    applied = take("applied-as-a-layer")
    assert editor.document("list(document.size_hw)") == [160, 300]
    assert editor.ask("widget('status_size').text()") == "300 × 160 px"
    assert changed(free, applied, canvas) < 0.05
    editor.focus_canvas()
    editor.key("ctrl+z")
    assert editor.document("list(document.size_hw)") == [160, 240]
    assert editor.document("document.current_result_id") is not None

    # Saved and opened again, it is as it was.
    path = tmp_path / "work.ora"
    before = editor.state()
    editor.key("ctrl+s")
    editor.type_path(path)
    editor.wait_for("not widget('canvas').document.is_modified", 60)
    editor.close()
    again: Editor = start(path, home=home, kind=Editor)
    again.wait_for_window()
    again.wait_for_picture()
    take("opened-again")
    assert again.state() == before
    assert "Traceback" not in again.output
    assert "Traceback" not in again.log
