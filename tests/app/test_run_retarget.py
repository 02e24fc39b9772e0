"""Retargeting through the command line: what comes out, and what is refused in which words."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from app.__main__ import main
from app.frames import FrameFiles
from app.run_retarget import scaled
from engine.pipelines import retarget
from models.registry import family_spec
from tests.engine.pipelines.test_retarget import write_learned

RANDOM = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def search(monkeypatch) -> list[SimpleNamespace]:
    """A quick stand-in for the search, which repeats the picture; what it was given."""
    given = []

    def remake(image: np.ndarray, target_size_hw: tuple[int, int], **more: object) -> SimpleNamespace:
        given.append(SimpleNamespace(size_hw=target_size_hw, **more))
        h, w = target_size_hw
        y, x = np.mgrid[:h, :w]
        field = np.stack([x % image.shape[1], y % image.shape[0]], axis=-1)
        return SimpleNamespace(
            image=image[field[..., 1], field[..., 0]],
            field_xy=field.astype(np.int32),
            novelty=np.full((h, w), 0.2, np.float32),
        )

    monkeypatch.setattr(retarget, "remake", remake)
    return given


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str, str]]:
    def call(*words: object) -> tuple[int, str, str]:
        code = main(["run", "retarget", *map(str, words), "--device", "cpu"])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def refuse(run, photo, tmp_path) -> Callable[..., str]:
    """Run it, expect a refusal with nothing written; gives its line."""

    def call(*words: object, image: Path = photo, out: str = "out.png") -> str:
        code, said, line = run(image, "--out", tmp_path / out, *words)
        assert (code, said) == (2, "")
        assert line.startswith("error: ")
        assert line.count("\n") == 1
        assert not (tmp_path / out).exists()
        return line

    return call


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("words", "size_wh"),
    [
        (("--size", "81x37"), (81, 37)),
        (("--size", "64X40"), (64, 40)),
        (("--scale", "1.5"), (84, 66)),
        (("--scale", "2,1"), (112, 44)),
        (("--scale", "1"), (56, 44)),
    ],
)
def test_the_result_has_the_size_that_was_asked_for(run, photo, tmp_path, words, size_wh) -> None:
    out = tmp_path / "out.png"
    code, said, warned = run(photo, "--out", out, *words)
    assert (code, warned) == (0, "")
    assert said.startswith(f"{out}  ")
    with Image.open(out) as image:
        assert (image.size, image.mode) == (size_wh, "RGB")


def test_corners_give_a_picture_that_is_transparent_outside_them(run, photo, tmp_path) -> None:
    out = tmp_path / "out.png"
    code, _, _ = run(photo, "--out", out, "--corners", "10,0 70,-6 80.5,40 0,50")
    found = pixels(out)
    assert code == 0
    assert found.shape == (56, 81, 4)
    assert found[0, 0, 3] == 0
    assert found[28, 40, 3] == 255


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_mode_and_depth_stay(run, tmp_path, mode) -> None:
    channels = {"L": (), "LA": (2,), "RGBA": (4,), "I;16": ()}[mode]
    kind = np.uint16 if mode == "I;16" else np.uint8
    image = RANDOM.integers(0, np.iinfo(kind).max, (40, 48, *channels), kind)
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(image).save(source)
    assert run(source, "--size", "60x50", "--out", out)[0] == 0
    with Image.open(out) as made:
        assert (made.size, made.mode) == ((60, 50), mode)
        assert np.array_equal(np.asarray(made)[:40, :48], image)


def test_json_is_one_object_with_everything_that_was_used(run, photo, tmp_path) -> None:
    out, novelty = tmp_path / "out.png", tmp_path / "new.png"
    code, said, _ = run(
        photo, "--size", "64x48", "--out", out, "--novelty-out", novelty, "--json", "--seed", 5
    )
    answer = json.loads(said)
    assert code == 0
    assert (answer["output"], answer["novelty_output"]) == (str(out), str(novelty))
    assert (answer["family"], answer["weights"], answer["seed"]) == ("retarget", None, 5)
    assert list(answer["seconds"])[0] == "decode"
    assert pixels(novelty).tolist() == [[51] * 64] * 48
    with Image.open(out) as image:
        edit = json.loads(image.text["pentimento.recipe"])["edit"]
    assert (edit["family"], edit["target_size_hw"], edit["method"]) == ("retarget", [48, 64], "instant")


def test_lock_and_completeness_reach_the_search(run, photo, mask, hole, tmp_path, search) -> None:
    run(photo, "--size", "64x48", "--lock", mask, "--completeness", 0.25, "--out", tmp_path / "out.png")
    assert np.array_equal(search[0].lock > 0, hole)
    assert search[0].completeness == 0.25


def test_a_lock_of_another_size_is_refused_and_fit_mask_resizes_it(
    refuse, run, photo, tmp_path, search
) -> None:
    lock = tmp_path / "lock.png"
    half = np.zeros((22, 28), np.uint8)
    half[:10] = 255
    Image.fromarray(half).save(lock)
    assert "expected 56x44 px as the picture, got 28x22 px" in refuse("--size", "64x48", "--lock", lock)
    out = tmp_path / "out.png"
    assert run(photo, "--size", "64x48", "--lock", lock, "--fit-mask", "--out", out)[0] == 0
    assert search[-1].lock.shape == (44, 56)


def test_a_lock_over_everything_is_refused(refuse, tmp_path) -> None:
    lock = tmp_path / "lock.png"
    Image.fromarray(np.full((44, 56), 255, np.uint8)).save(lock)
    line = refuse("--size", "64x48", "--lock", lock)
    assert "lock: expected a part of the picture left unlocked, got everything locked" in line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "retarget: expected one of --size, --scale and --corners, got none; for example --size 800x600"),
        (
            ("--size", "64x48", "--scale", "2"),
            "expected one of --size, --scale and --corners, got --size and --scale",
        ),
        (("--size", "64"), "--size: expected WIDTHxHEIGHT in pixels, got '64'; for example --size 800x600"),
        (("--size", "64x4.5"), "--size: expected WIDTHxHEIGHT in pixels, got '64x4.5'"),
        (("--scale", "0"), "--scale: expected one factor or two, above 0, got '0'; for example --scale 1.5"),
        (("--scale", "1,2,3"), "--scale: expected one factor or two, above 0, got '1,2,3'"),
        (("--scale", "nan"), "--scale: expected one factor or two, above 0, got 'nan'"),
        (("--corners", "0,0 9,0 9,9"), "--corners: expected four points x,y in pixels: top left, top right"),
        (("--corners", "0,0 9,0 9,9 a,9"), "--corners: expected four points x,y in pixels"),
        (
            ("--size", "8x64"),
            "--size: expected sides from 32 to 12000 px, got 8x64 px; make it larger",
        ),
        (("--size", "13000x64"), "expected sides from 32 to 12000 px, got 13000x64 px; make it smaller"),
        (("--scale", "300"), "expected sides from 32 to 12000 px, got 16800x13200 px; make it smaller"),
        (
            ("--corners", "0,0 90,60 90,0 0,60"),
            "--corners: expected sides that do not cross, got 0,0 90,60 90,0",
        ),
        (("--corners", "0,0 0,0 90,60 0,60"), "expected four corners 4 px or more apart"),
        (("--corners", "0,0 90,0 30,20 0,60"), "expected a shape without a dent"),
        (("--size", "64x48", "--completeness", "2"), "completeness"),
        (
            ("--size", "64x48", "--weights", "x"),
            "--weights: expected --method learned beside it, got --method instant",
        ),
        (
            ("--size", "64x48", "--match-official"),
            "--match-official: expected --method learned and a size beside it, got --method instant",
        ),
        (
            ("--corners", "0,0 64,0 64,48 0,48", "--match-official", "--method", "learned"),
            "--match-official: expected --method learned and a size beside it, got --corners",
        ),
        (
            ("--size", "64x48", "--method", "learned", "--novelty-out", "n.png"),
            "--novelty-out: expected --method instant beside it, got --method learned",
        ),
        (
            ("--size", "64x48", "--frames", "3", "--novelty-out", "n.png"),
            "--novelty-out: expected one result, got 3",
        ),
        (("--size", "64x48", "--frames", "1"), "--frames: expected 2 frames or more, got 1; the first shows"),
        (("--size", "64x48", "--method", "guess"), "--method"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(refuse, words, line) -> None:
    assert line in refuse(*words)


@pytest.mark.parametrize(
    ("size_wh", "hint"), [((20, 64), "there is too little to go by"), ((12001, 40), "make it smaller")]
)
def test_pictures_beyond_the_limits_are_refused_with_the_limits(refuse, tmp_path, size_wh, hint) -> None:
    source = tmp_path / "in.png"
    Image.new("L", size_wh).save(source)
    line = refuse("--size", "64x48", image=source)
    assert (
        f"expected a picture with sides from 32 to 12000 px, got {size_wh[0]}x{size_wh[1]} px; {hint}" in line
    )


def test_places_that_cannot_take_a_result_are_refused(refuse, photo, mask, tmp_path) -> None:
    assert "--out: expected a file ending in one of" in refuse("--size", "64x48", out="out.tga")
    assert (
        "transparency" in (line := refuse("--corners", "0,0 64,4 64,48 0,48", out="out.jpg"))
        or "alpha" in line
    )
    line = refuse("--size", "64x48", "--novelty-out", photo)
    assert "--novelty-out: expected another file than IMAGE" in line
    line = refuse("--size", "64x48", "--lock", tmp_path / "none.png")
    assert "none.png" in line


def test_the_published_routine_rounds_down_to_its_own_steps() -> None:
    """The sizes of a picture of 274 x 224 px, as its authors' program writes them."""
    official = [scaled((224, 274), (s, s), is_official=True) for s in (2.2, 0.33, 1.0)]
    assert official == [(488, 592), (72, 88), (224, 272)]
    assert scaled((224, 274), (2.2, 0.5)) == (112, 603)


