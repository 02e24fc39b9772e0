"""Retargeting: one picture, learned by heart, is remade at another size or in another shape."""

from models.retarget.discriminator import MultiScaleDiscriminator, scale_count, scale_weights
from models.retarget.network import RetargetGenerator
from models.retarget.objective import RetargetObjective
from models.retarget.options import OPTIONS, RetargetOptions
from models.retarget.recipe import RECIPES, LossWeights, Recipe, crop_hw, scaled_hw
from models.retarget.spec import SPEC, load_generators
from models.retarget.spectral import fold_spectral_norm
from models.retarget.warp import (
    check_corners,
    corner_grid,
    corner_homography,
    corner_mask,
    inverse_corners,
    warp_to_corners,
)

__all__ = [
    "OPTIONS",
    "RECIPES",
    "SPEC",
    "LossWeights",
    "MultiScaleDiscriminator",
    "Recipe",
    "RetargetGenerator",
    "RetargetObjective",
    "RetargetOptions",
    "check_corners",
    "corner_grid",
    "corner_homography",
    "corner_mask",
    "crop_hw",
    "fold_spectral_norm",
    "inverse_corners",
    "load_generators",
    "scale_count",
    "scale_weights",
    "scaled_hw",
    "warp_to_corners",
]
