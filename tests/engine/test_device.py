import numpy as np
import pytest
import torch
from torch import nn

from engine import device as devices
from engine.device import NetworkCall, arithmetic, choose_device, choose_precision
from engine.errors import DeviceError
from engine.progress import Cancelled

CPU = torch.device("cpu")


class Doubled(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(2 * torch.eye(3)[..., None, None])

    def paint(self, image, hole):
        return self.mix(image) * hole


def test_cpu_and_auto_are_always_there():
    assert choose_device("cpu") == CPU
    assert choose_device().type in ("cpu", "cuda")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CPU", ""])
def test_an_unknown_spelling_is_refused(name):
    with pytest.raises(DeviceError, match="device: expected auto, cpu, cuda or cuda:N, got"):
        choose_device(name)


def test_a_missing_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="expected a GPU that torch can use, got none on this machine"):
        choose_device("cuda")


def test_a_gpu_beyond_the_last_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("auto") == torch.device("cuda", 0)
    with pytest.raises(DeviceError, match="expected cuda:0 to cuda:1, got cuda:2"):
        choose_device("cuda:2")


def test_exact_is_float32():
    precision = choose_precision(CPU, "exact")
    assert (precision.dtype, precision.bytes_per_value, precision.note) == (torch.float32, 4, "")


def test_fast_is_bfloat16_where_there_are_instructions_for_it(monkeypatch):
    monkeypatch.setattr(devices, "has_bfloat16", lambda device: True)
    assert choose_precision(CPU, "fast").dtype == torch.bfloat16


def test_fast_says_when_it_equals_exact(monkeypatch):
    monkeypatch.setattr(devices, "has_bfloat16", lambda device: False)
    precision = choose_precision(CPU, "fast")
    assert precision.dtype == torch.float32
    assert "fast equals exact here" in precision.note


def test_settings_of_a_call_reach_the_function_and_are_never_recorded():
    class Sized(Doubled):
        def remake(self, image, size_hw, *, gain=1.0):
            return gain * nn.functional.interpolate(self.mix(image), size_hw)

    call = NetworkCall(Sized(), "remake", CPU, choose_precision(CPU, "exact"))
    call._has_graphs = True  # a recording would need a GPU here
    answer = call(np.full((4, 6, 3), 0.25, np.float32), size_hw=(2, 3), gain=0.5)
    assert answer.shape == (2, 3, 3)
    assert np.allclose(answer, 0.25)


@pytest.mark.parametrize("quality", ["exact", "fast"])
def test_switches_of_torch_are_put_back(quality):
    def read():
        return (
            torch.backends.mkldnn.conv.fp32_precision,
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
            torch.is_inference_mode_enabled(),
        )

    def fail_inside():
        with arithmetic(CPU, quality):
            assert torch.is_inference_mode_enabled()
            raise ZeroDivisionError

    before = read()
    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert read() == before


@pytest.mark.parametrize("quality", ["exact", "fast"])
def test_a_call_takes_arrays_and_answers_with_one(quality):
    call = NetworkCall(Doubled(), "paint", CPU, choose_precision(CPU, quality))
    image = np.full((5, 7, 3), 0.25, np.float32)
    hole = np.eye(5, 7, dtype=np.float32)
    answer = call(image, hole)
    assert answer.dtype == np.float32
    assert np.array_equal(answer, 0.5 * hole[..., None] * np.ones(3, np.float32))
    assert image.min() == image.max() == 0.25


def test_a_single_channel_comes_back_as_a_plane():
    class First(nn.Module):
        def forward(self, x):
            return x[:, :1]

    call = NetworkCall(First(), "forward", CPU, choose_precision(CPU, "exact"))
    assert call(np.zeros((4, 6, 3))).shape == (4, 6)


def test_a_graph_that_cannot_be_recorded_falls_back(monkeypatch, caplog):
    """Forced on the CPU, where recording always fails."""

    def fail(*_):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(devices, "_Graph", fail)
    precision = devices.Precision("fast", torch.float32, torch.channels_last, has_graphs=True, note="")
    call = NetworkCall(Doubled(), "paint", CPU, precision)
    for _ in range(2):
        assert call(np.ones((2, 2, 3)), np.ones((2, 2))).max() == 2
    assert caplog.text.count("going on without") == 1


def test_memory_running_out_while_recording_is_told(monkeypatch):
    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(devices, "_Graph", fail)
    precision = devices.Precision("fast", torch.float32, torch.channels_last, has_graphs=True, note="")
    call = NetworkCall(Doubled(), "paint", CPU, precision)
    with pytest.raises(torch.OutOfMemoryError):
        call(np.ones((2, 2, 3)), np.ones((2, 2)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_replayed_call_equals_a_plain_one():
    gpu = torch.device("cuda", 0)
    network = Doubled().to(gpu)
    rng = np.random.default_rng(0)
    image, hole = rng.random((16, 24, 3)), rng.random((16, 24))
    call = NetworkCall(network, "paint", gpu, choose_precision(gpu, "fast"))
    first, again = call(image, hole), call(image, hole)
    plain = NetworkCall(network, "paint", gpu, choose_precision(gpu, "exact"))(image, hole)
    assert np.array_equal(first, again)
    assert np.abs(first - plain).max() < 2e-2


# Stopping in the middle -----------------------------------------------------------------------------------------------


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 1, 1)
        self.second = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())

    def forward(self, x):
        return self.second(self.first(x))


def test_an_interrupt_is_asked_before_every_layer_and_only_while_set():
    precision = choose_precision(CPU, "exact")
    call = NetworkCall(Two().eval(), "forward", CPU, precision)
    asked = []
    plane = np.ones((4, 4), np.float32)
    before = call(plane)
    call.interrupt.look = lambda: asked.append(1)
    assert np.array_equal(call(plane), before)
    call.interrupt.look = None
    call(plane)
    assert len(asked) == 3


def test_what_an_interrupt_raises_comes_out_of_the_call_and_the_next_call_is_whole():
    call = NetworkCall(Two().eval(), "forward", CPU, choose_precision(CPU, "exact"))
    plane = np.ones((4, 4), np.float32)
    before = call(plane)
    asked = []

    def look():
        asked.append(1)
        if len(asked) == 2:
            raise Cancelled("stop")

    call.interrupt.look = look
    with pytest.raises(Cancelled):
        call(plane)
    call.interrupt.look = None
    assert np.array_equal(call(plane), before)
