from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import PictureError, TrainingError
from engine.pictures import PICTURE_KEY, picture_sha256, read_rgb
from engine.training import TrainOptions, events, train
from engine.training.checkpoints import checkpoint_files, read_checkpoint
from engine.training.families import training_of
from engine.training.families.retarget import open_data, picture, smaller, start
from engine.training.weights import make_objective
from engine.weightfile import read_weights
from models.registry import family_spec

TINY = {
    "size": 32,
    "width": 4,
    "depth": 1,
    "steps": 12,
    "log_every": 1,
    "snapshot_every": 0.0,
    "preview_every": 100,
    "loss": {"adversarial": 1.0, "inverse": 1.0},
}
"""Every term counts."""


@pytest.fixture(scope="module")
def bricks(tmp_path_factory):
    """A small picture with a texture; not to be changed."""
    path = tmp_path_factory.mktemp("one") / "bricks.png"
    rows, columns = np.indices((44, 52))
    shade = 90 + 80 * ((rows // 6 + columns // 9) % 2)
    Image.fromarray(np.dstack([shade, shade // 2, rows * 4]).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def tiny(bricks, tmp_path):
    def build(**changes) -> TrainOptions:
        given = {"data": (bricks,), "out": tmp_path / "out", "device": "cpu", **TINY, **changes}
        return TrainOptions.of("retarget", **given)

    return build


def run(options, **keywords):
    told = []
    result = train(options, report=told.append, **keywords)
    return result, told


def notices(told):
    return [event.text for event in told if isinstance(event, events.Notice)]


def losses(told):
    return {event.step: dict(event.terms) for event in told if isinstance(event, events.Measured)}


def objective_for(options):
    spec = family_spec("retarget")
    data = open_data(options, lambda event: None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        objective, _ = make_objective(options, spec, data, lambda event: None)
    return objective, data


@pytest.fixture(scope="module")
def whole(bricks, tmp_path_factory):
    """One run from first to last: its options, result and events; not to be changed."""
    out = tmp_path_factory.mktemp("whole") / "out"
    options = TrainOptions.of("retarget", data=(bricks,), out=out, device="cpu", **TINY)
    result, told = run(options)
    return options, result, told


def test_a_run_leaves_weights_that_remake_the_picture_and_say_which(whole, bricks):
    _, result, told = whole
    file = read_weights(result.weights, family="retarget")
    assert file.metadata[PICTURE_KEY] == picture_sha256(read_rgb(bricks))
    generator = family_spec("retarget").load(file.state)["generator"]
    with torch.no_grad():
        answer = generator(torch.rand(1, 3, 44, 52), (40, 96))
    assert answer.shape == (1, 3, 40, 96)
    terms = losses(told)
    assert list(terms) == list(range(1, 13))
    assert "generator/inverse" not in terms[1]
    assert "generator/inverse" in terms[12]  # the second step, once the clock is past 10,000
    assert all(np.isfinite(list(one.values())).all() for one in terms.values())


@pytest.mark.parametrize("stop_at", [1, 5])
def test_stopping_and_resuming_gives_the_losses_of_not_stopping(whole, tiny, stop_at):
    """To the bit, before and after the second step of the generator begins, and whatever is written on the way."""
    _, result, told = whole
    seen = []
    options = tiny(snapshot_every=1e-6, preview_every=2)
    first, first_told = run(options, should_stop=lambda: seen.append(0) or len(seen) == stop_at)
    assert (first.step, first.reason) == (stop_at, "stopped")
    second, second_told = run(tiny(resume=True))
    assert {**losses(first_told), **losses(second_told)} == losses(told)
    one, other = read_weights(result.weights).state, read_weights(second.weights).state
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_snapshots_can_be_used_while_learning_goes_on(tiny):
    options = tiny(snapshot_every=1e-9, target_hw=(33, 70), steps=4)
    seen = []

    def look():
        weights = options.out / "retarget.safetensors"
        if weights.is_file():
            seen.append(read_weights(weights, family="retarget").metadata["pentimento.steps"])
            with Image.open(options.out / "snapshot.png") as shown:
                assert shown.size == (70, 33)
        return False

    _, told = run(options, should_stop=look)
    assert seen
    kinds = [
        event.path.name for event in told if isinstance(event, events.Written) and event.kind == "snapshot"
    ]
    assert set(kinds) == {"retarget.safetensors", "snapshot.png"}


def test_a_film_strip_shows_how_it_went(whole):
    options, _, told = whole
    names = [event.path.name for event in told if isinstance(event, events.Written) and event.kind == "film"]
    assert names == ["film.png", "before-after.png"]
    with Image.open(options.out / "film.png") as strip, Image.open(options.out / "before-after.png") as pair:
        assert strip.size == (104, 44 + 4 + 44)
        assert pair.size == (52 + 4 + 104, 44)


def test_time_and_another_way_are_told_before_it_starts(whole):
    _, _, told = whole
    texts = notices(told)
    assert "one picture of 52 x 44 px, learned in crops of 32 x 32 px" in texts
    (text,) = [text for text in texts if text.startswith("learning takes about ")]
    assert text.endswith(
        "s on this processor, and can be stopped and used at any moment; "
        "`pentimento run retarget --method instant` remakes the picture in seconds and learns nothing"
    )
    first = next(i for i, event in enumerate(told) if isinstance(event, events.Stepped))
    assert told.index(events.Notice(text, "duration")) < first


def test_out_of_memory_goes_on_with_smaller_crops_and_resumes_with_them(tiny, bricks, monkeypatch, tmp_path):
    large = tmp_path / "large.png"
    Image.open(bricks).resize((150, 140)).save(large)
    from models.retarget.objective import RetargetObjective

    plain = RetargetObjective.losses

    def full(self, batch, stage, denominators):
        if batch["image"].shape[2] > 72:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, batch, stage, denominators)

    monkeypatch.setattr(RetargetObjective, "losses", full)
    options = tiny(data=(large,), size=96, steps=4)
    seen = []
    result, told = run(options, should_stop=lambda: seen.append(0) or len(seen) == 2)
    assert "memory ran out: going on with crops of 72 x 72 px" in notices(told)
    assert read_checkpoint(checkpoint_files(options.out)[-1])["cuts"] == 1
    monkeypatch.undo()
    result, told = run(tiny(data=(large,), size=96, steps=4, resume=True))
    assert result.step == 4
    assert "memory ran out: going on with crops of 72 x 72 px" in notices(told)


def test_memory_that_never_suffices_is_refused_by_name(tiny, monkeypatch):
    from models.retarget.objective import RetargetObjective

    def full(self, batch, stage, denominators):
        raise MemoryError

    monkeypatch.setattr(RetargetObjective, "losses", full)
    with pytest.raises(
        TrainingError, match="memory: expected room for one step, got none left; give a smaller --size"
    ):
        run(tiny())


def test_less_is_taken_step_by_step(tiny, bricks, tmp_path):
    large = tmp_path / "large.png"
    Image.open(bricks).resize((300, 280)).save(large)
    options = tiny(data=(large,), size=128)
    objective, data = objective_for(options)
    assert objective.options.scales == 7
    words = []
    while (found := smaller(objective, data, options, len(words) + 1)) is not None:
        data, word = found
        words.append(word)
    assert words == [
        "crops of 96 x 96 px",
        "crops of 80 x 80 px",
        "crops of 80 x 80 px, remade at most 1.5 times as long",
        "crops of 80 x 80 px, remade at most 1 times as long",
    ]
    assert data.probe["image"].shape[2:] == (80, 80)
    batch = objective.prepare(data.batches[range(1)])
    assert all(
        loss.isfinite() for side in objective.losses(batch, "retarget", {}).values() for loss in side.values()
    )


def test_a_picture_at_its_target_shape_moves_nothing(tiny):
    options = tiny(target_hw=(50, 35))
    objective, data = objective_for(options)
    objective.train()
    before = {name: tensor.clone() for name, tensor in objective.state_dict().items()}
    with torch.no_grad():
        shown = picture(objective, data, options)
    assert shown.shape == (1, 3, 50, 35)
    assert objective.generator.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in objective.state_dict().items())
    with torch.no_grad():
        assert picture(objective, data, tiny()).shape == (1, 3, 44, 104)


def test_of_a_large_picture_the_middle_is_shown(tiny, bricks, tmp_path):
    Image.open(bricks).resize((40, 600)).save(tmp_path / "tall.png")
    options = tiny(data=(tmp_path / "tall.png",))
    objective, data = objective_for(options)
    with torch.no_grad():
        assert picture(objective, data, options).shape == (1, 3, 384, 80)


def test_previews_that_find_no_memory_are_left_out(tiny, monkeypatch):
    from engine.training.families import retarget

    def full(objective, data, options):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(retarget, "TRAINING", replace(retarget.TRAINING, picture=full))
    options = tiny(steps=2, preview_every=1, snapshot_every=1e-9)
    result, told = run(options)
    assert result.step == 2
    told_once = [text for text in notices(told) if text.startswith("no memory for previews at this shape")]
    assert len(told_once) == 1
    assert not (options.out / "previews").exists()


def test_learning_starts_from_weights_of_another_picture(whole, tiny, bricks, tmp_path):
    _, result, _ = whole
    large = tmp_path / "large.png"
    Image.open(bricks).resize((110, 100)).save(large)
    options = tiny(
        data=(large,), from_weights=result.weights, width=0, depth=0, size=64, steps=1, learning_rate=1e-9
    )
    found, told = run(options)
    texts = " | ".join(notices(told))
    assert f"weights from {result.weights}" in texts
    assert "starting anew: discriminator" in texts  # larger crops have more judges
    source = read_weights(result.weights).state
    for name, tensor in read_weights(found.weights).state.items():
        if "running" not in name:  # vectors of spectral norm settle a little
            assert torch.allclose(tensor, source[name], rtol=0.1, atol=0.01), name
    name = read_weights(found.weights).metadata[PICTURE_KEY]
    assert name == picture_sha256(read_rgb(large))


def test_judges_without_a_place_are_left_out(tiny, bricks, tmp_path):
    large = tmp_path / "large.png"
    Image.open(bricks).resize((110, 100)).save(large)
    small, _ = objective_for(tiny())
    big, _ = objective_for(tiny(data=(large,), size=64))
    assert small.options.scales < big.options.scales
    state = start(big.house_state(), small)
    assert small.load_house_state(state) == ()
    assert big.load_house_state(start(small.house_state(), big)) == ("discriminator",)


def test_what_cannot_be_learned_is_refused_by_name(tiny, bricks, tmp_path):
    with pytest.raises(
        TrainingError, match="data: expected one picture, got 2 pictures; a network of this family"
    ):
        open_data(tiny(data=(bricks, bricks)), lambda event: None)
    Image.new("RGB", (12, 90)).save(tmp_path / "thin.png")
    with pytest.raises(
        TrainingError, match="picture: expected sides above 16 px, got 12x90 px; it is too small"
    ):
        open_data(tiny(data=(tmp_path / "thin.png",)), lambda event: None)
    (tmp_path / "no.png").write_text("no picture")
    with pytest.raises(PictureError, match=r"no\.png: expected a picture"):
        open_data(tiny(data=(tmp_path / "no.png",)), lambda event: None)


def test_a_large_picture_is_warned_of(tiny, tmp_path):
    Image.new("RGB", (300, 40)).save(tmp_path / "wide.png")
    told = []
    open_data(tiny(data=(tmp_path / "wide.png",)), told.append)
    assert any("its texture is learned, not its things" in text for text in notices(told))


def test_another_picture_of_the_same_name_is_not_gone_on_with(whole, tiny, bricks, tmp_path):
    options = tiny()
    run(options, should_stop=lambda: True)
    other = tmp_path / "other" / bricks.name
    other.parent.mkdir()
    Image.new("RGB", (52, 44), "red").save(other)
    with pytest.raises(TrainingError, match=r"data: expected the pictures of step-0.*, got another set"):
        train(tiny(data=(other,), resume=True))


def test_the_family_is_found_by_name():
    training = training_of("retarget")
    assert training.second_beta == 0.999
    assert not training.has_one_shape
    assert asdict(family_spec("retarget").options["official"])["scales"] == 9
