"""Inpainting: edges are guessed inside a hole, the fill is painted along them."""

from models.inpaint.discriminator import EdgeDiscriminator, FillDiscriminator
from models.inpaint.network import EdgeGenerator, FillGenerator, fold_spectral_norm
from models.inpaint.objective import InpaintObjective, LossWeights
from models.inpaint.options import OPTIONS, InpaintOptions
from models.inpaint.spec import SPEC, load_generators

__all__ = [
    "OPTIONS",
    "SPEC",
    "EdgeDiscriminator",
    "EdgeGenerator",
    "FillDiscriminator",
    "FillGenerator",
    "InpaintObjective",
    "InpaintOptions",
    "LossWeights",
    "fold_spectral_norm",
    "load_generators",
]
