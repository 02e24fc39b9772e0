"""Translate the published checkpoint into ours and back.

A published checkpoint is one file: generator below ``G``, judges below ``D``, and optimiser
states, schedules and a path (``iter``) that are left out. `to_ours` and `to_official` map
the state of one network; `from_official_files` takes whole files as they were read. The
networks are told apart by their tensors.

Three layouts of a spectral weight are read:
    - hook (torch >= 1.0): ``weight_orig``, ``weight_u``, ``weight_v``;
    - torch 0.4.1: ``weight_orig``, ``weight_u`` and the normalised ``weight``; v is one
      power step from u, scaled so that the weight in use is the stored ``weight``;
    - parametrizations: ``parametrizations.weight.original``, ``.0._u``, ``.0._v``.
Written is always the hook layout. A ``module.`` prefix (DataParallel) is taken off.
``num_batches_tracked`` is dropped and written as 0: with a fixed momentum nothing reads it.

Source: layout of github.com/assafshocher/InGAN, revision 86b5b68.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import StateError, UnknownNameError
from models.retarget.discriminator import MultiScaleDiscriminator
from models.retarget.network import RetargetGenerator
from models.retarget.spectral import STORED, restore_spectral_norm
from models.state import State, check_shapes, part_of, with_prefix

OFFICIAL_FILES: Mapping[str, str] = {"checkpoint_0075000.pth.tar": "generator"}
"""Published file name -> our name of the generator in it."""
OFFICIAL_PARTS: Mapping[str, str] = {"generator": "G", "discriminator": "D"}
"""Our name of a network -> the top-level key that holds it."""

_HOOK = {"original": "weight_orig", "0.u": "weight_u", "0.v": "weight_v"}
_COUNTER = "num_batches_tracked"


def to_ours(state: Mapping[str, Tensor]) -> State:
    """The house state of one published network, keys below the network's house name.

    Args:
        state: what stands below ``G`` or ``D``, in any of the three layouts; any size.

    Returns:
        Entries of a house state; tensors are the given ones, not copies.

    Raises:
        StateError: naming what is missing, unexpected or misshapen.
    """
    theirs = _in_hook_layout(_without_data_parallel(state))
    network = network_of(theirs)
    names = _layer_names(network, theirs)
    counters = {f"{layer}.{_COUNTER}" for layer, ours in names.items() if ours.endswith(".norm")}
    ours = _renamed({key: value for key, value in theirs.items() if key not in counters}, names)
    check_shapes(f"official weights of {network}", ours, _shapes(network, ours))
    return with_prefix(ours, network)


def to_official(state: Mapping[str, Tensor], network: str) -> State:
    """One published network out of a house state, hook layout, in the published order of keys.

    Args:
        state: a house state. Folded weights get spectral vectors that leave the weights in
            use as they are.
        network: ``generator`` or ``discriminator``.

    Raises:
        UnknownNameError: for another name.
        StateError: if the house state lacks the network, or holds it incomplete.
    """
    if network not in OFFICIAL_PARTS:
        raise UnknownNameError("network", network, OFFICIAL_PARTS)
    ours = part_of(state, network)
    if not ours:
        hint = "these weights lack this network"
        raise StateError(f"weights of {network}", missing=[f"{network}.*"], hint=hint)
    ours = restore_spectral_norm(ours, _spectral_network(network, ours))
    check_shapes(f"weights of {network}", ours, _shapes(network, ours))
    theirs: State = {}
    for official, house in _house_layer_names(network, ours).items():
        for leaf in _leaves_of(house):
            theirs[f"{official}.{_HOOK.get(leaf.removeprefix(STORED), leaf)}"] = ours[f"{house}.{leaf}"]
        if house.endswith(".norm"):
            theirs[f"{official}.{_COUNTER}"] = torch.zeros((), dtype=torch.int64)
    return theirs


def from_official_files(files: Mapping[str, Mapping[str, Any]]) -> State:
    """The house state of a published file.

    Args:
        files: file name -> its content: ``{"G": state, "D": state, ...}`` or a bare state of
            one network; other entries are left out.

    Raises:
        StateError: if a file holds no such network, or one that another file held already.
    """
    house: State = {}
    found: dict[str, str] = {}
    for file, content in files.items():
        for part in _parts_in(file, content):
            ours = to_ours(part)
            network = next(iter(ours)).split(".")[0]
            if network in found:
                hint = f"{found[network]} holds it already; import one of them"
                raise StateError(file, unexpected=[network], hint=hint)
            found[network] = file
            house |= ours
    return house


def network_of(state: Mapping[str, Tensor]) -> str:
    """Which of the two networks a published state is, by its first layer.

    Raises:
        StateError: if it is neither.
    """
    for network, key in (
        ("generator", "entry_block.1.weight_orig"),
        ("discriminator", "nets.0.0.weight_orig"),
    ):
        if key in state and state[key].ndim == 4:
            return network
    missing = ["entry_block.1.weight_orig", "nets.0.0.weight_orig"]
    raise StateError("official weights", missing=missing, hint="this is no network of the InGAN release")


def _parts_in(file: str, content: Mapping[str, Any]) -> list[Mapping[str, Tensor]]:
    parts = [content[key] for key in OFFICIAL_PARTS.values() if isinstance(content.get(key), Mapping)]
    if not parts and content and all(isinstance(value, Tensor) for value in content.values()):
        parts = [content]
    if not parts:
        missing = list(OFFICIAL_PARTS.values())
        raise StateError(file, missing=missing, hint="this is no file of the InGAN release")
    return parts


def _without_data_parallel(state: Mapping[str, Tensor]) -> State:
    if state and all(key.startswith("module.") for key in state):
        return part_of(state, "module")
    return dict(state)


def _in_hook_layout(state: State) -> State:
    """Rename or solve the two other spectral layouts."""
    renamed = {}
    for key, value in state.items():
        base, is_parametrized, end = key.partition(f".{STORED}")
        end = {"0._u": "0.u", "0._v": "0.v"}.get(end, end)
        renamed[f"{base}.{_HOOK.get(end, end)}" if is_parametrized else key] = value
    for key in [key for key in renamed if key.endswith(".weight_orig")]:
        base = key.removesuffix("_orig")
        if base in renamed and f"{base}_u" in renamed and f"{base}_v" not in renamed:
            weight = renamed.pop(base)
            renamed[f"{base}_v"] = _solved_v(base, renamed[key], weight, renamed[f"{base}_u"])
    return renamed


def _solved_v(name: str, original: Tensor, weight: Tensor, u: Tensor) -> Tensor:
    """The v that makes u . (W v) the sigma between a stored weight and its normalised form."""
    if original.shape != weight.shape:
        wrong = {name: (tuple(original.shape), tuple(weight.shape))}
        raise StateError("official weights", misshapen=wrong)
    matrix = original.double().flatten(1)
    sigma = (original.double() * weight).sum() / weight.double().square().sum()
    v = matrix.T @ u.double()
    return (v * sigma / (u.double() @ (matrix @ v))).to(original.dtype)


def _layer_names(network: str, theirs: State) -> dict[str, str]:
    """Official layer name -> ours, in the published order, for what a published state holds."""
    if network == "discriminator":
        return _judge_names(_count(theirs, "nets."))
    return _generator_names(_count(theirs, "downscale_block."), _count(theirs, "bottleneck_block."))


def _house_layer_names(network: str, ours: State) -> dict[str, str]:
    """The same for a house state."""
    if network == "discriminator":
        return _judge_names(_count(ours, "judges."))
    return _generator_names(_count(ours, "downs."), _count(ours, "blocks."))


def _generator_names(downscales: int, depth: int) -> dict[str, str]:
    pairs = [("entry_block", 1, "entry")]
    pairs += [(f"downscale_block.conv_{i}", 1, f"downs.{i}") for i in range(downscales)]
    for i in range(depth):
        pairs += [
            (f"bottleneck_block.{i}.conv_block", first, f"blocks.{i}.{layer}")
            for first, layer in ((0, "narrow"), (4, "look"), (7, "widen"))
        ]
    pairs += [(f"upscale_block.conv_{downscales - 1 - i}", 1, f"ups.{i}") for i in range(downscales)]
    return _conv_norm_names(pairs) | {"final_block.1": "head"}


def _judge_names(scales: int) -> dict[str, str]:
    names: dict[str, str] = {}
    for scale in range(scales):
        names |= _conv_norm_names([(f"nets.{scale}", 3 * i, f"judges.{scale}.layers.{i}") for i in range(3)])
        names[f"nets.{scale}.9"] = f"judges.{scale}.head"
    return names


def _conv_norm_names(pairs: list[tuple[str, int, str]]) -> dict[str, str]:
    """A convolution at a number within its official block, and its norm right after it."""
    names = {}
    for official, first, ours in pairs:
        names[f"{official}.{first}"] = f"{ours}.conv"
        names[f"{official}.{first + 1}"] = f"{ours}.norm"
    return names


def _leaves_of(house: str) -> tuple[str, ...]:
    """What one of our layers holds, in the published order."""
    if house.endswith(".norm"):
        return ("weight", "bias", "running_mean", "running_var")
    return ("weight", "bias") if house == "head" else ("bias", *(STORED + end for end in _HOOK))


def _renamed(theirs: State, layer_names: Mapping[str, str]) -> State:
    """Our names; a key of no known layer keeps its own, to be refused by that name."""
    stored = {official: STORED + end for end, official in _HOOK.items()}
    ours = {}
    for key, value in theirs.items():
        layer, _, leaf = key.rpartition(".")
        name = f"{layer_names[layer]}.{stored.get(leaf, leaf)}" if layer in layer_names else key
        ours[name] = value
    return ours


def _shapes(network: str, ours: State) -> dict[str, tuple[int, ...]]:
    state = _spectral_network(network, ours).state_dict()
    return {key: tuple(value.shape) for key, value in state.items()}


def _spectral_network(network: str, ours: State) -> nn.Module:
    """An empty network of the size that a state says it has."""
    first = "judges.0.layers.0.conv" if network == "discriminator" else "entry.conv"
    width = next(
        (ours[key].shape[0] for key in (f"{first}.{STORED}original", f"{first}.weight") if key in ours), 0
    )
    if width < 1:
        raise StateError(f"weights of {network}", missing=[f"{first}.weight"])
    with torch.device("meta"):
        if network == "discriminator":
            return MultiScaleDiscriminator(width=width, scales=max(1, _count(ours, "judges.")))
        downscales, depth = max(1, _count(ours, "downs.")), max(1, _count(ours, "blocks."))
        return RetargetGenerator(width=width, depth=depth, downscales=downscales, is_spectral=True)


def _count(state: Mapping[str, Tensor], start: str) -> int:
    """How many different numbers or names follow ``start``."""
    return len({key[len(start) :].split(".")[0] for key in state if key.startswith(start)})
