"""One level of the pyramid: what is known there, and how its guess becomes better.

The guess is cut into patches, each is replaced by the source patch that resembles it most, and overlapping patches are
averaged; this repeats. Keys that nothing resembles come out nearer, so that every part of the source finds its place
(completeness). The first search of a level compares with a source as blurred as the guess is.

Small levels compare all with all. Larger ones on a CPU start from the field of the level before and improve it.
Measured on one core at 256 x 256 against 256 x 256: comparing all with all takes 4.5 s for one direction even on 24
numbers a patch, the improvement of a field a tenth of a second.

Source: Granot et al., "Drop the GAN: In Defense of Patches Nearest Neighbors as Single Image Generative Models",
    CVPR 2022, arXiv:2103.15545, sections 3.1 and 3.2.
Elsewhere: searches in search.py and propagation.py, averages in voting.py, locked regions in locks.py.
"""

import math
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.patches import balance, locks, preferences, quad
from engine.patches.descriptors import Directions, patch_grid, whole_patches
from engine.patches.propagation import Grids, Sides, carry, improve
from engine.patches.pyramid import Plan, resize, scaled
from engine.patches.search import Look, nearest
from engine.patches.voting import vote

DIRECTIONS = 24
"""Numbers a patch is shortened to where a field is improved."""

PAIRS_CPU = 30_000_000
"""Pairs of patches up to which a CPU compares all with all: a tenth of a second with whole patches."""

PAIRS_GPU = 80_000_000_000
"""The same for a GPU."""

SPREAD = 1.6
"""How fast a patch's say falls from its middle, in px."""

BALANCED_PX = 2**16
"""Pixels of source or guess up to which a level between is balanced: what is finer follows."""

VOTES, ROUNDS, LAST_ROUNDS = 4, 6, 3
"""Of what is drawn: searches and votes before a level is balanced, how often its patches then move, and how often at the
very end. With one vote and 10 rounds, 5 of 16 photographs made half as high again came nearer to their sources than both a
resize and seam carving, with these 11. Without the end, the last votes let shares slip back to worse than a resize's."""


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


class Way(Enum):
    """How the frame was filled, which says where a patch of it has its home."""

    STEPS = "by small steps"
    LAID = "with whole parts side by side"
    DRAWN = "drawn and balanced"


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

    way: Way = Way.STEPS


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

    @property
    def is_balanced(self) -> bool:
        """Whether balancing is worth its time here."""
        return max(math.prod(self.size_hw), math.prod(self.values.shape[1:])) <= BALANCED_PX


def iterations(level: int, count: int, *, is_last: bool = True) -> int:
    """Say how often a level's guess improves: often where that is cheap and decides what stands where."""
    if level == 0:
        return 8 if is_last else 3
    return 2 if level >= count - 2 else 4


def first_state(task: Task, source: np.ndarray) -> State:
    """Let a picture, (H, W, 3) float32, be the guess of itself."""
    size_hw = (source.shape[0], source.shape[1])
    rows, columns = patch_grid(size_hw, task.plan.side)
    itself = torch.arange(rows * columns, device=task.device)
    return State(source, itself, itself, size_hw, torch.zeros(rows, columns, device=task.device))


def finer(task: Task, sources: list[np.ndarray], level: int, state: State) -> State:
    """Bring a guess to a finer level, and make it better there.

    Args:
        task: what is to be made.
        sources: (H, W, 3) float32 on each level.
        level: the finer level, counted from the coarsest.
        state: the guess on the level before.
    """
    count, source = len(sources), sources[level]
    blurred = resize(sources[level - 1], source.shape[:2])
    ground = ground_of(task, level, source, way=state.way)
    state = carried(state, ground)
    if state.way is Way.LAID:
        ground = at_home(ground, state.index)
    if state.way is Way.DRAWN and level < count - 1 and ground.is_balanced:
        rebalance(ground, state, source)
        return state
    for turn in range(iterations(level, count)):
        improve_guess(ground, state, blurred if turn == 0 else source)
    if state.way is Way.DRAWN and level == count - 1:
        _balance(ground, state, LAST_ROUNDS)
    return state


