"""Recognise a feature network by the names of its tensors.

| network | names | from |
|---|---|---|
| VGG-19 | `features.N.weight`, `.bias`, N = 0, 2, 5 ... 34 | torchvision |
| VGG-19 | `convS_N.weight`, `.bias` | ours |
| SqueezeNet 1.1 | `features.N.weight`, `features.N.{squeeze,expand1x1,expand3x3}.*` | torchvision |
| SqueezeNet 1.1 | `f.N.weight`, `f.N.{sq,e1,e3}.*` | compact |
| SqueezeNet 1.1 | `stem.*`, `fireN.{squeeze,expand1,expand3}.*` | ours |

Classifiers (`classifier.*`) are left out; a `module.` prefix is taken off.
"""

import re
from collections.abc import Mapping

from torch import Tensor

from models.errors import StateError
from models.features.embedding import FeatureNetwork
from models.features.squeezenet import SqueezeNetFeatures
from models.features.vgg19 import Vgg19Features

_VGG_CONVS = dict(
    zip(
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
        (f"conv{scale}_{n}" for scale, count in enumerate((2, 2, 4, 4, 4), 1) for n in range(1, count + 1)),
        strict=True,
    )
)
_FIRES = {index: f"fire{n}" for n, index in enumerate((3, 4, 6, 7, 9, 10, 11, 12), start=1)}
_FIRE_PARTS = {
    "sq": "squeeze",
    "squeeze": "squeeze",
    "e1": "expand1",
    "expand1x1": "expand1",
    "e3": "expand3",
    "expand3x3": "expand3",
}
_NUMBERED = re.compile(r"(?:features\.|f\.)?(\d+)\.(?:(\w+)\.)?(weight|bias)")


def features_from_state(state: Mapping[str, Tensor]) -> FeatureNetwork:
    """Build the feature network that a file holds.

    Args:
        state: name -> tensor, in one of the layouts above. Not modified.

    Raises:
        StateError: if it is none of them, or one with tensors missing, unexpected or misshapen.
    """
    names = {key.removeprefix("module."): value for key, value in state.items()}
    names = {key: value for key, value in names.items() if not key.startswith("classifier.")}
    matches = {key: _NUMBERED.fullmatch(key) for key in names}
    if any(match and match[2] in _FIRE_PARTS for match in matches.values()):
        return SqueezeNetFeatures({_squeezenet_name(key, matches[key]): names[key] for key in names})
    if any(key.startswith("fire") for key in names):
        return SqueezeNetFeatures(names)
    if any(match and int(match[1]) in _VGG_CONVS and not match[2] for match in matches.values()):
        return Vgg19Features({_vgg_name(key, matches[key]): names[key] for key in names})
    if any(key.startswith("conv1_") for key in names):
        return Vgg19Features(names)
    hint = "known are VGG-19 and SqueezeNet 1.1 in torchvision's names"
    raise StateError("features", missing=["features.0.weight"], unexpected=list(names), hint=hint)


def _vgg_name(key: str, match: re.Match[str] | None) -> str:
    """Our name; what has none keeps its own, to be refused by it."""
    if match is None or match[2] or int(match[1]) not in _VGG_CONVS:
        return key
    return f"{_VGG_CONVS[int(match[1])]}.{match[3]}"


def _squeezenet_name(key: str, match: re.Match[str] | None) -> str:
    if match is None:
        return key
    index, part, leaf = int(match[1]), match[2], match[3]
    if index == 0 and part is None:
        return f"stem.{leaf}"
    if index in _FIRES and part in _FIRE_PARTS:
        return f"{_FIRES[index]}.{_FIRE_PARTS[part]}.{leaf}"
    return key
