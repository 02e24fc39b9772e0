"""Where networks run, in which precision, and what a failing device says.

Two precisions. ``exact`` is float32 without any of the short cuts a device may take (no TF32), so it gives the numbers
of the published network. ``fast`` is bfloat16 where the processor (AVX512-BF16 or AMX) or the GPU computes with it;
elsewhere it would be slower, so it equals ``exact`` and says so. Both keep activations channels-last: with the group
norms of our networks no layer then copies between layouts. Measured with the fill network of the starter size at 448x448
on one core with AVX512 and AMX: float32 2.0 s in the default layout and 1.5 s channels-last, bfloat16 1.2 s and 0.7 s.

Switches of torch are set around a call and put back after it: who imports us keeps their settings.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import DeviceError
from engine.out_of_memory import is_out_of_memory

_log = logging.getLogger(__name__)

Quality = Literal["exact", "fast"]

GRAPHS_LIMIT = 8
"""Recorded CUDA graphs a network keeps; each holds the memory of its activations."""


def choose_device(name: str = "auto") -> torch.device:
    """Find the device a user means.

    Args:
        name: ``auto`` (a GPU if there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        DeviceError: if it is written otherwise or is not there.
    """
    if name == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    if name == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if match is None:
        raise DeviceError("device", "auto, cpu, cuda or cuda:N", repr(name), "leave it out to have it chosen")
    if not torch.cuda.is_available():
        hint = "use cpu or auto; `pentimento doctor` says what torch finds"
        raise DeviceError("device", "a GPU that torch can use", "none on this machine", hint)
    index, count = int(match.group(1) or 0), torch.cuda.device_count()
    if index >= count:
        raise DeviceError("device", f"cuda:0 to cuda:{count - 1}", name, "counting starts at 0")
    return torch.device("cuda", index)


@dataclass(frozen=True)
class Precision:
    """How one quality is computed on one device."""

    quality: Quality
    """What is computed; ``exact`` where ``fast`` was asked and there is nothing to be fast with."""
    dtype: torch.dtype
    """Of weights and activations."""
    memory_format: torch.memory_format
    """Of weights and activations."""
    has_graphs: bool
    """Whether calls are recorded as CUDA graphs and replayed."""
    note: str
    """What the user should know; empty when there is nothing to say."""

    @property
    def bytes_per_value(self) -> int:
        """Size of one activation."""
        return self.dtype.itemsize


def choose_precision(device: torch.device, quality: Quality) -> Precision:
    """The precision of a quality on a device: measured when this was written, not assumed."""
    layout = torch.channels_last
    if quality == "exact":
        return Precision(quality, torch.float32, layout, has_graphs=False, note="")
    if not has_bfloat16(device):
        note = f"fast equals exact here: {describe(device)} does not compute with bfloat16"
        return Precision("exact", torch.float32, layout, has_graphs=False, note=note)
    return Precision(quality, torch.bfloat16, layout, has_graphs=device.type == "cuda", note="")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16; emulation does not count."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def describe(device: torch.device) -> str:
    """The device in words: ``cpu`` or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


@contextmanager
def arithmetic(device: torch.device, quality: Quality) -> Iterator[None]:
    """Set torch's switches for one call, and put them back.

    ``exact`` forbids TF32 and other shortened products. Both ask for algorithms that give the same bytes every time;
    trying out which one is quickest is off, because the winner may change between two runs.
    """
    is_fast = quality == "fast"
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        if device.type == "cuda":
            flags: Any = torch.backends.cudnn.flags
            # fp32_precision=None: that switch is shared with matrix products, which are not used here.
            stack.enter_context(
                flags(enabled=True, deterministic=True, allow_tf32=is_fast, fp32_precision=None)
            )
        elif not is_fast:
            stack.enter_context(_whole_products())
        yield


@contextmanager
def _whole_products() -> Iterator[None]:
    """Keep oneDNN's float32 convolutions from being computed in anything shorter, whatever the caller chose."""
    conv: Any = torch.backends.mkldnn.conv  # type: ignore[attr-defined]
    before = conv.fp32_precision
    conv.fp32_precision = "ieee"
    try:
        yield
    finally:
        conv.fp32_precision = before


class Interrupt:
    """A question asked before every layer of a network; what it raises goes through the network to who called it.

    On a processor a network takes seconds, and stopping between two networks would be far too late. The network knows
    nothing of this: it is a hook of torch's. On a GPU layers are launched long before they run, so there is none.
    """

    def __init__(self) -> None:
        self.look: Callable[[], None] | None = None
        """What is asked now; None = nothing."""

    def __call__(self, *_: object) -> None:
        """Ask; torch's arguments are not looked at, and nothing is changed."""
        if self.look is not None:
            self.look()

    def watch(self, network: nn.Module) -> None:
        """Ask before each layer of a network from now on."""
        for layer in network.modules():
            if next(layer.children(), None) is None:
                layer.register_forward_pre_hook(self)


class NetworkCall:
    """One function of a network, called with numpy arrays and answering with one.

    The network is moved to the device in the precision's dtype and layout when this is made; arrays become tensors at
    the call alone. On a GPU in ``fast`` a call is recorded per shape and replayed, which takes the launch of some
    hundred small kernels off the processor. Where recording fails the plain call goes on for good, with a line in the log.

    Args:
        network: in eval mode; moved, not copied.
        method: name of the function; takes (B, C, H, W) tensors and returns one.
        device: where it runs.
        precision: from `choose_precision` for that device.
    """

    def __init__(self, network: nn.Module, method: str, device: torch.device, precision: Precision) -> None:
        self.network = network.to(device=device, dtype=precision.dtype)
        self.network.to(memory_format=precision.memory_format)  # type: ignore[call-overload]  # missing in torch's stubs
        self._method = method
        self._device = device
        self._precision = precision
        self._graphs: OrderedDict[tuple[torch.Size, ...], _Graph] = OrderedDict()
        self._has_graphs = precision.has_graphs
        self.interrupt = Interrupt()
        if device.type == "cpu":
            self.interrupt.watch(self.network)

    def __call__(self, *planes: np.ndarray, **settings: Any) -> np.ndarray:
        """Run once.

        Args:
            planes: (h, w) or (h, w, C) float arrays; each becomes one tensor of batch 1.
            settings: handed to the function as they are. Such a call is never recorded: a frame that follows the
                pointer has another size each time.

        Returns:
            (h, w) or (h, w, C) float32.
        """
        with arithmetic(self._device, self._precision.quality):
            tensors = [self._tensor(plane) for plane in planes]
            answer = self._plain(*tensors, **settings) if settings else self._run(tensors)
            array = answer[0].float().permute(1, 2, 0).cpu().numpy()
        return np.ascontiguousarray(array[..., 0] if array.shape[2] == 1 else array)

    def drop_graphs(self) -> None:
        """Give back the memory of recorded calls."""
        self._graphs.clear()

    def _tensor(self, plane: np.ndarray) -> Tensor:
        values = np.require(
            plane, np.float32, ["C", "W"]
        )  # torch shares memory, and warns of what it may not write
        tensor = torch.from_numpy(values[..., None] if values.ndim == 2 else values).permute(2, 0, 1)[None]
        return tensor.to(
            device=self._device, dtype=self._precision.dtype, memory_format=self._precision.memory_format
        )

    def _plain(self, *tensors: Tensor, **settings: Any) -> Tensor:
        answer: Tensor = getattr(self.network, self._method)(*tensors, **settings)
        return answer

    def _run(self, tensors: list[Tensor]) -> Tensor:
        if not self._has_graphs:
            return self._plain(*tensors)
        key = tuple(tensor.shape for tensor in tensors)
        if key not in self._graphs:
            try:
                self._graphs[key] = _Graph(self._plain, tensors)
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                _log.warning("CUDA graph of %s not recorded, going on without: %s", self._method, error)
                self._has_graphs = False
                self._graphs.clear()
                return self._plain(*tensors)
            if len(self._graphs) > GRAPHS_LIMIT:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        return self._graphs[key].replay(tensors)


class _Graph:
    """A call recorded once for one set of shapes; fresh inputs are copied into the recorded places."""

    def __init__(self, call: Any, tensors: list[Tensor]) -> None:
        device = tensors[0].device
        self._inputs = [tensor.clone(memory_format=torch.preserve_format) for tensor in tensors]
        with torch.cuda.device(device):
            # Libraries allocate their workspaces in the first runs; that must not happen while recording.
            side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(side):
                for _ in range(2):
                    call(*self._inputs)
            torch.cuda.current_stream(device).wait_stream(side)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._output: Tensor = call(*self._inputs)

    def replay(self, tensors: list[Tensor]) -> Tensor:
        """Run the recording; the answer is overwritten by the next replay."""
        for place, tensor in zip(self._inputs, tensors, strict=True):
            place.copy_(tensor)
        with torch.cuda.device(self._inputs[0].device):
            self._graph.replay()
        return self._output
