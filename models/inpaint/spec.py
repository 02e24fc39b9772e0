"""What the engine and the training loop know of inpainting."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.inpaint.network import (
    MIN_SIDE_PX,
    SIZE_MULTIPLE,
    EdgeGenerator,
    FillGenerator,
    fold_spectral_norm,
)
from models.inpaint.objective import InpaintObjective, LossWeights
from models.inpaint.official import OFFICIAL_FILES, from_official_files
from models.inpaint.options import OPTIONS, InpaintOptions, options_from_state
from models.inpaint.spectral import STORED
from models.spec import FamilySpec, NetworkSpec
from models.state import materialise, part_of

GENERATORS: Mapping[str, NetworkSpec] = {
    "edges": NetworkSpec("edges", 3, 1, SIZE_MULTIPLE, MIN_SIDE_PX, has_frame_statistics=True),
    "fill": NetworkSpec("fill", 4, 3, SIZE_MULTIPLE, MIN_SIDE_PX, has_frame_statistics=True),
}


def build_generators(options: InpaintOptions, *, is_folded: bool = True) -> nn.ModuleDict:
    """Fresh `edges` and `fill`, in eval mode; the edge generator plain, or spectral if not ``is_folded``."""
    edges = EdgeGenerator(width=options.width, depth=options.depth, is_spectral=not is_folded)
    fill = FillGenerator(width=options.width, depth=options.depth)
    return nn.ModuleDict({"edges": edges, "fill": fill}).eval()


def load_generators(state: Mapping[str, Tensor], options: InpaintOptions | None = None) -> nn.ModuleDict:
    """Both generators with the weights of a house state, folded, float32, in eval mode.

    Args:
        state: a house state, spectral or folded; judges in it are left out. Not modified.
        options: size; read off the state if None.

    Raises:
        StateError: if a generator is missing or does not fit.
    """
    options = options_from_state(state) if options is None else options
    is_folded = not any(key.startswith("edges.") and f".{STORED}" in key for key in state)
    with torch.device("meta"):
        networks = build_generators(options, is_folded=is_folded)
    for name, network in networks.items():
        materialise(f"weights of {name}", network, part_of(state, name))
    return fold_spectral_norm(networks).eval()


def activation_bytes(options: InpaintOptions, size_hw: tuple[int, int], bytes_per_value: int) -> int:
    """Peak of live activations of one forward of one picture, without weights and kernel workspaces.

    Full resolution decides: where a convolution and the norm after it meet, three to four
    times ``width`` values a pixel are alive (measured on a CPU, both layouts, both dtypes).
    """
    h, w = size_hw
    planes = 4 * options.width + 12  # 12: inputs, their reflected copy, the answer in float32
    return h * w * planes * bytes_per_value


SPEC = FamilySpec(
    name="inpaint",
    title="Inpaint",
    source="Nazeri et al., EdgeConnect: Generative Image Inpainting with Adversarial Edge Learning, 2019, "
    "arXiv:1901.00212",
    networks=GENERATORS,
    options=OPTIONS,
    options_type=InpaintOptions,
    build=build_generators,
    load=load_generators,
    options_from_state=options_from_state,
    activation_bytes=activation_bytes,
    make_objective=InpaintObjective,
    loss_weights_type=LossWeights,
    official_files=OFFICIAL_FILES,
    import_official=from_official_files,
)
