"""The program in a folder full of traps: files named like modules, each of which writes a marker when it is imported.

Every kind of process that we start, or have a library start, runs here. `TRAPS` are all modules of Python and those
that we install, but for the few that ``python -m`` needs before the first line of ours.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
BEFORE_OURS = {
    "importlib",
    "contextlib",
    "warnings",
    "collections",
    "functools",
    "types",
    "keyword",
    "operator",
}
BEFORE_OURS |= {"reprlib", "runpy", "encodings"}
INSTALLED = {
    "PIL", "PySide6", "cv2", "cyclopts", "lightning_fabric", "numpy", "platformdirs", "pydantic", "rich", "safetensors",
    "scipy", "sitecustomize", "skimage", "torch", "torchmetrics", "usercustomize",
}  # fmt: skip
OURS = {"app", "engine", "models"}
TRAPS = (sys.stdlib_module_names - BEFORE_OURS) | INSTALLED | OURS

SCRIPT = "import sys\nfrom app.__main__ import main\nsys.exit(main())\n"
"""What an installer writes as the command ``pentimento``."""

HOST = """
import numpy as np
from engine.edits import EditInputs, RetargetEdit
from engine.host import Died, Done, EngineHost, Refused
with EngineHost(device="cpu", memory_kind=sys.argv[1]) as host:
    host.submit(RetargetEdit(target_size_hw=(40, 60)), EditInputs(np.full((40, 50, 3), 99, np.uint8)))
    said = []
    while not any(isinstance(event, Died | Done | Refused) for event in said):
        said += host.poll(1.0)
    assert any(isinstance(event, Done) for event in said), said
"""
LEARNING = """
import json
from pathlib import Path
from app.learning_process import LearningProcess
ended = []
words = ["learn", "--picture", sys.argv[1], "--out", sys.argv[2], "--quick"]
quick = {"size": 32, "width": 4, "steps": 2, "precision": "32", "device": "cpu"}
process = LearningProcess([*words, json.dumps(quick)], Path(sys.argv[2]), lambda said: process.tell("go"), ended.append)
assert process.join(60)
assert ended == [0], (Path(sys.argv[2]) / "learning.log").read_text()
"""
WINDOW = """
from PySide6.QtCore import QTimer
from app import main_window
start = main_window.MainWindow.start_engine
def start_engine(window):
    start(window)
    window.worker.ready.connect(lambda _: window.close())
main_window.MainWindow.start_engine = start_engine
"""


@pytest.fixture
def place(tmp_path):
    """A folder of traps; beside it pictures and a home."""
    traps = tmp_path / "traps"
    traps.mkdir()
    for name in TRAPS:
        text = f"open({str(tmp_path / 'marker')!r}, 'a').write({name!r} + ' ')\nraise ImportError('a trap')\n"
        if name in OURS | {"torch", "numpy"}:
            (traps / name).mkdir()
            (traps / name / "__init__.py").write_text(text)
        else:
            (traps / f"{name}.py").write_text(text)
    (tmp_path / "pentimento").write_text(SCRIPT)
    (tmp_path / "out").mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        pixels = rng.integers(0, 256, (72, 72, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return tmp_path


def run(place, *words):
    """Run Python in the folder of traps; nothing of ours may be imported from there."""
    homes = {f"XDG_{kind}_HOME": str(place / "home") for kind in ("STATE", "CONFIG", "CACHE", "DATA")}
    environment = {
        **os.environ, **homes, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen",
        "PENTIMENTO_LOG": str(place / "log"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=place / "traps", env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    marker = place / "marker"
    assert not marker.exists(), marker.read_text()
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def written(place, code):
    """A program of ours that lies elsewhere."""
    script = place / "program.py"
    script.write_text("import sys\n" + code)
    return script


def training(place, *words):
    fixed = (
        "--data", place / "a.png", place / "b.png", "--out", place / "out", "--size", 64, "--batch", 1, "--steps", 1,
        "--stage", "edges", "--width", 4, "--depth", 1, "--device", "cpu",
    )  # fmt: skip
    return (*fixed, *words)


def test_the_traps_work(place):
    """Else the tests below would show nothing."""
    done = subprocess.run(
        [sys.executable, "-c", "import json"], cwd=place / "traps", capture_output=True, text=True
    )
    assert "a trap" in done.stderr
    assert (place / "marker").exists()


@pytest.mark.parametrize("kind", ["memfd", "named"])
def test_the_engines_process_and_the_tracker_of_its_memory(place, kind):
    run(place, written(place, HOST), kind)


def test_the_process_that_learns_a_picture(place):
    run(place, written(place, LEARNING), place / "a.png", place / "out")


def test_the_window(place):
    run(place, written(place, WINDOW + SCRIPT), place / "a.png")


def test_the_command(place):
    run(
        place,
        place / "pentimento",
        "run",
        "retarget",
        place / "a.png",
        "--size",
        "80x72",
        "--out",
        place / "c.png",
    )


@pytest.mark.parametrize("module", ["app", "engine.training"])
def test_python_dash_m_where_only_the_module_itself_is_ours(place, module):
    """A folder ``app`` in the current one is what ``python -m app`` names; nothing of ours runs then."""
    shutil.rmtree(place / "traps" / module.partition(".")[0])
    assert "--help" in run(place, "-m", module, "--help").stdout


def test_a_training_with_its_loader_and_its_second_process(place):
    shutil.rmtree(place / "traps" / "app")
    run(place, "-m", "app", "train", "inpaint", *training(place, "--devices", 2, "--workers", 1))


def test_a_training_that_torchrun_started(place):
    """torchrun itself is not ours: ``-P`` keeps its own path clean, and ours stays so."""
    words = ("-P", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2, place / "pentimento")
    run(place, *words, "train", "inpaint", *training(place, "--workers", 0))


def test_an_empty_entry_of_pythonpath_is_no_way_in(place):
    """``PYTHONPATH=$PYTHONPATH:/more`` leaves one where nothing was set."""
    code = """
import os
from engine import python_process
os.environ["PYTHONPATH"] = os.pathsep + os.environ["PYTHONPATH"]
sys.path.insert(0, os.getcwd())
assert python_process.start("platform").wait(60) == 1, "a module without main"
with python_process.starting_safely():
    import subprocess
    subprocess.run([sys.executable, "-c", "import json, app.cli"], check=True)
"""
    run(place, written(place, code))
