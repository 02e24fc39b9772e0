"""Inpainting, as the training loop meets it: many pictures, holes to be cut into them, perhaps a feature network."""

from collections.abc import Mapping
from typing import Any

import torch

from engine.errors import TrainingError
from engine.training.data import LeftOut, RunData, budget_bytes, open_pictures
from engine.training.events import Notice, Report
from engine.training.families import FamilyTraining
from engine.training.options import TrainOptions
from engine.training.samples.inpaint import InpaintSamples
from engine.training.sources import find_pictures
from engine.training.store import PictureStore
from engine.weightfile import read_features
from models.errors import ModelsError


def open_data(options: TrainOptions, report: Report) -> RunData:
    """Find the pictures and the masks of a run.

    Raises:
        TrainingError: if there is nothing to learn from, or nothing in the probe or the masks can be read.
    """
    budget = budget_bytes(options)
    masks = _open_masks(options, budget // 8, LeftOut(report))
    maker = InpaintSamples(size=options.size, mask_ratio=options.mask_ratio, masks=masks)
    return open_pictures(options, report, maker, budget, [masks] if masks is not None else [])


def objective_keywords(options: TrainOptions, tell: Report) -> Mapping[str, Any]:
    """The kind of judge's verdict, what the joint stage keeps, and the feature network.

    Raises:
        TrainingError: if a file holds no feature network.
        WeightsError: if it cannot be used.
    """
    return {
        "features": _features(options, tell),
        "gan": options.gan,
        "keeps_edge_discriminator": options.keeps_edge_discriminator,
    }


def _open_masks(options: TrainOptions, budget: int, skip: LeftOut) -> PictureStore | None:
    if options.masks is None:
        return None
    files = find_pictures([options.masks], skip)
    skip.end()
    maker = InpaintSamples(size=options.size)
    store = PictureStore(files, maker.decode_mask, min(budget, len(files) * options.size**2))
    if store.usable_from(0) is None:
        hint = "masks are white where the hole is, black elsewhere"
        raise TrainingError("masks", "at least one mask with a hole", f"none in {options.masks}", hint)
    return store


def _features(options: TrainOptions, tell: Report) -> torch.nn.Module | None:
    if options.features is None:
        tell(Notice("no --features file: the perceptual and style terms are off"))
        return None
    from models.features import features_from_state

    try:
        network: torch.nn.Module = features_from_state(read_features(options.features))
    except ModelsError as error:
        hint = "give VGG-19 or SqueezeNet 1.1 weights, as torchvision or we lay them out"
        raise TrainingError(options.features, "a feature network", f"'{error}'", hint) from error
    tell(Notice(f"perceptual and style terms through {type(network).__name__} from {options.features}"))
    return network.eval().requires_grad_(False)


TRAINING = FamilyTraining(open_data=open_data, objective_keywords=objective_keywords)
