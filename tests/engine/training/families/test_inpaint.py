import pytest

from engine.training.families import training_of
from engine.training.families.inpaint import objective_keywords


def test_the_objective_is_told_what_the_options_say(small):
    told = []
    keywords = objective_keywords(small(gan="hinge", keeps_edge_discriminator=True), told.append)
    assert keywords == {"features": None, "gan": "hinge", "keeps_edge_discriminator": True}
    assert [event.text for event in told] == ["no --features file: the perceptual and style terms are off"]


def test_nothing_of_it_changes_on_the_way():
    training = training_of("inpaint")
    assert training.has_one_shape
    assert training.smaller is None
    assert training.picture is None
    assert training.second_beta == pytest.approx(0.9)
