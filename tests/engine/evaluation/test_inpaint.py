import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import EvaluationError
from engine.evaluation import EvaluateOptions, evaluate, inpaint, write_report
from engine.evaluation.pictures import MASK_BINS
from engine.progress import Cancelled

SIDE = 64


def options(folder, small_weights, **values):
    given = {"data": (folder,), "weights": str(small_weights), "size": SIDE, "device": "cpu", "figures": 2}
    return EvaluateOptions(**{**given, **values})


@pytest.fixture(scope="module")
def product(folder, small_weights):
    told = []
    evaluation = evaluate("inpaint", options(folder, small_weights), told.append)
    return evaluation, told


def test_table_has_every_method_in_every_bin(product):
    evaluation, _ = product
    assert [m.key for m in evaluation.methods] == [
        "ours",
        "predicted-edges",
        "no-edges",
        "true-edges-sigma-1",
        "true-edges-sigma-2",
        "true-edges-sigma-3",
        "true-edges-sigma-4",
        "telea",
        "navier-stokes",
    ]
    assert evaluation.bins() == ("10-20", "20-30", "30-40", "40-50", "10-40", "all")
    assert len(evaluation.rows) == 9 * 6
    assert {row.count for row in evaluation.rows if row.bin in MASK_BINS} == {3}
    assert evaluation.row("ours", "10-40").count == 9
    assert evaluation.row("ours", "all").count == 12


def test_broken_picture_is_counted_and_left_out(product):
    evaluation, _ = product
    assert evaluation.pictures == 3
    assert [item.name.rsplit("/", 1)[-1] for item in evaluation.skipped] == ["broken.png"]
    assert evaluation.skipped[0].reason


def test_all_is_the_mean_of_the_bins(product):
    evaluation, _ = product
    for key in ("l1_hole", "psnr", "ssim", "ssim_hole"):
        parts = [evaluation.row("ours", name).values[key] for name in MASK_BINS]
        assert evaluation.row("ours", "all").values[key] == pytest.approx(np.mean(parts))


def test_edge_measures_stand_where_edges_are_predicted(product):
    evaluation, _ = product
    for method in evaluation.methods:
        values = evaluation.row(method.key, "all").values
        predicts = method.key in ("ours", "predicted-edges")
        assert (values["edge_recall"] is not None) == predicts


def test_baselines_beat_an_untrained_network(product):
    evaluation, _ = product
    errors = {m.key: evaluation.row(m.key, "all").values["l1_hole"] for m in evaluation.methods}
    assert max(errors["telea"], errors["navier-stokes"]) < errors["ours"]


def test_larger_holes_are_harder_over_the_frame(product):
    evaluation, _ = product
    psnr = [evaluation.row("telea", name).values["psnr"] for name in MASK_BINS]
    assert psnr[0] > psnr[-1]


def test_progress_grows_to_one(product):
    _, told = product
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert told[0].word == "picture 1 of 4"


def test_report_says_which_path_was_measured(product):
    evaluation, _ = product
    assert evaluation.methods[0].path == "product"
    assert any("through the engine" in note for note in evaluation.notes)
    assert evaluation.settings["weights"]["name"]
    assert len(evaluation.settings["weights"]["sha256"]) == 64


@pytest.mark.parametrize("suffix", [".json", ".html", ".md"])
def test_report_of_a_real_run_is_written(product, tmp_path, suffix):
    evaluation, _ = product
    write_report(evaluation, tmp_path / f"report{suffix}")
    text = (tmp_path / f"report{suffix}").read_text()
    shown = f"{evaluation.row('ours', '10-40').values['l1_hole']:.4f}"
    assert shown in text or suffix == ".json"
    if suffix == ".json":
        assert json.loads(text)["pictures"] == 3
    if suffix == ".html":
        assert text.count("data:image/jpeg") == 2 * 5


def test_bare_networks_predict_the_edges_of_the_product(product):
    """Same networks, same pictures; only what comes after the fill differs."""
    evaluation, _ = product
    ours, base = (evaluation.row(key, "all").values for key in ("ours", "predicted-edges"))
    assert base["edge_recall"] == pytest.approx(ours["edge_recall"], abs=0.02)
    assert base["edge_precision"] == pytest.approx(ours["edge_precision"], abs=0.02)


