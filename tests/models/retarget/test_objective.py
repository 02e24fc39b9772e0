"""Training on one picture: published steps, what is drawn, what moves and what rests, messages."""

import copy

import pytest
import torch

from models.errors import OptionError, ShapeError, StateError, UnknownNameError
from models.retarget.network import RetargetGenerator
from models.retarget.objective import RetargetObjective
from models.retarget.options import RetargetOptions
from models.retarget.recipe import LARGEST_NOISE, RECIPES, LossWeights, Recipe
from models.retarget.spectral import fold_spectral_norm
from models.state import with_prefix

STAGE = "retarget"
SMALL = RetargetOptions(width=4, depth=1, scales=3)
STEPS = {
    "early": (500, (56, 80), (0.0, 0.0)),
    "late": (12_000, (72, 56), (0.2, -0.15)),
    "late_resize": (40_000, (48, 96), (0.0, 0.0)),
}


@pytest.fixture(scope="module")
def published(published_state):
    objective = RetargetObjective(options=RetargetOptions())
    assert objective.load_house_state(published_state) == ()
    return objective


def published_batch(parity, name: str) -> dict[str, torch.Tensor]:
    """The draws of the published code are uniform in [0, 1); it maps them to +-1/255 of [-1, 1]."""
    _, size_hw, shifts = STEPS[name]
    start = f"ingan/step/{name}"
    batch = {"image": (parity.array(f"{start}/picture", (1, 3, 64, 64)) + 1) / 2}
    batch["target_size_hw"] = torch.tensor(size_hw)
    batch["shifts"] = torch.tensor(shifts, dtype=torch.float64)
    names = ("noise", "noise_real", "noise_fake")
    for number, (ours, hw) in enumerate(zip(names, ((64, 64), (64, 64), size_hw), strict=True), start=1):
        draws = parity.array(f"{start}/noise{number}", (1, 3, *hw), 0, 1)
        batch[ours] = (2 * draws - 1) * LARGEST_NOISE
    return batch


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_the_published_one(parity, published, name):
    """Both sides' terms, the second step of the generator, and how far the last bias goes."""
    objective = copy.deepcopy(published).train()
    objective.at_step(STEPS[name][0], 75_000)
    batch = objective.prepare(published_batch(parity, name))
    sides = {
        side: torch.optim.Adam(objective.trained_parameters(side, STAGE), lr=5e-5, betas=(0.5, 0.999))
        for side in ("generator", "discriminator")
    }
    before = objective.generator.head.bias.detach().clone()
    seen = {}
    objective.generator.register_forward_hook(lambda *call: seen.setdefault("generator", []).append(call[2]))
    objective.discriminator.register_forward_hook(
        lambda *call: seen.setdefault("verdicts", []).append(call[2])
    )

    losses = objective.losses(batch, STAGE, objective.denominators(batch))
    generator, discriminator = losses["generator"], losses["discriminator"]
    sum((*generator.values(), *discriminator.values())).backward()
    for optimiser in sides.values():
        optimiser.step()
    further = objective.further_losses(batch, STAGE, {})
    if further:
        sides["generator"].zero_grad()
        sum(further.values()).backward()
        sides["generator"].step()

    def expect(value: torch.Tensor, key: str, tolerance: float) -> None:
        expected = parity.case("ingan", f"step/{name}/{key}")
        torch.testing.assert_close(value.detach(), expected, atol=tolerance, rtol=0)

    expect(generator["adversarial"], "loss_G_GAN", 1e-4)
    expect(generator["reconstruction"] / 0.1, "loss_G_reconstruct", 1e-4)
    expect(sum(generator.values()), "loss_G", 1e-4)
    expect(2 * discriminator["real"], "loss_D_real", 1e-4)
    expect(2 * discriminator["fake"], "loss_D_fake", 1e-4)
    expect(sum(discriminator.values()), "loss_D", 1e-4)
    expect(2 * seen["generator"][0] - 1, "fake", 5e-4)
    expect(2 * seen["generator"][1] - 1, "reconstruct", 1e-3)
    _, map_real, map_fake = seen["verdicts"]
    expect(map_real, "map_real", 5e-4)
    expect(map_fake, "map_fake", 5e-4)
    assert set(further) == (set() if name == "early" else {"inverse"})
    if further:
        expect(further["inverse"], "loss_G_inverse", 5e-4)
        expect(2 * seen["generator"][2] - 1, "inverse", 1e-2)
    expect(objective.generator.head.bias.detach() - before, "final_block_bias_moved", 1e-6)


def small_objective(**options) -> RetargetObjective:
    torch.manual_seed(0)
    return RetargetObjective(**({"options": SMALL} | options)).train()


