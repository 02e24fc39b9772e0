"""Remake a picture from its own patches, level by level.

The coarsest level brings the picture to its new shape in small steps. Where it grows, a middle level also tries whole
parts of it side by side, and goes on with them if that keeps the shares of its patches better.

On every level the current guess is cut into patches, each is replaced by the source patch that resembles it most, and
overlapping patches are averaged; this repeats. Keys that nothing resembles come out nearer, so that every part of the
source finds its place (completeness). The first search of a level compares with a source as blurred as the guess is.

Small levels compare all with all. Larger ones on a CPU start from the field of the level before and improve it.
Measured on one core at 256 x 256 against 256 x 256: comparing all with all takes 4.5 s for one direction even on 24
numbers a patch, the improvement of a field a tenth of a second. A whole remake takes 3 s of one core from 256 x 256 to
twice the width, 16 s from 512 x 512 to 1024 x 1024, whole parts included: they are weighed in half a second to one.

Source: Granot et al., "Drop the GAN: In Defense of Patches Nearest Neighbors as Single Image Generative Models",
    CVPR 2022, arXiv:2103.15545, section 3.
Elsewhere: levels in pyramid.py, whole parts in layout.py, searches in search.py and propagation.py, locked
    regions in locks.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.patches import layout, locks, preferences, quad
from engine.patches.descriptors import Directions, patch_grid, whole_patches
from engine.patches.propagation import Grids, Sides, improve
from engine.patches.pyramid import Plan, resize, scaled, shapes
from engine.patches.search import Look, nearest
from engine.patches.voting import vote

DIRECTIONS = 24
"""Numbers a patch is shortened to where a field is improved."""

PAIRS_CPU = 30_000_000
"""Pairs of patches up to which a CPU compares all with all: a tenth of a second with whole patches."""

PAIRS_GPU = 80_000_000_000
"""The same for a GPU."""

SHARES_KEPT = 0.8
"""A layout of whole parts has to keep shares better by a fifth: smooth skies grow without seams by small steps too."""

SPREAD = 1.6
"""How fast a patch's say falls from its middle, in px."""


@dataclass(frozen=True)
class Task:
    """What is to be made, and with what."""

    image: np.ndarray
    """(H, W, 3) float32 source."""

    target_hw: tuple[int, int]
    """Size of the result."""

    corners: quad.Corners
    """Where the source's corners go, in px of the result."""

    plan: Plan
    alpha: float | None
    """Of the completeness weights; None for none."""

    device: torch.device
    generator: torch.Generator
    look: Look
    pieces: list[locks.Piece] = field(default_factory=list)
    is_quad: bool = False

    @property
    def source_hw(self) -> tuple[int, int]:
        """Size of the source."""
        return self.image.shape[0], self.image.shape[1]


@dataclass
class State:
    """The guess on one level."""

    picture: np.ndarray
    """(h, w, 3) float32."""

    index: Tensor
    """(N,) which source patch lies at each place."""

    reverse: Tensor
    """(M,) which place resembles each source patch most."""

    source_hw: tuple[int, int]
    """Size of the level's source."""

    price: Tensor
    """(rows, columns) of source patches: logarithm of how much dearer each became by being taken often."""

    is_laid: bool = False
    """Whether it was laid out from whole parts, so that home is where a patch comes from."""


@dataclass(frozen=True)
class Ground:
    """One level and one shape: all that stays while its guess improves."""

    task: Task
    values: Tensor
    """(3, H, W) source of this level."""

    size_hw: tuple[int, int]
    """Size of the guess."""

    homes: tuple[Tensor, Tensor]
    """Two more numbers for each patch of guess and source: where in the source it belongs."""

    near: np.ndarray | None = None
    """(h, w) bool: pixels that are made, or None for all; the others keep what the warp gave them."""

    present: Tensor | None = None
    """(N,) bool: patches that are part of the result, or None for all."""

    forced: Tensor | None = None
    """(N,) int64: the patch that must lie there, -1 where any may; or None."""

    allowed: Tensor | None = None
    """(M,) bool: patches that may be taken, or None for all."""

    placed: locks.Placed | None = None

    @property
    def grids(self) -> Grids:
        """Where patches lie on both sides."""
        side = self.task.plan.side
        key_hw = (self.values.shape[1], self.values.shape[2])
        return Grids(patch_grid(self.size_hw, side), patch_grid(key_hw, side))

    @property
    def active(self) -> Tensor | None:
        """(N,) bool: patches to be searched, or None for all."""
        if self.forced is None:
            return self.present
        return self.forced < 0 if self.present is None else (self.forced < 0) & self.present


