"""Put overlapping patches together: every pixel is what the patches over it say, on average.

A patch speaks louder in its middle, where it was chosen for what surrounds it, than at its rim. Where neighbouring
patches come from neighbouring places all say the same, and the picture is a sharp copy; where they do not, it is a mix.
How far what surrounds a pixel differs from what surrounded it where it comes from is its novelty.
"""

import torch
from torch import Tensor

from engine.patches.search import Look

STRANGE = 0.12
"""Difference of colour that counts as something new."""

_AROUND = (-3, 0, 3)


def spot_weights(side: int, spread: float) -> list[tuple[int, int, float]]:
    """Weigh each pixel of a patch by its distance from the middle: (row, column, weight)."""
    middle = (side - 1) / 2
    return [
        (dy, dx, float(torch.exp(torch.tensor(-((dy - middle) ** 2 + (dx - middle) ** 2) / (2 * spread**2)))))
        for dy in range(side)
        for dx in range(side)
    ]


def vote(
    values: Tensor,
    index: Tensor,
    grid_hw: tuple[int, int],
    *,
    side: int,
    spread: float,
    trust: Tensor | None = None,
    look: Look | None = None,
) -> Tensor:
    """Average the patches that lie over each pixel.

    Args:
        values: (3, H, W), where the patches come from.
        index: (N,) int64, which patch of ``values`` lies at each place, row by row.
        grid_hw: patches down and across; N in all.
        side: side of a patch in px.
        spread: how fast a patch's say falls from its middle, in px.
        trust: (N,) factor of each patch, or None for 1.
        look: asked between the pixels of a patch whether to go on.

    Returns:
        (3, h, w) with h, w = grid_hw + side - 1.
    """
    rows, columns = grid_hw
    _, _, width = values.shape
    flat = values.flatten(1).T.contiguous()
    corner = _corners(index, width, side)
    total = torch.zeros(rows + side - 1, columns + side - 1, 3, device=values.device)
    weight = torch.zeros(rows + side - 1, columns + side - 1, 1, device=values.device)
    share = None if trust is None else trust.reshape(rows, columns, 1)
    for dy, dx, factor in spot_weights(side, spread):
        if look is not None:
            look()
        colours = flat.index_select(0, corner + (dy * width + dx)).reshape(rows, columns, 3)
        if share is None:
            total[dy : dy + rows, dx : dx + columns].add_(colours, alpha=factor)
            weight[dy : dy + rows, dx : dx + columns] += factor
        else:
            total[dy : dy + rows, dx : dx + columns].add_(colours * share, alpha=factor)
            weight[dy : dy + rows, dx : dx + columns].add_(share, alpha=factor)
    return (total / weight).permute(2, 0, 1).contiguous()


def pixel_field(index: Tensor, grid_hw: tuple[int, int], key_hw: tuple[int, int], side: int) -> Tensor:
    """Say for each pixel where the patch around it was taken from.

    At the rim, where no patch has its middle, the nearest patch that lies over the pixel speaks.

    Returns:
        (h, w, 2) int64, (x, y) in px of the source.
    """
    rows, columns = grid_hw
    height, width = rows + side - 1, columns + side - 1
    device = index.device
    y, x = torch.arange(height, device=device), torch.arange(width, device=device)
    row = (y - side // 2).clamp(0, rows - 1)
    column = (x - side // 2).clamp(0, columns - 1)
    chosen = index.reshape(rows, columns)[row][:, column]
    from_y = chosen // key_hw[1] + (y - row)[:, None]
    from_x = chosen % key_hw[1] + (x - column)[None, :]
    return torch.stack([from_x, from_y], 2)


def strangeness(picture: Tensor, source: Tensor, field_xy: Tensor) -> Tensor:
    """Say how far what surrounds a pixel differs from what surrounded it where it comes from.

    Args:
        picture: (3, h, w) RGB in [0, 1].
        source: (3, H, W).
        field_xy: (h, w, 2) int64, (x, y) of the source for each pixel.

    Returns:
        (h, w) float32 in [0, 1]: 0 where a piece was copied as it stood, 1 where everything around is another colour
        by at least `STRANGE`.
    """
    _, height, width = picture.shape
    _, source_h, source_w = source.shape
    made, flat = picture.permute(1, 2, 0), source.flatten(1).T.contiguous()
    total = torch.zeros(height, width, device=picture.device)
    asked = torch.zeros(height, width, device=picture.device)
    for dy, dx in [(dy, dx) for dy in _AROUND for dx in _AROUND if (dy, dx) != (0, 0)]:
        here = (_part(height, -dy), _part(width, -dx))
        there = (_part(height, dy), _part(width, dx))
        x, y = field_xy[here][..., 0] + dx, field_xy[here][..., 1] + dy
        is_known = (x >= 0) & (y >= 0) & (x < source_w) & (y < source_h)
        at = y.clamp(0, source_h - 1) * source_w + x.clamp(0, source_w - 1)
        difference = made[there] - flat[at.flatten()].reshape(*at.shape, 3)
        total[here] += (difference.square().mean(2).sqrt() / STRANGE).clamp(max=1) * is_known
        asked[here] += is_known
    return total / asked.clamp(min=1)


def _corners(index: Tensor, width: int, side: int) -> Tensor:
    across = width - side + 1
    return (index // across) * width + index % across


def _part(length: int, step: int) -> slice:
    return slice(max(0, step), length + min(0, step))
