"""Folders of one's own, tiny weights, a tiny photo and its mask: what a command or a panel needs to run in a moment.

Qt draws into memory here; a real window belongs to tests/desktop.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.notices import NOTICES
from engine.weightfile import WeightFile, write_weights
from models.inpaint.options import InpaintOptions
from models.registry import family_spec

# Before Qt is first imported, by pytest-qt or by a test: no test of this folder may need a display.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

SIZE_WH = (56, 44)
SYSTEM_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = family_spec("inpaint").build(InpaintOptions(width=4, depth=1)).state_dict()
    write_weights(path, WeightFile("inpaint", {"width": 4, "depth": 1}, state, {"licence": "none, a test"}))
    return path


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch) -> Path:
    """No test reads or writes the user's own settings, journals, caches, weights and log; where they are instead."""
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("PENTIMENTO_HOME", str(folder))
    monkeypatch.setenv("PENTIMENTO_WEIGHTS", str(folder / "weights"))
    monkeypatch.setenv("PENTIMENTO_LOG", str(folder / "pentimento.log"))
    for variable in SYSTEM_FOLDERS:
        place = folder / variable.lower()
        place.mkdir(mode=0o700)
        monkeypatch.setenv(variable, str(place))
    monkeypatch.setattr(NOTICES, "_known", set())  # what an earlier test was told is news again
    monkeypatch.setattr(NOTICES, "_waiting", [])
    return folder


@pytest.fixture(autouse=True)
def swept_between_tests() -> Iterator[None]:
    """Garbage is collected after each test and on this thread alone, whatever allocates meanwhile.

    A controller that no window owns and that a journal's or a blob's thread swept would leave its timers running: Qt
    cannot stop them from there, and they fire into memory that is free. Every controller of the program has an owner.
    """
    gc.collect()  # what only the test before still held
    gc.freeze()  # the rest stays; looking at it again after every test would take a minute in all
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture
def photo(tmp_path) -> Path:
    """A photo of SIZE_WH with a colour profile's worth of variety: noise on a ramp."""
    rng = np.random.default_rng(5)
    ramp = np.linspace(30, 220, SIZE_WH[0])[None, :, None] + rng.normal(0, 8, (SIZE_WH[1], SIZE_WH[0], 3))
    path = tmp_path / "photo.png"
    Image.fromarray(ramp.clip(0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def hole() -> np.ndarray:
    """(H, W) bool, what the mask selects."""
    hole = np.zeros((SIZE_WH[1], SIZE_WH[0]), dtype=bool)
    hole[14:26, 20:34] = True
    return hole


@pytest.fixture
def mask(tmp_path, hole) -> Path:
    path = tmp_path / "mask.png"
    Image.fromarray(hole.astype(np.uint8) * 255).save(path)
    return path


@pytest.fixture
def worker(qapp):
    """A `FakeWorker`: it answers when the test says so."""
    from tests.app.fakes import FakeWorker

    return FakeWorker()


@pytest.fixture
def document():
    """A small document of one picture, in which nothing is selected."""
    from tests.app.fakes import make_document

    made = make_document()
    yield made
    made.close()


@pytest.fixture
def controller(worker, document):
    """What fills the document, only when it is asked to."""
    from app.fill import FillController

    made = FillController(worker)
    made.set_live(False)
    made.set_document(document)
    return made


@pytest.fixture
def window(qtbot, monkeypatch, worker):
    """A `MainWindow` whose engine is a `FakeWorker`, shown and empty; it never asks about unsaved changes."""
    from app import main_window

    monkeypatch.setattr(main_window, "acquire_worker", lambda: worker)
    monkeypatch.setattr(main_window, "release_worker", lambda: None)
    monkeypatch.setattr(main_window.MainWindow, "start_engine", lambda _self: None)
    made = main_window.MainWindow()
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    yield made
    for other in tuple(main_window.MainWindow.windows):
        other.saving.ask_save = lambda: "discard"
        assert other.close()
        other.deleteLater()
    worker.deleteLater()
