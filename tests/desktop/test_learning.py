"""A picture learned beside the work, by real events: begun, looked at, used so far, paused, stopped and kept, used again,
and taken to another machine in the document.

The networks are the program's own for a processor, and the picture so small that they show something within seconds.
A picture of the screen is taken at each step; look at them after a change to the window.
"""

import pytest
from PIL import Image

from app.document.tiles import overlap
from tests.desktop.editor import Editor
from tests.desktop.program import ROOT
from tests.desktop.test_flow import Shots, changed
from tests.desktop.test_retarget import bring_in_sight, let_go, press, take_handle, wait_for_picture

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(600)]

SIZE_WH = (96, 64)
LEARNING = "window.retargeting.learning"
SETTINGS = "window.retargeting.controller.settings"
# The user's own; what ships with the program is there besides.
NAMES = """
from engine.weights import WeightsStore, shipped_folder
from engine.manifest import read_manifest
[one.name for one in WeightsStore().entries('retarget') if one not in read_manifest(shipped_folder()).weights]
"""


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "bricks.png"
    with Image.open(ROOT / "resources" / "samples" / "brick.png") as sample:
        sample.convert("RGB").resize(SIZE_WH).save(path)
    return path


def until(editor: Editor, phase: str, timeout_s: float = 120) -> None:
    editor.wait_for(f"{LEARNING}.state.phase == {phase!r}", timeout_s)
    editor.settle()


def pull_right(editor: Editor, to_x: float, count: int) -> list[int]:
    """Pull the right side, let go, and wait for the picture; gives its size."""
    take_handle(editor, "right", (to_x, SIZE_WH[1] / 2))
    let_go(editor)
    wait_for_picture(editor, count)
    assert editor.document("document.current_result.step.edit['method']") == "learned"
    return editor.document("list(document.current_result.size_hw)")


def test_a_picture_is_learned_and_stopping_keeps_what_was_learned(
    start, screen, shots, tmp_path, photo
) -> None:
    take = Shots(screen, shots).take
    home = tmp_path / "home"
    editor: Editor = start(home=home, kind=Editor)
    editor.wait_for_window()
    editor.open_file(photo)
    editor.focus_canvas()
    editor.key("r")
    press(editor, "retarget_method_learned")
    take("nothing-is-learned")

    # A processor is slow, which is said before anything begins.
    press(editor, "learning_learn")
    until(editor, "asking")
    take("asking")
    press(editor, "learning_anyway")
    editor.wait_for(f"{LEARNING}.state.step > 0", 60)
    take("begun")

    # Looks come by themselves, and the work goes on.
    editor.wait_for(f"len({LEARNING}.film) >= 2 and {LEARNING}.state.has_weights", 120)
    editor.settle()
    bring_in_sight(editor, "learning_film")
    grown = editor.ask("widget('learning_film').count")
    first = take("first-looks")
    editor.wait_for(f"widget('learning_film').count > {grown}", 120)
    film = overlap(editor.rect("learning_film").box_xyxy, editor.rect("retarget_scroll").box_xyxy)
    assert changed(first, take("more-looks"), film) > 0.01

    # What is learned so far can be used while learning goes on.
    step = editor.ask(f"{LEARNING}.state.step")
    press(editor, "learning_use")
    wait_for_picture(editor, 1)
    assert editor.ask(f"{LEARNING}.state.phase") == "learning"
    take("used-so-far")

    # A pause saves, and going on goes on.
    press(editor, "learning_pause")
    until(editor, "paused")
    take("paused")
    assert editor.ask(f"{LEARNING}.state.step") >= step
    press(editor, "learning_go_on")
    editor.wait_for(f"{LEARNING}.state.step > {step} and {LEARNING}.state.phase == 'learning'", 60)

    # Stopped, what was learned is kept: it has a name, is chosen, and remakes the picture.
    press(editor, "learning_keep")
    until(editor, "kept")
    take("kept")
    (name,) = editor.ask(NAMES)
    assert name.startswith("bricks-")
    assert editor.ask(f"{SETTINGS}.weights") == name
    assert editor.ask("widget('retarget_weights').text()") == name
    assert (home / "weights" / f"{name}.safetensors").is_file()
    wait_for_picture(editor, 2)
    assert pull_right(editor, 140, 3) == [64, 140]
    take("remade-with-it")

    # The document carries it, and is saved.
    assert (
        editor.document("document.learned.nbytes")
        == (home / "weights" / f"{name}.safetensors").stat().st_size
    )
    assert editor.ask("widget('learning_carry').isChecked()")
    path = tmp_path / "wall.ora"
    editor.key("ctrl+s")
    editor.type_path(path)
    editor.wait_for("not widget('canvas').document.is_modified", 60)
    editor.close()
    assert "Traceback" not in editor.output
    assert "Traceback" not in editor.log

    # The next day it is still there, by its name, and chosen.
    again: Editor = start(photo, home=home, kind=Editor)
    again.wait_for_window()
    again.wait_for_picture()
    again.focus_canvas()
    again.key("r")
    press(again, "retarget_method_learned")
    until(again, "kept")
    assert again.ask(f"{SETTINGS}.weights") == name
    bring_in_sight(again, "learning_film")
    take("the-next-day")
    press(again, "retarget_weights")
    again.wait_for("widget('retarget_weights_menu').isVisible()", 10)
    take("what-can-be-chosen")
    again.key("Escape")
    assert pull_right(again, 150, 1) == [64, 150]
    take("remade-the-next-day")
    again.close()
    assert "Traceback" not in again.output
    assert "Traceback" not in again.log

    # On another machine, nobody knows of it but the document.
    elsewhere: Editor = start(path, home=tmp_path / "elsewhere", kind=Editor)
    elsewhere.wait_for_window()
    elsewhere.wait_for_picture()
    assert elsewhere.ask(NAMES) == []
    elsewhere.focus_canvas()
    elsewhere.key("r")
    press(elsewhere, "retarget_method_learned")
    until(elsewhere, "carried")
    bring_in_sight(elsewhere, "learning_carry")
    take("came-with-the-document")
    press(elsewhere, "learning_bring_in")
    until(elsewhere, "kept")
    (brought,) = elsewhere.ask(NAMES)
    assert elsewhere.ask(f"{SETTINGS}.weights") == brought
    wait_for_picture(elsewhere, 4)
    assert not elsewhere.ask(f"{LEARNING}.state.has_weights"), "nothing was learned here"
    take("brought-in")

    # Left out of the document, and that undone.
    press(elsewhere, "learning_carry")
    assert elsewhere.document("document.learned is None")
    take("left-out")
    elsewhere.key("ctrl+z")
    assert elsewhere.document("document.learned is not None")
    elsewhere.close()
    assert "Traceback" not in elsewhere.output
    assert "Traceback" not in elsewhere.log
