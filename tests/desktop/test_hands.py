"""Hands on the window with real events: moving about, keys, brushes and shapes, results, cancelling, closing.

Each gesture is one that a user of another editor brings along; the window manager and X stand between it and us.
"""

import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

from tests.desktop.editor import CANVAS, Editor
from tests.desktop.program import ROOT
from tests.desktop.screen import line

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(600)]

PHOTO = ROOT / "resources" / "samples" / "coffee.png"
VIEW = CANVAS + "v = canvas.viewport\n[v.scale, *v.to_canvas(canvas.width() / 2, canvas.height() / 2)]"


LISTEN = """
heard = []
def listen(action):
    action.triggered.disconnect()
    action.triggered.connect(lambda *_: heard.append(action.objectName()))
    action.setEnabled(True)
[listen(action) for _, action in window.registry.items()]
window.registry.set_state = len
"""
"""Actions say their names from then on and do nothing else, whatever there is to do."""

X_NAMES = {
    "Return": "Return", "Enter": "KP_Enter", "Esc": "Escape", "[": "bracketleft", "]": "bracketright",
    "{": "braceleft", "}": "braceright", ",": "comma", "+": "plus", "=": "equal", "-": "minus", "?": "question",
}  # fmt: skip


def x_key(key: str) -> str:
    """A key in Qt's words, such as ``Ctrl++``, in those of X."""
    *held, name = key[:-1].split("+") if key.endswith("+") else key.split("+")
    name = "+" if key.endswith("+") else name
    name = name if name.startswith("F") and name[1:] else X_NAMES.get(name, name.lower())
    return "+".join([word.lower() for word in held if word] + [name])


@pytest.fixture
def editor(start) -> Editor:
    editor = start(PHOTO, kind=Editor)
    editor.wait_for_window()
    editor.wait_for_picture()
    if editor.ask("window.fill.is_live"):
        editor.key("ctrl+l")
    editor.focus_canvas()
    return editor


def test_the_view_moves_by_space_and_middle_button_and_zooms_at_the_pointer(editor, screen) -> None:
    rect = editor.rect("canvas")
    screen.wheel(rect.at(0.5, 0.5), 4)
    editor.settle()
    scale, x, y = editor.ask(VIEW)
    start, end = rect.at(0.5, 0.5), rect.at(0.6, 0.55)
    moved = (end[0] - start[0]) / scale, (end[1] - start[1]) / scale
    for options in ({"held": ("space",)}, {"button": 2}):
        screen.drag(line(start, end, 10), **options)
        editor.settle()
        now = editor.ask(VIEW)
        assert now == pytest.approx([scale, x - moved[0], y - moved[1]], abs=2)
        x, y = now[1:]
    assert editor.masked_pixels() == 0, "moving the view paints nothing"

    corner = rect.at(0.25, 0.25)
    under = CANVAS + f"canvas.viewport.to_canvas({corner[0] - rect.x}, {corner[1] - rect.y})"
    before = editor.ask(under)
    screen.wheel(corner, 2)
    editor.settle()
    assert editor.ask(VIEW)[0] > scale
    assert editor.ask(under) == pytest.approx(before, abs=1.5), "what is under the pointer stays there"

    screen.key("ctrl+1")
    editor.wait_for(VIEW, is_right=lambda view: view[0] == 1)
    screen.key("ctrl+0")
    editor.wait_for(VIEW, is_right=lambda view: view[1:] == pytest.approx([300, 200], abs=1))


def test_the_brush_grows_by_keys_wheel_and_drag(editor, screen) -> None:
    size = "window.context.brush().size_px"
    middle = editor.rect("canvas").at()
    sizes = [editor.ask(size)]
    editor.key("bracketright")
    sizes.append(editor.ask(size))
    screen.wheel(middle, 2, held=("alt",))
    editor.settle()
    sizes.append(editor.ask(size))
    screen.drag(line(middle, (middle[0] + 60, middle[1]), 8), button=3, held=("alt",))
    editor.settle()
    sizes.append(editor.ask(size))
    assert sizes == sorted(set(sizes)), "each makes it larger"
    assert editor.masked_pixels() == 0