def raw_batch(b: int = 1, h: int = 32, w: int = 40) -> dict[str, torch.Tensor]:
    """As the loader makes it."""
    generator = torch.Generator().manual_seed(0)
    return {"image": torch.randint(0, 256, (b, 3, h, w), generator=generator, dtype=torch.uint8)}


def batch_at(objective: RetargetObjective, step: int, **raw) -> dict[str, torch.Tensor]:
    objective.at_step(step, 75_000)
    return objective.prepare(raw_batch(**raw))


def test_prepare_makes_floats_draws_and_leaves_the_bytes():
    objective = small_objective()
    raw = raw_batch(2)
    before = raw["image"].clone()
    objective.at_step(60_000, 75_000)
    batch = objective.prepare(raw)
    assert torch.equal(raw["image"], before)
    assert torch.equal(batch["image"] * 255, before.float())
    assert batch["noise"].shape == batch["noise_real"].shape == (2, 3, 32, 40)
    h, w = batch["target_size_hw"].tolist()
    assert (h, w) != (32, 40)
    assert batch["noise_fake"].shape == (2, 3, h, w)
    for name in ("noise", "noise_real", "noise_fake"):
        assert LARGEST_NOISE * 0.95 < batch[name].abs().max() <= LARGEST_NOISE
    assert not torch.equal(batch["noise"], batch["noise_real"])


def test_draws_are_a_function_of_seed_and_step():
    """A resumed run meets what it would have met; micro-batches of one step differ."""

    def draws(objective: RetargetObjective, step: int) -> dict[str, torch.Tensor]:
        return batch_at(objective, step)

    shapes = Recipe(steps=75_000, crop_px=64, learning_rate=1e-4, largest_shift=0.3)
    one = small_objective(recipe=shapes)
    first = draws(one, 50_000)
    draws(one, 50_001)
    again = draws(small_objective(recipe=shapes), 50_000)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(draws(one, 50_001)["noise"], first["noise"])
    assert not torch.equal(draws(small_objective(recipe=shapes, seed=1), 50_000)["noise"], first["noise"])
    draws(one, 50_000)
    assert not torch.equal(one.prepare(raw_batch())["noise"], first["noise"])


def test_what_a_batch_brings_along_is_kept():
    objective = small_objective()
    objective.at_step(60_000, 75_000)
    brought = {"target_size_hw": torch.tensor([24, 48]), "shifts": torch.tensor([0.1, -0.2])}
    brought["noise_fake"] = torch.zeros(1, 3, 24, 48)
    batch = objective.prepare(raw_batch() | brought)
    assert all(torch.equal(batch[key], value) for key, value in brought.items())


def test_a_first_step_brings_the_crop_back_at_its_own_size():
    batch = batch_at(small_objective(recipe="fast-shapes"), 0)
    assert batch["target_size_hw"].tolist() == [32, 40]
    assert batch["shifts"].tolist() == [0, 0]


ALL = LossWeights(patches=10)


@pytest.mark.parametrize("step", [0, 60_000])
def test_each_side_reaches_its_own_parameters_and_no_others(step):
    objective = small_objective(recipe="fast-shapes", weights=ALL)
    batch = batch_at(objective, step)
    losses = objective.losses(batch, STAGE, {})
    everything = dict(objective.named_parameters())
    # A judge that this size of fake does not ask stays silent.
    asked = len([1 for scale in range(3) if min(batch["target_size_hw"]) > 13 * 1.4**scale])
    for side in ("discriminator", "generator"):
        objective.zero_grad(set_to_none=True)
        sum(losses[side].values()).backward(retain_graph=True)
        own = {id(p) for p in objective.trained_parameters(side, STAGE)}
        reached = {name for name, p in everything.items() if p.grad is not None}
        assert {id(everything[name]) for name in reached} <= own
        silent = {name for name, p in everything.items() if id(p) in own} - reached
        assert all(name.startswith("discriminator.judges.") for name in silent)
        assert all(int(name.split(".")[2]) >= asked for name in silent)
        still = [name for name in reached if not everything[name].grad.any()]
        assert all(name.endswith("conv.bias") for name in still), still


def test_second_step_comes_late_and_leaves_its_answer_alone():
    objective = small_objective()
    early = batch_at(objective, 10_000)
    objective.losses(early, STAGE, {})
    assert "fake" not in early
    assert objective.further_losses(early, STAGE, {}) == {}

    late = batch_at(objective, 10_001)
    objective.losses(late, STAGE, {})
    assert not late["fake"].requires_grad
    assert late["fake"].shape[-2:] == tuple(late["target_size_hw"].tolist())
    before = late["fake"].clone()
    loss = objective.further_losses(late, STAGE, {})["inverse"]
    objective.zero_grad(set_to_none=True)
    loss.backward()
    assert torch.equal(late["fake"], before)
    assert all(p.grad is not None for p in objective.generator.parameters())
    assert all(p.grad is None for p in objective.discriminator.parameters())


