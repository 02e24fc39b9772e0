"""Retargeting, as the training loop meets it: one picture, and a look at it in another shape while it is learned."""

import io
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.corners import MARGIN_PX, with_margin
from engine.device import has_bfloat16
from engine.errors import TrainingError
from engine.pictures import PICTURE_KEY, picture_sha256, read_rgb
from engine.training.batches import Batches, stack
from engine.training.data import LeftOut, RunData
from engine.training.events import Notice, Report
from engine.training.families import FamilyTraining
from engine.training.options import TrainOptions
from engine.training.samples.retarget import RetargetSamples
from engine.training.sources import find_pictures
from engine.training.store import PictureStore, StoredPicture
from models.errors import OptionError
from models.objective import Objective
from models.registry import family_spec
from models.retarget.discriminator import SCALE_FACTOR, scale_count
from models.retarget.objective import RetargetObjective
from models.retarget.options import RetargetOptions
from models.retarget.recipe import RECIPES, Recipe, crop_hw

USUAL_RECIPE = "fast"
_PROBE_COUNT = 4
_PROBE_SEED = 2
_LEAST_JUDGED_PX = 10  # a judge's layers leave nothing of less
_CUT_SHARE = 0.75  # of a crop's side, at each cut
_LAST_SCALES = (1.5, 1.0)  # largest sizes to remake crops at, when crops cannot shrink any more
_PREVIEW_PX = 384  # longest side of what is shown, before it is remade
_LARGE_PICTURE = 8  # times the crop: beyond, a crop shows texture and no things


