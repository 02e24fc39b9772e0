"""The processes of a run, as the loop needs them: who am I, average this, does anyone want to stop.

Lightning Fabric finds the devices, starts the processes (or joins those that torchrun started) and sets the
precision; the networks stay plain.
"""

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager

import torch
from lightning_fabric import Fabric
from torch import Tensor

from engine.errors import TrainingError
from engine.python_process import starting_safely
from engine.training.options import TrainOptions


class Processes:
    """All processes of a run, seen from one of them.

    Args:
        fabric: launched.
        is_bf16: whether networks run in bfloat16.
    """

    def __init__(self, fabric: Fabric, *, is_bf16: bool) -> None:
        self._fabric = fabric
        self.device: torch.device = fabric.device
        self._is_bf16 = is_bf16
        self.rank: int = fabric.global_rank
        self.count: int = fabric.world_size

    @property
    def is_first(self) -> bool:
        """Whether this process reports and writes."""
        return self.rank == 0

    @property
    def is_cuda(self) -> bool:
        """Whether this process has a GPU of its own."""
        return self.device.type == "cuda"

    @property
    def memory_format(self) -> torch.memory_format:
        """How networks and batches lie in memory.

        Channels-last is the layout of bfloat16 kernels and of GPUs; a processor takes float32 steps quicker in
        torch's own (1.3 beside 1.5 seconds a step).
        """
        return torch.channels_last if self.is_cuda or self._is_bf16 else torch.contiguous_format

    def autocast(self) -> AbstractContextManager[None]:
        """The precision of the run, for forwards."""
        context: AbstractContextManager[None] = self._fabric.autocast()
        return context

    def taken(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A loader's batch on this process's device and in its layout."""
        return {
            name: tensor.to(self.device, non_blocking=True, memory_format=self.memory_format)
            for name, tensor in batch.items()
        }

    def average_(self, block: Tensor) -> None:
        """Replace a tensor by its mean over the processes, in place."""
        if self.count > 1 and block.numel():
            torch.distributed.all_reduce(block)
            block.div_(self.count)

    def averaged(self, scalars: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Means of named scalars over the processes; every process gives the same names."""
        if self.count == 1 or not scalars:
            return dict(scalars)
        names = sorted(scalars)
        block = torch.stack([scalars[name].detach().float() for name in names])
        self.average_(block)
        return dict(zip(names, block.unbind(), strict=True))

    def share_from_first(self, tensors: list[Tensor]) -> None:
        """Overwrite tensors with those of the first process, in place."""
        if self.count > 1:
            for tensor in tensors:
                torch.distributed.broadcast(tensor, 0)

    def any_wants(self, wish: bool) -> bool:
        """Whether any process says yes; all get the same answer."""
        if self.count == 1:
            return wish
        flag = torch.tensor(float(wish), device=self.device)
        torch.distributed.all_reduce(flag)
        return bool(flag > 0)

    def wait(self) -> None:
        """Come back when every process is here."""
        if self.count > 1:
            self._fabric.barrier()

    def part(self) -> None:
        """Leave the group, as the last thing: its threads abort an interpreter that ends while they run."""
        if self.count > 1:
            self.wait()
            torch.distributed.destroy_process_group()


def launch(options: TrainOptions) -> Processes:
    """Find the devices, start or join the processes.

    Raises:
        TrainingError: if the device is unknown or not there.
    """
    if options.device not in ("auto", "cpu", "cuda"):
        hint = "choose the GPU of a run with CUDA_VISIBLE_DEVICES"
        raise TrainingError("device", "auto, cpu or cuda", repr(options.device), hint)
    has_cuda = torch.cuda.is_available()
    if options.device == "cuda" and not has_cuda:
        raise TrainingError("device", "a CUDA device", "none on this machine", "use --device cpu, or auto")
    is_cuda = has_cuda and options.device != "cpu"
    devices, nodes = _layout(options)
    if is_cuda and devices > torch.cuda.device_count():
        hint = "one process a GPU; lower --devices"
        raise TrainingError("devices", f"at most {torch.cuda.device_count()}", devices, hint)
    # Fabric writes the precision to stderr, which --quiet does not reach; the run's own lines say it.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    fabric = Fabric(
        accelerator="cuda" if is_cuda else "cpu",
        devices=devices,
        num_nodes=nodes,
        strategy="ddp" if devices * nodes > 1 else "auto",
        precision="bf16-mixed" if options.precision == "bf16" else "32-true",
    )
    with starting_safely():
        fabric.launch()
    return Processes(fabric, is_bf16=options.precision == "bf16")


def _layout(options: TrainOptions) -> tuple[int, int]:
    """Processes a machine, and machines: torchrun's where it started us, else as asked."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        return local, int(os.environ["WORLD_SIZE"]) // local
    return options.devices, options.nodes


def local_processes(options: TrainOptions) -> int:
    """Processes on this machine, which share its cores and memory."""
    return _layout(options)[0]
