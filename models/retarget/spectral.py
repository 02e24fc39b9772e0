"""Spectral normalisation: a convolution divided by (an estimate of) its largest singular value.

The estimate is u . (W v), with unit vectors u and v that follow the weights by one power
iteration for every forward in training. In eval the stored u and v are used as they are,
so an answer is a function of the weights file alone.

The published test code never leaves training mode, so its vectors drift with every
picture. `load_generators` repeats that on request; see spec.py.

Two deviations from `torch.nn.utils.spectral_norm`, which the published networks use:
    - Fresh vectors are aligned with the fresh weights by a few iterations. The published
      code redraws the weights after u and v were made, and so starts with stale ones.
    - The estimate is float32 under autocast too; in bf16 it is off by up to 1 %.
Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks",
    ICLR 2018, arXiv:1802.05957, algorithm 1.
"""

from collections.abc import Mapping
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

STORED = "parametrizations.weight."
"""Below a convolution's name: ``original`` (the weight), ``0.u`` and ``0.v``."""
_FIRST_ITERATIONS = 8  # sigma of a fresh layer is then within 5 % of the largest singular value
_EPS = 1e-12  # as torch: keeps a zero vector from dividing by zero

Network = TypeVar("Network", bound=nn.Module)


class SpectralNorm(nn.Module):
    """The parametrization of one weight: W -> W / (u . (W v)).

    Args:
        weight: the fresh weight that u and v are to be aligned with; rows of the matrix are
            its output channels, dimension 0.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        u, v = aligned_vectors(weight.detach().flatten(1))
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def forward(self, weight: Tensor) -> Tensor:
        """The normalised weight; in training u and v first take one power iteration."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.float().flatten(1)
            if self.training:
                with torch.no_grad():
                    self.v.copy_(_unit(matrix.detach().T @ self.u))
                    self.u.copy_(_unit(matrix.detach() @ self.v))
            # Copies: the graph keeps them while a later forward moves the buffers on.
            sigma = self.u.clone() @ (matrix @ self.v.clone())
            return (weight.float() / sigma).to(weight.dtype)


def spectral_norm(conv: nn.Conv2d) -> nn.Conv2d:
    """Put a convolution's weight under `SpectralNorm`, in place; call it after initialising the weight."""
    is_training = conv.training
    norm = SpectralNorm(conv.weight).eval()
    # unsafe: skips a trial forward; shape and dtype stay, and the meta device has no autocast.
    parametrize.register_parametrization(conv, "weight", norm, unsafe=True)
    conv.train(is_training)
    return conv


def fold_spectral_norm(network: Network) -> Network:
    """Replace every spectral weight by the plain one it stands for in eval mode, in place.

    Answers do not change by a bit, and no forward pays for the estimate again. Needs no
    undo: training starts from folded weights through `RetargetObjective.load_house_state`.

    Returns:
        ``network``, now with plain parameters only.
    """
    for module in list(network.modules()):
        if parametrize.is_parametrized(module, "weight"):
            module.parametrizations.weight.eval()  # type: ignore[union-attr]
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    return network


def restore_spectral_norm(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Give folded weights back the vectors that a spectral network stores; the inverse of folding.

    The folded weight W becomes the stored one. v is its right singular vector, and u is the
    left one divided by the singular value: u . (W v) is then 1, so the weight in use is W
    itself, also when W was folded with a rough estimate. The first training forward brings
    u back to unit length.

    Args:
        state: of ``network``, folded or spectral or part of each.
        network: the spectral network that is going to load it.

    Returns:
        A new state with every spectral weight in stored form; other tensors as they are.
    """
    restored = dict(state)
    for name, module in network.named_modules():
        key = f"{name}.weight"
        if not parametrize.is_parametrized(module, "weight") or key not in restored:
            continue
        weight = restored.pop(key).float()
        matrix = weight.flatten(1)
        u, v = aligned_vectors(matrix)
        spectral = f"{name}.{STORED}"
        restored |= {
            f"{spectral}original": weight,
            f"{spectral}0.u": u / (u @ (matrix @ v)),
            f"{spectral}0.v": v,
        }
    return restored


def aligned_vectors(matrix: Tensor, iterations: int = _FIRST_ITERATIONS) -> tuple[Tensor, Tensor]:
    """Unit vectors u (rows) and v (columns) after power iterations from a random u."""
    if matrix.is_meta:  # shapes alone are asked for, and every step there takes a millisecond
        return matrix.new_empty(matrix.shape[0]), matrix.new_empty(matrix.shape[1])
    u = _unit(torch.randn(matrix.shape[0], device=matrix.device, dtype=matrix.dtype))
    v = _unit(matrix.T @ u)
    for _ in range(iterations):
        u = _unit(matrix @ v)
        v = _unit(matrix.T @ u)
    return _unit(matrix @ v), v


def _unit(vector: Tensor) -> Tensor:
    return F.normalize(vector, dim=0, eps=_EPS)
