"""The main job through the command line: what comes out, and what is refused in which words."""

import json
import pickle
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from safetensors.torch import load_file, save_file

from app.__main__ import main
from app.errors import UsageError
from app.run_inpaint import parse_context, parse_expand
from engine.weightfile import WeightFile, write_weights

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(weights_file, tmp_path, capsys):
    """Run `run inpaint` with the tiny weights; gives exit code, stdout and stderr."""

    def call(*words: object, weights: object = weights_file) -> tuple[int, str, str]:
        code = main(["run", "inpaint", *map(str, words), "--weights", str(weights), "--device", "cpu"])
        return code, *capsys.readouterr()

    return call


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_known_pixels_come_back_unchanged_and_the_hole_is_filled(run, photo, mask, hole, tmp_path) -> None:
    out, edges = tmp_path / "out.png", tmp_path / "edges.png"
    code, said, warned = run(photo, "--mask", mask, "--out", out, "--edges-out", edges)
    assert (code, warned) == (0, "")
    assert said.startswith(f"{out}  ")
    before, after = pixels(photo), pixels(out)
    assert (after[~hole] == before[~hole]).all()
    assert (after[hole] != before[hole]).any()
    assert pixels(edges).shape == hole.shape


def test_json_is_one_object_with_everything_that_was_used(run, photo, mask, tmp_path) -> None:
    out = tmp_path / "out.png"
    code, said, _ = run(photo, "--mask", mask, "--out", out, "--json", "--seed", 7)
    answer = json.loads(said)
    assert code == 0
    assert answer["output"] == str(out)
    assert answer["device"] == "cpu"
    assert answer["seed"] == 7
    assert len(answer["weights"]["sha256"]) == 64
    assert {"seam", "notes", "quality"} <= answer.keys()
    seconds = answer["seconds"]
    assert list(seconds)[0] == "decode"
    assert seconds["total"] == pytest.approx(
        seconds["decode"] + seconds["engine"] + seconds["encode"], abs=1e-3
    )


def test_a_mask_that_selects_nothing_fully_is_said(run, photo, hole, tmp_path) -> None:
    """As a label of 1 in two bits comes: a third of white."""
    Image.fromarray(np.where(hole, 85, 0).astype(np.uint8)).save(tmp_path / "faint.png")
    code, _, warned = run(photo, "--mask", tmp_path / "faint.png", "--out", tmp_path / "out.png")
    said = "note: the mask selects no pixel by more than 33%; make it white where all is to go\n"
    assert (code, warned) == (0, said)


def test_quiet_says_nothing(run, photo, mask, tmp_path) -> None:
    assert run(photo, "--mask", mask, "--out", tmp_path / "out.png", "--quiet") == (0, "", "")


def test_the_png_says_how_it_was_made(run, photo, mask, tmp_path) -> None:
    out = tmp_path / "out.png"
    run(photo, "--mask", mask, "--out", out, "--seed", 3)
    with Image.open(out) as image:
        recipe = json.loads(image.text["pentimento.recipe"])
    assert recipe["edit"]["family"] == "inpaint"
    assert recipe["edit"]["seed"] == 3
    assert len(recipe["weights"]["sha256"]) == 64


def test_the_result_may_replace_its_picture(run, photo, mask, hole) -> None:
    before = pixels(photo)
    assert run(photo, "--mask", mask, "--out", photo)[0] == 0
    after = pixels(photo)
    assert (after[~hole] == before[~hole]).all()
    assert (after != before).any()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_mode_and_depth_stay(run, photo, mask, hole, tmp_path, mode: str) -> None:
    source, out = tmp_path / "source.png", tmp_path / "out.png"
    with Image.open(photo) as image:
        if mode == "I;16":
            Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(source)
        else:
            image.convert(mode).save(source)
    assert run(source, "--mask", mask, "--out", out)[0] == 0
    with Image.open(out) as image:
        assert image.mode == mode
    assert (pixels(out)[~hole] == pixels(source)[~hole]).all()


def test_profile_and_camera_data_stay(run, photo, mask, tmp_path) -> None:
    source, out = tmp_path / "source.png", tmp_path / "out.png"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(photo) as image:
        exif = image.getexif()
        exif[0x010F] = "a camera"
        image.save(source, icc_profile=profile, exif=exif)
    assert run(source, "--mask", mask, "--out", out)[0] == 0
    with Image.open(out) as image:
        assert image.info["icc_profile"] == profile
        assert image.getexif()[0x010F] == "a camera"