def at_home(ground: Ground, index: Tensor) -> Ground:
    """Call home where every patch comes from now."""
    own = torch.arange(ground.grids.key_hw[0] * ground.grids.key_hw[1], device=index.device)
    columns, shorter = ground.grids.key_hw[1], min(ground.values.shape[1:])
    pull = preferences.HOME**0.5 / shorter
    there = torch.stack([own % columns, own // columns], 1) * pull
    return replace(ground, homes=(there[index], there))


def ground_of(
    task: Task,
    level: int,
    source: np.ndarray,
    corners: quad.Corners | None = None,
    *,
    way: Way = Way.STEPS,
) -> Ground:
    """Prepare a level.

    Args:
        task: what is to be made.
        level: counted from the coarsest.
        source: (H, W, 3) float32, of this level.
        corners: the source's corners in full size, on the way to their end; None for their end.
        way: how the frame was filled.
    """
    side, device, scale = task.plan.side, task.device, task.plan.scales[level]
    task.look()
    full_hw = task.target_hw if corners is None else box_hw(corners)
    corners = task.corners if corners is None else corners
    size = scaled(full_hw, scale)
    there = corners * stretch(corners, size)
    is_drawn = way is Way.DRAWN
    homes = preferences.homes((source.shape[0], source.shape[1]), size, there, side, is_drawn=is_drawn)
    ground = Ground(task, tensor(source, device), size, (homes[0].to(device), homes[1].to(device)))
    if task.is_quad:
        near = quad.inside(there, size, margin_px=side / 2)
        ground = replace(ground, near=near, present=_at_patches(near, ground.grids.query_hw, side, device))
    if not task.pieces:
        return ground
    matrix = quad.homography(quad.rectangle(task.source_hw), corners)
    placed = locks.place(task.pieces, source, scale, matrix, box_hw(corners), size)
    forced, allowed = locks.bind(placed, task.pieces, ground.grids, source, side)
    return replace(
        ground,
        placed=placed,
        forced=torch.from_numpy(forced).to(device),
        allowed=None if allowed is None else torch.from_numpy(allowed).to(device),
    )


def improve_guess(ground: Ground, state: State, keys: np.ndarray) -> None:
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


def rebalance(ground: Ground, state: State, source: np.ndarray) -> None:
    """Search and vote, then bring the guess nearer to the population of its source; it changes in place."""
    for _ in range(VOTES):
        improve_guess(ground, state, source)
    _balance(ground, state, ROUNDS)


def _balance(ground: Ground, state: State, rounds: int) -> None:
    task = ground.task
    guess = balance.balanced(
        tensor(state.picture, task.device),
        ground.values,
        task.plan.side,
        rounds=rounds,
        generator=task.generator,
        look=task.look,
    )
    state.picture = guess.permute(1, 2, 0).cpu().numpy()


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


def carried(state: State, ground: Ground, picture: np.ndarray | None = None) -> State:
    """Bring a guess to the next level or shape."""
    side = ground.task.plan.side
    source_hw = (ground.values.shape[1], ground.values.shape[2])
    if picture is None:
        picture = resize(state.picture, ground.size_hw)
    then_hw = (state.picture.shape[0], state.picture.shape[1])
    index = carry(state.index, (then_hw, state.source_hw), (ground.size_hw, source_hw), side)
    reverse = carry(state.reverse, (state.source_hw, then_hw), (source_hw, ground.size_hw), side)
    price = F.interpolate(state.price[None, None], ground.grids.key_hw, mode="bilinear")[0, 0]
    return State(picture, index, reverse, source_hw, price, state.way)


def _numbers(chosen: Tensor | None, rows: Tensor) -> Tensor:
    if chosen is None:
        return torch.arange(rows.shape[0], device=rows.device)
    return chosen.nonzero()[:, 0]


def _at_patches(mask: np.ndarray, grid_hw: tuple[int, int], side: int, device: torch.device) -> Tensor:
    half = side // 2
    part = mask[half : half + grid_hw[0], half : half + grid_hw[1]]
    return torch.from_numpy(part.copy()).flatten().to(device)


def stretch(corners: quad.Corners, size: tuple[int, int]) -> np.ndarray:
    """Factors of x and y that bring the bounding box of corners to a size in whole px."""
    return np.asarray(np.array([size[1], size[0]]) / corners.max(0))


def box_hw(corners: quad.Corners) -> tuple[int, int]:
    """Size in whole px of the box from the origin around corners, (h, w)."""
    x, y = np.ceil(corners.max(0) - 1e-6)
    return int(y), int(x)


def tensor(picture: np.ndarray, device: torch.device) -> Tensor:
    """Bring (H, W, 3) to (3, H, W) on a device."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).to(device)
