"""What a remade picture should be, as numbers to make small.

Pictures come in [0, 1]; differences are taken on [-1, 1], where the published weights
belong. All terms are float32, and none is weighted here: weights are the objective's.

Two ways to say that a remade picture is made of the source's patches: judges, which learn
it (`verdict_loss` of discriminator.py), and the distance of the two populations of patches,
which needs nothing learned (`patch_distance`).

Source: Shocher et al. 2019, arXiv:1812.00231, section 3; where paper and published code
    differ, this is the code's (an absolute difference where its option says squared).
    Populations of patches: Elnekave and Weiss, "Generating Natural Images with Direct Patch
    Distributions Matching", ECCV 2022, arXiv:2203.11862, section 3; there pixels are moved
    by this distance, here the weights of a generator.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import ShapeError

PATCH_SIDE_PX = 7
"""Side of the patches whose populations are compared, as in the paper."""
_RANGE = 2.0  # of the published pictures, over ours
_SQUARE_WEIGHT = 4.0  # of the square of a rank's difference: spikes differ by 1, the many by a few hundredths
_RANKS = 2048  # most patches compared on a scale: a processor sorts 60,000 numbers in about 3 ms


def verdict_loss(verdict: Tensor, *, is_real: bool) -> Tensor:
    """Mean squared distance of a verdict, 0 to 1, from the one that is wanted."""
    return (verdict.float() - float(is_real)).square().mean()


def reconstruction_loss(back: Tensor, image: Tensor) -> Tensor:
    """Mean absolute difference of a picture and what came back of it.

    Args:
        back: (B, 3, H, W), RGB in [0, 1].
        image: the same shape, the truth.
    """
    _check_pair(back, image)
    return _RANGE * (back.float() - image.float()).abs().mean()


def masked_reconstruction_loss(back: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference where ``mask`` is 1: for crops with a seam that is not to be learned.

    Args:
        back: (B, 3, H, W), RGB in [0, 1].
        image: the same shape, the truth.
        mask: (B, 1, H, W) or as the pictures, 1 = counts. The mean is over what counts; 0 if nothing does.
    """
    _check_pair(back, image)
    kept = torch.broadcast_to(mask.float(), image.shape)
    squares = (_RANGE * (back.float() - image.float()) * kept).square()
    return squares.sum() / kept.sum().clamp_min(1)


def draw_directions(count: int, scales: int, generator: torch.Generator) -> Tensor:
    """Directions to look at patches along, for `patch_distance`.

    Half of them see differences within a patch alone: the mean colour, which varies most,
    would otherwise fill them all.

    Returns:
        (scales, count, 3, PATCH_SIDE_PX, PATCH_SIDE_PX), float32 on the CPU, unit length each.
    """
    drawn = torch.randn(scales, count, 3, PATCH_SIDE_PX, PATCH_SIDE_PX, generator=generator)
    blind = drawn[:, : count // 2]
    blind -= blind.mean(dim=(-3, -2, -1), keepdim=True)
    return F.normalize(drawn.flatten(2), dim=2).reshape(drawn.shape)


def patch_distance(
    made: Tensor, image: Tensor, directions: Tensor, phase: tuple[int, int] = (0, 0)
) -> Tensor:
    """Sliced Wasserstein distance of two pictures' populations of patches.

    Along each direction the patches of a picture are a row of numbers; sorted, the rows of
    two pictures differ by what one must be moved to become the other. A stretched texture
    has other rows than the texture, whatever stands where. Patches are compared at halved
    sizes too, as far down as both pictures hold one.

    A difference d counts as d + 4 d^2. Norms over a whole picture tempt a generator to steer
    them by a few spikes of light and colour, which are outliers along most directions: the
    square makes them dear, and leaves the small differences of the many as they are.

    Args:
        made: (B, 3, h, w), RGB in [0, 1].
        image: (B, 3, H, W), of any other size; each is compared with its own.
        directions: see `draw_directions`; one set a scale, the first for the full size.
        phase: of large pictures not every patch is compared; which row and column come first.

    Returns:
        A scalar, float32, of differences on [-1, 1]: mean over ranks, directions and scales.

    Raises:
        ShapeError: if a picture holds no whole patch.

    Leaves the paper: the square beside the distance, and directions that are blind to the mean.
    """
    side = directions.shape[-1]
    for name, picture in (("made", made), ("image", image)):
        if min(picture.shape[-2:]) < side:
            expected = f"sides of at least {side} px"
            raise ShapeError(name, expected, tuple(picture.shape[-2:]), "nothing smaller holds a patch")
    with torch.autocast(made.device.type, enabled=False):  # ranks tell differences that bf16 rounds away
        ours, theirs = (_RANGE * picture.float() for picture in (made, image))
        distances: list[Tensor] = []
        for filters in directions:
            if min(*ours.shape[-2:], *theirs.shape[-2:]) < side:
                break
            distances.append(_rank_distance(*(_answers(one, filters, phase) for one in (ours, theirs))))
            ours, theirs = _halved(ours), _halved(theirs)
        return torch.stack(distances).mean()


def _answers(picture: Tensor, filters: Tensor, phase: tuple[int, int]) -> Tensor:
    """(B, directions, N); of large pictures every n-th patch along both sides."""
    h, w = (length - filters.shape[-1] + 1 for length in picture.shape[-2:])
    stride = max(1, round((h * w / _RANKS) ** 0.5))
    picture = picture[..., phase[0] % stride :, phase[1] % stride :]
    return F.conv2d(picture, filters, stride=stride).flatten(2)


def _rank_distance(one: Tensor, other: Tensor) -> Tensor:
    """What equal ranks of (B, directions, N) and (B, directions, M) differ by, on the mean."""
    one, other = one.sort(dim=2).values, other.sort(dim=2).values
    fewest = min(one.shape[2], other.shape[2])
    apart = (_ranked(one, fewest) - _ranked(other, fewest)).abs()
    return (apart + _SQUARE_WEIGHT * apart.square()).mean()


def _ranked(rows: Tensor, count: int) -> Tensor:
    """Sorted rows at ``count`` ranks."""
    if rows.shape[2] == count:
        return rows
    return F.interpolate(rows, count, mode="linear", align_corners=True)


def _halved(picture: Tensor) -> Tensor:
    size_hw = [max(1, length // 2) for length in picture.shape[-2:]]
    return F.interpolate(picture, size=size_hw, mode="bilinear", align_corners=False, antialias=True)


def _check_pair(back: Tensor, image: Tensor) -> None:
    if back.shape != image.shape:
        hint = "bring it back to the picture's own size"
        raise ShapeError("back", tuple(image.shape), tuple(back.shape), hint)
