"""The harness itself, on a bare Qt window: what it does arrives, and what it says is true."""

import sys

import numpy as np
import pytest

from tests.desktop.program import HERE, ProbeError
from tests.desktop.screen import line, missing_programs

pytestmark = pytest.mark.desktop


@pytest.fixture
def bare(start):
    program = start(command=(sys.executable, HERE / "bare_window.py"))
    program.wait_for("window is not None and window.isActiveWindow()")
    return program


def test_missing_program_is_named_with_its_package() -> None:
    said = missing_programs({"no-such-program": "such-package", "sh": "dash"})
    assert said == ("no-such-program: expected on the PATH, got none; run: sudo apt-get install such-package")


def test_clicks_keys_and_the_wheel_arrive(bare, screen) -> None:
    at = bare.rect("canvas").at(0.25, 0.5)
    screen.click(at, held=("shift",))
    screen.wheel(at, 2)
    screen.key("a")
    bare.wait_for("len([s for s in widget('canvas').seen if s[0] == 'KeyPress' and s[1]]) == 1")
    seen = bare.ask("widget('canvas').seen")
    presses = [what for name, what in seen if name == "MouseButtonPress"]
    rect = bare.rect("canvas")
    assert presses == [
        [pytest.approx(rect.width / 4, abs=1), pytest.approx(rect.height / 2, abs=1), 0x02000000]
    ]
    assert [what for name, what in seen if name == "Wheel"] == [120, 120]
    assert [what for name, what in seen if name == "KeyPress" and what] == ["a"]


def test_a_drag_passes_through_its_points(bare, screen) -> None:
    rect = bare.rect("canvas")
    screen.drag(line(rect.at(0.2, 0.2), rect.at(0.8, 0.8), 10))
    bare.wait_for("widget('canvas').seen[-1][0] == 'MouseButtonRelease'")
    moves = [what for name, what in bare.ask("widget('canvas').seen") if name == "MouseMove"]
    assert len(moves) >= 5, "the X server joins a few"
    assert moves[-1][0] == pytest.approx(rect.width * 0.8, abs=1.5)


def test_a_picture_of_the_screen_shows_the_window(bare, screen, shots) -> None:
    bare.wait_for("widget('canvas').isVisible()")
    rect = bare.rect("canvas")
    picture = screen.shot(shots / "bare.png")
    assert picture.size == screen.size_wh
    middle = np.asarray(picture.crop(rect.box_xyxy))[10:-10, 10:-10].reshape(-1, 3)
    np.testing.assert_array_equal(np.unique(middle, axis=0), [[40, 120, 200]])


def test_a_question_that_fails_tells_why(bare) -> None:
    with pytest.raises(ProbeError, match="no widget is named 'nowhere'"):
        bare.rect("nowhere")
    assert bare.ask("1 + 1") == 2


def test_a_killed_program_is_gone(bare) -> None:
    bare.kill()
    assert not bare.is_running
    assert bare.process.returncode == -9
