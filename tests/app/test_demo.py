import json
import shutil

import numpy as np
import pytest
from PIL import Image

from app import demo
from app.__main__ import main
from app.errors import ResourceError
from app.resources import resources_dir

BUNDLED = resources_dir() / "samples"
SAMPLES_LIMIT_BYTES = 2_500_000


@pytest.fixture
def tiny_samples(tmp_path, photo, mask, monkeypatch):
    """Resources with one tiny sample; the bundled photos take a while."""
    folder = tmp_path / "resources" / "samples"
    folder.mkdir(parents=True)
    shutil.copy(photo, folder / "photo.png")
    shutil.copy(mask, folder / "mask.png")
    (folder / "samples.toml").write_text(
        '[[sample]]\nname = "tiny"\npicture = "photo.png"\nmask = "mask.png"\ntitle = "A title"\nremoved = "a thing"\n'
    )
    monkeypatch.setattr(demo, "resources_dir", lambda: tmp_path / "resources")
    return folder


def test_the_demo_writes_each_result_and_a_sheet_twice_the_same(
    tiny_samples, tmp_path, weights_file, hole, capsys
) -> None:
    out = tmp_path / "new" / "folder"
    words = ["demo", "--out", str(out), "--weights", str(weights_file), "--device", "cpu"]
    assert main(words) == 0
    said = capsys.readouterr().out
    names = {"tiny-before.png", "tiny-edges.png", "tiny-after.png", "sheet.png"}
    assert {path.name for path in out.iterdir()} == names
    assert "removed: a thing" in said
    assert str(out / "sheet.png") in said
    before, after = (np.asarray(Image.open(out / f"tiny-{kind}.png")) for kind in ("before", "after"))
    assert (before[~hole] == after[~hole]).all()
    first = (out / "tiny-after.png").read_bytes()

    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["output"] == str(out / "sheet.png")
    assert answer["samples"][0]["sample"] == "tiny"
    assert answer["samples"][0]["after"] == str(out / "tiny-after.png")
    assert (out / "tiny-after.png").read_bytes() == first


def test_the_demo_without_weights_says_how_to_get_some(tiny_samples, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    assert main(["demo", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith(
        "error: weights: expected some for the family 'inpaint', got none; "
    )


def test_a_file_in_place_of_the_folder_is_refused(tiny_samples, photo, capsys) -> None:
    assert main(["demo", "--out", str(photo)]) == 2
    line = f"error: {photo}: expected a file that can be used, got 'File exists'; choose another name\n"
    assert capsys.readouterr().err == line


def test_a_table_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(
        ResourceError, match=r"samples\.toml: expected the table of samples, got no file; install"
    ):
        demo.read_samples(tmp_path)


def test_a_picture_that_is_not_there_is_named(tiny_samples) -> None:
    (tiny_samples / "mask.png").unlink()
    with pytest.raises(ResourceError, match=r"mask\.png: expected a bundled picture, got no file; install"):
        demo.read_samples(tiny_samples)


# The bundled samples -----------------------------------------------------------------------------


@pytest.mark.parametrize("sample", demo.read_samples(BUNDLED), ids=lambda sample: sample.name)
def test_a_bundled_mask_fits_its_photo_and_marks_an_object(sample) -> None:
    with Image.open(sample.picture) as picture, Image.open(sample.mask) as mask:
        assert picture.size == mask.size
        share = np.asarray(mask.convert("L")).astype(bool).mean()
    assert 0.005 < share < 0.2
    assert sample.picture.name in (BUNDLED / "SOURCES.md").read_text(encoding="utf-8")


def test_the_samples_stay_small_and_cover_what_matters() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < SAMPLES_LIMIT_BYTES
    sizes, modes = set(), set()
    for sample in demo.read_samples(BUNDLED):
        with Image.open(sample.picture) as picture:
            sizes.add(picture.size)
            modes.add(picture.mode)
    assert any(max(size) > 512 for size in sizes)
    assert any(width != height for width, height in sizes)
    assert modes == {"L", "RGB"}
