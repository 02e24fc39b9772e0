import json
import shutil

import numpy as np
import pytest
from PIL import Image

from app import demo
from app.__main__ import main
from app.demo_remakes import read_remakes
from app.errors import ResourceError
from app.resources import resources_dir
from engine.edits import RetargetEdit
from engine.pictures import PICTURE_KEY, picture_sha256, read_rgb
from engine.weightfile import read_metadata
from engine.weights import WeightsStore
from tests.engine.pipelines.test_retarget import write_learned

BUNDLED = resources_dir() / "samples"


@pytest.fixture
def tiny_samples(tmp_path, photo, mask, monkeypatch):
    """Resources with one tiny photo: something is removed from it, and it is remade twice."""
    folder = tmp_path / "resources" / "samples"
    folder.mkdir(parents=True)
    shutil.copy(photo, folder / "photo.png")
    shutil.copy(mask, folder / "mask.png")
    (folder / "samples.toml").write_text(
        '[[sample]]\nname = "tiny"\npicture = "photo.png"\nmask = "mask.png"\ntitle = "A title"\nremoved = "a thing"\n'
        '[[remake]]\nname = "wide"\npicture = "photo.png"\nlock = "mask.png"\ntitle = "Wider"\nsize_wh = [80, 44]\n'
        '[[remake]]\nname = "bent"\npicture = "photo.png"\ntitle = "Bent"\n'
        "corners_xy = [[0, 0], [60, 6], [56, 44], [0, 50]]\n"
    )
    monkeypatch.setattr(demo, "resources_dir", lambda: tmp_path / "resources")
    return folder


def test_a_learned_picture_is_remade_by_its_network(tiny_samples, tmp_path, weights_file, capsys) -> None:
    learned = write_learned(
        tmp_path / "learned.safetensors", learned_from=read_rgb(tiny_samples / "photo.png")
    )
    with open(tiny_samples / "samples.toml", "a") as table:
        table.write(f'[[remake]]\nname = "more"\npicture = "photo.png"\nweights = "{learned}"\n')
        table.write('title = "More"\nsize_wh = [96, 44]\n')
    assert main(["demo", "--out", str(tmp_path), "--weights", str(weights_file), "--device", "cpu"]) == 0
    assert "(56 x 44 px to 96 x 44 px)" in capsys.readouterr().out
    with Image.open(tmp_path / "more-new-shape.png") as more:
        assert more.size == (96, 44)
        edit = json.loads(more.text["pentimento.recipe"])["edit"]
    assert (edit["method"], edit["weights"]) == ("learned", str(learned))


def test_pictures_are_remade_and_shown_below_the_others(tiny_samples, tmp_path, weights_file, capsys) -> None:
    out = tmp_path / "out"
    words = ["demo", "--out", str(out), "--weights", str(weights_file), "--device", "cpu"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "(56 x 44 px to 80 x 44 px, what is tinted is locked)" in said
    assert "(56 x 44 px to 60 x 50 px)" in said
    with Image.open(out / "wide-new-shape.png") as wide, Image.open(out / "bent-new-shape.png") as bent:
        assert (wide.size, wide.mode) == ((80, 44), "RGB")
        assert (bent.size, bent.mode) == ((60, 50), "RGBA")
        assert json.loads(wide.text["pentimento.recipe"])["edit"]["family"] == "retarget"
    assert (
        np.asarray(Image.open(out / "wide-own-shape.png")) == Image.open(tiny_samples / "photo.png")
    ).all()
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [sample["sample"] for sample in answer["samples"]] == ["tiny", "wide", "bent"]
    with Image.open(out / "sheet.png") as sheet:
        alone = sheet.height
    (tiny_samples / "samples.toml").write_text(
        (tiny_samples / "samples.toml").read_text().partition("[[remake]]")[0]
    )
    assert main(words) == 0
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.height < alone - 2 * 44


@pytest.mark.parametrize("name", ["photo.png", "mask.png"])
def test_a_picture_that_is_not_there_is_named(tiny_samples, name) -> None:
    (tiny_samples / name).unlink()
    with pytest.raises(ResourceError, match=rf"{name}: expected a bundled picture, got no file; install"):
        read_remakes(tiny_samples)


@pytest.mark.parametrize("remake", read_remakes(BUNDLED), ids=lambda remake: remake.name)
def test_a_bundled_shape_can_be_made_and_its_source_is_told(remake) -> None:
    edit = RetargetEdit(**remake.shape)
    with Image.open(remake.picture) as picture:
        assert max(edit.result_hw) > max(picture.size)
        assert max(*picture.size, *edit.result_hw) <= 512
        size = picture.size
    if remake.lock is not None:
        with Image.open(remake.lock) as lock:
            assert lock.size == size
    if remake.weights:
        weights = WeightsStore().resolve(remake.weights, "retarget")
        assert read_metadata(weights.path)[PICTURE_KEY] == picture_sha256(read_rgb(remake.picture))
    assert remake.picture.name in (BUNDLED / "SOURCES.md").read_text(encoding="utf-8")
