import json

import numpy as np
import pytest
import torch

from engine import engine as engines
from engine.edits import EditInputs, InpaintEdit
from engine.engine import SMALLEST_WORKING_PX, Engine
from engine.errors import DeviceError, OutOfMemoryError, WeightsError
from engine.progress import Cancelled
from engine.weightfile import WeightFile, read_weights, sha256_of, write_weights
from engine.weights import WeightsStore


def picture(h=64, w=72, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (h, w, 3), dtype=np.uint8)


def holed(h=64, w=72):
    mask = np.zeros((h, w), np.uint8)
    mask[20:36, 24:44] = 255
    return EditInputs(picture(h, w), mask)


class Counter:
    """Counts and can spoil the calls of a network."""

    def __init__(self, network, method, failures=()):
        self.calls = 0
        self._call = getattr(network, method)
        self._failures = list(failures)
        setattr(network, method, self)

    def __call__(self, *tensors):
        self.calls += 1
        if self._failures:
            failure = self._failures.pop(0)
            if failure is not None:
                raise failure
        return self._call(*tensors)


@pytest.fixture
def spoiled(engine, monkeypatch):
    """Loaded networks of the engine, wrapped: spoiled("fill", [error, ...]) counts and fails in that order."""
    load = engines._load
    wanted = {}
    counters = {"edges": [], "fill": []}

    def load_and_wrap(*args):
        resident = load(*args)
        for name, call in resident.calls.items():
            counters[name].append(Counter(call.network, call._method, wanted.pop(name, ())))
        return resident

    monkeypatch.setattr(engines, "_load", load_and_wrap)

    def spoil(name, failures=()):
        wanted[name] = failures
        return counters[name]

    return spoil


def test_a_job_tells_all_it_did(engine):
    result = engine.run(InpaintEdit(seed=3), holed())
    report = json.loads(json.dumps(result.report))
    assert list(report) == [
        "family",
        "device",
        "quality",
        "precision",
        "weights",
        "seed",
        "working_size_px",
        "was_memory_short",
        "seconds",
        "crops",
        "seam",
        "notes",
    ]
    assert report["weights"]["name"] == "small"
    assert len(report["weights"]["sha256"]) == 64
    assert (report["device"], report["seed"], report["working_size_px"]) == ("cpu", 3, 512)
    assert set(report["seconds"]) == {"weights", "plan", "edges", "fill", "composite", "seam", "total"}
    assert result.image.shape == (64, 72, 3)
    assert result.edges.shape == (64, 72)


def test_the_same_edit_gives_the_same_bytes(engine, small_weights):
    first = engine.run(InpaintEdit(), holed())
    again = engine.run(InpaintEdit(), holed())
    engine.close()
    afresh = engine.run(InpaintEdit(), holed())
    for other in (again, afresh):
        assert np.array_equal(first.image, other.image)
        assert np.array_equal(first.edges, other.edges)


def test_inputs_stay_as_they_were(engine):
    inputs = holed()
    image, mask = inputs.image.copy(), inputs.mask.copy()
    engine.run(InpaintEdit(), inputs)
    assert np.array_equal(inputs.image, image)
    assert np.array_equal(inputs.mask, mask)


def test_fast_is_close_to_exact(engine):
    exact = engine.run(InpaintEdit(), holed())
    fast = engine.run(InpaintEdit(quality="fast"), holed())
    assert fast.report["quality"] == "fast"
    difference = np.abs(exact.image.astype(int) - fast.image)
    assert difference.mean() < 3
    if fast.report["precision"] == "float32":
        assert "fast equals exact here" in fast.report["notes"][0]


def test_a_newly_drawn_edge_runs_the_fill_alone(engine, spoiled):
    edges, fill = spoiled("edges"), spoiled("fill")
    inputs = holed()
    engine.run(InpaintEdit(), inputs)
    drawn = np.zeros(inputs.size_hw, np.uint8)
    drawn[28, 20:50] = 255
    engine.run(InpaintEdit(), EditInputs(inputs.image, inputs.mask, drawn))
    assert (edges[0].calls, fill[0].calls) == (1, 2)
    moved = np.roll(inputs.mask, 1, axis=1)
    engine.run(InpaintEdit(), EditInputs(inputs.image, moved, drawn))
    assert (edges[0].calls, fill[0].calls) == (2, 3)


def test_of_an_edge_map_only_the_hole_is_kept(engine):
    inputs = holed()
    engine.run(InpaintEdit(), inputs)
    assert engine._codes.nbytes == 4 * np.count_nonzero(inputs.mask)
    engine.run(InpaintEdit(is_official_match=True), inputs)  # takes the answer as it is, and so asks again
    assert engine._codes.nbytes == 4 * (np.count_nonzero(inputs.mask) + inputs.mask.size)


