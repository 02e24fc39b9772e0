"""One forward of each generator, as the engine calls it, beside the plain module with the same weights."""

import numpy as np
import pytest
import torch

from engine.device import NetworkCall, choose_device, choose_precision
from models.registry import family_spec

pytestmark = pytest.mark.timeout(900)

SIZES = [("starter", 256, 9), ("starter", 512, 5), ("official", 256, 5), ("official", 512, 3)]
CHANNELS = {"edges": (1, 1, 1), "fill": (3, 1)}
"""Channels of each input plane."""
TOLERANCE = {"exact": 1e-4, "fast": 0.1}
"""Fresh weights, so the answers are spread over [0, 1]; bfloat16 keeps 8 bits."""


@pytest.mark.parametrize("quality", ["exact", "fast"])
@pytest.mark.parametrize(("row", "side", "rounds"), SIZES, ids=lambda value: str(value))
@pytest.mark.parametrize("network", ["edges", "fill"])
def test_forward(beside, plain, network, row, side, rounds, quality):
    spec = family_spec("inpaint")
    options = spec.options[row]
    build = plain.plain_edge_generator if network == "edges" else plain.plain_fill_generator
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = build(width=options.width, depth=options.depth).eval()
        ours = spec.build(options)[network].eval()
    plain.copy_weights(theirs, ours)

    device = choose_device("auto")
    call = NetworkCall(ours, "forward", device, choose_precision(device, quality))
    theirs = theirs.to(device)
    rng = np.random.default_rng(0)
    planes = [rng.random((side, side, channels), dtype=np.float32) for channels in CHANNELS[network]]
    stacked = torch.from_numpy(np.concatenate(planes, axis=2)).permute(2, 0, 1)[None].contiguous().to(device)

    def forward_ours() -> np.ndarray:
        return call(*planes)

    @torch.inference_mode()
    def forward_plain() -> torch.Tensor:
        answer = theirs(stacked)
        return answer.cpu()

    expected = forward_plain()[0].permute(1, 2, 0).numpy()
    difference = float(np.abs(forward_ours().reshape(expected.shape) - expected).max())
    assert difference <= TOLERANCE[quality], "ours and plain must be the same network"
    name = f"{network} {row} {options.width}x{options.depth} {side} px {quality}"
    beside(name, forward_ours, forward_plain, rounds=rounds, note=f"differs by {difference:.1e}")