def test_an_imported_checkpoint_matches_the_published_routine(run, photo, tmp_path, parity, capsys) -> None:
    """From the published file to pixels: both sizes cut to multiples of 8, one pass in training mode."""
    file = tmp_path / "checkpoint_0075000.pth.tar"
    torch.save({**parity.official_file("ingan", file.name), "iter": "results/75000"}, file)
    assert main(["weights", "import", str(file), "--family", "retarget", "--name", "official"]) == 0
    assert "non-commercial" in capsys.readouterr().out
    out = tmp_path / "out.png"
    words = ("--method", "learned", "--weights", "official", "--match-official")
    assert run(photo, "--scale", "1.7,0.9", *words, "--out", out)[0] == 0
    spec = family_spec("retarget")
    state = spec.import_official({file.name: parity.official_file("ingan", file.name)})
    generator = spec.load(state, as_published=True)["generator"]
    image = torch.from_numpy(pixels(photo)[:40, :56] / np.float32(255)).permute(2, 0, 1)[None]
    with torch.no_grad():
        answer = generator(image, (32, 88))[0].permute(1, 2, 0).numpy()
    found = pixels(out)
    assert found.shape == (32, 88, 3)
    assert np.abs(np.round(answer * 255) - found).max() <= 1


def test_weights_learned_on_another_picture_are_used_and_it_is_said_once(run, photo, tmp_path) -> None:
    own = write_learned(tmp_path / "own.safetensors", learned_from=pixels(photo))
    other = write_learned(tmp_path / "other.safetensors", learned_from=pixels(photo)[::-1])
    words = (photo, "--size", "67x45", "--method", "learned", "--out", tmp_path / "out.webp")
    assert run(*words, "--weights", own)[::2] == (0, "")
    line = "note: these weights were learned on another picture: they will paint that one\n"
    assert run(*words, "--weights", other)[::2] == (0, line)
    assert run(*words, "--weights", other, "--frames", 3)[::2] == (0, line)


