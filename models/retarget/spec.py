"""What the engine and the training loop know of retargeting.

Two ways to load. Product: folded, in eval mode, every picture under its own statistics;
the answer is a function of weights, picture and frame. Published: spectral, in training
mode, as the published test code runs it; each forward then takes a power iteration and
moves the running statistics, so the answer also depends on the calls before. To compare
with published numbers, load anew for each picture and make one forward.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.errors import StateError
from models.retarget.network import RetargetGenerator
from models.retarget.objective import RetargetObjective
from models.retarget.official import OFFICIAL_FILES, from_official_files
from models.retarget.options import OPTIONS, RetargetOptions, options_from_state
from models.retarget.recipe import LossWeights
from models.retarget.spectral import STORED, fold_spectral_norm
from models.spec import FamilySpec, NetworkSpec
from models.state import materialise, part_of

SIZE_MULTIPLE = 8
"""Of new frames with three halvings, as all named options have; `RetargetGenerator.size_multiple` knows."""

GENERATORS: Mapping[str, NetworkSpec] = {
    "generator": NetworkSpec("generator", 3, 3, SIZE_MULTIPLE, 2 * SIZE_MULTIPLE, has_frame_statistics=True),
}


def build_generators(options: RetargetOptions, *, is_folded: bool = True) -> nn.ModuleDict:
    """A fresh `generator`, in eval mode; plain, or spectral if not ``is_folded``."""
    generator = RetargetGenerator(
        width=options.width, depth=options.depth, downscales=options.downscales, is_spectral=not is_folded
    )
    return nn.ModuleDict({"generator": generator}).eval()


def load_generators(
    state: Mapping[str, Tensor], options: RetargetOptions | None = None, *, as_published: bool = False
) -> nn.ModuleDict:
    """The generator with the weights of a house state, float32.

    Args:
        state: a house state, spectral or folded; judges in it are left out. Not modified.
        options: size; read off the state if None.
        as_published: spectral and in training mode, to repeat the published numbers; needs
            spectral weights. Otherwise folded, in eval mode.

    Raises:
        StateError: if the generator is missing or does not fit, or is folded already where
            it must not be.
    """
    options = options_from_state(state) if options is None else options
    is_folded = not any(key.startswith("generator.") and f".{STORED}" in key for key in state)
    if as_published and is_folded:
        hint = (
            "these weights are folded, and the published answer needs the vectors; import the published file"
        )
        raise StateError("weights of generator", missing=[f"generator.entry.conv.{STORED}0.u"], hint=hint)
    with torch.device("meta"):
        networks = build_generators(options, is_folded=is_folded)
    materialise("weights of generator", networks["generator"], part_of(state, "generator"))
    return networks.train() if as_published else fold_spectral_norm(networks).eval()


def activation_bytes(options: RetargetOptions, size_hw: tuple[int, int], bytes_per_value: int) -> int:
    """Peak of live activations of one forward of one picture, without weights and kernel workspaces.

    ``size_hw`` is the new frame, or the given picture if that is larger. The convolution after
    the last doubling decides: there six to nine times ``width`` values a pixel are alive
    (measured on a CPU, both layouts, both dtypes; channels-last takes the least).
    """
    h, w = size_hw
    planes = 9 * options.width + 12  # 12: the picture, its reflected copy, the answer
    return h * w * planes * bytes_per_value


SPEC = FamilySpec(
    name="retarget",
    title="Retarget",
    source="Shocher, Bagon, Isola, Irani, InGAN: Capturing and Retargeting the 'DNA' of a Natural Image, "
    "ICCV 2019, arXiv:1812.00231",
    networks=GENERATORS,
    options=OPTIONS,
    options_type=RetargetOptions,
    build=build_generators,
    load=load_generators,
    options_from_state=options_from_state,
    activation_bytes=activation_bytes,
    make_objective=RetargetObjective,
    loss_weights_type=LossWeights,
    official_files=OFFICIAL_FILES,
    import_official=from_official_files,
)