@pytest.fixture
def clear_photo(photo, tmp_path):
    """The photo with a corner that is clear."""
    path = tmp_path / "clear.png"
    with Image.open(photo) as image:
        whole = np.asarray(image.convert("RGBA")).copy()
    whole[:4, :4, 3] = 0
    Image.fromarray(whole).save(path)
    return path


def test_a_jpeg_of_what_is_clear_is_refused_with_the_way_out(run, clear_photo, mask, tmp_path) -> None:
    code, _, warned = run(clear_photo, "--mask", mask, "--out", tmp_path / "out.jpg")
    assert code == 2
    assert "expected a format that holds transparency, got JPEG, which does not; --flatten white" in warned


@pytest.mark.parametrize(
    ("words", "colour"), [("white", (255, 255, 255)), ("black", (0, 0, 0)), ("#2040ff", (32, 64, 255))]
)
@pytest.mark.parametrize("ending", [".jpg", ".bmp", ".png"])
def test_flatten_lays_what_is_clear_on_a_colour(
    run, clear_photo, mask, tmp_path, words, colour, ending
) -> None:
    out = tmp_path / f"out{ending}"
    assert run(clear_photo, "--mask", mask, "--out", out, "--flatten", words)[0] == 0
    with Image.open(out) as image:
        assert image.mode == "RGB"
    assert np.abs(pixels(out)[:3, :3].astype(int) - colour).max() <= (12 if ending == ".jpg" else 0)


def test_alpha_that_hides_nothing_is_no_reason_to_refuse(run, photo, mask, tmp_path) -> None:
    with Image.open(photo) as image:
        image.convert("RGBA").save(tmp_path / "whole.png")
    assert run(tmp_path / "whole.png", "--mask", mask, "--out", tmp_path / "out.jpg")[0] == 0


def test_jpeg_quality_is_heard_and_webp_keeps_every_value_without_it(run, photo, mask, tmp_path) -> None:
    sizes = {}
    for name, words in (("a.jpg", ()), ("b.jpg", (95,)), ("c.jpg", (40,)), ("d.webp", ()), ("e.webp", (40,))):
        more = ("--jpeg-quality", *words) if words else ()
        assert run(photo, "--mask", mask, "--out", tmp_path / name, *more)[0] == 0
        sizes[name] = (tmp_path / name).stat().st_size
    assert sizes["a.jpg"] == sizes["b.jpg"] > sizes["c.jpg"]
    assert sizes["d.webp"] > sizes["e.webp"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--jpeg-quality", "0"), "--jpeg-quality: expected 1 to 100, got 0; 95 keeps nearly everything"),
        (("--jpeg-quality", "101"), "--jpeg-quality: expected 1 to 100, got 101"),
        (("--jpeg-quality", "1.5"), "--jpeg-quality: expected a whole number, got '1.5'"),
        (("--flatten", "grey"), "--flatten: expected white, black or #rrggbb, got 'grey'"),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_options_name(
    run, photo, mask, tmp_path, words, said
) -> None:
    code, _, warned = run(photo, "--mask", mask, "--out", tmp_path / "out.jpg", *words)
    assert code == 2
    assert said in warned
    assert len(warned.splitlines()) == 1


def test_a_quality_for_a_format_without_one_is_refused(run, photo, mask, tmp_path) -> None:
    code, _, warned = run(photo, "--mask", mask, "--out", tmp_path / "out.png", "--jpeg-quality", 80)
    assert code == 2
    assert "--jpeg-quality: expected a result ending in .jpeg, .jpg, .webp, got 'out.png'" in warned


def test_sixteen_bits_become_eight_in_a_jpeg_with_a_note(run, photo, mask, tmp_path) -> None:
    with Image.open(photo) as image:
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257).save(tmp_path / "deep.png")
    code, _, warned = run(tmp_path / "deep.png", "--mask", mask, "--out", tmp_path / "out.jpg")
    assert code == 0
    assert "16 bits a channel became 8, as JPEG holds no more" in warned


def test_an_empty_mask_gives_the_input_and_says_so(run, photo, mask, tmp_path) -> None:
    out = tmp_path / "out.png"
    Image.new("L", pixels(photo).shape[1::-1]).save(mask)
    code, _, warned = run(photo, "--mask", mask, "--out", out)
    assert (code, warned) == (0, "note: nothing to fill: the mask is empty\n")
    assert (pixels(out) == pixels(photo)).all()


