"""Batch norm that never answers with running statistics.

The published code does not leave training mode, at test time neither: a picture is
normalised by its own mean and deviation, at the size it is being remade at. Running
statistics are kept on the way, because the published file holds them, and nothing reads
them: with them the same weights paint another picture (by up to 0.3 of the range).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PictureNorm(nn.Module):
    """Bring every channel to a learned mean and deviation.

    In training the statistics are those of the whole batch, as published, and the running
    ones follow. In eval they are those of each picture alone, over its whole frame, and
    nothing moves; for one picture both give the same answer.

    Args:
        channels: of what it is given.
    """

    EPS = 1e-5
    MOMENTUM = 0.1

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape, dtype and memory layout."""
        if self.training:
            return self._norm(x, self.running_mean, self.running_var)
        pictures = [self._norm(one, None, None) for one in torch.split(x, 1)]
        return pictures[0] if len(pictures) == 1 else torch.cat(pictures)

    def _norm(self, x: Tensor, mean: Tensor | None, variance: Tensor | None) -> Tensor:
        return F.batch_norm(
            x, mean, variance, self.weight, self.bias, training=True, momentum=self.MOMENTUM, eps=self.EPS
        )
