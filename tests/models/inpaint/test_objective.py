"""The four stages: published terms and gradients, what moves and what rests, denominators, messages."""

import copy

import pytest
import torch
from torch import nn

from models.errors import OptionError, StateError, UnknownNameError
from models.features import features_from_state
from models.inpaint import InpaintObjective, InpaintOptions, LossWeights, load_generators
from models.inpaint.objective import luma
from models.inpaint.official import from_official_files, to_ours

STAGES = ["edges", "fill-true-edges", "fill-predicted-edges", "joint"]
SMALL = InpaintOptions(width=4, depth=1)


@pytest.fixture(scope="module")
def vgg(parity):
    return features_from_state(parity.official_state("edgeconnect", "vgg19.pth"))


@pytest.fixture(scope="module")
def published(parity, vgg):
    objective = InpaintObjective(options=InpaintOptions(width=64, depth=8), features=vgg)
    files = {
        f: parity.official_file("edgeconnect", f) for f in parity.keys("edgeconnect") if f != "vgg19.pth"
    }
    assert objective.load_house_state(from_official_files(files)) == ()
    return objective


def published_batch(parity) -> dict[str, torch.Tensor]:
    hole = torch.zeros(2, 1, 48, 40)
    hole[0, :, 8:30, 5:25] = 1
    hole[1, :, 20:40, 10:38] = 1
    return {
        "image": parity.array("edgeconnect/step/pictures", (2, 3, 48, 40), 0, 1),
        "gray": parity.array("edgeconnect/step/gray", (2, 1, 48, 40), 0, 1),
        "edges": parity.array("edgeconnect/step/edges", (2, 1, 48, 40), 0, 1) > 0.9,
        "hole": hole,
    }


PUBLISHED_NAMES = {
    "edge": {
        "discriminator": {"edges_adversarial": "l_d1"},
        "generator": {"edges_adversarial": "l_g1", "edges_matching": "l_fm"},
    },
    "inpaint": {
        "discriminator": {"fill_adversarial": "l_d2"},
        "generator": {
            "fill_adversarial": "l_g2",
            "fill_l1": "l_l1",
            "fill_perceptual": "l_per",
            "fill_style": "l_sty",
        },
    },
}


@pytest.mark.parametrize(("step", "stage"), [("edge", "edges"), ("inpaint", "fill-true-edges")])
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_a_step_has_the_published_terms_and_gradients(parity, published, step, stage, mode):
    objective = copy.deepcopy(published).train(mode == "train")
    batch = objective.prepare(published_batch(parity))
    losses = objective.losses(batch, stage, objective.denominators(batch))

    start = f"step/{step}/{mode}"
    for side, names in PUBLISHED_NAMES[step].items():
        assert set(losses[side]) == set(names)
        for ours, theirs in names.items():
            expected = parity.case("edgeconnect", f"{start}/{theirs}")
            torch.testing.assert_close(losses[side][ours].detach(), expected, rtol=1e-4, atol=0)
    total = sum(losses["generator"].values())
    expected = parity.case("edgeconnect", f"{start}/generator_total")
    torch.testing.assert_close(total.detach(), expected, rtol=1e-4, atol=0)
    if mode == "train":
        return

    total.backward()
    sum(losses["discriminator"].values()).backward()
    generator = objective.edges if step == "edge" else objective.fill
    judge = objective.edges_discriminator if step == "edge" else objective.fill_discriminator
    for gradient, key in (
        (generator.decoder.head.weight.grad[:1, :8], "grad_decoder.7"),
        (judge.layers.conv5.parametrizations.weight.original.grad[:1, :32], "grad_conv5"),
    ):
        expected = parity.case("edgeconnect", f"{start}/{key}")
        scale = float(expected.abs().max())
        torch.testing.assert_close(gradient, expected, rtol=1e-3, atol=1e-3 * scale)


def small_objective(**options) -> InpaintObjective:
    torch.manual_seed(0)
    return InpaintObjective(options=SMALL, **options).train()