def iterations(level: int, count: int, *, is_last: bool = True) -> int:
    """Say how often a level's guess improves: often where that is cheap and decides what stands where."""
    if level == 0:
        return 8 if is_last else 3
    return 2 if level >= count - 2 else 4


def synthesise(task: Task, report: Callable[[int, State], None]) -> State:
    """Run all levels.

    Args:
        task: what is to be made.
        report: told after each level, with its number from the coarsest.
    """
    scales = task.plan.scales
    sources = [resize(task.image, scaled(task.source_hw, scale)) for scale in scales]
    laid = _laid_level(task, sources)
    state = _coarsest(task, sources[0])
    for level in range(len(scales)):
        if level > 0:
            state = _finer(task, sources, level, state)
        if level == laid:
            state = _rearranged(task, sources[level], level, state)
        report(level, state)
    return state


def _laid_level(task: Task, sources: list[np.ndarray]) -> int | None:
    """Say on which level whole parts are tried, if on any.

    Not for what becomes smaller: there a layout is a crop, and cuts off what the patches still find room for; nor for
    what grows a little. Not with locks and corners, which say themselves where things go, nor where nobody asks that
    all of the picture comes back.
    """
    growth = [new / old for new, old in zip(task.target_hw, task.source_hw, strict=True)]
    if min(growth) < 1 or max(growth) < layout.LEAST_GROWTH:
        return None
    if task.is_quad or task.pieces or task.alpha is None:
        return None
    fitting = [
        level
        for level, source in enumerate(sources)
        if max(source.shape[:2]) <= layout.LIMIT_PX and min(source.shape[:2]) >= layout.LEAST_PX
    ]
    return fitting[-1] if fitting else None


def _finer(task: Task, sources: list[np.ndarray], level: int, state: State) -> State:
    scales, source = task.plan.scales, sources[level]
    blurred = resize(sources[level - 1], source.shape[:2])
    ground = _ground(task, scales[level], source, task.corners, scaled(task.target_hw, scales[level]))
    state = _carried(state, ground)
    if state.is_laid:
        ground = _at_home(ground, state.index)
    for turn in range(iterations(level, len(scales))):
        _improve(ground, state, blurred if turn == 0 else source)
    return state


def _rearranged(task: Task, source: np.ndarray, level: int, state: State) -> State:
    """Fill the frame with whole parts of the picture, if that keeps the shares of its patches clearly better."""
    scale, side = task.plan.scales[level], task.plan.side
    ground = _ground(task, scale, source, task.corners, scaled(task.target_hw, scale))
    (rows, columns), (key_rows, key_columns) = ground.grids.query_hw, ground.grids.key_hw
    field = layout.arrange(source, ground.size_hw, side, task.look)
    half = side // 2
    corner = field[half : half + rows, half : half + columns] - half
    corner = np.clip(corner, 0, [key_columns - 1, key_rows - 1])
    taken = (corner[..., 1] * key_columns + corner[..., 0]).ravel()
    asked = state.reverse.cpu().numpy().copy()
    asked[taken] = np.arange(len(taken))  # the last of several places stays, on every device
    index, reverse = (torch.from_numpy(one).to(task.device) for one in (taken, asked))
    picture = source[field[..., 1], field[..., 0]]
    laid = State(picture, index, reverse, state.source_hw, torch.zeros_like(state.price), is_laid=True)
    ground = _at_home(ground, index)
    for _ in range(iterations(level, len(task.plan.scales))):
        _improve(ground, laid, source)
    before, after = (layout.change_of_shares(source, one.picture, side) for one in (state, laid))
    return laid if after < SHARES_KEPT * before else state