def usual(recipe: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a run as a recipe has them.

    Args:
        recipe: its name; empty = `USUAL_RECIPE`.
        given: what was asked for; the device decides the precision.

    Raises:
        TrainingError: if there is no such recipe.
    """
    name = recipe or USUAL_RECIPE
    if name not in RECIPES:
        names = " or ".join(RECIPES)
        raise TrainingError("recipe", names, repr(name), "fast takes minutes on a GPU, official takes hours")
    found = RECIPES[name]
    is_official = name == "official"
    is_cuda = given.get("device", "auto") != "cpu" and torch.cuda.is_available()
    is_quick = has_bfloat16(torch.device("cuda" if is_cuda else "cpu"))
    return {
        "recipe": name,
        "loss": asdict(found.weights),
        "steps": found.steps,
        "size": found.crop_px,
        "learning_rate": found.learning_rate,
        "momentum": found.momentum,
        "discriminator_rate": 1.0,
        "batch": 1,
        "ema": 0.0 if is_official else 0.99,
        "options": "official" if is_official else "starter",
        "precision": "bf16" if is_quick and not is_official else "32",
        "workers": 0,
        "checkpoint_every": 5000 if is_official else 250,
        "preview_every": 500 if is_official else 100,
        "log_every": 50 if is_official else 20,
        "snapshot_every": 5.0,
    }


def open_data(options: TrainOptions, report: Report) -> RunData:
    """Decode the one picture of a run.

    Raises:
        TrainingError: if there is not exactly one, or it is too small to be cut.
        PictureError: if it cannot be decoded.
    """
    left_out = LeftOut(report)
    files = find_pictures(options.data, left_out)
    left_out.end()
    if len(files) != 1:
        hint = "a network of this family learns one picture; name its file"
        raise TrainingError("data", "one picture", f"{len(files)} pictures", hint)
    is_file = files[0].held is None and files[0].size_bytes < 0
    pixels = read_rgb(files[0].path if is_file else io.BytesIO(files[0].read()))
    height, width = pixels.shape[:2]
    try:
        crop = crop_hw(_recipe(options), (height, width), _multiple(options))
    except OptionError as error:
        hint = "it is too small to learn from; enlarge it first"
        raise TrainingError("picture", error.expected, f"{width}x{height} px", hint) from error
    report(
        Notice(
            f"one picture of {width} x {height} px, learned in crops of {crop[1]} x {crop[0]} px", "picture"
        )
    )
    if max(height, width) > _LARGE_PICTURE * max(crop):
        report(
            Notice(
                "such a crop shows little of so large a picture: its texture is learned, not its things; "
                "learn a smaller copy, or give a larger --size",
                "large_picture",
            )
        )
    store = PictureStore(files, RetargetSamples(crop).decode, pixels.nbytes)
    return _data(store, pixels, crop, options.seed)


def objective_keywords(options: TrainOptions, tell: Report) -> Mapping[str, Any]:
    """The recipe with what was asked for in its place, and the seed of what is drawn."""
    del tell
    return {"recipe": _recipe(options), "seed": options.seed}


def fitted(options: RetargetOptions, data: RunData) -> RetargetOptions:
    """As many judges as the crop has room for."""
    return replace(options, scales=scale_count(min(_crop_of(data))))


def start(state: dict[str, Tensor], objective: Objective) -> dict[str, Tensor]:
    """The state without the judges that this objective has no place for; without any where it wants more."""
    wanted = len(objective.discriminator.judges)  # type: ignore[union-attr, arg-type]
    found = {key.split(".")[2] for key in state if key.startswith("discriminator.judges.")}
    if not found or len(found) == wanted:
        return state
    kept = {str(number) for number in range(wanted)} if len(found) > wanted else set()
    return {
        key: value
        for key, value in state.items()
        if not key.startswith("discriminator.") or key.split(".")[2] in kept
    }


def picture(objective: Objective, data: RunData, options: TrainOptions) -> Tensor:
    """The picture remade in the shape asked for; if none was, its middle remade twice as wide. Nothing moves."""
    assert isinstance(objective, RetargetObjective), "of this family"
    assert data.picture is not None, "kept by open_data"
    shown = data.picture if options.target_hw else _middle(data.picture)
    target_hw = options.target_hw or (shown.shape[0], 2 * shown.shape[1])
    generator = objective.generator
    device = next(generator.parameters()).device
    image = torch.from_numpy(shown.copy()).permute(2, 0, 1)[None].to(device).float() / 255
    is_training = generator.training
    generator.eval()
    try:
        frame_hw, corners = with_margin(target_hw, None, generator.size_multiple)
        answer: Tensor = generator(image, frame_hw, corners=torch.tensor(corners))
    finally:
        generator.train(is_training)
    rows, columns = (slice(MARGIN_PX, MARGIN_PX + side) for side in target_hw)
    return answer[..., rows, columns]


def _middle(pixels: np.ndarray) -> np.ndarray:
    """At most `_PREVIEW_PX` a side: a look every few seconds must not take longer than learning."""
    rows, columns = (
        slice((side - length) // 2, (side - length) // 2 + length)
        for side, length in ((side, min(side, _PREVIEW_PX)) for side in pixels.shape[:2])
    )
    return pixels[rows, columns]


def smaller(
    objective: Objective, data: RunData, options: TrainOptions, times: int
) -> tuple[RunData, str] | None:
    """Crops three quarters as long at each cut, as far down as the judges can see; then smaller sizes to remake them at."""
    assert isinstance(objective, RetargetObjective), "of this family"
    assert data.picture is not None, "kept by open_data"
    picture_hw = (data.picture.shape[0], data.picture.shape[1])
    multiple = objective.generator.size_multiple
    first = crop_hw(_recipe(options), picture_hw, multiple)
    ladder = _crops(first, objective.options.scales, multiple)
    crop = ladder[min(times, len(ladder)) - 1] if ladder else first
    beyond = times - len(ladder)
    if beyond > len(_LAST_SCALES):
        return None
    word = f"crops of {crop[1]} x {crop[0]} px"
    if beyond > 0:
        scale = min(_LAST_SCALES[beyond - 1], objective.recipe.largest_scale)
        least = min(scale, objective.recipe.smallest_scale)
        objective.recipe = replace(objective.recipe, largest_scale=scale, smallest_scale=least)
        word += f", remade at most {scale:g} times as long"
    return _data(data.batches.store, data.picture, crop, options.seed), word


def _recipe(options: TrainOptions) -> Recipe:
    return replace(
        RECIPES[options.recipe or USUAL_RECIPE],
        steps=options.steps,
        crop_px=options.size,
        learning_rate=options.learning_rate,
        momentum=options.momentum,
    )


def _multiple(options: TrainOptions) -> int:
    rows = family_spec("retarget").options
    row = rows.get(options.options, rows["official"])
    return int(2**row.downscales)


def _crops(first_hw: tuple[int, int], scales: int, multiple: int) -> list[tuple[int, int]]:
    """Ever smaller crops, the first one left out."""
    least = max(2 * multiple, int(np.ceil(_LEAST_JUDGED_PX * SCALE_FACTOR ** (scales - 1) + 1e-9)))
    found: list[tuple[int, int]] = []
    h, w = first_hw
    while True:
        h, w = (max(least, int(side * _CUT_SHARE)) for side in (h, w))
        h, w = (
            min(-(-side // multiple) * multiple, last) for side, last in zip((h, w), first_hw, strict=True)
        )
        if (h, w) == (found[-1] if found else first_hw):
            return found
        found.append((h, w))


def _data(store: PictureStore, pixels: np.ndarray, crop: tuple[int, int], seed: int) -> RunData:
    maker = RetargetSamples(crop)
    whole = StoredPicture(pixels, None)
    probe = [
        maker.make(np.random.default_rng((seed, number, _PROBE_SEED)), whole)
        for number in range(_PROBE_COUNT)
    ]
    name = picture_sha256(pixels)
    return RunData(
        Batches(store, [0], maker, seed),
        stack(probe),
        (store,),
        name,
        picture=pixels,
        metadata={PICTURE_KEY: name},
    )


def _crop_of(data: RunData) -> tuple[int, int]:
    h, w = data.probe["image"].shape[2:]
    return h, w


TRAINING = FamilyTraining(
    open_data=open_data,
    objective_keywords=objective_keywords,
    second_beta=RECIPES["official"].second_beta,
    has_one_shape=False,
    fitted=fitted,
    start=start,
    picture=picture,
    smaller=smaller,
    offer="`pentimento run retarget --method instant` remakes the picture in seconds and learns nothing",
)
