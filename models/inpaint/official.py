"""Translate the published checkpoints into ours and back, without losing a bit.

A published checkpoint is four files, one network each. `to_ours` and `to_official` map
the state of one network; `from_official_files` takes whole files as they were read.
Networks are told apart by their tensors, not by file name.

Three layouts of a spectral weight are read:
    - hook (torch >= 1.0, the released files): ``weight_orig``, ``weight_u``, ``weight_v``;
    - torch 0.4.1: ``weight_orig``, ``weight_u`` and the normalised ``weight``; v is one
      power step from u, scaled so that the weight in use is the stored ``weight``;
    - parametrizations: ``parametrizations.weight.original``, ``.0._u``, ``.0._v``.
Written is always the hook layout. A ``module.`` prefix (DataParallel) is taken off. The
judges' ``features.0.*``, one layer registered under a second name, is dropped and written
back.

Source: layout of github.com/knazeri/edge-connect, revision 3142579.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from models.errors import StateError, UnknownNameError
from models.inpaint.discriminator import EdgeDiscriminator, FillDiscriminator
from models.inpaint.network import EdgeGenerator, FillGenerator
from models.inpaint.options import InpaintOptions, options_from_state
from models.inpaint.spectral import STORED, as_matrix, restore_spectral_norm
from models.state import State, check_shapes, part_of, with_prefix

OFFICIAL_FILES: Mapping[str, str] = {
    "EdgeModel_gen.pth": "edges",
    "InpaintingModel_gen.pth": "fill",
    "EdgeModel_dis.pth": "edges_discriminator",
    "InpaintingModel_dis.pth": "fill_discriminator",
}
"""Published file name -> our name of the network in it."""
OFFICIAL_PARTS: Mapping[str, str] = {
    "edges": "generator",
    "fill": "generator",
    "edges_discriminator": "discriminator",
    "fill_discriminator": "discriminator",
}
"""Our name of a network -> the top-level key that holds it in its file."""

_HOOK = {"original": "weight_orig", "0.u": "weight_u", "0.v": "weight_v"}
_TRANSPOSED = ("decoder.0", "decoder.3")  # official names of the transposed convolutions
_TWIN = ("features.0.", "conv1.0.")  # second name and first name of one layer


def to_ours(state: Mapping[str, Tensor]) -> State:
    """The house state of one published network, keys below the network's house name.

    Args:
        state: what stands below ``generator`` or ``discriminator`` in a published file, in
            any of the three layouts; any width and depth.

    Returns:
        Entries of a house state; tensors are the given ones, not copies.

    Raises:
        StateError: naming what is missing, unexpected or misshapen.
    """
    theirs = _in_hook_layout(_without_twin(_without_data_parallel(state)))
    network = network_of(theirs)
    ours = _renamed(theirs, _layer_names(network, _depth(theirs)))
    check_shapes(f"official weights of {network}", ours, _shapes(network, ours))
    return with_prefix(ours, network)


def to_official(state: Mapping[str, Tensor], network: str) -> State:
    """One published network out of a house state, hook layout, in the published order of keys.

    Args:
        state: a house state. Folded weights get spectral vectors that leave the weights in
            use as they are.
        network: ``edges``, ``fill``, ``edges_discriminator`` or ``fill_discriminator``.

    Raises:
        UnknownNameError: for another name.
        StateError: if the house state lacks the network, or holds it incomplete.
    """
    if network not in OFFICIAL_PARTS:
        raise UnknownNameError("network", network, OFFICIAL_PARTS)
    ours = part_of(state, network)
    if not ours:
        raise StateError(
            f"weights of {network}", missing=[f"{network}.*"], hint="these weights lack this network"
        )
    ours = restore_spectral_norm(ours, _spectral_network(network, ours))
    check_shapes(f"weights of {network}", ours, _shapes(network, ours))
    names = {house: official for official, house in _layer_names(network, _house_depth(ours)).items()}
    theirs: State = {}
    for house, official in names.items():
        for leaf in ("bias", "weight", *(STORED + end for end in _HOOK)):
            if f"{house}.{leaf}" in ours:
                theirs[f"{official}.{_HOOK.get(leaf.removeprefix(STORED), leaf)}"] = ours[f"{house}.{leaf}"]
    return _in_official_order(theirs)


def from_official_files(files: Mapping[str, Mapping[str, Any]]) -> State:
    """The house state of published files.

    Args:
        files: file name -> its content: ``{"generator": state, ...}``,
            ``{"discriminator": state}`` or a bare state; other entries (the iteration) are left out.

    Raises:
        StateError: if a file holds no such network, or one that another file held already.
    """
    house: State = {}
    found: dict[str, str] = {}
    for file, content in files.items():
        ours = to_ours(_part_in(file, content))
        network = next(iter(ours)).split(".")[0]
        if network in found:
            hint = f"{found[network]} holds it already; import one of them"
            raise StateError(file, unexpected=[network], hint=hint)
        found[network] = file
        house |= ours
    return house


def network_of(state: Mapping[str, Tensor]) -> str:
    """Which of the four networks a published state is, by its first and last layers.

    Raises:
        StateError: if it is none of them.
    """
    head, first = state.get("decoder.7.weight"), state.get("conv1.0.weight_orig")
    if head is not None and head.ndim == 4 and head.shape[0] in (1, 3):
        return "edges" if head.shape[0] == 1 else "fill"
    if first is not None and first.ndim == 4 and first.shape[1] in (2, 3):
        return "edges_discriminator" if first.shape[1] == 2 else "fill_discriminator"
    hint = "this is no network of the EdgeConnect release"
    raise StateError("official weights", missing=["decoder.7.weight", "conv1.0.weight_orig"], hint=hint)


def _part_in(file: str, content: Mapping[str, Any]) -> Mapping[str, Tensor]:
    for part in sorted(set(OFFICIAL_PARTS.values())):
        if isinstance(content.get(part), Mapping):
            return content[part]  # type: ignore[no-any-return]
    if content and all(isinstance(value, Tensor) for value in content.values()):
        return content
    hint = "this is no file of the EdgeConnect release"
    raise StateError(file, missing=sorted(set(OFFICIAL_PARTS.values())), hint=hint)


def _without_data_parallel(state: Mapping[str, Tensor]) -> State:
    if state and all(key.startswith("module.") for key in state):
        return part_of(state, "module")
    return dict(state)


def _without_twin(state: State) -> State:
    """Drop the second name of the judges' first layer; it must hold the same tensors."""
    second, first = _TWIN
    kept = {key: value for key, value in state.items() if not key.startswith(second)}
    for key in state.keys() - kept.keys():
        twin = kept.get(first + key.removeprefix(second))
        if twin is None or not torch.equal(twin, state[key]):
            hint = f"it must repeat {first}*, the same layer under its first name"
            raise StateError("official weights", unexpected=[key], hint=hint)
    return kept


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
            layer = base.removesuffix(".weight")
            renamed[f"{base}_v"] = _solved_v(
                base, renamed[key], weight, renamed[f"{base}_u"], layer in _TRANSPOSED
            )
    return renamed