def test_invert_turns_the_mask_round(run, photo, mask, hole, tmp_path) -> None:
    inverse, out, again = tmp_path / "inverse.png", tmp_path / "out.png", tmp_path / "again.png"
    Image.fromarray((~hole).astype(np.uint8) * 255).save(inverse)
    assert run(photo, "--mask", mask, "--out", out)[0] == 0
    assert run(photo, "--mask", inverse, "--invert", "--out", again)[0] == 0
    assert (pixels(out) == pixels(again)).all()


def test_expanding_needs_no_mask_and_keeps_the_picture(run, photo, tmp_path) -> None:
    out = tmp_path / "out.png"
    assert run(photo, "--expand", "0,0,8,4", "--out", out)[0] == 0
    height, width, _ = pixels(photo).shape
    assert pixels(out).shape == (height + 4, width + 8, 3)
    assert (pixels(out)[:height, :width] == pixels(photo)).all()


def test_drawn_and_erased_edges_are_used(run, photo, mask, hole, tmp_path) -> None:
    drawn, edges = tmp_path / "drawn.png", tmp_path / "edges.png"
    line = np.zeros(hole.shape, dtype=np.uint8)
    line[20, 20:34] = 255
    Image.fromarray(line).save(drawn)
    words = (photo, "--mask", mask, "--out", tmp_path / "out.png", "--edges-out", edges)
    assert run(*words, "--edges", drawn, "--erase-edges", mask)[0] == 0
    assert (pixels(edges)[hole] == line[hole]).all()


def test_edge_sensitivity_weighs_guessed_edges(run, photo, mask, hole, tmp_path) -> None:
    found = {}
    for value in ("0", "0.5", "0.9"):
        edges = tmp_path / f"edges-{value}.png"
        words = ("--mask", mask, "--out", tmp_path / "out.png", "--edges-out", edges)
        assert run(photo, *words, "--edge-sensitivity", value)[0] == 0
        found[value] = float(pixels(edges)[hole].mean())
    assert found["0"] == 0
    assert 0 < found["0.5"] < found["0.9"]


def test_another_seed_writes_another_picture_and_says_which(run, photo, mask, hole, tmp_path) -> None:
    pictures = []
    for name, seed in (("first", 0), ("second", 3), ("third", 3)):
        out = tmp_path / f"{name}.png"
        code, said, _ = run(photo, "--mask", mask, "--out", out, "--seed", seed, "--json")
        assert (code, json.loads(said)["seed"]) == (0, seed)
        pictures.append(pixels(out))
    assert (pictures[0] != pictures[1])[hole].any()
    assert (pictures[1] == pictures[2]).all()
    assert (pictures[0] == pictures[1])[~hole].all()


def test_the_official_match_takes_a_mask_of_another_size(run, photo, mask, tmp_path) -> None:
    with Image.open(mask) as image:
        image.resize((28, 22)).save(mask)
    code, said, _ = run(photo, "--mask", mask, "--out", tmp_path / "out.png", "--match-official", "--json")
    assert code == 0
    assert json.loads(said)["quality"] == "exact"


# Bad input ---------------------------------------------------------------------------------------


@pytest.fixture
def refuse(run, tmp_path):
    """Run, and check what every refusal has in common: exit 2, one line, nothing written."""

    def call(*words: object, out: Path | None = None, **kwargs: object) -> str:
        before = set(tmp_path.rglob("*"))
        target = tmp_path / "out.png" if out is None else out
        code, said, warned = run(*words, "--out", target, **kwargs)
        assert (code, said) == (2, ""), warned
        assert warned.startswith("error: ")
        assert warned.count("\n") == 1
        assert ": expected " in warned
        assert "; " in warned
        assert set(tmp_path.rglob("*")) == before
        return warned.removeprefix("error: ").rstrip("\n")

    return call


def test_a_missing_picture_is_refused(refuse, mask, tmp_path) -> None:
    line = refuse(tmp_path / "none.png", "--mask", mask)
    assert line.startswith(f"{tmp_path}/none.png: expected")


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "empty"), (b"not a picture at all", "picture")],
)
def test_a_file_that_is_no_picture_is_refused(refuse, mask, tmp_path, content: bytes, word: str) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(content)
    line = refuse(source, "--mask", mask)
    assert line.startswith(f"{source}: expected")
    assert word in line


def test_a_truncated_picture_is_refused(refuse, photo, mask) -> None:
    photo.write_bytes(photo.read_bytes()[:1500])
    assert refuse(photo, "--mask", mask).startswith(f"{photo}: expected")