@pytest.mark.parametrize("profile", ["pentimento", "krita", "photoshop"])
def test_every_key_of_a_profile_reaches_its_action(editor, profile) -> None:
    """Typed on a keyboard: of two keys of an action that are typed alike, Qt takes neither."""
    editor.ask(f"from app.settings import settings_store\nsettings_store().change(key_profile={profile!r})")
    editor.ask(LISTEN + "0")
    keys = editor.ask(
        "{action.objectName(): [key.toString() for key in action.shortcuts()] for _, action in window.registry.items()}"
    )
    typed = [(action_id, x_key(key)) for action_id, own in keys.items() for key in own]
    assert len(typed) > 60
    editor.key(*(key for _, key in typed))
    heard = editor.ask("heard")
    assert [(action_id, key) for action_id, key in typed if action_id not in heard] == []
    assert heard == [action_id for action_id, _ in typed]
    assert "Ambiguous" not in editor.output


def test_the_brush_is_made_softer_and_harder_by_keys(editor) -> None:
    hardness = "window.context.brush().hardness"
    before = editor.ask(hardness)
    editor.key(*["shift+bracketleft"] * 5)
    assert editor.ask(hardness) == pytest.approx(before - 0.5)
    editor.draw(line((150, 150), (300, 150)))
    soft = editor.document("int(((c := document.mask_layer.planes['coverage']) > 9).sum() - (c > 245).sum())")
    assert soft > 0.25 * editor.masked_pixels(), "a soft edge is wide"
    editor.key(*["shift+bracketright"] * 5)
    assert editor.ask(hardness) == pytest.approx(before)


def test_shift_draws_straight_alt_takes_away_and_escape_takes_back(editor, screen) -> None:
    editor.ask("window.context.set_brush(size_px=20)")
    editor.click_picture((100, 100))
    dab = editor.masked_pixels()
    assert dab == pytest.approx(np.pi * 10**2, rel=0.2)
    editor.click_picture((300, 200), held=("shift",))
    length = np.hypot(200, 100)
    assert editor.masked_pixels() == pytest.approx(dab + length * 20, rel=0.15)
    drawn = editor.masked_pixels()
    editor.draw(line((200, 100), (200, 200)), held=("alt",))
    assert editor.masked_pixels() < drawn
    left = editor.state()
    points = editor.to_screen(line((100, 300), (300, 300)))
    screen.do("mousemove", *map(float, points[0]), "mousedown", 1)
    for at in points[1:]:
        screen.do("mousemove", *map(float, at))
    editor.settle()
    assert editor.state() != left
    screen.key("Escape")
    screen.do("mouseup", 1)
    editor.settle()
    assert editor.state() == left, "Esc gives back the document as it was before the stroke"


def test_tab_shows_the_picture_without_its_result_while_it_is_held(editor, screen, shots) -> None:
    editor.key(*["bracketright"] * 10)
    editor.draw(line((180, 120), (260, 150)))
    editor.key("ctrl+Return")
    editor.wait_for_fill(1)
    editor.wait_for_idle()
    rect = editor.rect("canvas")
    screen.move(rect.at(0.05, 0.05))
    box = rect.box_xyxy
    shown = np.asarray(screen.shot(shots / "result.png").crop(box)).astype(int)
    editor.ask("widget('canvas').setFocus()")
    screen.do("keydown", "Tab")
    time.sleep(0.7)  # long enough for X to repeat the key
    editor.settle()
    without = np.asarray(screen.shot(shots / "held.png").crop(box)).astype(int)
    screen.do("keyup", "Tab")
    editor.settle()
    again = np.asarray(screen.shot(shots / "again.png").crop(box)).astype(int)
    assert (np.abs(shown - without).max(-1) > 12).mean() > 0.003
    assert np.abs(shown - again).max() <= 1, "a part painted anew may be smoothed a level differently"
    assert editor.ask("widget('canvas').hasFocus()")
    editor.key("F6")
    assert not editor.ask("widget('canvas').hasFocus()")


