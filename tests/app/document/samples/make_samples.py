"""Make the samples of a version of our file format and of our journal, to be opened by every later version of the program.

    PYTHONPATH=. python tests/app/document/samples/make_samples.py

Run it when `ora_layout.FORMAT` or `journal_log.MAGIC` has a new number, and commit what it writes. A sample that is there is never
made again: it stands for the files that people have.
"""

import json
from pathlib import Path

import numpy as np

from app.document.document import Document
from app.document.journal import Journal
from app.document.journal_log import MAGIC
from app.document.layers import Layer
from app.document.ora import write_ora
from app.document.ora_layout import FORMAT
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from engine.edits import InpaintEdit
from engine.metadata.kept import Metadata
from tests.app.document.conftest import brush, content_of

FOLDER = Path(__file__).parent
KINDS = {"rgb": ("RGB", np.uint8), "deep": ("RGBA", np.uint16), "grey": ("L", np.uint8)}
SIZE_HW = (40, 48)


def ramp(size_hw: tuple[int, int], mode: str, dtype: type, start: float = 0.0) -> np.ndarray:
    """A smooth picture, which packs well; every channel another slope."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    planes = [(start + y * (one + 1) + x * (channels - one)) / 300 % 1 for one in range(channels)]
    values = np.rint(np.stack(planes, axis=-1) * np.iinfo(dtype).max).astype(dtype)
    return values[:, :, 0] if mode == "L" else values


def sample(mode: str, dtype: type) -> Document:
    """Something of everything that a document holds."""
    photo = Layer("picture", "Photo", {"pixels": ramp(SIZE_HW, mode, dtype)})
    patch = Layer("picture", "Patch <1>", {"pixels": ramp((10, 14), "RGBA", np.uint8)}, origin_xy=(-3, 34))
    patch.opacity, patch.is_visible = 0.4, False
    edit = InpaintEdit(
        seed=4, quality="fast", edge_sensitivity=0.7, context="box", context_box=(0, 0, 48, 32)
    )
    step = Step(
        edit=edit.model_dump(mode="json"),
        inputs={"mask": {"kind": "strokes", "strokes": ["ab" * 16]}},
        weights={"name": "inpaint-starter", "sha256": "ab" * 32},
        seed=4,
        crops=[{"frame": [0, 0, 48, 32], "hole": [8, 6, 28, 20]}],
        version="1.0.0",
    )
    patch.step = step
    document = Document(
        SIZE_HW,
        mode,
        is_deep=dtype == np.uint16,
        layers=[photo, patch],
        icc_profile=b"a profile",
        metadata=Metadata(exif=b"Exif of a camera"),
    )
    brush(document, (8, 6, 28, 20), ramp((14, 20), "L", np.uint8, 40))
    for plane, row, value in (("drawn", 12, 255), ("erased", 15, 200), ("locked", 30, 7)):
        brush(document, (0, row, 48, row + 1), value, layer=document.edges_layer, plane=plane)
    for box, options in (
        ((8, 6, 28, 20), {"edges": ramp((14, 20), "L", np.uint8)}),
        ((0, 0, 8, 8), {"is_starred": True}),
        ((30, 20, 40, 30), {"is_draft": True}),
    ):
        size_hw = (box[3] - box[1], box[2] - box[0])
        coverage = (ramp(size_hw, "L", np.uint8) > 20).astype(np.uint8) * 255
        pixels = ramp(size_hw, mode, dtype, 90)
        result = Result(
            box_xyxy=box, pixels=pixels, coverage=coverage, step=step, report={"device": "cpu"}, **options
        )
        document.add_result(result, make_current=not result.is_starred)
    return document


def make_journal(folder: Path) -> None:
    """What a program leaves that was killed after some strokes, a result and an undo."""
    document = sample("RGB", np.uint8)
    journal = Journal(document, folder)
    brush(document, (2, 2, 40, 38), ramp((36, 38), "L", np.uint8))
    photo = document.layers[0].planes["pixels"][4:12, 4:12]
    result = Result(
        box_xyxy=(4, 4, 12, 12),
        pixels=photo.copy(),
        coverage=np.full((8, 8), 255, np.uint8),
        step=document.results[0].step,
    )
    document.add_result(result, amend=True)
    brush(document, (0, 0, 48, 40), 9, label="Eraser")
    document.undo()
    assert journal.flush(), "written whole"
    journal.close()
    (folder / "lock").unlink()
    (folder / "content.json").write_text(told(document))


def told(document: Document) -> str:
    """What a document holds, as JSON."""
    return json.dumps(content_of(document), indent=1, sort_keys=True, default=bytes.hex) + "\n"


def main() -> None:
    """Write what is not there yet."""
    journal = FOLDER / MAGIC.decode().strip().replace("pentimento ", "").replace(" ", "-")
    if not journal.exists():
        make_journal(journal)
    for kind, (mode, dtype) in KINDS.items():
        path = FOLDER / f"format-{FORMAT}-{kind}.ora"
        if path.exists():
            continue
        document = sample(mode, dtype)
        with Snapshot(document) as snapshot:
            write_ora(snapshot, path)
        path.with_suffix(".json").write_text(told(document))


if __name__ == "__main__":
    main()
