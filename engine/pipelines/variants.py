"""Other answers of networks that draw nothing at random.

The published networks give one answer to one question, so another answer needs another question that means the same.
Convolutions learn from pictures, but nothing makes them answer a mirrored picture with the mirrored answer: a crop shown
mirrored or transposed, and its answer turned back, differs in all that the crop leaves open. How much is taken for an edge is drawn too, around what was asked: smoothing before edges are looked for, and how readily a
predicted one counts.

Seed 0 asks plainly. Every other seed turns the crop, the seven ways after each other, so that any seven seeds in a row
differ in more than their edges; the two amounts come from a digest of the seed, the same on every machine and with every
version of every library.
"""

import hashlib
import math
from dataclasses import dataclass

import numpy as np

TURNS = 7
"""Ways to mirror and transpose a picture, without the plain one."""
SIGMA_OCTAVES = 0.5
"""Smoothing is drawn between ``2 ** -0.5`` and ``2 ** 0.5`` times what was asked."""
SENSITIVITY_LOGITS = 1.5
"""Odds of an edge are drawn between ``e ** -1.5`` and ``e ** 1.5`` times what was asked."""
NEUTRAL_SENSITIVITY = 0.5


@dataclass(frozen=True)
class Variant:
    """How the networks are asked."""

    edge_sigma: float
    """Smoothing before edges are looked for, in px."""
    edge_sensitivity: float
    """As `engine.edits.InpaintEdit.edge_sensitivity`."""
    is_mirrored: bool = False
    """Left and right change places."""
    is_upside_down: bool = False
    """Top and bottom change places."""
    is_transposed: bool = False
    """Rows become columns, before the other two."""

    @classmethod
    def of(cls, seed: int, *, edge_sigma: float, edge_sensitivity: float) -> "Variant":
        """What a seed draws around what was asked; seed 0 is what was asked."""
        if seed == 0:
            return cls(edge_sigma, edge_sensitivity)
        turn = 1 + (seed - 1) % TURNS
        sigma_draw, odds_draw = _draws(seed)
        return cls(
            min(edge_sigma * 2 ** (SIGMA_OCTAVES * sigma_draw), 16.0),
            _with_odds(edge_sensitivity, SENSITIVITY_LOGITS * odds_draw),
            bool(turn & 1),
            bool(turn & 2),
            bool(turn & 4),
        )

    @property
    def tag(self) -> str:
        """Tells apart answers to a crop shown in different ways."""
        return f"{self.is_mirrored:d}{self.is_upside_down:d}{self.is_transposed:d}"

    def shown(self, plane: np.ndarray) -> np.ndarray:
        """A plane (h, w) or (h, w, C) as the networks get to see it."""
        if self.is_transposed:
            plane = plane.swapaxes(0, 1)
        if self.is_upside_down:
            plane = plane[::-1]
        return plane[:, ::-1] if self.is_mirrored else plane

    def turned_back(self, answer: np.ndarray) -> np.ndarray:
        """The answer to planes that were `shown`, as the picture lies."""
        if self.is_mirrored:
            answer = answer[:, ::-1]
        if self.is_upside_down:
            answer = answer[::-1]
        if self.is_transposed:
            answer = answer.swapaxes(0, 1)
        return np.ascontiguousarray(answer)


def weighed(edges: np.ndarray, sensitivity: float) -> np.ndarray:
    """Predicted edges with their odds multiplied by ``s / (1 - s)``.

    Args:
        edges: float32 in [0, 1], the chance of an edge.
        sensitivity: s in [0, 1]; at 0.5 the very array comes back.
    """
    if sensitivity == NEUTRAL_SENSITIVITY:
        return edges
    if sensitivity in (0.0, 1.0):  # the limits of the formula, where it divides by zero
        return np.asarray((edges > 0) * np.float32(sensitivity))
    yes = edges * np.float32(sensitivity)
    return np.asarray(yes / (yes + (1 - edges) * np.float32(1 - sensitivity)))


def _draws(seed: int) -> tuple[float, float]:
    """Two numbers in [-1, 1)."""
    digest = hashlib.blake2b(f"variant {seed}".encode(), digest_size=8).digest()
    first, second = (int.from_bytes(half, "big") / 2**31 - 1 for half in (digest[:4], digest[4:]))
    return first, second


def _with_odds(share: float, log_factor: float) -> float:
    """A share whose odds are multiplied; none and all stay what they are."""
    if share in (0.0, 1.0):
        return share
    return 1 / (1 + (1 - share) / share * math.exp(-log_factor))