def test_every_tool_of_the_mask_adds_and_undo_takes_back(editor, screen) -> None:
    """Each with its key and the mouse; the square, the corner cut out and the half rubbed out by what is held."""
    editor.ask(
        "window.context.set_brush(hand='brush', size_px=40), window.context.set_brush(hand='eraser', size_px=60)"
    )
    square = [(50, 50), (150, 50), (150, 150), (50, 150)]

    def go_round() -> None:
        at = editor.to_screen([*square, square[0]])
        screen.do("mousemove", *map(float, at[0]), "sleep", 0.1, "mousedown", 1)
        for corner in at[1:]:
            screen.do("mousemove", *map(float, corner))
            editor.settle()  # of two moves that wait, Qt hands on the later
        screen.do("mouseup", 1)
        editor.settle()

    def click_corners() -> None:
        for corner in square:
            editor.click_picture(corner)
            time.sleep(0.5)  # two clicks in less are a double click, which closes
        editor.key("Return")

    gestures = {
        "m": (lambda: editor.draw(line((50, 50), (150, 130)), held=("shift",)), 100 * 100),
        "shift+m": (lambda: editor.draw(line((50, 50), (150, 130))), np.pi * 50 * 40),
        "l": (go_round, 100 * 100),
        "shift+l": (click_corners, 100 * 100),
    }
    for key, (gesture, area) in gestures.items():
        editor.key(key)
        gesture()
        assert editor.masked_pixels() == pytest.approx(area, rel=0.02), key
        editor.key("ctrl+z")
        assert editor.masked_pixels() == 0, key
        editor.key("ctrl+shift+z")
        editor.key("ctrl+d")
    editor.key("m")
    editor.draw(line((50, 50), (150, 150)))
    editor.draw(line((100, 100), (180, 180)), held=("alt",))
    assert editor.masked_pixels() == 100 * 100 - 50 * 50
    whole = editor.state()
    for key, held in (("e", ()), ("b", ("ctrl",)), ("b", ("alt",))):
        editor.key(key)
        before = editor.masked_pixels()
        editor.draw(line((30, 70), (120, 70)), held=held)
        assert 1000 < before - editor.masked_pixels() < 6000, (key, held)
        editor.key("ctrl+z")
        assert editor.state() == whole, (key, held)
    editor.key("ctrl+i")
    assert editor.masked_pixels() == 600 * 400 - 7500


def test_the_mask_menu_grows_saves_and_loads(editor, screen, tmp_path) -> None:
    def menu(letter: str) -> None:
        screen.key("alt+m")
        editor.wait_for("app.activePopupWidget() is not None")
        screen.key(letter)
        editor.wait_for("app.activeModalWidget() is not None and app.activeModalWidget().isActiveWindow()")

    editor.key("m")
    editor.draw(line((50, 50), (150, 150)))
    menu("g")
    editor.key("Return")  # by 8 px
    grown = editor.masked_pixels()
    assert grown == pytest.approx(116 * 116, rel=0.01)
    menu("f")
    editor.key("Return")
    levels = "len(set(document.mask_layer.planes['coverage'].ravel().tolist()))"
    assert editor.document(levels) > 100
    mask = editor.state()["layers"][1]
    menu("v")
    editor.type_path(tmp_path / "mask.png")
    editor.wait_for("'saved' in window.statusBar().currentMessage()")
    editor.key("ctrl+d")
    assert editor.masked_pixels() == 0
    menu("l")
    editor.type_path(tmp_path / "mask.png")
    editor.wait_for(CANVAS + "document.undo_label == 'Load mask'")
    assert editor.state()["layers"][1][6:] == mask[6:], "bit for bit"