def test_terms_without_weight_are_absent():
    objective = small_objective(weights=LossWeights(adversarial=0, inverse=0))
    batch = batch_at(objective, 60_000)
    losses = objective.losses(batch, STAGE, {})
    assert losses["discriminator"] == {}
    assert set(losses["generator"]) == {"reconstruction"}
    assert objective.further_losses(batch, STAGE, {}) == {}
    objective = small_objective(weights=LossWeights(reconstruction=0))
    assert set(objective.losses(batch_at(objective, 5), STAGE, {})["generator"]) == {"adversarial"}


def test_without_a_verdict_judges_are_not_asked_and_rest():
    objective = small_objective(recipe="fast")
    assert objective.weights == RECIPES["fast"].weights
    objective.discriminator.forward = None  # asking would fail
    batch = batch_at(objective, 60_000)
    losses = objective.losses(batch, STAGE, {})
    assert losses["discriminator"] == {}
    assert set(losses["generator"]) == {"patches", "reconstruction"}
    assert objective.trained_parameters("discriminator", STAGE) == []
    assert set(objective.metrics(batch, STAGE)) == {"psnr", "patch_distance"}


def test_patches_are_compared_along_other_directions_at_each_step():
    objective = small_objective(recipe="fast")
    one, again, other = (batch_at(objective, step)["directions"] for step in (5, 5, 6))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert "directions" not in batch_at(small_objective(), 5)


def test_a_recipe_s_weights_give_way_to_those_asked_for():
    assert small_objective(recipe="fast", weights=ALL).weights is ALL


def test_terms_are_weighted_as_published():
    assert RECIPES["official"].weights == LossWeights()
    assert LossWeights() == LossWeights(adversarial=1.0, reconstruction=0.1, inverse=1.0, patches=0.0)
    one = small_objective().eval()
    twice = small_objective(weights=LossWeights(adversarial=2, reconstruction=0.2, inverse=2)).eval()
    batches = [batch_at(objective, 60_000) for objective in (one, twice)]
    single, double = (o.losses(b, STAGE, {}) for o, b in zip((one, twice), batches, strict=True))
    for name, value in single["generator"].items():
        torch.testing.assert_close(double["generator"][name], 2 * value)
    for name, value in single["discriminator"].items():
        torch.testing.assert_close(double["discriminator"][name], value)
    further = [o.further_losses(b, STAGE, {})["inverse"] for o, b in zip((one, twice), batches, strict=True)]
    torch.testing.assert_close(further[1], 2 * further[0])


def test_metrics_and_preview_move_nothing():
    objective = small_objective()
    batch = batch_at(objective, 60_000, b=2)
    before = copy.deepcopy(objective.state_dict())
    numbers = objective.metrics(batch, STAGE)
    row = objective.preview(batch, STAGE)
    assert set(numbers) == {"verdict_real", "verdict_fake", "psnr"}
    assert 0 < numbers["verdict_real"] < 1
    assert 0 < numbers["verdict_fake"] < 1
    assert 0 < numbers["psnr"] < 100
    assert objective.training
    assert all(module.training for module in objective.modules())
    assert all(torch.equal(value, before[key]) for key, value in objective.state_dict().items())
    assert row.shape == (2, 3, 32, 4 * 40)
    assert row.min() >= 0
    assert row.max() <= 1
    crop, narrow, low, _ = row.split(40, dim=3)
    assert torch.equal(crop, batch["image"])
    assert (narrow[..., 24:] == 1).all()
    assert (low[..., 16:, :] == 1).all()
    assert (low[..., :16, :] < 1).any()


def test_psnr_by_hand():
    objective = small_objective()

    class Grey(torch.nn.Module):
        size_multiple = 8

        def forward(self, image: torch.Tensor, size_hw: tuple[int, int]) -> torch.Tensor:
            return torch.full((image.shape[0], 3, *size_hw), 0.5)

    objective.generator = Grey()
    batch = {"image": torch.full((1, 3, 32, 32), 0.4)}
    assert objective.metrics(batch, STAGE)["psnr"] == pytest.approx(20, abs=1e-4)


