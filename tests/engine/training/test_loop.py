import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import DataGoneError, TrainingError, WeightsError
from engine.training import events, train
from engine.training.checkpoints import checkpoint_files, read_checkpoint
from engine.training.options import TrainOptions
from engine.weightfile import read_weights
from models.registry import family_spec

ROOT = Path(__file__).parents[3]


def run(options, **keywords):
    told = []
    result = train(options, report=told.append, **keywords)
    return result, told


def losses(told):
    return {event.step: dict(event.terms) for event in told if isinstance(event, events.Measured)}


@pytest.fixture(scope="module")
def whole(pictures, tmp_path_factory):
    """One run over all stages: its options, result and events; not to be changed."""
    options = TrainOptions(
        data=(pictures,),
        out=tmp_path_factory.mktemp("whole") / "out",
        device="cpu",
        workers=0,
        size=32,
        batch=2,
        width=4,
        depth=1,
        steps=10,
        log_every=1,
        checkpoint_every=4,
        preview_every=100,
        memory_bytes=1 << 22,
    )
    result, told = run(options)
    return options, result, told


def test_a_run_leaves_everything_it_promises(whole):
    options, result, told = whole
    out = options.out
    assert (result.step, result.steps, result.reason) == (10, 10, "finished")
    stages = [event.stage for event in told if isinstance(event, events.StageStarted)]
    assert stages == ["edges", "fill-true-edges", "fill-predicted-edges", "joint"]
    assert [path.name for path in checkpoint_files(out)] == ["step-000000008.pt", "step-000000010.pt"]
    written = json.loads((out / "options.json").read_text())
    assert written["train"]["steps"] == 10
    assert written["networks"] == {"width": 4, "depth": 1}
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "terms" in line] == list(range(1, 11))
    assert all(np.isfinite(list(line["terms"].values())).all() for line in lines if "terms" in line)
    assert sum("probe" in line for line in lines) == 4
    grids = sorted(path.name for path in (out / "previews").iterdir())
    assert grids == [
        "edges-0000004.png",
        "fill-predicted-edges-0000009.png",
        "fill-true-edges-0000007.png",
        "joint-0000010.png",
    ]
    with Image.open(out / "previews" / grids[0]) as grid:
        assert grid.size == (4 * 32, 2 * 32)  # 24 pictures spare 2 for the probe


def test_the_estimate_comes_before_the_first_step(whole):
    _, _, told = whole
    kinds = [type(event) for event in told]
    (estimate,) = [event for event in told if isinstance(event, events.Estimated)]
    assert kinds.index(events.Estimated) < kinds.index(events.StageStarted)
    assert set(estimate.step_seconds) == {"edges", "fill-true-edges", "fill-predicted-edges", "joint"}
    assert estimate.seconds > 0
    assert estimate.pictures_per_second > 0
    assert estimate.peak_bytes > 1 << 20


def test_the_weights_load_and_answer(whole):
    options, result, _ = whole
    file = read_weights(result.weights, family="inpaint")
    assert file.metadata["pentimento.steps"] == "10"
    assert not any("discriminator" in name or "parametrizations" in name for name in file.state)
    networks = family_spec("inpaint").load(file.state)
    image, plane = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    with torch.no_grad():
        assert networks["fill"].paint(image, plane, plane).shape == image.shape
    others = read_weights(result.discriminators, family="inpaint")
    assert {name.split(".")[0] for name in others.state} == {"edges_discriminator", "fill_discriminator"}


@pytest.mark.parametrize("stop_at", [2, 4, 6])
def test_stopping_and_resuming_gives_the_losses_of_not_stopping(whole, tmp_path, stop_at):
    """Stopped inside a stage, where one ends (4), and after a hand-over; equal to the bit."""
    options, result, told = whole
    options = replace(options, out=tmp_path / "out", preview_every=3)  # looking changes nothing either
    seen = []
    first, first_told = run(options, should_stop=lambda: seen.append(0) or len(seen) == stop_at)
    assert (first.step, first.reason) == (stop_at, "stopped")
    second, second_told = run(replace(options, resume=True))
    assert second.step == 10
    assert {**losses(first_told), **losses(second_told)} == losses(told)
    one, other = read_weights(result.weights).state, read_weights(second.weights).state
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_resuming_with_another_split_of_the_batch_goes_on_alike(whole, tmp_path):
    """Sums in another order, and spectral vectors that move twice a step: close, not equal."""
    options, _, told = whole
    options = replace(options, out=tmp_path / "out")
    seen = []
    run(options, should_stop=lambda: seen.append(0) or len(seen) == 5)
    _, second_told = run(replace(options, resume=True, batch=1, accumulate=2, workers=1))
    again, expected = losses(second_told), losses(told)
    assert list(again) == [6, 7, 8, 9, 10]
    for step, terms in again.items():
        assert terms == pytest.approx(expected[step], rel=1e-2)