def test_two_files_stay_resident_while_they_fit(engine, spoiled):
    loads = spoiled("fill")
    for name in ("small", "other", "small"):
        engine.run(InpaintEdit(weights=name), holed())
    assert engine.resident_count == 2
    assert len(loads) == 2


def test_the_least_recently_used_leaves_when_the_budget_is_spent(engine, spoiled):
    loads = spoiled("fill")
    engine._residents.limit_bytes = 1
    for name in ("small", "other", "small"):
        engine.run(InpaintEdit(weights=name), holed())
    assert engine.resident_count == 1
    assert len(loads) == 3


def test_a_failed_switch_keeps_the_old_networks(engine, spoiled, tmp_path):
    loads = spoiled("fill")
    engine._residents.limit_bytes = 1
    first = engine.run(InpaintEdit(), holed())
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"nothing of use")
    engine._store.paths["damaged"] = damaged
    with pytest.raises(WeightsError, match="damaged.safetensors"):
        engine.run(InpaintEdit(weights="damaged"), holed())
    assert engine.resident_count == 1
    assert np.array_equal(engine.run(InpaintEdit(), holed()).image, first.image)
    assert len(loads) == 1


def test_weights_that_do_not_fit_are_named_with_what_is_missing(engine, small_weights, tmp_path):
    whole = read_weights(small_weights)
    state = {key: value for key, value in whole.state.items() if key != "edges.encoder.stem.weight"}
    broken = tmp_path / "broken.safetensors"
    write_weights(broken, WeightFile("inpaint", whole.options, state))
    engine._store.paths["broken"] = broken
    with pytest.raises(
        WeightsError, match=r"broken.safetensors: expected the networks of inpaint.*encoder.stem.weight"
    ):
        engine.run(InpaintEdit(weights="broken"), holed())


