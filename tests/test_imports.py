"""Importing any module of ours starts nothing, needs no Qt, and reaches nothing above it.

Each test runs in a fresh interpreter, so that what one import drags in cannot hide behind another.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BLOCKER = """
import importlib, importlib.abc, pkgutil, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name + " is blocked in this test")

sys.meta_path.insert(0, Blocker())
"""

EVERY_MODULE = """
import {package}
modules = [m.name for m in pkgutil.walk_packages({package}.__path__, "{package}.") if not m.name.endswith("__main__")]
for name in modules:
    importlib.import_module(name)
assert modules, "no module was found"
"""


def run_fresh(code: str, *, blocked: tuple[str, ...] = ()) -> str:
    script = BLOCKER.format(blocked=blocked) + code
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", ["models", "engine"])
def test_every_module_imports_without_qt_and_prints_nothing(package: str) -> None:
    above = {"models": ("app", "engine"), "engine": ("app",)}[package]
    output = run_fresh(EVERY_MODULE.format(package=package), blocked=("PySide6", "shiboken6", *above))
    assert output == ""


def test_importing_the_engine_probes_no_device() -> None:
    code = EVERY_MODULE.format(package="engine") + "import torch\nprint(torch.cuda.is_initialized())"
    assert run_fresh(code).strip() == "False"


def test_edits_import_without_torch() -> None:
    run_fresh(
        "import engine.edits, engine.progress, engine.errors, engine.pictures", blocked=("torch", "PySide6")
    )


def test_importing_a_part_of_the_engine_imports_only_that_part() -> None:
    loaded = run_fresh("import engine\nprint([m for m in sys.modules if m.startswith(('engine.', 'torch'))])")
    assert loaded.strip() == "[]"


def test_the_command_line_imports_without_qt_and_without_torch() -> None:
    run_fresh("import app.cli", blocked=("PySide6", "torch", "cv2", "skimage"))


WINDOW_MODULES = "import app.main_window, app.start, app.fill, app.worker, app.settings"
HEAVY = ("torch", "cv2", "skimage", "scipy", "tifffile", "imagecodecs", "lightning_fabric", "torchmetrics")


def test_the_window_imports_without_torch_and_starts_nothing() -> None:
    output = run_fresh(
        WINDOW_MODULES + "\nimport threading\nprint(threading.active_count(), 'models' in sys.modules)",
        blocked=("torch", "models", "cv2", "skimage", "scipy"),
    )
    assert output.split() == ["1", "False"]


def test_every_part_of_the_window_imports_without_torch() -> None:
    code = """
for package in ("app.canvas", "app.panels", "app.document", "app.dialogs", "app.handlers"):
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        importlib.import_module(found.name)
"""
    assert run_fresh(code, blocked=("torch", "models")) == ""


def test_a_document_is_plain_python() -> None:
    code = """
import app.document
for found in pkgutil.walk_packages(app.document.__path__, "app.document."):
    importlib.import_module(found.name)
"""
    assert run_fresh(code, blocked=("PySide6", "shiboken6", "torch", "cv2", "skimage", "scipy")) == ""


def test_the_window_is_seen_before_anything_heavy_is_imported(tmp_path, monkeypatch) -> None:
    """The engine and what needs OpenCV come after the first paint; torch never comes into this process."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    code = f"""
from PySide6.QtWidgets import QApplication
application = QApplication([])
from app.main_window import MainWindow
window = MainWindow()
seen = []
def note():
    seen.append([name for name in {HEAVY!r} if name in sys.modules])
    application.quit()  # closes the window, which Qt then frees
window.first_painted.connect(note)
window.show()
application.exec()
print(seen)
"""
    assert run_fresh(code, blocked=("torch",)).strip() == "[[]]"


def test_the_frame_of_the_window_is_seen_before_numpy_and_pydantic_are_imported(
    tmp_path, monkeypatch
) -> None:
    """These are half of a cold start, and nothing that is seen first needs them."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    code = """
import app.start
from PySide6.QtWidgets import QApplication
from app.main_window import MainWindow
complete = MainWindow._complete
def note(window):
    print([name for name in ("numpy", "pydantic", "PIL", "app.document.document") if name in sys.modules])
    complete(window)
    print(window._is_painted)
    QApplication.instance().quit()
MainWindow._complete = note
MainWindow.start_engine = lambda window: None
app.start.run_window([])
"""
    assert run_fresh(code, blocked=("torch",)).split("\n")[:2] == ["[]", "True"]