def test_a_decompression_bomb_is_refused_before_it_is_decoded(refuse, mask, tmp_path) -> None:
    bomb = tmp_path / "bomb.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    bomb.write_bytes(start + struct.pack(">I", 4) + b"IDAT1234")
    line = refuse(bomb, "--mask", mask)
    assert "megapixels" in line


def test_a_mask_of_another_size_is_refused_and_fit_mask_resizes_it(
    refuse, run, photo, mask, tmp_path
) -> None:
    with Image.open(mask) as image:
        image.resize((28, 22)).save(mask)
    line = refuse(photo, "--mask", mask)
    assert line == (
        f"{mask}: expected 56x44 px as the picture, got 28x22 px; "
        "give a mask of the picture's size, or --fit-mask to resize it"
    )
    assert run(photo, "--mask", mask, "--fit-mask", "--out", tmp_path / "out.png")[0] == 0


def test_a_mask_that_covers_everything_is_refused(refuse, photo, mask, hole) -> None:
    Image.fromarray(np.full(hole.shape, 255, dtype=np.uint8)).save(mask)
    line = refuse(photo, "--mask", mask)
    assert line == (
        "--mask: expected a part of the picture left unselected, got everything selected; "
        "nothing is left to fill from, unselect what should stay"
    )


def test_no_mask_and_no_expansion_is_refused(refuse, photo) -> None:
    line = refuse(photo)
    assert line == "--mask: expected a picture, got none; white marks what goes; only --expand needs no mask"


def test_a_missing_mask_is_refused(refuse, photo, tmp_path) -> None:
    assert refuse(photo, "--mask", tmp_path / "none.png").startswith(f"{tmp_path}/none.png: expected")


def test_weights_of_another_family_are_refused(refuse, photo, mask, weights_file, tmp_path) -> None:
    other = tmp_path / "other.safetensors"
    write_weights(other, WeightFile("exemplar", {}, {"x": torch.zeros(2)}, {}))
    line = refuse(photo, "--mask", mask, weights=other)
    assert "inpaint" in line
    assert "exemplar" in line


def change(weights_file: Path, path: Path, edit) -> Path:
    """The tiny weights with another state, header kept."""
    from safetensors import safe_open

    state = load_file(weights_file)
    edit(state)
    with safe_open(weights_file, "pt") as opened:
        save_file(state, path, metadata=opened.metadata())
    return path


def test_missing_and_unexpected_keys_are_listed(refuse, photo, mask, weights_file, tmp_path) -> None:
    def edit(state: dict) -> None:
        gone = next(key for key in state if key.startswith("edges.") and key.endswith("bias"))
        del state[gone]
        state["edges.surprise"] = torch.zeros(1)

    line = refuse(photo, "--mask", mask, weights=change(weights_file, tmp_path / "w.safetensors", edit))
    assert "missing" in line
    assert "surprise" in line


def test_weights_with_nan_are_refused(refuse, photo, mask, weights_file, tmp_path) -> None:
    def edit(state: dict) -> None:
        next(iter(state.values())).view(-1)[0] = float("nan")

    line = refuse(photo, "--mask", mask, weights=change(weights_file, tmp_path / "w.safetensors", edit))
    assert "NaN" in line or "finite" in line


def test_a_pickle_is_refused_and_its_code_never_runs(refuse, photo, mask, tmp_path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.write_text, (tmp_path / "owned", "x"))

    evil = tmp_path / "evil.pth"
    evil.write_bytes(pickle.dumps(Trap()))
    line = refuse(photo, "--mask", mask, weights=evil)
    assert line.startswith(f"{evil}: expected a .safetensors file, got a .pth file; import it first")
    assert not (tmp_path / "owned").exists()


def test_importing_a_pickle_with_code_is_refused_too(tmp_path, capsys) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.write_text, (tmp_path / "owned", "x"))

    evil = tmp_path / "EdgeModel_gen.pth"
    torch.save({"generator": Trap()}, evil)
    assert main(["weights", "import", str(tmp_path), "--family", "inpaint", "--name", "evil"]) == 2
    warned = capsys.readouterr().err
    assert warned.startswith("error: ")
    assert warned.count("\n") == 1
    assert not (tmp_path / "owned").exists()


def test_unknown_weights_are_refused(refuse, photo, mask) -> None:
    line = refuse(photo, "--mask", mask, weights="no-such-name")
    assert "got 'no-such-name'; 'pentimento weights list' shows what is there" in line


