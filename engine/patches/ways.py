"""Choose how the frame is filled, on a middle level, by which way keeps the shares of the picture's patches best.

By small steps, from the coarsest level on, things keep their size and find new places: best for textures and for many
things. Two other ways are tried where that changes what the picture is made of:

- Whole parts side by side, where the frame grows by much: twice the width holds two cups (layout.py).
- Drawn and balanced, where a side grows by much or becomes shorter: all stays where it is, and edges and marks get back
  their size (balance.py). Half the width cannot hold the whole of a cup and keep the table's share: this cup is slimmer,
  its rim and spoon are as they were. Half as high again has no room for a second face, only for its forehead.

The first two keep pieces of the source as they stand. They are left for the third where they do not keep shares clearly
better than a plain resize, which keeps them but for its blur.

Neither with locks and corners, which say themselves where things go, nor where nobody asks that all of the picture
comes back.

Source of the measure: Elnekave and Weiss, "Generating Natural Images with Direct Patch Distributions Matching", ECCV
    2022 (a picture is near to another if their populations of patches are).
"""

import numpy as np
import torch

from engine.patches import layout
from engine.patches.level import (
    State,
    Task,
    Way,
    at_home,
    carried,
    finer,
    first_state,
    ground_of,
    improve_guess,
    iterations,
    rebalance,
)
from engine.patches.pyramid import resize, scaled

SHARES_KEPT, SHARES_KEPT_WHOLE = 0.5, 0.8
"""Change of shares, beside that of a plain resize, up to which pieces of the source are kept as they stand; the second
where a side grows by `WHOLE_GROWTH`. At half as high again, layouts of 0.6 to 0.9 gave half a head above a whole one and a
chair on a chair's back; those below 0.5 textures and whole things."""

WHOLE_GROWTH = 1.8
"""Growth of a side from which on there is room for nearly all of a second thing."""

MOST_GROWTH = 16.0
"""Growth of a side up to which other ways are tried: what they hold in memory goes with the square of a longer frame."""

DRAWN_LEAST_PX = 36
"""Shorter side of the result from which on a picture is drawn: a patch is a fifth of it. From 27 px on shares came out
nearer by an eighth, but a rocket was torn and the rim of a cup open."""


def choice_level(task: Task, sources: list[np.ndarray]) -> int | None:
    """Say on which level other ways are tried, if on any.

    Args:
        task: what is to be made.
        sources: (H, W, 3) float32 on each level.
    """
    if task.is_quad or task.pieces or task.alpha is None or task.target_hw == task.source_hw:
        return None
    fitting = [
        level
        for level, source in enumerate(sources)
        if max(source.shape[:2]) <= layout.LIMIT_PX and min(source.shape[:2]) >= layout.LEAST_PX
    ]
    return fitting[-1] if fitting else None


def best_way(task: Task, sources: list[np.ndarray], level: int, state: State) -> State:
    """Go on with the way that keeps shares best.

    Args:
        task: what is to be made.
        sources: (H, W, 3) float32 on each level.
        level: where ways are compared.
        state: the guess there, made by small steps.
    """
    source = sources[level]

    def change(picture: np.ndarray) -> float:
        return layout.change_of_shares(source, picture, task.plan.side)

    lowest = change(state.picture)
    growth = [new / old for new, old in zip(task.target_hw, task.source_hw, strict=True)]
    if max(growth) > MOST_GROWTH:
        return state
    grows_much = max(growth) >= layout.LEAST_GROWTH
    share = SHARES_KEPT if max(growth) < WHOLE_GROWTH else SHARES_KEPT_WHOLE
    enough = share * change(resize(source, _size_hw(task, level)))
    # What becomes smaller is not laid out: that would be a crop, and cut off what patches still find room for.
    if min(growth) >= 1 and grows_much:
        laid = _laid(task, source, level, state)
        kept = change(laid.picture)
        if kept < min(lowest, enough):
            state, lowest = laid, kept
    if lowest > enough and (min(growth) < 1 or grows_much):
        drawn = _drawn(task, sources, level)
        if drawn is not None and change(drawn.picture) < lowest:
            state = drawn
    return state


def _laid(task: Task, source: np.ndarray, level: int, state: State) -> State:
    """Fill the frame with whole parts of the picture."""
    ground = ground_of(task, level, source)
    (rows, columns), (key_rows, key_columns) = ground.grids.query_hw, ground.grids.key_hw
    side = task.plan.side
    field = layout.arrange(source, ground.size_hw, side, task.look)
    half = side // 2
    corner = field[half : half + rows, half : half + columns] - half
    corner = np.clip(corner, 0, [key_columns - 1, key_rows - 1])
    taken = (corner[..., 1] * key_columns + corner[..., 0]).ravel()
    asked = state.reverse.cpu().numpy().copy()
    asked[taken] = np.arange(len(taken))  # the last of several places stays, on every device
    index, reverse = (torch.from_numpy(one).to(task.device) for one in (taken, asked))
    picture = source[field[..., 1], field[..., 0]]
    laid = State(picture, index, reverse, state.source_hw, torch.zeros_like(state.price), Way.LAID)
    ground = at_home(ground, index)
    for _ in range(iterations(level, len(task.plan.scales))):
        improve_guess(ground, laid, source)
    return laid


def _drawn(task: Task, sources: list[np.ndarray], level: int) -> State | None:
    """Draw the picture in or out on a coarse level and balance it from there on; None if it is too small."""
    coarser = range(min(level + 1, len(sources) - 1))
    large = [number for number in coarser if min(_size_hw(task, number)) >= DRAWN_LEAST_PX]
    if not large:
        return None
    first = large[0]
    source = sources[first]
    ground = ground_of(task, first, source, way=Way.DRAWN)
    state = carried(first_state(task, source), ground, resize(source, ground.size_hw))
    state.way = Way.DRAWN
    rebalance(ground, state, source)
    for number in range(first + 1, level + 1):
        state = finer(task, sources, number, state)
    return state


def _size_hw(task: Task, level: int) -> tuple[int, int]:
    """Size of the result on a level."""
    return scaled(task.target_hw, task.plan.scales[level])
