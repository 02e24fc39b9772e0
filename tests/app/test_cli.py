"""The shape of the command line: what exists, what it is called, and that asking for help costs nothing."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.__main__ import main
from app.cli import app

ROOT = Path(__file__).resolve().parents[2]
WORK = {"--weights", "--quality", "--device", "--seed"}
OUTPUT = {"--json", "--quiet"}
SAVING = {"--flatten", "--jpeg-quality"}

# Scripts of users depend on these words: adding one is a line here, renaming one breaks somebody.
FLAGS = {
    "run inpaint": {
        "IMAGE", "--out", "--mask", "--edges", "--erase-edges", "--edge-sensitivity", "--edges-out", "--context",
        "--fit-mask", "--invert", "--expand", "--match-official", *SAVING, *WORK, *OUTPUT,
    },
    "run retarget": {
        "IMAGE", "--out", "--size", "--scale", "--corners", "--method", "--lock", "--fit-mask", "--completeness",
        "--frames", "--novelty-out", "--match-official", *SAVING, *WORK, *OUTPUT,
    },
    "weights list": OUTPUT,
    "weights verify": OUTPUT,
    "weights import": {"FILES", "--family", "--name", *OUTPUT},
    "weights download": {"NAME", "--allow-http", *OUTPUT},
    "weights remove": {"NAME", *OUTPUT},
    "train": {
        "FAMILY", "--data", "--out", "--from", "--part", "--steps", "--stage", "--resume", "--devices", "--nodes", "--precision",
        "--batch", "--accumulate", "--masks", "--mask-ratio", "--perceptual", "--features", "--size", "--options",
        "--width", "--depth", "--probe", "--half", "--time-limit", "--learning-rate", "--discriminator-rate",
        "--momentum", "--warmup", "--schedule", "--ema", "--gan", "--loss", "--keeps-edge-discriminator", "--device", "--workers",
        "--memory-bytes", "--seed", "--checkpoint-every", "--preview-every", "--log-every", "--recipe",
        "--snapshot-every", "--target", *OUTPUT,
    },
    "evaluate": {
        "FAMILY", "--data", "--out", "--all", "--weights", "--features", "--protocol", "--subset", "--limit", "--size",
        "--quality", "--device", "--seed", *OUTPUT,
    },
    "demo": {"--out", *WORK, *OUTPUT},
    "doctor": OUTPUT,
}  # fmt: skip
GROUPS = {"run", "weights"}


def commands() -> dict[str, object]:
    found = {}
    for name in app:
        if name.startswith("-"):
            continue
        if name in GROUPS:
            found |= {f"{name} {sub}": app[name][sub] for sub in app[name] if not sub.startswith("-")}
        else:
            found[name] = app[name]
    return found


def test_the_commands_are_those_of_the_list() -> None:
    assert set(commands()) == set(FLAGS)


@pytest.mark.parametrize("name", sorted(FLAGS))
def test_the_flags_are_those_of_the_list(name: str) -> None:
    arguments = commands()[name].assemble_argument_collection(default_parameter=app.default_parameter)
    assert {word for argument in arguments if argument.parse for word in argument.names} - {"*"} == FLAGS[
        name
    ]


def test_switches_have_no_second_form(capsys) -> None:
    assert main(["doctor", "--no-json"]) == 2
    assert capsys.readouterr().err.startswith("error: --no-json: expected an option of 'pentimento doctor'")


@pytest.mark.parametrize("words", [[], ["run"], ["weights"], *(name.split() for name in sorted(FLAGS))])
def test_every_command_explains_itself(words: list[str], capsys) -> None:
    assert main([*words, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: pentimento")
    assert err == ""


@pytest.mark.parametrize("words", [[], ["photo.png"]])
def test_a_window_without_a_display_says_so_and_what_needs_none(words, capsys, monkeypatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "error: window: expected a display, got none; start it where there is one, or use 'pentimento run inpaint' "
        "and 'pentimento demo', which need none\n"
    )


def test_a_defect_is_one_line_with_its_traceback_in_the_log(tmp_path, capsys, monkeypatch) -> None:
    log = tmp_path / "our.log"
    monkeypatch.setenv("PENTIMENTO_LOG", str(log))

    def break_down(_words: list[str]) -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr("app.cli.run", break_down)
    assert main(["doctor"]) == 1
    out, err = capsys.readouterr()
    line = (
        f"pentimento: expected to work, got RuntimeError: broken; a fault of ours, the traceback is in {log}"
    )
    assert (out, err) == ("", f"error: {line}\n")
    assert "RuntimeError: broken" in log.read_text()


def test_ctrl_c_exits_130(capsys, monkeypatch) -> None:
    def interrupt(_words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.cli.run", interrupt)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "error: job: expected to finish, got Ctrl-C; nothing was written\n"


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_help_loads_neither_torch_nor_qt_nor_the_picture_libraries() -> None:
    code = (
        "import sys\n"
        "from app.__main__ import main\n"
        "code = main(['run', 'inpaint', '--help'])\n"
        "heavy = {'torch', 'cv2', 'skimage', 'scipy', 'PIL', 'numpy', 'PySide6'} & set(sys.modules)\n"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)\n"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_the_command_line_starts_with_qt_blocked() -> None:
    code = "import sys\nsys.modules['PySide6'] = None\nimport app.cli, app.__main__\nassert 'torch' not in sys.modules"
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_python_m_app_is_the_same_program() -> None:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "app", "nonsense"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: command: expected one of demo")
    assert time.monotonic() - started < 30


def test_a_reader_that_goes_away_is_no_fault() -> None:
    done = subprocess.run(
        f"{sys.executable} -m app --help | head -c 1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], True),
        (["photo.jpg", "a folder/work.ora"], True),
        (["photo"], False),
        (["doctor"], False),
        (["run", "inpaint", "photo.jpg"], False),
        (["--out=a.png"], False),
        (["photo.jpg", "--json"], False),
    ],
)
def test_files_alone_need_no_parser(words, expected, monkeypatch) -> None:
    """The window opens the same files either way; without the parser it is there sooner."""
    opened: list[list[Path]] = []
    parsed: list[list[str]] = []
    monkeypatch.setattr("app.start.run_window", lambda files: opened.append(list(files)) or 0)
    monkeypatch.setattr("app.cli.run", lambda words: parsed.append(words) or 0)
    assert main(words) == 0
    assert (opened, parsed) == (([[Path(word) for word in words]], []) if expected else ([], [words]))
