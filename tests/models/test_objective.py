"""What an objective may leave out."""

from models.inpaint import InpaintObjective, InpaintOptions


def test_hooks_for_special_training_change_nothing_by_default():
    objective = InpaintObjective(options=InpaintOptions(width=4, depth=1))
    before = {key: value.clone() for key, value in objective.state_dict().items()}
    assert objective.has_steady_sizes
    objective.at_step(3, 10)
    assert objective.learning_rate_factor(3, 10) is None
    assert objective.further_losses({}, "edges", {}) == {}
    assert all((value == before[key]).all() for key, value in objective.state_dict().items())
