"""Remake a picture from its own patches, level by level.

The coarsest level brings the picture to its new shape in small steps. A middle level also tries other ways to fill the
frame, and goes on with the one that keeps the shares of the picture's patches best.

A whole remake takes 3 s of one core from 256 x 256 to twice the width, 16 s from 512 x 512 to 1024 x 1024.

Source: Granot et al., "Drop the GAN: In Defense of Patches Nearest Neighbors as Single Image Generative Models",
    CVPR 2022, arXiv:2103.15545, section 3.
Elsewhere: what happens on a level in level.py, the sizes of levels in pyramid.py, ways to fill the frame in ways.py.
"""

from collections.abc import Callable

import numpy as np

from engine.patches import quad
from engine.patches.level import (
    State,
    Task,
    carried,
    finer,
    first_state,
    ground_of,
    improve_guess,
    iterations,
    stretch,
)
from engine.patches.pyramid import resize, scaled, shapes
from engine.patches.ways import best_way, choice_level


def synthesise(task: Task, report: Callable[[int, State], None]) -> State:
    """Run all levels.

    Args:
        task: what is to be made.
        report: told after each level, with its number from the coarsest.
    """
    sources = [resize(task.image, scaled(task.source_hw, scale)) for scale in task.plan.scales]
    choice = choice_level(task, sources)
    state = _coarsest(task, sources[0])
    for level in range(len(sources)):
        if level > 0:
            state = finer(task, sources, level, state)
        if level == choice:
            state = best_way(task, sources, level, state)
        report(level, state)
    return state


def _coarsest(task: Task, source: np.ndarray) -> State:
    start = quad.rectangle(task.source_hw)
    way = shapes(start, task.corners)
    state = first_state(task, source)
    before = start * stretch(start, state.source_hw)
    for number, corners in enumerate(way):
        is_last = number == len(way) - 1
        ground = ground_of(task, 0, source, None if is_last else corners)
        after = corners * stretch(corners, ground.size_hw)
        state = carried(state, ground, quad.warp(state.picture, before, after, ground.size_hw))
        for _ in range(iterations(0, len(task.plan.scales), is_last=is_last)):
            improve_guess(ground, state, source)
        before = after
    return state