def test_results_are_looked_at_applied_and_kept(editor, screen, shots, start, tmp_path) -> None:
    """Variants, the wipe, a layer, undo that gives the mask back, and all of it again on the next day."""
    editor.draw(line((180, 120), (260, 150)))
    masked = editor.masked_pixels()
    editor.key("ctrl+shift+Return")
    editor.wait_for_fill(4)
    editor.wait_for_idle()
    results = editor.document("[r.id for r in document.results]")
    editor.click("results_list")
    editor.key("Home", "Right", "Right")
    assert editor.document("document.current_result_id") == results[1]

    editor.focus_canvas()
    editor.key("c")
    rect = editor.rect("canvas")
    line_x = rect.x + editor.ask(CANVAS + "canvas.scene.compare.line_x(canvas.viewport)")
    screen.drag(line((line_x, rect.y + 40), (line_x - 100, rect.y + 40), 10))
    editor.settle()
    assert editor.ask("widget('canvas').wipe") < 0.5
    screen.shot(shots / "wipe.png")
    editor.key("c")
    assert editor.ask("widget('canvas').wipe") is None

    before = editor.state()
    editor.key("ctrl+j")
    assert [layer[1] for layer in editor.state()["layers"]] == ["coffee", "Fill 1", "Mask", "Edges"]
    assert editor.masked_pixels() == 0
    editor.key("ctrl+z")
    assert editor.state() == before
    assert editor.masked_pixels() == masked

    path = tmp_path / "work.ora"
    screen.key("ctrl+s")
    editor.type_path(path)
    editor.wait_for("not widget('canvas').document.is_modified", 60)
    screen.key("ctrl+q")
    editor.process.wait(30)
    again: Editor = start(path, kind=Editor)
    again.wait_for_window()
    again.wait_for_picture()
    assert again.state() == before
    assert again.ask("window.fill.settings.seed") == 0
    again.wait_for("widget('results_reopen').isEnabled()")
    again.click("results_reopen")
    assert again.ask("window.fill.settings.seed") == 1
    again.focus_canvas()
    again.key("ctrl+Return")
    again.wait_for_fill(5)
    again.wait_for_idle()
    fifth = "r = document.results\n[bool((r[-1].pixels == r[1].pixels).all()), r[-1].step.seed]"
    assert again.document(fifth) == [True, 1], "the settings of a result make it once more"


def test_drawing_goes_on_while_a_large_hole_is_filled(start, screen, shots, tmp_path) -> None:
    """Progress rises, parts are seen as they are done, and what is drawn meanwhile is kept."""
    path = tmp_path / "large.png"
    Image.open(PHOTO).resize((2400, 1600)).save(path)
    editor: Editor = start(path, kind=Editor)
    editor.wait_for_window()
    editor.wait_for_picture()
    if editor.ask("window.fill.is_live"):
        editor.key("ctrl+l")
    editor.focus_canvas()
    editor.key("m")
    editor.draw(line((300, 300), (1500, 1300)))
    editor.key("b")
    editor.wait_for("window.worker is not None")
    screen.key("ctrl+Return")
    editor.wait_for("window.fill.state.is_busy", 10)
    masked = editor.masked_pixels()
    shares, seen = [], False
    until = time.monotonic() + 120
    while not (seen and len(set(shares)) > 2) and time.monotonic() < until:
        share, seen_now = editor.ask(CANVAS + "[window.fill.state.share, canvas.scene._preview is not None]")
        shares.append(share)
        seen = seen or seen_now
        time.sleep(0.1)
    screen.shot(shots / "preview.png")
    assert seen, "a part that is done is seen before the rest"
    assert [share for share in shares if share] == sorted(share for share in shares if share)
    editor.draw(line((1700, 300), (2000, 400)))
    assert editor.masked_pixels() > masked
    assert editor.ask("window.fill.state.is_busy"), "and the fill runs on"
    drawn = editor.state()
    screen.key("Escape")
    editor.wait_for("not window.fill.state.is_busy and not window.worker.job_count", 10)
    assert editor.ask("widget('canvas').scene._preview is None")
    assert editor.state() == drawn