def test_learned_without_weights_says_how_to_get_some(refuse, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    line = refuse("--size", "64x48", "--method", "learned")
    assert "weights: expected some that learned this picture, got none; learn it first" in line


@pytest.mark.parametrize(
    "shape", [("--scale", "1e308"), ("--corners=-1e308,-1e308 1e308,-1e308 1e308,1e308 -1e308,1e308",)]
)
def test_numbers_beyond_all_bounds_are_refused(tmp_path, capsys, shape):
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    assert main(["run", "retarget", str(tmp_path / "a.png"), *shape, "--out", str(tmp_path / "o.png")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("taken", ["image", "lock"])
def test_frames_overwrite_nothing_of_the_same_command(tmp_path, taken):
    frame, other = tmp_path / "frame-002.png", tmp_path / "other.png"
    for path in (frame, other):
        Image.new("RGB", (64, 48)).save(path)
    before = frame.read_bytes()
    words = [str(frame)] if taken == "image" else [str(other), "--lock", str(frame)]
    assert main(["run", "retarget", *words, "--size", "70x48", "--frames", "2", "--out", str(tmp_path)]) == 2
    assert frame.read_bytes() == before


def test_frames_without_end_are_refused_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(FrameFiles, "at", None)  # would list every file
    words = ["--scale", "1.5", "--frames", "1000000000", "--out", str(tmp_path / "o.png")]
    assert main(["run", "retarget", str(tmp_path / "a.png"), *words]) == 2
    assert "--frames" in capsys.readouterr().err


def test_a_folder_for_frames_is_not_made_in_vain(tmp_path):
    out = tmp_path / "new" / "deep"
    assert (
        main(
            [
                "run",
                "retarget",
                str(tmp_path / "none.png"),
                "--scale",
                "2",
                "--frames",
                "2",
                "--out",
                str(out),
            ]
        )
        == 2
    )
    assert not out.parent.exists()