def test_both_sides_step_and_learn():
    """A picture of stripes: within 120 steps it comes back better, and the judges tell the two apart.

    Looked at now and then: two sides that learn against each other go to and fro, at other steps on other processors.
    """
    recipe = Recipe(steps=120, crop_px=32, learning_rate=2e-3, smallest_scale=0.5, largest_scale=1.5)
    objective = small_objective(recipe=recipe, options=RetargetOptions(width=8, depth=1, scales=2))
    stripes = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    stripes[..., ::4], stripes[..., 1::4] = 255, 200
    sides = {
        side: torch.optim.Adam(objective.trained_parameters(side, STAGE), lr=2e-3, betas=(0.5, 0.999))
        for side in ("generator", "discriminator")
    }
    probe = objective.prepare({"image": stripes})
    before = objective.metrics(probe, STAGE)
    seen = []
    for step in range(120):
        objective.at_step(step, 120)
        batch = objective.prepare({"image": stripes})
        losses = objective.losses(batch, STAGE, {})
        for optimiser in sides.values():
            optimiser.zero_grad()
        sum(sum(terms.values()) for terms in losses.values()).backward()
        for optimiser in sides.values():
            optimiser.step()
        further = objective.further_losses(batch, STAGE, {})
        if further:
            sides["generator"].zero_grad()
            sum(further.values()).backward()
            sides["generator"].step()
        if step % 10 == 9:
            seen.append(objective.metrics(probe, STAGE))
    assert max(one["psnr"] for one in seen) > before["psnr"] + 2
    assert any(one["verdict_real"] > one["verdict_fake"] for one in seen)


def test_a_step_under_autocast_stays_near_the_exact_one():
    objective = small_objective(recipe="fast-shapes", weights=ALL).eval()
    batch = batch_at(objective, 60_000)
    exact = objective.losses(batch, STAGE, {})
    with torch.autocast("cpu", torch.bfloat16):
        fast = objective.losses(batch, STAGE, {})
    for side, terms in exact.items():
        for name, value in terms.items():
            assert fast[side][name].dtype == torch.float32
            torch.testing.assert_close(fast[side][name], value, rtol=1e-1, atol=1e-2)
    sum(sum(terms.values()) for terms in fast.values()).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in objective.parameters())


def test_house_state_starts_another_objective():
    one, other = small_objective(), small_objective()
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.add_(0.01)
    assert other.load_house_state(one.house_state()) == ()
    for key, value in other.house_state().items():
        assert torch.equal(value, one.house_state()[key]), key
    assert set(one.house_state()) == set(one.state_dict())


def test_a_folded_generator_alone_starts_an_objective_with_the_same_answers():
    one = small_objective().eval()
    twin = RetargetGenerator(width=4, depth=1, is_spectral=True)
    twin.load_state_dict(one.generator.state_dict())
    folded = fold_spectral_norm(twin).state_dict()
    other = small_objective().eval()
    assert other.load_house_state(with_prefix(folded, "generator")) == ("discriminator",)
    batch = batch_at(one, 0)
    torch.testing.assert_close(other.preview(batch, STAGE), one.preview(batch, STAGE), atol=1e-5, rtol=0)


def test_the_run_is_one_stage_and_one_network_is_shipped():
    objective = small_objective()
    assert [stage.name for stage in objective.stages] == [STAGE]
    assert sum(stage.share for stage in objective.stages) == 1
    assert list(objective.ema_networks()) == ["generator"]
    assert isinstance(objective.ema_networks()["generator"], RetargetGenerator)
    assert not objective.has_steady_sizes
    assert objective.learning_rate_factor(0, 300) == 1
    assert objective.learning_rate_factor(300, 300) == 0
    assert objective.denominators({}) == {}
    assert objective.recipe is RECIPES["official"]


def test_unknown_names_and_bad_weights_are_refused():
    words = r"^unknown recipe 'fasd'; known: fast, fast-shapes, official \(did you mean 'fast'"
    with pytest.raises(UnknownNameError, match=words):
        small_objective(recipe="fasd")
    with pytest.raises(UnknownNameError, match=r"^unknown stage 'edges'; known: retarget"):
        small_objective().trained_parameters("generator", "edges")
    words = r"^weight inverse: expected 0 or more, got -1; 0 switches the term off$"
    with pytest.raises(OptionError, match=words):
        LossWeights(inverse=-1)


def test_crops_and_weights_that_do_not_fit_are_refused(published_state):
    objective = small_objective()
    with pytest.raises(ShapeError, match=r"^size_hw: expected multiples of 8 px, 16 or more, got \(30, 40\)"):
        objective.losses(batch_at(objective, 0, h=30), STAGE, {})
    with pytest.raises(StateError, match=r"^weights of generator: expected every tensor .* unexpected"):
        objective.load_house_state(published_state)
