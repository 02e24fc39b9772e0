"""Measure inpainting: the fill beside two classical ones, and beside itself with other edges.

Every picture gets one hole in each bin of the share it covers; all methods fill the same holes. A result is measured
as the program would save it: whole levels of 8 bits, the known pixels those of the picture.

The row called ours goes through the engine (``product``: its crop, its seam) or is the bare networks (``networks``).
The ablation is always the bare networks, one batch a picture, so its base is given as a row of its own.

Source: Nazeri et al., "EdgeConnect", arXiv:1901.00212, sections 5.2 (numbers by mask ratio) and 6 (edges: none, true,
    smoothed by other amounts).
Elsewhere: holes and sizes in pictures.py, formulas in measures.py, classical fills in baselines.py.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.device import arithmetic, choose_device
from engine.edges import canny, luma
from engine.edits import EditInputs, InpaintEdit
from engine.engine import Engine
from engine.errors import EvaluationError, PictureError
from engine.evaluation import measures
from engine.evaluation.baselines import RADIUS_PX, navier_stokes, telea
from engine.evaluation.options import EvaluateOptions
from engine.evaluation.pictures import MASK_BINS, MERGED_BINS, Case, pick_files, read_case
from engine.evaluation.table import Evaluation, Figure, Measure, Method, Row, Skipped
from engine.evaluation.tally import Cell, Tally, stacked
from engine.progress import CancelCheck, Progress, ProgressCallback, stop_if_cancelled
from engine.weightfile import read_features, read_weights
from engine.weights import ResolvedWeights, WeightsStore
from models.features import features_from_state
from models.registry import family_spec

FAMILY = "inpaint"
SIGMA = 2.0
"""Smoothing of the Canny edges the networks were made for, in px; the truth of the edge measures."""
ABLATION_SIGMAS = (1.0, 2.0, 3.0, 4.0)

Pixels = NDArray[np.uint8]
Fills = dict[str, Pixels]
"""(K, H, W, 3) composites of one case, by method."""
FigureFills = Callable[[int], Mapping[str, Pixels]]

OURS = "ours"
PREDICTED = "predicted-edges"
NO_EDGES = "no-edges"

_HOUSE = (
    Measure(
        "l1_hole", "L1 in hole", False, 4, "mean absolute difference over the hole's pixels, values in [0, 1]"
    ),
    Measure("psnr", "PSNR dB", True, 2, "peak signal to noise of the whole frame, in colour"),
    Measure("ssim", "SSIM", True, 4, "structural similarity of the whole frame, in colour, window 11 px"),
    Measure("ssim_hole", "SSIM in hole", True, 4, "the same map, averaged over the hole's pixels alone"),
)
_OFFICIAL = (
    Measure("psnr_gray", "PSNR dB", True, 2, "peak signal to noise of the whole frame, in gray"),
    Measure(
        "ssim_gray",
        "SSIM",
        True,
        4,
        "structural similarity of the whole frame, in gray, uniform window 51 px",
    ),
    Measure("mae", "MAE", False, 4, "sum of |a - b| over sum of (a + b), whole frame, in gray"),
)
_FID = Measure("fid", "FID", False, 2, "distance between the features of results and of true pictures")
_EDGES = (
    Measure(
        "edge_precision", "edge precision", True, 3, "of predicted edges in the hole, the share that is true"
    ),
    Measure("edge_recall", "edge recall", True, 3, "of true edges in the hole, the share that was predicted"),
)


def evaluate(
    options: EvaluateOptions, report: ProgressCallback | None, should_stop: CancelCheck | None
) -> Evaluation:
    """Measure inpainting; called through `engine.evaluation.evaluate`, which says what is raised."""
    started = time.perf_counter()
    skipped: list[Skipped] = []
    files = pick_files(options, skipped)
    weights = WeightsStore().resolve(options.weights, FAMILY)
    with ExitStack() as stack:
        systems = _Systems(options, weights, stack)
        embed = _embedder(options)
        tally = Tally(tuple(MASK_BINS), MERGED_BINS)
        figures: list[Figure] = []
        figure_step = max(1, len(files) // max(1, options.figures))
        pictures = 0
        for number, file in enumerate(files):
            stop_if_cancelled(should_stop)
            if report is not None:
                report(Progress(number / len(files), f"picture {number + 1} of {len(files)}"))
            try:
                case = read_case(file, options)
            except (PictureError, OSError) as error:
                skipped.append(Skipped(file.name, _reason(error)))
                continue
            pictures += 1
            fills, edges = systems.run(case)
            _measure(tally, options, case, fills, edges, embed)
            if len(figures) < options.figures and number % figure_step == 0:
                figures.append(_figure(case, fills, edges[OURS], len(figures) % len(MASK_BINS)))
    if not pictures:
        shown = "; ".join(f"{item.name}: {item.reason}" for item in skipped[:3])
        raise EvaluationError("data", "at least one whole picture", f"none ({shown})", "name other data")
    if report is not None:
        report(Progress(1.0, "table"))
    columns = _measures(options)
    return Evaluation(
        family=FAMILY,
        protocol=options.protocol,
        measures=columns,
        methods=systems.methods,
        rows=_rows(tally, systems.methods, columns),
        pictures=pictures,
        skipped=tuple(skipped),
        settings=_settings(options, weights),
        notes=_notes(options),
        seconds=time.perf_counter() - started,
        figures=tuple(figures),
    )


class _Systems:
    """Everything that fills holes.

    Args:
        options: what is asked.
        weights: which weights.
        stack: closes the engine at the end.
    """

    def __init__(self, options: EvaluateOptions, weights: ResolvedWeights, stack: ExitStack) -> None:
        self.methods = _methods(options)
        self._has_ablation = options.has_ablation
        self._engine: Engine | None = None
        self._networks: Any = None
        if options.path == "product":
            self._engine = stack.enter_context(closing(Engine(device=options.device)))
            self._edit = InpaintEdit(
                weights=str(weights.path), quality=options.quality, context="full", seed=options.seed
            )
        if options.has_ablation or options.path == "networks":
            self._device = choose_device(options.device)
            networks: Any = family_spec(FAMILY).load(
                read_weights(weights.path, family=FAMILY, sha256=weights.sha256).state
            )
            self._networks = networks.to(self._device, memory_format=torch.channels_last)

    def run(self, case: Case) -> tuple[Fills, dict[str, NDArray[np.float32]]]:
        """Fill every hole of a case with every method: composites, and edge maps of those that predict some."""
        fills: Fills = {}
        edges: dict[str, NDArray[np.float32]] = {}
        if self._engine is not None:
            fills[OURS], edges[OURS] = self._run_product(case, self._engine)
        if self._networks is not None:
            more, predicted = self._run_networks(case)
            fills.update(more)
            edges[self._base] = predicted
        fills["telea"] = np.stack([telea(case.image, hole) for hole in case.holes])
        fills["navier-stokes"] = np.stack([navier_stokes(case.image, hole) for hole in case.holes])
        return fills, edges

    def _run_product(self, case: Case, engine: Engine) -> tuple[Pixels, NDArray[np.float32]]:
        """Hole by hole, as a user would; the hole is white paper, so that no truth can leak into the answer."""
        images, edges = [], []
        for hole in case.holes:
            mask = hole.astype(np.uint8) * 255
            result = engine.run(self._edit, EditInputs(image=_blanked(case.image, hole), mask=mask))
            assert result.edges is not None, "inpainting answers the edges it used"
            images.append(result.image)
            edges.append(result.edges.astype(np.float32) / 255)
        return np.stack(images), np.stack(edges)

    @property
    def _base(self) -> str:
        """The row of the bare networks with their own edges."""
        return OURS if self._engine is None else PREDICTED

    def _run_networks(self, case: Case) -> tuple[Fills, NDArray[np.float32]]:
        """One batch over the bins for the edges, one for every variant of the fill."""
        gray = luma(case.image)
        known = self._planes(np.stack([canny(gray, sigma=SIGMA, known=~hole) for hole in case.holes]))
        hole = self._planes(case.holes)
        image = self._image(case.image, len(case.holes))
        with arithmetic(self._device, "exact"):
            soft = self._networks["edges"].predict(self._planes(gray).expand_as(hole), known, hole)
            guides = {self._base: known * (1 - hole) + soft * hole}
            if self._has_ablation:
                guides[NO_EDGES] = known * (1 - hole)
                for sigma in ABLATION_SIGMAS:
                    guides[_true_edges(sigma)] = self._planes(canny(gray, sigma=sigma)).expand_as(hole)
            paint = self._networks["fill"].paint
            fills = {key: _composite(paint(image, guide, hole), case) for key, guide in guides.items()}
            return fills, np.asarray(soft[:, 0].float().cpu().numpy())

    def _planes(self, planes: NDArray[Any]) -> Tensor:
        """(H, W) or (K, H, W) to (1 or K, 1, H, W) float32 on the device."""
        h, w = planes.shape[-2:]
        return torch.from_numpy(planes.astype(np.float32)).reshape(-1, 1, h, w).to(self._device)

    def _image(self, image: Pixels, count: int) -> Tensor:
        """(H, W, 3) uint8 to (count, 3, H, W) float32 on the device."""
        planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).to(self._device)
        return (planes[None].float() / 255).expand(count, -1, -1, -1)


def _blanked(image: Pixels, hole: NDArray[np.bool_]) -> Pixels:
    return np.where(hole[..., None], np.uint8(255), image)


def _composite(fill: Tensor, case: Case) -> Pixels:
    """Network output to whole levels inside the holes, the picture outside."""
    levels = (fill.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return np.where(case.holes[..., None], levels, case.image[None])


def _true_edges(sigma: float) -> str:
    return f"true-edges-sigma-{sigma:g}"


def _methods(options: EvaluateOptions) -> tuple[Method, ...]:
    methods = [Method(OURS, "ours", options.path, "edges predicted in the hole, then the fill")]
    if options.has_ablation:
        if options.path == "product":
            text = "as ours, by the bare networks: no seam correction; the base of the rows below"
            methods.append(Method(PREDICTED, "networks, predicted edges", "networks", text))
        text = "the same fill with no edges in the hole; those around it are kept"
        methods.append(Method(NO_EDGES, "networks, no edges", "networks", text))
        for sigma in ABLATION_SIGMAS:
            text = "the same fill with the Canny edges of the true picture, over the whole frame"
            title = f"networks, true edges (sigma {sigma:g})"
            methods.append(Method(_true_edges(sigma), title, "networks", text))
    methods.append(Method("telea", "OpenCV Telea", "baseline", f"cv2.inpaint, radius {RADIUS_PX} px"))
    methods.append(
        Method("navier-stokes", "OpenCV Navier-Stokes", "baseline", f"cv2.inpaint, radius {RADIUS_PX} px")
    )
    return tuple(methods)


def _measures(options: EvaluateOptions) -> tuple[Measure, ...]:
    columns = _OFFICIAL if options.protocol == "official" else _HOUSE
    return (*columns, *((_FID,) if options.features else ()), *_EDGES)


def _measure(
    tally: Tally,
    options: EvaluateOptions,
    case: Case,
    fills: Fills,
    edges: Mapping[str, NDArray[np.float32]],
    embed: Callable[[Pixels], NDArray[Any]] | None,
) -> None:
    """Add every result of one case to the tally."""
    true_edges = np.broadcast_to(canny(luma(case.image), sigma=SIGMA), case.holes.shape)
    true_features = embed(case.image[None])[0] if embed is not None else None
    for method, fill in fills.items():
        values = _official_values(fill, case) if options.protocol == "official" else _house_values(fill, case)
        features = embed(fill) if embed is not None else None
        counts = measures.edge_counts(edges[method], true_edges, case.holes) if method in edges else None
        for index, bin_name in enumerate(MASK_BINS):
            tally.add(
                method,
                bin_name,
                {key: float(column[index]) for key, column in values.items()},
                counts=None if counts is None else _named_counts(counts[index]),
                features=None
                if features is None or true_features is None
                else (features[index], true_features),
            )


def _named_counts(counts: Sequence[int]) -> dict[str, int]:
    return dict(zip(("edges_both", "edges_found", "edges_true"), map(int, counts), strict=True))


def _house_values(fill: Pixels, case: Case) -> dict[str, NDArray[np.float64]]:
    result = fill / 255.0
    truth = np.broadcast_to(case.image / 255.0, result.shape)
    ssim, ssim_hole = measures.ssim(result, truth, case.holes)
    return {
        "l1_hole": measures.hole_l1(result, truth, case.holes),
        "psnr": measures.psnr(result, truth),
        "ssim": ssim,
        "ssim_hole": ssim_hole,
    }


def _official_values(fill: Pixels, case: Case) -> dict[str, NDArray[np.float64]]:
    result = np.stack([luma(picture) for picture in fill])
    truth = np.broadcast_to(luma(case.image), result.shape)
    return {
        "psnr_gray": measures.psnr(result, truth),
        "ssim_gray": measures.official_ssim(result, truth),
        "mae": measures.official_mae(result, truth),
    }


def _rows(tally: Tally, methods: Sequence[Method], columns: Sequence[Measure]) -> tuple[Row, ...]:
    rows = []
    for method in methods:
        for bin_name, cell in tally.cells(method.key):
            values = {column.key: _value(cell, column.key) for column in columns}
            rows.append(Row(method.key, bin_name, cell.count, values))
    return tuple(rows)


def _value(cell: Cell, key: str) -> float | None:
    counts = cell.counts
    if key == "edge_precision":
        return measures.share(counts.get("edges_both", 0), counts.get("edges_found", 0))
    if key == "edge_recall":
        return measures.share(counts.get("edges_both", 0), counts.get("edges_true", 0))
    if key == "fid":
        return measures.fid(stacked(cell.features), stacked(cell.true_features))
    return cell.mean(key)


def _embedder(options: EvaluateOptions) -> Callable[[Pixels], NDArray[Any]] | None:
    """From (K, H, W, 3) pictures to (K, D) features, if a features file is named."""
    if options.features is None:
        return None
    network = features_from_state(read_features(options.features)).eval()

    @torch.inference_mode()
    def embed(pictures: Pixels) -> NDArray[Any]:
        planes = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).float() / 255
        return np.asarray(network.embed(planes).double().numpy())

    return embed


def _figure(case: Case, fills: Fills, edges: NDArray[np.float32], index: int) -> Figure:
    """One line of the contact sheet: the hole of one bin."""
    hole = case.holes[index]
    known = canny(luma(case.image), sigma=SIGMA, known=~hole)
    used = np.where(hole, edges[index], known)
    panels = {
        "input": _blanked(case.image, hole),
        "edges": (255 - np.clip(used * 255, 0, 255)).round().astype(np.uint8),
        "ours": fills[OURS][index],
        "Telea": fills["telea"][index],
        "truth": case.image,
    }
    return Figure(f"{case.name}, hole {list(MASK_BINS)[index]} %", panels)


def _settings(options: EvaluateOptions, weights: ResolvedWeights) -> dict[str, Any]:
    return {
        "data": [str(source) for source in options.data],
        "subset": options.subset,
        "weights": {"name": weights.name, "sha256": weights.sha256},
        "features": None if options.features is None else str(options.features),
        "path": options.path,
        "quality": options.quality,
        "device": options.device,
        "limit": options.limit,
        "seed": options.seed,
        "size_px": options.size,
    }


def _notes(options: EvaluateOptions) -> tuple[str, ...]:
    size = (
        f"middle square resized to {options.size} px"
        if options.size
        else "own size, cut to multiples of 4 px"
    )
    notes = [
        f"Pictures: {size}. Holes: irregular, one a picture and bin, the same for every method.",
        "Results are measured as saved: 8 bits, known pixels copied.",
    ]
    if options.path == "product":
        notes.append("The row ours went through the engine, whole frame, seam correction included.")
    else:
        notes.append(
            "The row ours is the bare networks; the program's crops and seam correction are not in it."
        )
    if options.protocol == "official":
        notes.append("Official protocol: gray, SSIM window 51 px, MAE = sum |a - b| / sum (a + b).")
    if options.features:
        notes.append(
            "FID depends on the feature file and on the number of pictures: compare within this table only."
        )
    notes.append("Edges are counted against Canny (sigma 2) of the true picture, to the pixel, from 0.5 on.")
    return tuple(notes)


def _reason(error: Exception) -> str:
    if isinstance(error, PictureError):
        return f"expected {error.expected}, got {error.got}"
    return str(error).lower()