def test_an_output_of_unknown_format_is_refused_before_the_work(refuse, photo, mask, tmp_path) -> None:
    line = refuse(photo, "--mask", mask, out=tmp_path / "out.xyz")
    assert line.startswith(
        "--out: expected a file ending in one of .bmp, .jpeg, .jpg, .png, .tif, .tiff, .webp"
    )


def test_an_output_in_a_missing_folder_is_refused(refuse, photo, mask, tmp_path) -> None:
    line = refuse(photo, "--mask", mask, out=tmp_path / "none" / "out.png")
    assert line == f"--out: expected a folder that exists, got '{tmp_path}/none'; make the folder first"


def test_a_full_disk_leaves_nothing_behind(refuse, photo, mask, monkeypatch) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.atomic.os.fsync", full)
    line = refuse(photo, "--mask", mask)
    assert line.endswith(
        "expected free space on the disk, got no space left; free some space or write to another disk"
    )


@pytest.mark.parametrize("option", ["--edges-out"])
def test_edges_may_not_replace_the_result_or_an_input(refuse, photo, mask, tmp_path, option: str) -> None:
    for taken, name in ((tmp_path / "out.png", "--out"), (photo, "IMAGE"), (mask, "--mask")):
        line = refuse(photo, "--mask", mask, option, taken)
        assert (
            line
            == f"{option}: expected another file than {name}, got '{taken}'; one would overwrite the other"
        )


def test_the_result_may_not_replace_the_mask(refuse, photo, mask) -> None:
    line = refuse(photo, "--mask", mask, out=mask)
    assert line == f"--out: expected another file than --mask, got '{mask}'; one would overwrite the other"


@pytest.mark.parametrize("words", ["1,2,3", "a,b,c,d", "1,2,3,-4", "1.5,0,0,0"])
def test_an_expansion_that_cannot_be_read_is_refused(words: str) -> None:
    expected = f"--expand: expected four whole numbers l,t,r,b from 0, in pixels, got '{words}'; for example"
    with pytest.raises(UsageError) as caught:
        parse_expand(words)
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize("words", ["whole", "1,2,3", "9,2,9,8", "1,2,-3,4", ""])
def test_a_context_that_cannot_be_read_is_refused(words: str) -> None:
    expected = f"--context: expected hole, full, or a box x0,y0,x1,y1 in pixels, got '{words}'; for example"
    with pytest.raises(UsageError) as caught:
        parse_context(words)
    assert str(caught.value).startswith(expected)


def test_the_network_sees_the_box_it_is_told_to(run, photo, mask, tmp_path) -> None:
    out = tmp_path / "out.png"
    assert run(photo, "--mask", mask, "--out", out, "--context", "8,4,48,36")[0] == 0
    with Image.open(out) as image:
        edit = json.loads(image.text["pentimento.recipe"])["edit"]
    assert (edit["context"], edit["context_box"]) == ("box", [8, 4, 48, 36])


def test_an_edge_sensitivity_beyond_its_range_is_refused(refuse, photo, mask) -> None:
    line = refuse(photo, "--mask", mask, "--edge-sensitivity", "1.5")
    assert line.startswith("--edge-sensitivity: expected 1 or less, got 1.5")


def test_an_official_match_does_not_expand(refuse, photo, mask) -> None:
    line = refuse(photo, "--mask", mask, "--match-official", "--expand", "0,0,8,0")
    assert line == "--expand: expected nothing beside --match-official, got '0,0,8,0'; leave one of them out"


def test_a_device_that_is_not_there_is_refused(photo, mask, weights_file, tmp_path, capsys) -> None:
    words = ["run", "inpaint", str(photo), "--mask", str(mask), "--out", str(tmp_path / "out.png")]
    assert main([*words, "--weights", str(weights_file), "--device", "abacus"]) == 2
    assert capsys.readouterr().err == (
        "error: --device: expected auto, cpu, cuda or cuda:N, got 'abacus'; leave it out to have it chosen\n"
    )


def test_a_fresh_process_does_the_job(photo, mask, weights_file, tmp_path) -> None:
    out = tmp_path / "out.png"
    words = [sys.executable, "-m", "app", "run", "inpaint", photo, "--mask", mask, "--out", out, "--json"]
    done = subprocess.run(
        [*map(str, words), "--weights", str(weights_file), "--device", "cpu"],
        cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["output"] == str(out)
    assert out.is_file()