def test_cancel_is_quick_and_leaves_nothing_behind(editor) -> None:
    """A measured time beside a generous bound: the machine may be busy with other tests."""
    editor.draw(line((180, 120), (260, 150)))
    editor.key("ctrl+Return")
    editor.wait_for_fill(1)
    editor.wait_for_idle()
    before = editor.state()
    editor.ask("window.fill.change_settings(seed=5, context='full')")
    editor.screen.key("ctrl+Return")
    editor.wait_for("window.fill.state.is_busy", 10)
    pressed = time.monotonic()
    editor.screen.key("Escape")
    editor.wait_for("not window.fill.state.is_busy and not window.worker.job_count", 10)
    took_s = time.monotonic() - pressed
    assert took_s < 3, f"cancelling took {took_s:.2f} s"
    assert editor.state() == before


def test_an_engine_that_is_killed_costs_the_job_and_nothing_else(editor, shots) -> None:
    editor.draw(line((180, 120), (260, 150)))
    editor.wait_for("window.worker is not None")
    editor.key("ctrl+Return")
    editor.wait_for_fill(1)
    before = editor.state()
    editor.screen.key("ctrl+Return")
    for pid in editor.children():
        os.kill(pid, signal.SIGKILL)
    editor.wait_for("window.messages.message is not None or window.fill.state.is_busy", 30)
    editor.screen.shot(shots / "engine-killed.png")
    editor.wait_for_idle()
    assert editor.state()["layers"] == before["layers"]
    editor.focus_canvas()
    editor.key("ctrl+Return")
    editor.wait_for_fill(len(before["results"]) + 1)
    assert "Traceback" not in editor.output


def test_closing_asks_about_changes(editor, screen, shots, tmp_path) -> None:
    editor.draw(line((180, 120), (260, 150)))
    screen.key("ctrl+q")
    editor.wait_for("app.activeModalWidget() is not None and app.activeModalWidget().isActiveWindow()")
    screen.shot(shots / "ask.png")
    screen.key("Escape")
    editor.wait_for("app.activeModalWidget() is None")
    assert editor.masked_pixels() > 0, "Cancel keeps everything"
    screen.key("ctrl+q")
    editor.wait_for("app.activeModalWidget() is not None and app.activeModalWidget().isActiveWindow()")
    screen.key("Return")  # Save is the answer by default; the document has no file yet
    editor.wait_for(
        "app.activeModalWidget() is not None and app.activeModalWidget().metaObject().className() == 'QFileDialog'"
    )
    path = tmp_path / "kept.ora"
    screen.key("ctrl+a")
    screen.type_text(str(path))
    screen.key("Return")
    editor.process.wait(30)
    assert editor.process.returncode == 0
    assert path.stat().st_size > 1000
    journals = [entry for entry in editor.home.rglob("journals/*") if entry.is_dir()]
    assert not journals, "what was saved needs no recovery"


def test_a_second_window_has_a_document_of_its_own(editor, screen, shots) -> None:
    editor.draw(line((180, 120), (260, 150)))
    screen.key("ctrl+shift+n")
    editor.wait_for(
        "from app.main_window import MainWindow\nlen(MainWindow.windows) == 2 and window.document is None"
    )
    screen.shot(shots / "two.png")
    screen.key("ctrl+o")
    editor.type_path(ROOT / "resources" / "samples" / "astronaut.png")
    names = "[w.document.name for w in MainWindow.windows if w.document is not None]"
    editor.wait_for(names, is_right=lambda found: found == ["coffee", "astronaut"])
    masked = "[bool(w.document.mask_layer.has_any('coverage')) for w in MainWindow.windows]"
    assert editor.ask(masked) == [True, False]


def test_all_of_a_first_window_lies_on_the_screen(editor, screen) -> None:
    """The status bar too: with the title bar over it, a window as large as the screen ends below its edge."""
    left, top, right, bottom = editor.ask(
        "g = window.frameGeometry()\n[g.left(), g.top(), g.right(), g.bottom()]"
    )
    assert left >= 0
    assert top >= 0
    assert right < screen.size_wh[0]
    assert bottom < screen.size_wh[1]
    assert right - left > 0.9 * screen.size_wh[0], "but no smaller than it must be"
    assert bottom - top > 0.9 * screen.size_wh[1]
