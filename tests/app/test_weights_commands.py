import json

import pytest

from app.__main__ import main


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "shipped")


def run(capsys, *words: str) -> tuple[int, str, str]:
    return main(["weights", *words]), *capsys.readouterr()


def test_an_empty_machine_says_so(capsys) -> None:
    code, said, _ = run(capsys, "list")
    assert code == 0
    assert said.startswith("no weights; train some, or import them into ")
    assert run(capsys, "verify")[:2] == (0, "no weights to verify\n")


def test_weights_are_imported_listed_verified_and_removed(weights_file, capsys) -> None:
    code, said, _ = run(capsys, "import", str(weights_file), "--family", "inpaint", "--name", "tiny")
    assert code == 0
    assert "tiny.safetensors  tiny, licence: none, a test" in said

    code, said, _ = run(capsys, "list", "--json")
    (entry,) = json.loads(said)["weights"]
    assert (entry["name"], entry["family"], entry["status"], entry["is_here"]) == (
        "tiny",
        "inpaint",
        "imported",
        True,
    )
    assert "tiny  inpaint  imported" in run(capsys, "list")[1]

    code, said, _ = run(capsys, "verify")
    assert code == 0
    assert said.startswith("ok           tiny  ")

    code, said, _ = run(capsys, "download", "tiny")
    assert (code, said.count("\n")) == (0, 1)

    code, said, _ = run(capsys, "remove", "tiny")
    assert (code, said.startswith("removed ")) == (0, True)
    assert json.loads(run(capsys, "list", "--json")[1])["weights"] == []


def test_damaged_weights_make_verify_exit_2(weights_file, capsys) -> None:
    said = run(capsys, "import", str(weights_file), "--family", "inpaint", "--name", "tiny", "--json")[1]
    with open(json.loads(said)["output"], "r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x01\x02\x03\x04")
    code, said, _ = run(capsys, "verify")
    assert code == 2
    assert said.startswith("damaged      tiny  ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["import", "--family", "inpaint", "--name", "x"],
            "FILES: expected the checkpoint's files or their folder, got",
        ),
        (["import", "none.safetensors", "--family", "inpaint", "--name", "x"], "none.safetensors: expected "),
        (
            ["import", "a", "--family", "inpaint", "--name", "A B"],
            "--name: expected lower-case letters, digits, dots",
        ),
        (["download", "none"], "weights: expected one of none, or a .safetensors file, got 'none'; "),
        (["remove", "none"], "weights: expected one of none, or a .safetensors file, got 'none'; "),
    ],
)
def test_what_cannot_be_done_is_one_line(words: list[str], line: str, capsys) -> None:
    code, said, warned = run(capsys, *words)
    assert (code, said) == (2, "")
    assert warned.startswith(f"error: {line}")
    assert warned.count("\n") == 1
