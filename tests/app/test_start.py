import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app import start
from app.errors import NoWindowError
from app.resources import resources_dir

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bare(monkeypatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.usefixtures("bare")
def test_no_display_is_said_with_what_needs_none() -> None:
    with pytest.raises(
        NoWindowError, match="window: expected a display, got none; .* 'pentimento run inpaint'"
    ):
        start.check_display()


@pytest.mark.usefixtures("bare")
def test_a_display_that_does_not_answer_is_named(monkeypatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(NoWindowError, match="got DISPLAY=:4711, which does not"):
        start.check_display()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("variable", "value"), [("WAYLAND_DISPLAY", "wayland-0"), ("QT_QPA_PLATFORM", "offscreen")]
)
def test_other_ways_to_a_window_are_let_through(monkeypatch, variable, value) -> None:
    monkeypatch.setenv(variable, value)
    start.check_display()


@pytest.mark.usefixtures("bare")
def test_a_server_that_listens_is_found(monkeypatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        port = server.getsockname()[1]
        assert start.is_answering(f"127.0.0.1:{port - 6000}.0")
    assert not start.is_answering("127.0.0.1:nonsense")


def test_a_missing_library_comes_with_the_command_that_installs_it() -> None:
    error = start.missing_library(ImportError("libEGL.so.1: cannot open shared object file"))
    assert "libEGL.so.1" in str(error)
    assert "sudo apt-get install libegl1 " in str(error)
    assert "pip install PySide6-Essentials" in str(start.missing_library(ModuleNotFoundError("PySide6")))


def test_the_packages_are_those_that_make_installs() -> None:
    script = (ROOT / "packaging" / "environment.sh").read_text()
    for package in start.APT_PACKAGES.split():
        assert f" {package}" in script or f'"{package}' in script, package


def test_the_window_opens_a_photo_and_closes(photo, own_folders) -> None:
    """The real start in a process of its own, without the engine; the window closes itself after the first paint."""
    script = f"""
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
import app.main_window as main_window
main_window.MainWindow.start_engine = lambda self: None
from app.start import run_window

def look():
    window = main_window.MainWindow.windows[0]
    if window.document is None:
        return
    print(window.windowTitle(), window.document.size_hw, window.isVisible())
    timer.stop()
    window.close()

timer = QTimer()
timer.timeout.connect(look)
QTimer.singleShot(0, lambda: timer.start(50))
sys.exit(run_window([Path({str(photo)!r})]))
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "photo[*] - Pentimento (44, 56) True"
    assert "Traceback" not in done.stderr


def test_make_demo_opens_a_sample_with_its_mask_and_writes_nothing() -> None:
    """The very words of the Makefile, through the command line, in a process of its own."""
    words = re.search(r"then \$\(BIN\)/pentimento (.*); fi", (ROOT / "Makefile").read_text())[1].split()
    script = f"""
import sys
import app.main_window as main_window
main_window.MainWindow.start_engine = lambda self: None
import app.start
from PySide6.QtCore import QTimer

def look():
    window = main_window.MainWindow.windows[0]
    if window.document is None:
        return
    timer.stop()
    mask = window.document.mask_layer
    print(window.document.path, mask.has_any("coverage"), window.document.undo_label)
    print(window.registry["fill"].isEnabled(), "torch" in sys.modules, window.messages.message.sentence)
    for action in ("undo", "redo"):
        window.registry[action].trigger()
        print(mask.has_any("coverage"), window.document.is_modified)
    window.close()  # a question would stay open until the process is ended

timer = QTimer()
timer.timeout.connect(look)
QTimer.singleShot(0, lambda: timer.start(50))
from app.__main__ import main
sys.exit(main({words!r}))
"""
    samples = resources_dir() / "samples"
    before = {path: path.read_bytes() for path in sorted(samples.iterdir())}
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "None True Load mask",
        "True False The mask covers the spoon, its reflection in the cup and its gleam on the saucer.",
        "False True",
        "True False",
    ]
    assert {path: path.read_bytes() for path in sorted(samples.iterdir())} == before