def test_networks_path_without_ablation_is_three_methods(folder, small_weights):
    evaluation = evaluate(
        "inpaint",
        options(folder, small_weights, path="networks", has_ablation=False, subset="faces", figures=0),
    )
    assert [m.key for m in evaluation.methods] == ["ours", "telea", "navier-stokes"]
    assert evaluation.figures == ()
    assert any("bare networks" in note for note in evaluation.notes)


def test_same_options_give_the_same_numbers(folder, small_weights):
    asked = options(folder, small_weights, path="networks", has_ablation=False, subset="faces")
    first, again = (evaluate("inpaint", asked).as_json()["rows"] for _ in range(2))
    assert first == again


class Perfect(nn.Module):
    """Knows the truth: it is given whole pictures and blanks nothing."""

    def __init__(self):
        super().__init__()
        self.hole_px = []

    def predict(self, gray, edges, hole):
        return torch.ones_like(gray)

    def paint(self, image, edges, hole):
        self.hole_px.append(hole.sum(dim=(1, 2, 3)).tolist())
        return image


@pytest.fixture
def perfect(monkeypatch):
    class Spec:
        @staticmethod
        def load(state):
            return nn.ModuleDict({"edges": Perfect(), "fill": Perfect()})

    monkeypatch.setattr(inpaint, "family_spec", lambda family: Spec)


@pytest.mark.usefixtures("perfect")
def test_perfect_network_is_perfect_in_every_measure(folder, small_weights):
    asked = options(folder, small_weights, path="networks", has_ablation=False)
    evaluation = evaluate("inpaint", asked)
    for name in evaluation.bins():
        values = evaluation.row("ours", name).values
        assert values["l1_hole"] == 0
        assert math.isinf(values["psnr"])
        assert values["ssim"] == pytest.approx(1, abs=1e-5)  # float32 inside torchmetrics
        assert values["ssim_hole"] == pytest.approx(1, abs=1e-5)
        assert values["edge_recall"] in (1.0, None)
        assert values["edge_precision"] < 0.5


@pytest.mark.usefixtures("perfect")
def test_perfect_network_is_perfect_under_the_official_protocol(folder, small_weights):
    asked = options(folder, small_weights, path="networks", has_ablation=False, protocol="official")
    evaluation = evaluate("inpaint", asked)
    assert [m.key for m in evaluation.measures] == [
        "psnr_gray",
        "ssim_gray",
        "mae",
        "edge_precision",
        "edge_recall",
    ]
    values = evaluation.row("ours", "all").values
    assert values["mae"] == 0
    assert math.isinf(values["psnr_gray"])
    assert values["ssim_gray"] == pytest.approx(1, abs=1e-6)
    telea = evaluation.row("telea", "all").values
    assert 0 < telea["mae"] < 0.2
    assert 0 < telea["ssim_gray"] < 1


class Means:
    """A feature network of three numbers a picture."""

    def eval(self):
        return self

    def embed(self, image):
        return image.mean(dim=(2, 3))


@pytest.mark.usefixtures("perfect")
def test_fid_is_zero_for_truth_and_more_for_a_baseline(folder, small_weights, monkeypatch):
    monkeypatch.setattr(inpaint, "read_features", lambda path: {})
    monkeypatch.setattr(inpaint, "features_from_state", lambda state: Means())
    asked = options(
        folder, small_weights, path="networks", has_ablation=False, features="features.safetensors"
    )
    evaluation = evaluate("inpaint", asked)
    assert evaluation.row("ours", "all").values["fid"] == pytest.approx(0, abs=1e-6)
    assert evaluation.row("telea", "all").values["fid"] > 1e-5
    assert any("FID depends on the feature file" in note for note in evaluation.notes)


def test_nothing_readable_is_refused_in_words(tmp_path, small_weights):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(
        EvaluationError, match=r"data: expected at least one whole picture, got none \(a\.png: "
    ):
        evaluate("inpaint", options(tmp_path, small_weights))


def test_stop_is_looked_at_before_each_picture(folder, small_weights):
    told = []
    with pytest.raises(Cancelled):
        evaluate("inpaint", options(folder, small_weights), told.append, lambda: len(told) > 0)
    assert len(told) == 1
