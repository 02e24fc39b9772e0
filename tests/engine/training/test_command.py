import logging
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from engine.training import events
from engine.training.command import log_event, main, options_from
from engine.training.options import OWN, TrainOptions

ROOT = Path(__file__).parents[3]

WORDS = [
    "inpaint",
    "--data",
    "a",
    "b.tar",
    "--data",
    "c.png",
    "--out",
    "o",
    "--steps",
    "7",
    "--stage",
    "joint",
    "--from",
    "w.safetensors",
    "--resume",
    "--size",
    "64",
    "--batch",
    "3",
    "--accumulate",
    "2",
    "--device",
    "cpu",
    "--devices",
    "2",
    "--nodes",
    "2",
    "--precision",
    "bf16",
    "--workers",
    "1",
    "--memory-bytes",
    "5",
    "--seed",
    "9",
    "--learning-rate",
    "0.5",
    "--discriminator-rate",
    "0.2",
    "--momentum",
    "0.5",
    "--warmup",
    "4",
    "--schedule",
    "constant",
    "--ema",
    "0.5",
    "--options",
    "official",
    "--width",
    "8",
    "--depth",
    "2",
    "--gan",
    "hinge",
    "--loss",
    "style=1",
    "--loss",
    "feature-matching=2.5",
    "--keeps-edge-discriminator",
    "--features",
    "f",
    "--masks",
    "m",
    "--mask-ratio",
    "0.1,0.4",
    "--probe",
    "p",
    "--half",
    "--part",
    "edges=e.safetensors",
    "--time-limit",
    "1.5",
    "--checkpoint-every",
    "11",
    "--preview-every",
    "12",
    "--log-every",
    "13",
    "--snapshot-every",
    "2.5",
]  # noqa: SIM905

OWN_WORDS = ["retarget", "--data", "a.png", "--out", "o", "--recipe", "official", "--target", "640x480"]


def test_every_option_has_a_flag_and_arrives():
    given = options_from(WORDS)
    assert given.data == (Path("a"), Path("b.tar"), Path("c.png"))
    assert given.from_weights == Path("w.safetensors")
    assert given.parts == {"edges": Path("e.safetensors")}
    assert given.loss == {"style": 1.0, "feature_matching": 2.5}
    assert given.mask_ratio == (0.1, 0.4)
    assert given.time_limit_minutes == 1.5
    usual = TrainOptions(data=(Path("x"),), out=Path("y"))
    same = {f.name for f in fields(usual) if getattr(usual, f.name) == getattr(given, f.name)}
    assert same == {"family", *OWN["retarget"]}
    given = options_from(OWN_WORDS)
    assert (given.recipe, given.target_hw) == ("official", (480, 640))


def test_defaults_are_those_of_the_options():
    assert options_from(["inpaint", "--data", "x", "--out", "y"]) == TrainOptions(
        data=(Path("x"),), out=Path("y")
    )
    assert options_from(["inpaint", "--data", "x", "--out", "y", "--perceptual", "f"]).features == Path("f")


@pytest.mark.parametrize(
    "words",
    [
        ["--loss", "style"],
        ["--mask-ratio", "0.5"],
        ["--sise", "64"],
        ["--precision", "8"],
        ["--target", "64"],
    ],
)
def test_misspelt_words_exit_with_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        options_from(["inpaint", "--data", "x", "--out", "y", *words])
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_bad_input_is_one_line_and_code_2(tmp_path, caplog):
    caplog.set_level(logging.INFO, "engine.training")
    words = ["inpaint", "--data", str(tmp_path / "gone"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main([*words, "--size", "63"]) == 2
    assert caplog.messages[-1].startswith("error: size: expected a multiple of 8, 32 or more, got 63; ")
    assert main(words) == 2
    assert caplog.messages[-1].startswith(
        f"error: {tmp_path / 'gone'}: expected a folder, a tar file or a picture"
    )
    assert main(["inpant", *words[1:]]) == 2
    assert caplog.messages[-1].startswith("error: unknown family 'inpant'; known: ")


def test_events_become_plain_lines(caplog):
    caplog.set_level(logging.INFO, "engine.training")
    log_event(events.Notice("a sentence"))
    log_event(events.Skipped("x.png", "it is cut"))
    log_event(events.Estimated({"edges": 0.25}, 7325.0, 32.0, 3 << 29))
    log_event(events.StageStarted("edges", "what it does", 0, 10))
    log_event(events.Stepped(1, 10, "edges"))
    log_event(events.Measured(5, 10, "edges", {"generator/fill_l1": 0.5}, {"psnr": 20.0}, 12.0, 3.0, 95.0))
    log_event(events.Written("snapshot", Path("w.safetensors")))
    log_event(events.Written("weights", Path("w.safetensors")))
    assert caplog.messages == [
        "a sentence",
        "skipped x.png: it is cut",
        "estimate: 2 h 02 min for all steps, 1.50 GiB a process",
        "estimate: a step takes edges 0.25 s; 32 pictures/s",
        "stage edges: what it does (steps 0 to 10)",
        "step 5/10  g/fill_l1 0.5  psnr 20  12 pictures/s, 1 min 35 s left",
        "weights: w.safetensors",
    ]


@pytest.mark.timeout(600)
def test_training_starts_without_the_rest_of_the_program():
    """Torch, lightning-fabric, numpy, Pillow, safetensors (and scikit-image for edges) are enough."""
    script = (
        "import sys\n"
        "for name in ('pydantic', 'cyclopts', 'rich', 'platformdirs', 'cv2', 'torchmetrics', 'PySide6'):\n"
        "    sys.modules[name] = None\n"
        "import engine.training\n"
        "from engine.training import train, TrainOptions\n"
        "from engine.training.command import main\n"
        "assert 'skimage' not in sys.modules\n"
        "sys.modules['skimage'] = None\n"
        "from engine.training.families import training_of\n"
        "training_of('retarget')\n"
        "import engine.training.loop\n"
        "main(['--help'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--time-limit MINUTES" in done.stdout


def test_help_needs_no_torch():
    script = "import sys\nsys.modules['torch'] = None\nfrom engine.training.command import main\nmain(['--help'])\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