def raw_batch(b: int = 2, h: int = 28, w: int = 36, seed: int = 0) -> dict[str, torch.Tensor]:
    """As the loader makes it."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "image": torch.randint(0, 256, (b, 3, h, w), generator=generator, dtype=torch.uint8),
        "edges": (torch.rand((b, 1, h, w), generator=generator) > 0.85).to(torch.uint8),
        "hole": torch.rand((b, 1, h, w), generator=generator) > 0.6,
    }


class TinyFeatures(nn.Module):
    """Two taps of one fixed convolution."""

    perceptual_taps = ("near",)
    style_taps = ("far",)

    def __init__(self) -> None:
        super().__init__()
        weight = torch.randn((5, 3, 3, 3), generator=torch.Generator().manual_seed(9))
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        x = nn.functional.conv2d(image, self.weight).relu()
        return {"near": x, "far": nn.functional.avg_pool2d(x, 2)}


def step_losses(objective, batch, stage):
    return objective.losses(batch, stage, objective.denominators(batch))


def test_prepare_makes_floats_and_leaves_the_bytes():
    raw = raw_batch()
    before = {key: value.clone() for key, value in raw.items()}
    batch = small_objective().prepare(raw)
    assert {value.dtype for value in batch.values()} == {torch.float32}
    assert torch.equal(batch["image"] * 255, raw["image"].float())
    assert torch.equal(batch["gray"], luma(batch["image"]))
    assert set(batch["edges"].unique().tolist()) == {0, 1}
    assert all(torch.equal(raw[key], before[key]) for key in raw)
    again = small_objective().prepare(raw | {"edges": raw["edges"] * 255})
    assert torch.equal(again["edges"], batch["edges"])


def test_prepare_keeps_a_gray_that_is_there():
    gray = torch.rand(2, 1, 28, 36)
    assert torch.equal(small_objective().prepare(raw_batch() | {"gray": gray})["gray"], gray)


def test_luma_is_the_published_one():
    primaries = torch.eye(3).view(3, 3, 1, 1)
    torch.testing.assert_close(luma(primaries).flatten(), torch.tensor([0.2125, 0.7154, 0.0721]))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("gan", ["nsgan", "lsgan", "hinge"])
def test_each_side_of_a_stage_reaches_its_own_parameters_and_no_others(stage, keeps, gan):
    objective = small_objective(features=TinyFeatures(), gan=gan, keeps_edge_discriminator=keeps)
    batch = objective.prepare(raw_batch())
    losses = step_losses(objective, batch, stage)
    everything = dict(objective.named_parameters())
    for side in ("discriminator", "generator"):
        objective.zero_grad(set_to_none=True)
        sum(losses[side].values()).backward(retain_graph=True)
        own = {id(p) for p in objective.trained_parameters(side, stage)}
        reached = {id(p) for p in everything.values() if p.grad is not None}
        assert reached == own
        silent = [name for name, p in everything.items() if id(p) in own and not p.grad.any()]
        assert all(name.endswith("bias") and "head" not in name for name in silent), silent


@pytest.mark.parametrize("stage", STAGES)
def test_networks_that_rest_are_not_touched(stage):
    objective = small_objective()
    batch = objective.prepare(raw_batch())
    trained = {
        id(p) for side in ("generator", "discriminator") for p in objective.trained_parameters(side, stage)
    }
    before = copy.deepcopy(objective.state_dict())
    modes = {name: module.training for name, module in objective.named_modules()}
    step_losses(objective, batch, stage)
    objective.metrics(batch, stage)
    objective.preview(batch, stage)
    assert modes == {name: module.training for name, module in objective.named_modules()}
    for name, network in objective.named_children():
        moved = any(not torch.equal(v, before[f"{name}.{k}"]) for k, v in network.state_dict().items())
        is_trained = any(id(p) in trained for p in network.parameters())
        is_spectral = name != "fill"
        assert moved == (is_trained and is_spectral), name


def test_metrics_and_preview_move_nothing():
    objective = small_objective()
    batch = objective.prepare(raw_batch())
    before = copy.deepcopy(objective.state_dict())
    for stage in STAGES:
        objective.metrics(batch, stage)
        objective.preview(batch, stage)
    assert all(torch.equal(value, before[key]) for key, value in objective.state_dict().items())


def test_joint_training_drops_the_edge_judge_unless_told():
    for keeps in (False, True):
        objective = small_objective(keeps_edge_discriminator=keeps)
        batch = objective.prepare(raw_batch())
        losses = step_losses(objective, batch, "joint")
        assert ("edges_adversarial" in losses["discriminator"]) is keeps
        assert ("edges_matching" in losses["generator"]) is keeps


def test_frozen_edges_pass_no_gradient_but_joint_ones_do():
    objective = small_objective()
    batch = objective.prepare(raw_batch())
    sum(step_losses(objective, batch, "fill-predicted-edges")["generator"].values()).backward()
    assert all(p.grad is None for p in objective.edges.parameters())
    sum(step_losses(objective, batch, "joint")["generator"].values()).backward()
    assert objective.edges.decoder.head.weight.grad.any()


def test_stages_differ_in_the_edges_they_paint_along():
    objective = small_objective().eval()
    batch = objective.prepare(raw_batch())
    true, predicted, joint = (
        step_losses(objective, batch, stage)["generator"]["fill_l1"] for stage in STAGES[1:]
    )
    assert not torch.equal(true, predicted)
    torch.testing.assert_close(predicted, joint)


def test_terms_without_features_or_weight_are_absent():
    objective = small_objective()
    batch = objective.prepare(raw_batch())
    assert set(step_losses(objective, batch, "fill-true-edges")["generator"]) == {
        "fill_l1",
        "fill_adversarial",
    }
    objective = small_objective(features=TinyFeatures(), weights=LossWeights(style=0, feature_matching=0))
    terms = set(step_losses(objective, batch, "fill-true-edges")["generator"])
    assert terms == {"fill_l1", "fill_adversarial", "fill_perceptual"}
    assert set(step_losses(objective, batch, "edges")["generator"]) == {"edges_adversarial"}


def test_terms_are_weighted_as_published():
    assert LossWeights() == LossWeights(
        l1=1.0,
        adversarial=0.1,
        perceptual=0.1,
        style=250.0,
        edges_adversarial=1.0,
        feature_matching=10.0,
        edges_cross_entropy=0.0,
    )
    raw = raw_batch()
    one = small_objective(features=TinyFeatures()).eval()
    twice = LossWeights(
        l1=2, adversarial=0.2, perceptual=0.2, style=500, edges_adversarial=2, feature_matching=20
    )
    other = small_objective(features=TinyFeatures(), weights=twice).eval()
    for stage in STAGES[:2]:
        batch = one.prepare(raw)
        terms = step_losses(one, batch, stage)["generator"]
        doubled = step_losses(other, batch, stage)["generator"]
        for name, value in terms.items():
            torch.testing.assert_close(doubled[name], 2 * value)


def test_edges_can_be_learned_without_their_judge():
    weights = LossWeights(edges_adversarial=0, feature_matching=0, edges_cross_entropy=3)
    objective = small_objective(weights=weights)
    losses = step_losses(objective, objective.prepare(raw_batch()), "edges")
    assert losses["discriminator"] == {}
    assert set(losses["generator"]) == {"edges_cross_entropy"}


def test_a_fill_judge_that_counts_nothing_is_not_asked():
    objective = small_objective(weights=LossWeights(adversarial=0))
    losses = step_losses(objective, objective.prepare(raw_batch()), "fill-true-edges")
    assert losses["discriminator"] == {}
    assert set(losses["generator"]) == {"fill_l1"}


@pytest.mark.parametrize("stage", STAGES)
def test_two_half_batches_give_the_gradient_of_the_whole(stage):
    """With the denominators of the whole, each half weighs one half; eval mode, so that no vector moves."""
    objective = small_objective(features=TinyFeatures()).eval()
    batch = objective.prepare(raw_batch(b=2))
    halves = [{key: value[i : i + 1] for key, value in batch.items()} for i in range(2)]
    denominators = objective.denominators(batch)
    averaged = [objective.denominators(half)["hole_share"] for half in halves]
    torch.testing.assert_close(sum(averaged) / 2, denominators["hole_share"])
    for side in ("generator", "discriminator"):
        parameters = objective.trained_parameters(side, stage)
        whole = sum(objective.losses(batch, stage, denominators)[side].values())
        expected = torch.autograd.grad(whole, parameters)
        summed = sum(sum(objective.losses(half, stage, denominators)[side].values()) for half in halves) / 2
        for got, wanted in zip(torch.autograd.grad(summed, parameters), expected, strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-4)


def test_both_sides_step_on_modern_torch_and_learn():
    """The published order of steps fails here; after 30 steps each side's own loss is lower."""
    objective = small_objective(weights=LossWeights(adversarial=1e-3))
    batch = objective.prepare(raw_batch(b=2))
    optimisers = {
        side: torch.optim.Adam(objective.trained_parameters(side, "joint"), lr=rate, betas=(0.0, 0.9))
        for side, rate in (("generator", 2e-3), ("discriminator", 2e-4))
    }
    history = []
    for _ in range(30):
        losses = step_losses(objective, batch, "joint")
        totals = {side: sum(terms.values()) for side, terms in losses.items()}
        for optimiser in optimisers.values():
            optimiser.zero_grad()
        for total in totals.values():
            total.backward()
        for optimiser in optimisers.values():
            optimiser.step()
        history.append({side: float(total.detach()) for side, total in totals.items()})
    assert history[-1]["generator"] < 0.9 * history[0]["generator"]
    assert history[-1]["discriminator"] < history[0]["discriminator"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_step_under_autocast_stays_near_the_exact_one(stage):
    objective = small_objective(features=TinyFeatures()).eval()
    batch = objective.prepare(raw_batch())
    exact = step_losses(objective, batch, stage)
    with torch.autocast("cpu", torch.bfloat16):
        fast = step_losses(objective, batch, stage)
    for side, terms in exact.items():
        for name, value in terms.items():
            assert fast[side][name].dtype == torch.float32
            torch.testing.assert_close(fast[side][name], value, rtol=5e-2, atol=5e-3)
    sum(sum(terms.values()) for terms in fast.values()).backward()
    for side in ("generator", "discriminator"):
        assert all(p.grad.isfinite().all() for p in objective.trained_parameters(side, stage))


class KnownEdges(nn.Module):
    """Answers one map, whatever it sees."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def predict(self, gray: torch.Tensor, edges: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
        return self.answer


class KnownFill(nn.Module):
    """Answers one colour, whatever it sees."""

    def paint(self, image: torch.Tensor, edges: torch.Tensor, hole: torch.Tensor) -> torch.Tensor:
        return torch.full_like(image, 0.5)


def test_metrics_worked_out_by_hand():
    objective = small_objective()
    hole = torch.zeros(1, 1, 12, 12)
    hole[..., :4, :4] = 1
    true = torch.zeros(1, 1, 12, 12)
    true[..., 0, :4] = 1  # four true edges in the hole
    true[..., 8, :] = 1  # and some outside, that must not count
    predicted = torch.zeros(1, 1, 12, 12)
    predicted[..., :3, 1:4] = 0.9  # nine found, three of them true
    predicted[..., 10, :] = 0.9
    batch = {"image": torch.full((1, 3, 12, 12), 0.25), "gray": hole, "edges": true, "hole": hole}
    objective.edges, objective.fill = KnownEdges(predicted), KnownFill()
    numbers = objective.metrics(batch, "joint")
    assert numbers["edge_precision"] == pytest.approx(3 / 9)
    assert numbers["edge_recall"] == pytest.approx(3 / 4)
    assert numbers["hole_l1"] == pytest.approx(0.25)
    assert numbers["psnr"] == pytest.approx(-10 * torch.tensor(0.0625 / 9).log10().item(), abs=1e-3)
    assert set(objective.metrics(batch, "edges")) == {"edge_precision", "edge_recall"}
    assert set(objective.metrics(batch, "fill-true-edges")) == {"hole_l1", "psnr"}


@pytest.mark.parametrize("stage", STAGES)
def test_preview_is_a_row_of_four_with_known_pixels_kept(stage):
    objective = small_objective()
    batch = objective.prepare(raw_batch())
    row = objective.preview(batch, stage)
    assert row.shape == (2, 3, 28, 4 * 36)
    assert row.min() >= 0
    assert row.max() <= 1
    with_hole, edges, composite, truth = row.split(36, dim=3)
    known = (batch["hole"] == 0).expand(-1, 3, -1, -1)
    assert torch.equal(truth, batch["image"])
    assert torch.equal(with_hole[known], batch["image"][known])
    assert (with_hole[~known] == 1).all()
    assert torch.equal(edges[known], batch["edges"].expand(-1, 3, -1, -1)[known])
    if stage != "edges":
        assert torch.equal(composite[known], batch["image"][known])


def test_house_state_starts_another_objective():
    one, other = small_objective(), small_objective()
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(0.01)
    assert other.load_house_state(one.house_state()) == ()
    for key, value in other.house_state().items():
        assert torch.equal(value, one.house_state()[key]), key
    assert set(one.house_state()) == set(one.state_dict())


def test_folded_generators_alone_start_an_objective_with_the_same_answers():
    one = small_objective().eval()
    folded = load_generators(one.house_state()).state_dict()
    other = InpaintObjective(options=SMALL).eval()
    assert other.load_house_state(folded) == ("edges_discriminator", "fill_discriminator")
    batch = one.prepare(raw_batch())
    for stage in STAGES:
        torch.testing.assert_close(other.preview(batch, stage), one.preview(batch, stage), atol=1e-5, rtol=0)


def test_feature_numbers_are_not_part_of_the_state():
    assert not [key for key in small_objective(features=TinyFeatures()).state_dict() if "features" in key]


def test_an_empty_hole_divides_by_one_pixel():
    objective = small_objective()
    batch = objective.prepare(raw_batch(b=1) | {"hole": torch.zeros(1, 1, 28, 36)})
    assert objective.denominators(batch)["hole_share"] == pytest.approx(1 / (28 * 36))


def test_stages_share_all_steps():
    assert [stage.name for stage in InpaintObjective.stages] == STAGES
    assert sum(stage.share for stage in InpaintObjective.stages) == pytest.approx(1)


def test_an_unknown_stage_or_kind_is_refused_by_name():
    objective = small_objective()
    expected = (
        r"^unknown stage 'edge'; known: edges, fill-predicted-edges, fill-true-edges, joint \(did you mean"
    )
    with pytest.raises(UnknownNameError, match=expected):
        objective.trained_parameters("generator", "edge")
    with pytest.raises(
        UnknownNameError, match=r"^unknown adversarial loss 'wgan'; known: hinge, lsgan, nsgan"
    ):
        InpaintObjective(options=SMALL, gan="wgan")


def test_a_negative_weight_is_refused_by_name():
    expected = r"^weight style: expected 0 or more, got -1; 0 switches the term off$"
    with pytest.raises(OptionError, match=expected):
        LossWeights(style=-1)


def test_weights_of_another_size_are_refused_by_name(parity):
    state = to_ours(parity.official_state("edgeconnect", "InpaintingModel_gen.pth", "generator"))
    expected = (
        r"^weights of fill: expected every tensor .* 28 unexpected .* 15 misshapen \(encoder.stem.weight"
    )
    with pytest.raises(StateError, match=expected):
        small_objective().load_house_state(state)
