from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from engine.errors import EvaluationError
from engine.evaluation import EvaluateOptions, evaluate, markdown_table
from engine.evaluation.report import html_report
from engine.evaluation.retarget import SHAPES, cropped, resized
from engine.pipelines import retarget
from engine.progress import Cancelled
from tests.engine.evaluation.conftest import scene
from tests.engine.pipelines.test_retarget import write_learned


@pytest.fixture
def quick(monkeypatch):
    """A stand-in for the search that tiles the picture."""

    def remake(image, target_size_hw, **_):
        h, w = target_size_hw
        y, x = np.mgrid[:h, :w]
        field = np.stack([x % image.shape[1], y % image.shape[0]], axis=-1).astype(np.int32)
        return SimpleNamespace(
            image=image[field[..., 1], field[..., 0]],
            field_xy=field,
            novelty=np.zeros((h, w), np.float32),
        )

    monkeypatch.setattr(retarget, "remake", remake)


def test_instant_and_baselines_are_measured_at_every_shape(folder, quick):
    said = []
    options = EvaluateOptions(data=(folder,), size=48, device="cpu", limit=None, figures=1)
    found = evaluate("retarget", options, report=lambda step: said.append(step.share))
    assert (found.pictures, len(found.skipped)) == (3, 1)
    assert found.bins() == (*SHAPES, "all")
    assert [method.key for method in found.methods] == ["instant", "resize", "crop"]
    row = found.row("instant", "all")
    assert row.count == 9
    assert row.values["coherence"] < found.row("resize", "all").values["coherence"]
    assert found.row("crop", "narrower").values["coherence"] == pytest.approx(0, abs=1e-3)
    lost, kept = (found.row("crop", shape).values["completeness"] for shape in ("narrower", "wider"))
    assert kept < 1e-3 < lost
    assert row.values["seconds"] > 0
    assert found.settings["weights"] is None
    assert said == sorted(said)
    assert said[-1] == 1
    (figure,) = found.figures
    assert {panel.shape for panel in figure.panels.values()} == {(48, 72, 3)}


def test_the_report_names_shapes_and_not_masks(folder, quick):
    found = evaluate("retarget", EvaluateOptions(data=(folder,), size=48, device="cpu", limit=1))
    words = markdown_table(found)
    assert "Half as wide again" in words
    assert "Mask" not in words + html_report(found)


def test_what_does_not_go_with_it_is_refused(folder, tmp_path):
    with pytest.raises(
        EvaluationError, match="protocol: expected house for retarget, got 'official'; its authors"
    ):
        evaluate("retarget", EvaluateOptions(data=(folder,), protocol="official"))
    with pytest.raises(EvaluationError, match="features: expected none for retarget, got"):
        evaluate("retarget", EvaluateOptions(data=(folder,), features=tmp_path / "f.safetensors"))
    with pytest.raises(EvaluationError, match="data: expected at least one whole picture, got none"):
        evaluate("retarget", EvaluateOptions(data=(folder / "scenes" / "broken.png",), device="cpu"))


def test_it_stops_between_results(folder, quick):
    with pytest.raises(Cancelled):
        evaluate("retarget", EvaluateOptions(data=(folder,), size=48, device="cpu"), should_stop=lambda: True)


@pytest.mark.parametrize("size_hw", [(72, 120), (40, 80), (108, 48), (200, 300)])
def test_baselines_have_the_size_that_is_asked(size_hw):
    image = scene(1)
    assert resized(image, size_hw).shape == cropped(image, size_hw).shape == (*size_hw, 3)


def test_a_crop_copies_and_a_larger_one_mirrors():
    image = scene(1)
    assert np.array_equal(cropped(image, (72, 40)), image[:, 20:60])
    wide = cropped(image, (72, 100))
    assert np.array_equal(wide[:, 10:90], image)
    assert np.array_equal(wide[:, :10], image[:, 9::-1])


def test_pictures_that_are_too_large_are_left_out(tmp_path, quick):
    Image.fromarray(np.zeros((40, 4100), np.uint8)).save(tmp_path / "long.png")
    Image.fromarray(scene(1)).save(tmp_path / "one.png")
    found = evaluate("retarget", EvaluateOptions(data=(tmp_path,), size=0, device="cpu"))
    assert found.pictures == 1
    assert "picture: expected sides of at most 4096 px, got 4100x40" in found.skipped[0].reason


def test_learned_weights_are_measured_beside_and_what_they_say_is_noted(tmp_path, quick):
    Image.fromarray(scene(1)).save(tmp_path / "one.png")
    weights = write_learned(tmp_path / "mine.safetensors", learned_from=scene(2))
    options = EvaluateOptions(data=(tmp_path / "one.png",), size=48, device="cpu", weights=str(weights))
    found = evaluate("retarget", options)
    assert [method.key for method in found.methods] == ["instant", "learned", "resize", "crop"]
    assert found.settings["weights"]["name"] == "mine.safetensors"
    assert found.notes[-1] == "these weights were learned on another picture: they will paint that one"
