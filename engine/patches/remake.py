"""Remake a picture at any size or shape from its own patches: the door of the instant mode.

No weights and nothing learned: the result is put together from small pieces of the picture itself, as they stand, so
that its elements keep their size: a facade drawn out wide gets more windows, not wider ones.

Cost: grows with the pixels of source and result; memory too, some 600 bytes a pixel.
Source: Granot et al. 2022; see synthesis.py.
Elsewhere: large pictures in enlarging.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.patches import locks, quad
from engine.patches.level import State, Task, tensor
from engine.patches.pyramid import plan
from engine.patches.synthesis import synthesise
from engine.patches.voting import pixel_field, strangeness
from engine.progress import Steps

_UNITS = 1000


@dataclass(frozen=True)
class Remade:
    """A picture in its new shape."""

    image: np.ndarray
    """(h, w, 3) float32 RGB in [0, 1]; black outside a quadrilateral."""

    field_xy: np.ndarray
    """(h, w, 2) int32: the pixel of the source each pixel comes from; (0, 0) outside a quadrilateral."""

    novelty: np.ndarray
    """(h, w) float32 in [0, 1]: 0 copied as it stood .. 1 put together from many places; 0 outside."""


def remake(
    image: np.ndarray,
    target_size_hw: tuple[int, int],
    *,
    corners_xy: Sequence[tuple[float, float]] | None = None,
    lock: np.ndarray | None = None,
    seed: int = 0,
    device: torch.device,
    steps: Steps,
    completeness: float,
) -> Remade:
    """Remake a picture at another size or in a quadrilateral.

    Args:
        image: (H, W, 3) float32 RGB in [0, 1]; not modified.
        target_size_hw: size of the result; with corners, of the box around them.
        corners_xy: where the corners go, top left, top right, bottom right, bottom left, (x, y) in px of the result;
            None for a plain rectangle. Must be convex.
        lock: (H, W) bool or float32; above 0 comes back as it is, moved as one piece; None for nothing.
        seed: of the random part of the search; the same seed gives the same picture on the same machine.
        device: where to search.
        steps: told how far it is, and asked whether to go on.
        completeness: 0 (only what fits best) .. 1 (every part of the source finds its place).

    Raises:
        Cancelled: if the job was asked to stop.
    """
    source_hw = (image.shape[0], image.shape[1])
    target_hw = (int(target_size_hw[0]), int(target_size_hw[1]))
    corners = quad.rectangle(target_hw) if corners_xy is None else np.array(corners_xy, dtype=np.float64)
    levels = plan(source_hw, target_hw)
    task = Task(
        image=np.ascontiguousarray(image, dtype=np.float32),
        target_hw=target_hw,
        corners=corners,
        plan=levels,
        alpha=alpha_of(completeness),
        device=device,
        generator=torch.Generator().manual_seed(seed),
        look=steps.look,
        pieces=[] if lock is None else locks.pieces(lock),
        is_quad=corners_xy is not None,
    )
    costs = np.cumsum([scale**2 for scale in levels.scales])
    steps.restart(_UNITS)
    steps.begin("patches")

    def report(level: int, state: State) -> None:
        steps.catch_up(int(0.95 * _UNITS * costs[level] / costs[-1]))
        preview = np.rint(state.picture * 255).astype(np.uint8)
        steps.end("patches", preview, (0, 0, target_hw[1], target_hw[0]))

    with torch.inference_mode():
        state = synthesise(task, report)
        made = _finished(task, state)
    steps.finish("patches")
    return made


def alpha_of(completeness: float) -> float | None:
    """Turn a share into the alpha of the completeness weights; None stands for no weights."""
    if completeness <= 0:
        return None
    return float(10 ** (-0.65 - 2 * completeness))


def _finished(task: Task, state: State) -> Remade:
    """Say where the pixels of the finest level are from, and lay locked pieces over it."""
    side = task.plan.side
    size_hw = (state.picture.shape[0], state.picture.shape[1])
    grid_hw = (size_hw[0] - side + 1, size_hw[1] - side + 1)
    key_hw = (state.source_hw[0] - side + 1, state.source_hw[1] - side + 1)
    found = pixel_field(state.index, grid_hw, key_hw, side)
    source = tensor(task.image, task.device)
    novelty = strangeness(tensor(state.picture, task.device), source, found).cpu().numpy()
    task.look()
    field, picture = found.cpu().numpy().astype(np.int32), np.clip(state.picture, 0, 1)
    for piece in task.pieces:
        matrix = quad.homography(quad.rectangle(task.source_hw), task.corners)
        locks.stamp(piece, locks.shift_px(piece, matrix, task.target_hw), task.image, picture, field, novelty)
    if task.is_quad:
        outside = ~quad.inside(task.corners, task.target_hw, margin_px=0.75)
        picture[outside], field[outside], novelty[outside] = 0, 0, 0
    return Remade(picture, field, novelty)
