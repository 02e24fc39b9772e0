import torch

from engine.training.batches import Batches
from engine.training.estimate import estimate_run
from engine.training.gradients import Side
from engine.training.processes import launch
from engine.training.samples.inpaint import InpaintSamples
from engine.training.sources import find_pictures
from engine.training.stages import spans
from engine.training.store import PictureStore
from models.registry import family_spec


def test_an_estimate_changes_nothing(small, pictures):
    processes = launch(small())
    spec = family_spec("inpaint")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        objective = spec.make_objective(options=spec.options_type(width=4, depth=1)).train()
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    files = find_pictures([pictures], lambda name, reason: None)
    maker = InpaintSamples(size=32)
    batches = Batches(PictureStore(files, maker.decode, 0), range(len(files)), maker, 0)

    def make_sides(span):
        return {
            group: Side(objective.trained_parameters(group, span.stage.name), 1.0)
            for group in ("generator", "discriminator")
        }

    left = spans(objective.stages, 100)[1:]
    found = estimate_run(objective, left, 50, batches, make_sides, processes, batch=2, accumulate=2)
    assert all(torch.equal(tensor, before[name]) for name, tensor in objective.state_dict().items())
    assert objective.training
    taken = found.step_seconds
    assert list(taken) == ["fill-true-edges", "fill-predicted-edges", "joint"]
    expected = 20 * taken["fill-true-edges"] + 20 * taken["fill-predicted-edges"] + 10 * taken["joint"]
    assert abs(found.seconds - expected) < 1e-6
    assert abs(found.pictures_per_second - 50 * 4 / expected) < 1e-6