def _solved_v(name: str, original: Tensor, weight: Tensor, u: Tensor, is_transposed: bool) -> Tensor:
    """The v that makes u . (W v) the sigma between a stored weight and its normalised form."""
    if original.shape != weight.shape:
        wrong = {name: (tuple(original.shape), tuple(weight.shape))}
        raise StateError("official weights", misshapen=wrong)
    matrix = as_matrix(original.double(), int(is_transposed))
    sigma = (original.double() * weight).sum() / weight.double().square().sum()
    v = matrix.T @ u.double()
    return (v * sigma / (u.double() @ (matrix @ v))).to(original.dtype)


def _layer_names(network: str, depth: int) -> dict[str, str]:
    """Official layer name -> ours, in the published order."""
    if network.endswith("_discriminator"):
        return {f"conv{i}.0": f"layers.conv{i}" for i in range(1, 6)}
    names = {"encoder.1": "encoder.stem", "encoder.4": "encoder.down1", "encoder.7": "encoder.down2"}
    for i in range(depth):
        names[f"middle.{i}.conv_block.1"] = f"blocks.{i}.wide"
        names[f"middle.{i}.conv_block.5"] = f"blocks.{i}.near"
    return names | {"decoder.0": "decoder.up1", "decoder.3": "decoder.up2", "decoder.7": "decoder.head"}


def _renamed(theirs: State, layer_names: Mapping[str, str]) -> State:
    """Our names; a key of no known layer keeps its own, to be refused by that name."""
    stored = {official: STORED + end for end, official in _HOOK.items()}
    ours = {}
    for key, value in theirs.items():
        layer, _, leaf = key.rpartition(".")
        name = f"{layer_names[layer]}.{stored.get(leaf, leaf)}" if layer in layer_names else key
        ours[name] = value
    return ours


def _in_official_order(theirs: State) -> State:
    """Bias before a spectral weight, a plain weight before its bias; the twin after the first layer."""
    ordered: State = {}
    second, first = _TWIN
    for key, value in theirs.items():
        if key.endswith(".bias") and f"{key.removesuffix('bias')}weight" in theirs:
            continue
        ordered[key] = value
        bias = f"{key.removesuffix('weight')}bias"
        if key.endswith(".weight") and bias in theirs:
            ordered[bias] = theirs[bias]
    twins = {
        second + key.removeprefix(first): value for key, value in ordered.items() if key.startswith(first)
    }
    split = len(twins)
    entries = list(ordered.items())
    return dict(entries[:split]) | twins | dict(entries[split:])


def _shapes(network: str, ours: State) -> dict[str, tuple[int, ...]]:
    state = _spectral_network(network, ours).state_dict()
    return {key: tuple(value.shape) for key, value in state.items()}


def _spectral_network(network: str, ours: State) -> torch.nn.Module:
    """An empty network of the size that a state says it has."""
    with torch.device("meta"):
        if network == "edges_discriminator":
            return EdgeDiscriminator(width=_judge_width(ours))
        if network == "fill_discriminator":
            return FillDiscriminator(width=_judge_width(ours))
        options = _generator_options(network, ours)
        if network == "edges":
            return EdgeGenerator(width=options.width, depth=options.depth, is_spectral=True)
        return FillGenerator(width=options.width, depth=options.depth)


def _generator_options(network: str, ours: State) -> InpaintOptions:
    return options_from_state(with_prefix(ours, network))


def _judge_width(ours: State) -> int:
    for leaf in (f"{STORED}original", "weight"):
        key = f"layers.conv1.{leaf}"
        if key in ours and ours[key].ndim == 4:
            return ours[key].shape[0]
    raise StateError("discriminator weights", missing=["layers.conv1.weight"])


def _depth(theirs: State) -> int:
    return len({key.split(".")[1] for key in theirs if key.startswith("middle.")})


def _house_depth(ours: State) -> int:
    return len({key.split(".")[1] for key in ours if key.startswith("blocks.")})