def _at_home(ground: Ground, index: Tensor) -> Ground:
    """Call home where every patch comes from now."""
    own = torch.arange(ground.grids.key_hw[0] * ground.grids.key_hw[1], device=index.device)
    columns, shorter = ground.grids.key_hw[1], min(ground.values.shape[1:])
    pull = preferences.HOME**0.5 / shorter
    there = torch.stack([own % columns, own // columns], 1) * pull
    return replace(ground, homes=(there[index], there))


def _coarsest(task: Task, source: np.ndarray) -> State:
    scale = task.plan.scales[0]
    start = quad.rectangle(task.source_hw)
    way = shapes(start, task.corners)
    size_hw = (source.shape[0], source.shape[1])
    rows, columns = patch_grid(size_hw, task.plan.side)
    itself = torch.arange(rows * columns, device=task.device)
    state = State(source, itself, itself, size_hw, torch.zeros(rows, columns, device=task.device))
    before = start * _stretch(start, size_hw)
    for number, corners in enumerate(way):
        is_last = number == len(way) - 1
        full_hw = task.target_hw if is_last else _box_hw(corners)
        ground = _ground(task, scale, source, corners, scaled(full_hw, scale))
        after = corners * _stretch(corners, ground.size_hw)
        state = _carried(state, ground, quad.warp(state.picture, before, after, ground.size_hw))
        for _ in range(iterations(0, len(task.plan.scales), is_last=is_last)):
            _improve(ground, state, source)
        before = after
    return state


def _ground(
    task: Task, scale: float, source: np.ndarray, corners: quad.Corners, size: tuple[int, int]
) -> Ground:
    side, device = task.plan.side, task.device
    task.look()
    there = corners * _stretch(corners, size)
    homes = preferences.homes((source.shape[0], source.shape[1]), size, there, side)
    ground = Ground(task, tensor(source, device), size, (homes[0].to(device), homes[1].to(device)))
    if task.is_quad:
        near = quad.inside(there, size, margin_px=side / 2)
        ground = replace(ground, near=near, present=_at_patches(near, ground.grids.query_hw, side, device))
    if not task.pieces:
        return ground
    matrix = quad.homography(quad.rectangle(task.source_hw), corners)
    placed = locks.place(task.pieces, source, scale, matrix, _box_hw(corners), size)
    forced, allowed = locks.bind(placed, task.pieces, ground.grids, source, side)
    return replace(
        ground,
        placed=placed,
        forced=torch.from_numpy(forced).to(device),
        allowed=None if allowed is None else torch.from_numpy(allowed).to(device),
    )


def _improve(ground: Ground, state: State, keys: np.ndarray) -> None:
    """Search once and vote once; the state changes in place."""
    task, side = ground.task, ground.task.plan.side
    guess, key_picture = tensor(state.picture, task.device), tensor(keys, task.device)
    rows, columns = ground.grids.query_hw
    pairs = rows * columns * ground.grids.key_hw[0] * ground.grids.key_hw[1]
    is_small = pairs <= (PAIRS_CPU if task.device.type == "cpu" else PAIRS_GPU)
    if is_small:
        asked, given = whole_patches(guess, side), whole_patches(key_picture, side)
    else:
        directions = Directions([ground.values, key_picture], side, DIRECTIONS)
        asked, given = (directions.describe(one, task.look) for one in (guess, key_picture))
    compare = _compare_all if is_small else _compare_near
    compare(ground, state, torch.cat([asked, ground.homes[0]], 1), torch.cat([given, ground.homes[1]], 1))
    if ground.forced is not None:
        state.index = torch.where(ground.forced >= 0, ground.forced, state.index)
    task.look()
    taken = state.index if ground.present is None else state.index[ground.present]
    state.price = preferences.raised(state.price, taken, side)
    trust = None if ground.present is None else ground.present.float().clamp(min=1e-6)
    voted = vote(
        ground.values, state.index, (rows, columns), side=side, spread=SPREAD, trust=trust, look=task.look
    )
    made = voted.permute(1, 2, 0).cpu().numpy()
    if ground.near is not None:
        made = np.where(ground.near[..., None], made, state.picture)
    if ground.placed is not None:
        share = ground.placed.share[..., None]
        made = made * (1 - share) + ground.placed.picture * share
    state.picture = made


def _compare_all(ground: Ground, state: State, queries: Tensor, keys: Tensor) -> None:
    look, alpha = ground.task.look, ground.task.alpha
    weights = None
    if alpha is not None:
        present = _numbers(ground.present, queries)
        reverse, closest = nearest(keys, queries[present], look=look)
        state.reverse = present[reverse]
        weights = preferences.weights(closest, alpha, state.price)
    active, allowed = _numbers(ground.active, queries), _numbers(ground.allowed, keys)
    if active.shape[0] == 0:
        return
    found, _ = nearest(
        queries[active],
        keys[allowed],
        None if weights is None else weights[allowed],
        look,
        floor=preferences.FLOOR,
    )
    state.index = state.index.index_copy(0, active, allowed[found])


def _compare_near(ground: Ground, state: State, queries: Tensor, keys: Tensor) -> None:
    task, grids = ground.task, ground.grids
    radius = max(grids.key_hw) // 4
    weights = None
    if task.alpha is not None:
        back = Sides(keys, queries, allowed=ground.present)
        state.reverse, closest = improve(
            back,
            Grids(grids.key_hw, grids.query_hw),
            state.reverse,
            rounds=2,
            radius=max(grids.query_hw) // 4,
            generator=task.generator,
            look=task.look,
        )
        weights = preferences.weights(closest.nan_to_num(posinf=0.0), task.alpha, state.price)
    sides = Sides(queries, keys, weights, preferences.FLOOR, ground.active, ground.allowed)
    state.index, _ = improve(
        sides, grids, state.index, rounds=2, radius=radius, generator=task.generator, look=task.look
    )


def _carried(state: State, ground: Ground, picture: np.ndarray | None = None) -> State:
    """Bring a guess to the next level or shape."""
    side = ground.task.plan.side
    source_hw = (ground.values.shape[1], ground.values.shape[2])
    if picture is None:
        picture = resize(state.picture, ground.size_hw)
    then_hw = (state.picture.shape[0], state.picture.shape[1])
    index = carry(state.index, (then_hw, state.source_hw), (ground.size_hw, source_hw), side)
    reverse = carry(state.reverse, (state.source_hw, then_hw), (source_hw, ground.size_hw), side)
    price = F.interpolate(state.price[None, None], ground.grids.key_hw, mode="bilinear")[0, 0]
    return State(picture, index, reverse, source_hw, price, state.is_laid)


def carry(
    index: Tensor,
    before: tuple[tuple[int, int], tuple[int, int]],
    after: tuple[tuple[int, int], tuple[int, int]],
    side: int,
) -> Tensor:
    """Bring a field of matches to other sizes of the pictures it joins.

    Args:
        index: (N,) int64.
        before: sizes of the picture that asks and of the picture that answers, to which ``index`` belongs.
        after: their sizes now.
        side: side of a patch in px.
    """
    old_rows, old_columns = patch_grid(before[0], side)
    rows, columns = patch_grid(after[0], side)
    key_columns = patch_grid(before[1], side)[1]
    old = index.reshape(old_rows, old_columns)
    half = side / 2
    y, near_y, rest_y = _along(rows, before[0][0] / after[0][0], old_rows, half, index.device)
    x, near_x, rest_x = _along(columns, before[0][1] / after[0][1], old_columns, half, index.device)
    chosen = old[near_y][:, near_x]
    limit_y, limit_x = patch_grid(after[1], side)
    from_y = chosen // key_columns + rest_y[:, None] + half
    from_x = chosen % key_columns + rest_x[None, :] + half
    # Places grow with the source; what was between two places grows with the picture that asks.
    new_y = (from_y * (after[1][0] / before[1][0]) - half).round().long().clamp(0, limit_y - 1)
    new_x = (from_x * (after[1][1] / before[1][1]) - half).round().long().clamp(0, limit_x - 1)
    return (new_y * limit_x + new_x).flatten()


def _along(
    count: int, ratio: float, old_count: int, half: float, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    at = torch.arange(count, device=device, dtype=torch.float64)
    then = (at + half) * ratio - half
    near = then.round().long().clamp(0, old_count - 1)
    return at, near, then - near


def _numbers(chosen: Tensor | None, rows: Tensor) -> Tensor:
    if chosen is None:
        return torch.arange(rows.shape[0], device=rows.device)
    return chosen.nonzero()[:, 0]


def _at_patches(mask: np.ndarray, grid_hw: tuple[int, int], side: int, device: torch.device) -> Tensor:
    half = side // 2
    part = mask[half : half + grid_hw[0], half : half + grid_hw[1]]
    return torch.from_numpy(part.copy()).flatten().to(device)


def _stretch(corners: quad.Corners, size: tuple[int, int]) -> np.ndarray:
    """Factors of x and y that bring the bounding box of corners to a size in whole px."""
    return np.asarray(np.array([size[1], size[0]]) / corners.max(0))


def _box_hw(corners: quad.Corners) -> tuple[int, int]:
    x, y = np.ceil(corners.max(0) - 1e-6)
    return int(y), int(x)


def tensor(picture: np.ndarray, device: torch.device) -> Tensor:
    """Bring (H, W, 3) to (3, H, W) on a device."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).to(device)
