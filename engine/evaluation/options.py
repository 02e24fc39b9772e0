"""What an evaluation is asked to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import EvaluationError

PROTOCOLS = ("house", "official")
"""``house``: colour, SSIM as published, errors inside the hole. ``official``: what the family's own authors measured."""

PATHS = ("product", "networks")
"""``product``: through the engine, with its crops and seams. ``networks``: the bare networks, one forward a picture."""

MIN_SIZE_PX = 32
"""Below, the smallest hole of a bin is a few pixels and the SSIM window sees mostly border."""

OFFICIAL_MIN_SIZE_PX = 51
"""The SSIM window of the official protocol."""


@dataclass(frozen=True)
class EvaluateOptions:
    """One evaluation, as plain values. Checked where it is made.

    Raises:
        EvaluationError: if a value is out of range or unknown.
    """

    data: tuple[str | Path, ...]
    """Folders, tar files or single pictures."""

    subset: str = ""
    """Only pictures below this folder inside the sources, as ``scenes``; empty = all."""

    weights: str = ""
    """Name or file; empty = the family's default."""

    features: str | Path | None = None
    """File of the network whose features FID compares; None = no FID."""

    protocol: str = "house"
    """One of `PROTOCOLS`."""

    path: str = "product"
    """One of `PATHS`: what the rows called ours go through."""

    limit: int | None = None
    """At most this many pictures, picked by the seed; None = all."""

    seed: int = 0
    """Picks the pictures under a limit, and the masks."""

    size: int = 256
    """Side in px: pictures are cut to their middle square and resized. 0 = their own size, cut to multiples of 4."""

    device: str = "auto"
    """As for the engine: ``auto``, ``cpu``, ``cuda``, ``cuda:1``."""

    quality: Literal["exact", "fast"] = "exact"
    """As for the engine: ``exact`` or ``fast``; holds for the rows that go through it."""

    figures: int = 20
    """Results shown on the contact sheet of the report."""

    has_ablation: bool = True
    """Also run the variants of the method, not only the method and its baselines."""

    def __post_init__(self) -> None:
        if not self.data:
            raise EvaluationError("data", "a folder, tar or picture", "none", "name at least one with --data")
        _check_word("protocol", self.protocol, PROTOCOLS)
        _check_word("path", self.path, PATHS)
        _check_word("quality", self.quality, ("exact", "fast"))
        if self.limit is not None and self.limit < 1:
            raise EvaluationError("limit", "at least 1 picture", self.limit, "leave it out for all pictures")
        if self.figures < 0:
            raise EvaluationError("figures", "0 or more", self.figures, "0 leaves the contact sheet out")
        least = OFFICIAL_MIN_SIZE_PX if self.protocol == "official" else MIN_SIZE_PX
        if self.size != 0 and self.size < least:
            raise EvaluationError(
                "size", f"0 or at least {least} px", self.size, "0 keeps the pictures' own size"
            )


def _check_word(name: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise EvaluationError(name, f"one of {', '.join(known)}", repr(word), "check the spelling")