def test_a_finished_run_resumed_has_nothing_to_do(whole):
    options, _, _ = whole
    result, told = run(replace(options, resume=True))
    assert (result.step, result.reason) == (10, "finished")
    assert any("all 10 steps are done" in event.text for event in told if isinstance(event, events.Notice))


def test_losses_fall_on_one_picture(small, pictures):
    options = small(
        data=(pictures / "03.png",),
        stage="fill-true-edges",
        steps=60,
        learning_rate=2e-3,
        schedule="constant",
        width=8,
        mask_ratio=(0.2, 0.3),
    )
    _, told = run(options)
    values = [terms["generator/fill_l1"] for terms in losses(told).values()]
    assert np.mean(values[-10:]) < 0.7 * np.mean(values[:5])
    assert any("too few to keep any back" in event.text for event in told if isinstance(event, events.Notice))


def test_bf16_learns_too(small):
    _, told = run(small(precision="bf16", steps=4))
    assert all(np.isfinite(list(terms.values())).all() for terms in losses(told).values())


def test_broken_files_are_told_once_and_cost_nothing(small, pictures, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.png").write_bytes((pictures / f"{number:02d}.png").read_bytes())
    (folder / "cut.png").write_bytes((pictures / "00.png").read_bytes()[:60])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.webp").write_text("no picture")
    result, told = run(small(data=(folder,), steps=8, stage="edges"))
    names = [event.name for event in told if isinstance(event, events.Skipped)]
    assert sorted(names) == ["cut.png", "empty.jpg", "text.webp"]
    assert result.step == 8
    assert result.broken_files == 3


def test_fine_tuning_starts_from_weights_and_their_discriminators(whole, small):
    _, result, _ = whole
    start = read_weights(result.weights).state
    tuned, told = run(
        small(from_weights=result.weights, width=0, depth=0, steps=1, learning_rate=0.0, half=True)
    )
    texts = " | ".join(event.text for event in told if isinstance(event, events.Notice))
    assert f"discriminators from {result.discriminators}" in texts
    assert f"weights from {result.weights}" in texts
    state = read_weights(tuned.weights).state
    assert state.keys() == start.keys()
    for name, tensor in state.items():
        assert torch.allclose(tensor, start[name], rtol=2e-3, atol=1e-4), name
    assert tuned.weights.stat().st_size < 0.6 * result.weights.stat().st_size


def test_a_part_may_come_from_other_weights(whole, small, tmp_path):
    """The way to join the edges of one run with the fill of another."""
    _, result, _ = whole
    other, _ = run(small(out=tmp_path / "other", steps=1, seed=5))
    start, edges = read_weights(result.weights).state, read_weights(other.weights).state
    joined, told = run(
        small(
            out=tmp_path / "joined",
            from_weights=result.weights,
            parts={"edges": other.weights},
            width=0,
            depth=0,
            steps=1,
            learning_rate=0.0,
        )
    )
    assert f"edges from {other.weights}" in [event.text for event in told if isinstance(event, events.Notice)]
    for name, tensor in read_weights(joined.weights).state.items():
        source = edges if name.startswith("edges.") else start
        assert torch.allclose(tensor, source[name], rtol=1e-5, atol=1e-6), name
    assert not all(torch.equal(start[name], edges[name]) for name in start if name.startswith("edges."))


def test_a_part_that_its_file_does_not_hold_is_refused_by_name(whole, small):
    _, result, _ = whole
    with pytest.raises(
        TrainingError, match=r"part: expected edges or fill as in .*, got 'style'; write --part"
    ):
        run(small(parts={"style": result.weights}, steps=1))


def test_fine_tuning_with_another_size_is_refused_by_name(whole, small):
    _, result, _ = whole
    with pytest.raises(
        TrainingError, match=r"width: expected 4 as in .*, got 8; leave it out: the sizes are those"
    ):
        run(small(from_weights=result.weights, width=8))


def test_what_a_resumed_run_may_not_change_is_refused_by_name(whole, pictures, tmp_path):
    options, _, _ = whole
    again = replace(options, resume=True)
    hint = "give it as before, or start a new run in another folder with --from"
    with pytest.raises(
        TrainingError, match=rf"learning_rate: expected 0.0001 as in step-0.*, got 0.0002; {hint}"
    ):
        train(replace(again, learning_rate=2e-4))
    with pytest.raises(
        TrainingError, match=rf"batch x accumulate x devices: expected 2 as in .*, got 6; {hint}"
    ):
        train(replace(again, batch=6))
    with pytest.raises(
        TrainingError, match=rf"data: expected the pictures of step-0.*, got another set of names; {hint}"
    ):
        train(replace(again, data=(pictures / "00.png",)))


def without(name):
    def change(state):
        for key in [key for key in state["objective"] if key.startswith(f"{name}.")]:
            del state["objective"][key]

    return change


def reshaped(state):
    name = next(iter(state["averages"]["means"]))
    state["averages"]["means"][name] = state["averages"]["means"][name].flatten()[:1]


def with_moments(change):
    return lambda state: change(state["sides"]["generator"]["state"])


DAMAGE = {
    "a network is missing": without("edges_discriminator"),
    "all networks are missing": lambda state: state["objective"].clear(),
    "a number for a tensor": lambda state: state["objective"].update(dict.fromkeys(state["objective"], 1)),
    "a mean of another shape": reshaped,
    "no means": lambda state: state["averages"].clear(),
    "a count that is none": lambda state: state["averages"].update(count="2"),
    "one side": lambda state: state["sides"].pop("discriminator"),
    "moments of nothing": with_moments(lambda moments: moments.pop(0)),
    "moments of another shape": with_moments(lambda moments: moments[0].update(exp_avg=torch.zeros(1))),
    "an optimiser that is a list": lambda state: state["sides"].update(generator=[]),
    "another stage": lambda state: state.update(stage="joint"),
    "a step beyond the run": lambda state: state.update(step=99),
    "a picture more": lambda state: state.update(data="0" * 64),
    "another family": lambda state: state["options"].update(family="retarget"),
    "cuts": lambda state: state.update(cuts=10**6),
}


@pytest.fixture(scope="module")
def begun(pictures, tmp_path_factory):
    """Options of a run that was stopped after its second step of three; its folder is not to be changed."""
    out = tmp_path_factory.mktemp("begun") / "out"
    options = TrainOptions(
        data=(pictures,), out=out, device="cpu", workers=0, size=32, batch=1, width=4, depth=1, steps=3, seed=3,
        stage="edges", log_every=1, checkpoint_every=1, preview_every=100, memory_bytes=1 << 22,
    )  # fmt: skip
    steps = iter([False, True])
    train(options, should_stop=lambda: next(steps))
    return options


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_checkpoint_that_does_not_fit_gives_way_to_the_one_before(damage, begun, tmp_path):
    options = replace(begun, out=tmp_path / "out", resume=True)
    shutil.copytree(begun.out, options.out)
    before, newest = checkpoint_files(options.out)
    state = read_checkpoint(newest)
    damage(state)
    torch.save(state, newest)
    told = []
    result = train(options, report=told.append, should_stop=lambda: True)
    assert (result.step, result.reason) == (2, "stopped")
    notices = [event.text for event in told if isinstance(event, events.Notice)]
    assert len([text for text in notices if text.startswith(f"{newest.name} cannot be used (")]) == 1
    assert f"going on from {before.name}" in notices


def test_where_no_checkpoint_can_be_used_the_newest_is_named_with_its_fault(begun, tmp_path):
    shutil.copytree(begun.out, tmp_path / "out")
    for path in checkpoint_files(tmp_path / "out"):
        path.write_bytes(b"")
    with pytest.raises(
        TrainingError,
        match=r"expected a whole checkpoint, got 2 that cannot be used \(step-000000002.pt: expected a whole check",
    ):
        train(replace(begun, out=tmp_path / "out", resume=True))


def test_a_folder_with_a_run_is_not_written_over(whole):
    options, _, _ = whole
    with pytest.raises(
        TrainingError, match=r"out: expected a folder without a run, got checkpoints of an earlier run"
    ):
        train(options)


def test_resuming_nothing_is_refused_by_name(small):
    with pytest.raises(
        TrainingError, match=r"out: expected a checkpoint to resume from, got none; leave --resume out"
    ):
        train(small(resume=True))


def test_a_place_that_cannot_be_written_is_refused_by_name(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"file: expected a folder, got a file; choose another --out"):
        train(small(out=tmp_path / "file"))
    with pytest.raises(
        TrainingError, match=r"below: expected a folder, got a file in the middle of the path; correct"
    ):
        train(small(out=tmp_path / "file" / "below"))


def test_unknown_stages_terms_and_devices_are_refused_by_name(small, tmp_path):
    with pytest.raises(
        TrainingError, match=r"stage: expected one of edges, fill-true-edges, .*, got 'egdes'; leave it"
    ):
        train(small(stage="egdes"))
    with pytest.raises(
        TrainingError, match=r"loss: expected terms out of l1, adversarial, .*, got l2; write --loss"
    ):
        train(small(loss={"l2": 1.0}))
    with pytest.raises(
        TrainingError, match=r"options: expected official or starter, got 'huge'; name a row of sizes"
    ):
        train(small(options="huge"))
    with pytest.raises(
        WeightsError, match=r"none.safetensors: expected a file of weights, got no such file; check"
    ):
        train(small(features=tmp_path / "none.safetensors"))


def test_diverging_stops_with_a_clear_error_and_leaves_the_checkpoint(small):
    options = small(learning_rate=1.0, stage="fill-true-edges", steps=6, loss={"l1": 1e38}, log_every=3)
    with pytest.raises(
        TrainingError, match=r"stage fill-true-edges: expected finite gradients, got . of 3 steps without"
    ):
        train(options)


def test_the_time_limit_saves_and_ends(small):
    result, _ = run(small(time_limit_minutes=1e-6, steps=50))
    assert (result.step, result.reason) == (1, "time limit")
    assert read_checkpoint(checkpoint_files(result.weights.parent)[-1])["step"] == 1


def test_features_switch_the_perceptual_terms_on(small, parity, tmp_path):
    state = dict(parity.official_state("edgeconnect", "vgg19.pth"))
    torch.save(state, tmp_path / "vgg.pth")
    _, told = run(small(features=tmp_path / "vgg.pth", stage="fill-true-edges", steps=1))
    (terms,) = losses(told).values()
    assert {"generator/fill_perceptual", "generator/fill_style"} <= terms.keys()


def start(options, *extra):
    flags = {
        "--out": options.out, "--steps": options.steps, "--size": options.size, "--batch": options.batch,
        "--width": options.width, "--depth": options.depth, "--device": "cpu", "--workers": 1,
        "--memory-bytes": 1 << 22, "--log-every": 1,
    }  # fmt: skip
    words = [str(word) for pair in flags.items() for word in pair]
    command = [
        sys.executable,
        "-m",
        "engine.training",
        "inpaint",
        "--data",
        str(options.data[0]),
        *words,
        *extra,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.timeout(600)
def test_ctrl_c_saves_and_exits_with_0(small):
    options = small(steps=100_000, stage="edges")
    said = []
    with start(options, "--stage", "edges") as process:
        for line in process.stderr:
            said.append(line)
            if line.startswith("step 2/"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 0, "".join(said) + rest
    assert "stopped after" in rest
    path = checkpoint_files(options.out)[-1]
    assert read_checkpoint(path)["step"] >= 2
    assert path.name in rest
    assert read_weights(options.out / "inpaint.safetensors").family == "inpaint"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_data_folder_that_vanishes_ends_the_run_with_a_checkpoint(small, pictures, tmp_path, workers):
    folder = shutil.copytree(pictures, tmp_path / "data")
    options = small(data=(folder,), steps=60, memory_bytes=1, workers=workers)
    told = []

    def tell(event):
        told.append(event)
        if isinstance(event, events.Stepped) and event.step == 3:
            shutil.rmtree(folder)

    with pytest.raises(DataGoneError, match=r"data: expected 24 pictures, got \d+ gone or more; bring them"):
        train(options, report=tell)
    (checkpoint,) = checkpoint_files(options.out)
    assert read_checkpoint(checkpoint)["step"] >= 3
    assert [event for event in told if isinstance(event, events.Skipped)]