def test_a_file_that_changed_is_read_again(engine, other_weights, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(engine._store.paths["small"].read_bytes())
    engine._store.paths["mine"] = path
    first = engine.run(InpaintEdit(weights="mine"), holed())
    path.write_bytes(other_weights.read_bytes())
    second = engine.run(InpaintEdit(weights="mine"), holed())
    assert first.report["weights"]["sha256"] != second.report["weights"]["sha256"]
    assert not np.array_equal(first.image, second.image)


def test_a_path_stands_for_a_name(engine, small_weights, tmp_path):
    """With the real store, which knows no names here."""
    real = Engine(device="cpu", weights=WeightsStore(shipped=tmp_path / "none", user=tmp_path / "mine"))
    result = real.run(InpaintEdit(weights=str(small_weights)), holed())
    assert result.report["weights"]["sha256"] == sha256_of(small_weights)
    assert np.array_equal(result.image, engine.run(InpaintEdit(), holed()).image)


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(DeviceError, match="device: expected auto, cpu, cuda"):
        Engine(device="tpu")


def test_a_warm_engine_has_the_default_weights_in_both_qualities(engine, spoiled):
    loads = spoiled("fill")
    engine.warm_up()
    assert loads
    loaded = len(loads)
    engine.run(InpaintEdit(), holed())
    engine.run(InpaintEdit(quality="fast"), holed())
    assert len(loads) == loaded


def test_warming_up_stops_for_a_job_and_never_fails(engine, spoiled, tmp_path):
    loads = spoiled("fill")
    engine.warm_up(is_cancelled=lambda: True)
    assert not loads
    bare = Engine(device="cpu", weights=WeightsStore(shipped=tmp_path / "none", user=tmp_path / "mine"))
    bare.warm_up()
    assert bare.resident_count == 0
    spoiled("fill", [RuntimeError("CUDA error: unspecified launch failure")])
    engine.warm_up()


def test_the_status_tells_device_and_memory(engine):
    before = engine.status()
    assert (before["device"], before["device_name"], before["resident_bytes"]) == ("cpu", "cpu", 0)
    assert before["fast_precision"] in ("bfloat16", "float32")
    assert before["free_bytes"] > 0
    engine.run(InpaintEdit(), holed())
    after = engine.status()
    assert after["resident_bytes"] > 0
    assert (before["kept_bytes"], after["kept_bytes"]) == (0, engine._codes.nbytes)
    assert after["kept_bytes"] > 0
    engine.reset_peak()
    assert engine.peak_bytes() == 0


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_cancelled_before_it_begins(engine, spoiled):
    edges = spoiled("edges")
    with pytest.raises(Cancelled):
        engine.run(InpaintEdit(), holed(), is_cancelled=lambda: True)
    assert not edges


@pytest.mark.parametrize("word", ["edges", "fill", "composite"])
def test_cancel_is_looked_at_before_each_step(engine, spoiled, word):
    edges, fill = spoiled("edges"), spoiled("fill")
    asked = []
    with pytest.raises(Cancelled):
        engine.run(
            InpaintEdit(),
            holed(),
            progress=lambda message: asked.append(message.word),
            is_cancelled=lambda: len(asked) >= {"edges": 0, "fill": 2, "composite": 4}[word],
        )
    ran = (len(edges) and edges[0].calls, len(fill) and fill[0].calls)
    assert ran == {"edges": (0, 0), "fill": (1, 0), "composite": (1, 1)}[word]


def test_cancel_is_looked_at_between_windows(engine):
    mask = np.zeros((256, 256), np.uint8)
    mask[40:200, 40:200] = 255
    words = []
    with pytest.raises(Cancelled):
        engine.run(
            InpaintEdit(working_size_px=64),
            EditInputs(picture(256, 256), mask),
            progress=lambda message: words.append(message.word),
            is_cancelled=lambda: words.count("refine") >= 4,
        )
    assert words.count("refine") <= 5


def test_an_engine_works_on_after_a_cancelled_job(engine):
    with pytest.raises(Cancelled):
        engine.run(InpaintEdit(), holed(), is_cancelled=lambda: True)
    assert engine.run(InpaintEdit(), holed()).image.shape == (64, 72, 3)


# Memory ---------------------------------------------------------------------------------------------------------------


def short_of_memory():
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")


def test_running_out_once_retries_at_half_the_working_size(engine, spoiled):
    spoiled("fill", [short_of_memory()])
    seen = []
    result = engine.run(InpaintEdit(), holed(), progress=seen.append)
    assert result.report["working_size_px"] == 256
    assert "out of memory on cpu" in result.report["notes"][0]
    assert result.report["was_memory_short"]
    assert not engine.run(InpaintEdit(), holed()).report["was_memory_short"]
    shares = [message.share for message in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_running_out_in_the_middle_of_windows_gives_a_whole_result(engine, spoiled):
    mask = np.zeros((300, 300), np.uint8)
    mask[20:280, 20:280] = 255
    inputs = EditInputs(picture(300, 300), mask)
    spoiled("fill", [None, None, short_of_memory()])
    result = engine.run(InpaintEdit(working_size_px=256), inputs)
    assert result.report["working_size_px"] == 128
    assert np.array_equal(result.image[mask == 0], inputs.image[mask == 0])
    plain = engine.run(InpaintEdit(working_size_px=128), inputs)
    assert np.array_equal(result.image, plain.image)


def test_running_out_for_good_is_told(engine, spoiled):
    fill = spoiled("fill", [RuntimeError("DefaultCPUAllocator: not enough memory: you tried")] * 9)
    words = rf"inpaint: expected enough memory for a working size of {SMALLEST_WORKING_PX} px, got .* GiB free; close"
    with pytest.raises(OutOfMemoryError, match=words):
        engine.run(InpaintEdit(), holed())
    assert fill[0].calls == 3  # 512, 256, 128


def test_an_official_match_is_not_shrunk(engine, spoiled):
    fill = spoiled("fill", [short_of_memory()] * 9)
    with pytest.raises(OutOfMemoryError, match="an official match needs the whole frame at once"):
        engine.run(InpaintEdit(is_official_match=True), holed())
    assert fill[0].calls == 1


def test_a_full_gpu_falls_back_to_the_processor(engine, spoiled, monkeypatch):
    """The first device is only called something else here: the ladder is what is looked at."""
    elsewhere = torch.device("cpu", 0)
    monkeypatch.setattr(engine, "_device", elsewhere)
    spoiled("fill", [short_of_memory()] * 3)
    result = engine.run(InpaintEdit(), holed())
    assert result.report["working_size_px"] == 512
    assert len(result.report["notes"]) == 3
    assert "out of memory on cpu:0" in result.report["notes"][0]


def test_other_faults_come_through(engine, spoiled):
    spoiled("fill", [RuntimeError("shapes do not match")])
    with pytest.raises(RuntimeError, match="shapes do not match"):
        engine.run(InpaintEdit(), holed())


def test_little_free_memory_lowers_the_working_size(engine, monkeypatch):
    monkeypatch.setattr(engines, "free_bytes", lambda device: 20_000_000)
    mask = np.zeros((260, 260), np.uint8)
    mask[10:250, 10:250] = 255
    result = engine.run(InpaintEdit(), EditInputs(picture(260, 260), mask))
    assert result.report["working_size_px"] == 256
    assert len(result.report["crops"][0]["levels_hw"]) > 1


def test_a_whole_frame_is_filled_at_once_while_memory_allows(engine, monkeypatch):
    mask = np.zeros((200, 300), np.uint8)
    mask[90:110, 90:110] = 255
    inputs = EditInputs(picture(200, 300), mask)
    edit = InpaintEdit(context="full", working_size_px=64)
    assert engine.run(edit, inputs).report["crops"][0]["levels_hw"] == [[200, 300]]
    monkeypatch.setattr(engines, "free_bytes", lambda device: 3_000_000)
    report = engine.run(edit, inputs).report
    assert report["working_size_px"] == 128
    assert len(report["crops"][0]["levels_hw"]) > 1
