"""Every kind of file that the program reads: small valid ones to change, and the reader that meets them.

A reader is the door that the program itself uses, and what it does next with what it got: a document is flattened and
written again, a journal is undone to its start, a picture is written as other formats. So a value that was let in and
breaks something later is found too.
"""

import contextlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from pydantic import ValidationError

from app.document.document import Document
from app.document.flatten import flatten
from app.document.folder_lock import FolderLock
from app.document.journal import Journal
from app.document.learned import Learned
from app.document.ora import read_ora, write_ora
from app.document.recipe import Step
from app.document.recovery import journals_folder, let_go, recover, recoverable
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.document.strokes import BrushSettings, Stroke
from app.errors import AppError
from app.folders import config_folder, state_folder
from app.keys import profiles
from app.recent import add_recent, recent_files
from app.settings import Settings, SettingsStore
from engine.checkpoints import read_official
from engine.edits import InpaintEdit, RetargetEdit, read_edit
from engine.errors import EngineError, MaskError, PictureError
from engine.forecast import Forecasts
from engine.importing import spec_of
from engine.pictures import Picture, read_mask, read_picture, read_rgb, write_picture
from engine.training.checkpoints import save_checkpoint, take_newest
from engine.training.sources import find_pictures
from engine.weightfile import WeightFile, read_metadata, read_weights, write_weights
from engine.weights import WeightsStore
from models.errors import ModelsError
from models.retarget.options import RetargetOptions
from tests.fuzz import mutations

OURS = (AppError, EngineError, ModelsError)
"""Errors that a person reads as one line."""
Change = Callable[..., bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    seeds: Callable[[Path], Sequence[bytes]]
    """Makes valid files; may use the folder."""
    read: Callable[[bytes, Path], None]
    """Puts a file into an empty folder and reads it as the program does."""
    changes: tuple[Change, ...]
    """Ways to make it wrong."""
    allowed: tuple[type[Exception], ...] = OURS


def _noise(*shape: int, kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


# Documents and journals ----------------------------------------------------------------------------------------------


def _weights_bytes() -> bytes:
    header = {
        "__metadata__": {"picture_sha256": "1f" * 32},
        "a": {"dtype": "U8", "shape": [200], "data_offsets": [0, 200]},
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(200)


def _edit(document: Document) -> None:
    """Strokes on both guides, and a result."""
    h, w = document.size_hw
    for plane, layer in (("coverage", document.mask_layer), ("drawn", document.edges_layer)):
        box = (3, 4, w // 2, h // 2)
        with document.begin("Brush") as change:
            change.touch(layer.id, plane, box)
            layer.planes[plane][4 : h // 2, 3 : w // 2] = 200
            change.changed(layer.id, plane, box)
            samples = np.array([[5, 5, 1, 0, 0], [20, 9, 0.5, 10, -20]], np.float32)
            change.add_stroke(layer.id, Stroke("brush", plane, samples, BrushSettings(size_px=12)))
    kind = np.uint16 if document.is_deep else np.uint8
    channels = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}[document.mode]
    edit = InpaintEdit(seed=7).model_dump(mode="json")
    result = Result(
        box_xyxy=(4, 4, 20, 16),
        pixels=_noise(12, 16, *channels, kind=kind),
        coverage=np.full((12, 16), 255, np.uint8),
        edges=_noise(12, 16),
        step=Step(edit=edit, weights={"name": "w", "sha256": "ab"}, seed=7),
        report={"seam": 0.25, "device": "cpu", "notes": ["a note"]},
    )
    document.add_result(result, make_current=True)


def _documents() -> list[Document]:
    plain = Document.from_picture(Picture(_noise(30, 40, 3), "RGB"), name="plain")
    deep = Document.from_picture(Picture(_noise(24, 30, 4, kind=np.uint16), "RGBA"), name="deep")
    learned = Document.from_picture(Picture(_noise(30, 34), "L"), name="learned")
    learned.add_learned(Learned.of("1f" * 32, _weights_bytes()))
    return [plain, deep, learned]


def _ora_seeds(folder: Path) -> list[bytes]:
    found = []
    for document in _documents():
        _edit(document)
        path = folder / "seed.ora"
        with Snapshot(document) as snapshot:
            write_ora(snapshot, path)
        found.append(path.read_bytes())
    return found


def _use(document: Document, folder: Path) -> None:
    """What a window does with a document: shows it, goes back and forth in it, saves it."""
    flatten(document, with_result=True)
    for step in (document.undo, document.redo):
        for _ in range(8):
            if not step():
                break
    with Snapshot(document) as snapshot:
        snapshot.flatten(with_result=True)
        write_ora(snapshot, folder / "again.ora")


def _read_ora(data: bytes, folder: Path) -> None:
    (folder / "in.ora").write_bytes(data)
    document, _ = read_ora(folder / "in.ora")
    _use(document, folder)


def _journals(folder: Path) -> list[tuple[bytes, bytes]]:
    """Base and log of each document."""
    found = []
    for number, document in enumerate(_documents()):
        made = folder / f"journal-{number}"
        made.mkdir()
        journal = Journal(document, made, lock=FolderLock.take(made))
        _edit(document)
        document.undo()
        assert journal.flush()
        journal.close()
        found.append(((made / "base-0.ora").read_bytes(), (made / "log-0").read_bytes()))
    return found


_WHOLE: list[tuple[bytes, bytes]] = []
"""Base and log of a journal that nothing is wrong with."""


def _log_seeds(folder: Path) -> list[bytes]:
    """Logs, each behind its base and the base's length, so that one file holds both."""
    journals = _journals(folder)
    _WHOLE[:] = journals[:1]
    return [len(base).to_bytes(4, "little") + base + log for base, log in journals]


def _changed_journal(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """The log changed, record by record or byte by byte; now and then the base."""
    end = 4 + int.from_bytes(data[:4], "little")
    base, log = data[4:end], data[end:]
    way = rng.randrange(10)
    if way == 0:
        base = mutations.changed_zip(rng, base)
    elif way == 1:
        base = mutations.spoiled(rng, base, other)
    elif way < 4:
        log = mutations.spoiled(rng, log, other)
    else:
        log = mutations.changed_log(rng, log, other)
    return len(base).to_bytes(4, "little") + base + log


def _read_journal(data: bytes, folder: Path) -> None:
    """A damaged journal beside a whole one: nothing is deleted, and the whole one is offered whatever the other is."""
    end = 4 + int.from_bytes(data[:4], "little")
    for name, (base, log) in (("bad", (data[4:end], data[end:])), ("good", _WHOLE[0])):
        place = journals_folder() / name
        place.mkdir(parents=True)
        (place / "base-0.ora").write_bytes(base)
        (place / "log-0").write_bytes(log)
        (place / "lock").touch()
    offered = {item.folder.name: item for item in recoverable()}
    assert "good" in offered, "a bad journal hides another"
    item = offered.get("bad")
    if item is None:
        return
    try:
        _use(recover(item), folder)
    finally:
        let_go(item)
        names = {path.name for path in item.folder.iterdir()}
        assert names >= {"base-0.ora", "log-0"}, "a journal was deleted unasked"


# The program's own small files ---------------------------------------------------------------------------------------


def _settings_seeds(folder: Path) -> list[bytes]:
    values = Settings().model_dump(mode="json")
    return [
        json.dumps(values).encode(),
        json.dumps({"format": 1, **values}).encode(),
        json.dumps({"format": 1, "files": ["/a/photo.jpg", "/b/two.png"]}).encode(),
        json.dumps(
            {
                "format": 1,
                "runs": {"inpaint x exact cpu": [{"megapixels": 0.5, "seconds": 1.0, "memory_bytes": 9}]},
                "latest": {"inpaint\t\texact\t": "inpaint x exact cpu"},
            }
        ).encode(),
    ]


def _read_settings(data: bytes, folder: Path) -> None:
    """The same bytes as every small file of the program's own; the window opens whatever they say."""
    for place in (
        config_folder() / "settings.json",
        state_folder() / "recent.json",
        folder / "forecast.json",
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    store = SettingsStore(config_folder() / "settings.json")
    Settings.model_validate(store.value.model_dump())
    recent_files()
    add_recent(folder / "new.png")
    assert recent_files()[0] == folder / "new.png"
    edit = InpaintEdit()
    forecasts = Forecasts(folder / "forecast.json")
    forecasts.forecast(edit, np.pad(np.full((9, 9), 255, np.uint8), 30))
    profiles()


def _edit_seeds(folder: Path) -> list[bytes]:
    edits = (
        InpaintEdit(context="box", context_box=(1, 2, 30, 40), expand_ltrb=(1, 2, 3, 4)),
        RetargetEdit(target_size_hw=(64, 96), seed=3),
        RetargetEdit(corners_xy=((0, 0), (90, 4), (80, 70), (2, 64))),
    )
    return [edit.model_dump_json().encode() for edit in edits]


def _read_edit(data: bytes, folder: Path) -> None:
    edit = read_edit(data)
    edit.settled()
    if isinstance(edit, RetargetEdit):
        assert min(edit.result_hw) > 0


# Weights, manifests, checkpoints -------------------------------------------------------------------------------------


def _retarget_file(folder: Path) -> Path:
    """The smallest network there is, as a weights file."""
    options = RetargetOptions(width=4, depth=1, downscales=2, scales=1)
    networks = spec_of("retarget").build(options)
    path = folder / "tiny.safetensors"
    write_weights(path, WeightFile("retarget", asdict(options), networks.state_dict(), {"licence": "x"}))
    return path


def _weights_seeds(folder: Path) -> list[bytes]:
    return [_retarget_file(folder).read_bytes()]


def _read_weights(data: bytes, folder: Path) -> None:
    path = folder / "in.safetensors"
    path.write_bytes(data)
    with contextlib.suppress(*OURS):
        read_metadata(path)
    found = read_weights(path, family="retarget")
    spec = spec_of("retarget")
    spec.load(found.state, spec.options_from_state(found.state))


_LISTED: dict[str, bytes] = {}
"""The weights files beside a manifest, by their names."""


def _manifest_seeds(folder: Path) -> list[bytes]:
    home = folder / "manifest"
    store = WeightsStore(user=home)
    for name in ("one", "two"):
        store.import_official([_retarget_file(folder)], family="retarget", name=name)
    _LISTED.update((path.name, path.read_bytes()) for path in home.glob("*.safetensors"))
    return [(home / "manifest.toml").read_bytes()]


def _read_manifest(data: bytes, folder: Path) -> None:
    home = folder / "weights"
    home.mkdir()
    for name, listed in {**_LISTED, "manifest.toml": data}.items():
        (home / name).write_bytes(listed)
    store = WeightsStore(user=home)
    store.entries()
    store.verify()
    store.resolve("one", "retarget")


def _checkpoint_seeds(folder: Path) -> list[bytes]:
    half = torch.arange(12, dtype=torch.float16).reshape(3, 4)
    state = {"generator": {"a.weight": half, "b.bias": half[0]}, "iteration": 5, "names": ["x", {"y": 1.5}]}
    path = folder / "seed.pth"
    torch.save(state, path)
    first = path.read_bytes()
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return [first, path.read_bytes()]


def _read_checkpoint(data: bytes, folder: Path) -> None:
    """A published checkpoint that is imported."""
    (folder / "in.pth").write_bytes(data)
    read_official(folder / "in.pth")


def _run_seeds(folder: Path) -> list[bytes]:
    return [save_checkpoint(folder, 4, _run_state()).read_bytes()]


def _run_state() -> dict[str, Any]:
    """What a run saves, as small as it can be."""
    plain = {"step": 4, "stage": "fill", "cuts": 0, "pictures_per_step": 2, "data": "0" * 64, "seconds": 1.5}
    return {
        **plain,
        "objective": {"a": torch.arange(6.0)},
        "averages": {"count": 4, "means": {}},
        "sides": {},
        "options": {"family": "inpaint"},
    }


def _read_run(data: bytes, folder: Path) -> None:
    """The newest checkpoint of a run is wrong: the one before is taken."""
    before = save_checkpoint(folder / "run", 4, _run_state())
    (before.parent / "step-000000009.pt").write_bytes(data)
    steps: list[object] = []
    path, _ = take_newest(folder / "run", lambda _, state: steps.append(state["step"]))
    assert all(isinstance(step, int) for step in steps)
    assert path == before or path.name == "step-000000009.pt"


# Pictures and training sets ------------------------------------------------------------------------------------------


def _picture_seeds(folder: Path) -> list[bytes]:
    found = []
    rgb, grey = _noise(13, 17, 3), _noise(13, 17)
    exif = Image.Exif()
    exif.update({0x10F: "Maker", 0x112: 6, 0x13B: "Zo\u00eb"})
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Title", "words")
    ways = [
        (rgb, "png", {"pnginfo": text, "dpi": (300, 300), "exif": exif}),
        (rgb, "jpeg", {"exif": exif, "comment": b"words"}),
        (rgb, "webp", {"lossless": True, "exif": exif}),
        (rgb, "tiff", {"compression": "tiff_lzw", "exif": exif}),
        (grey, "tiff", {"compression": "packbits"}),
        (rgb, "bmp", {}),
        (grey, "gif", {}),
        (rgb, "ppm", {}),
    ]
    for pixels, name, more in ways:
        packed = io.BytesIO()
        Image.fromarray(pixels).save(packed, name, **more)
        found.append(packed.getvalue())
    packed = io.BytesIO()
    Image.fromarray(rgb).quantize(8).save(packed, "png", transparency=3)
    found.append(packed.getvalue())
    for ending in (".png", ".tif"):
        for mode, channels in (("L", ()), ("RGBA", (4,))):
            path = folder / f"deep-{mode}{ending}"
            write_picture(Picture(_noise(11, 12, *channels, kind=np.uint16), mode), path)
            found.append(path.read_bytes())
    return found


_ENDINGS = {b"\x89PNG": ".png", b"II*\0": ".tif", b"MM\0*": ".tif", b"\xff\xd8": ".jpg", b"RIFF": ".webp"}


def _changed_picture(rng: random.Random, data: bytes, other: bytes) -> bytes:
    is_png = data.startswith(b"\x89PNG")
    return mutations.changed_png(rng, data) if is_png else mutations.spoiled(rng, data, other)


def _read_picture(data: bytes, folder: Path) -> None:
    path = folder / "in.bin"
    path.write_bytes(data)
    with contextlib.suppress(PictureError):
        read_rgb(path, limit_megapixels=20)
    picture = read_picture(path, limit_megapixels=20)
    h, w = picture.pixels.shape[:2]
    with contextlib.suppress(MaskError):
        read_mask(path, size_hw=(h, w))
    for ending in (".png", ".tif", ".jpg", ".webp", ".bmp"):
        try:
            write_picture(picture, folder / f"out{ending}")
        except PictureError:
            continue
        again = read_picture(folder / f"out{ending}", limit_megapixels=20)
        assert again.pixels.shape[:2] == (h, w)
        if ending in (".png", ".tif"):
            assert (
                np.array_equal(np.squeeze(again.pixels), np.squeeze(picture.pixels))
                or again.mode != picture.mode
            )


def _tar_seeds(folder: Path) -> list[bytes]:
    pictures = _picture_seeds(folder)[:4]
    found = []
    for way in ("w", "w:gz", "w:xz", "w:bz2"):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode=way) as archive:
            for number, data in enumerate(pictures):
                member = tarfile.TarInfo(f"set/{number}.png")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        found.append(packed.getvalue())
    return found


def _read_tar(data: bytes, folder: Path) -> None:
    endings = {b"\x1f\x8b": ".tar.gz", b"\xfd7": ".tar.xz", b"BZ": ".tar.bz2"}
    path = folder / f"in{endings.get(data[:2], '.tar')}"
    path.write_bytes(data)
    for file in find_pictures([path], lambda _name, _why: None):
        try:
            content = file.read()
        except OSError:
            continue
        with contextlib.suppress(PictureError):
            read_rgb(io.BytesIO(content), limit_megapixels=20)


KINDS: dict[str, Kind] = {
    "document": Kind(
        _ora_seeds, _read_ora, (mutations.changed_zip, mutations.changed_zip, mutations.spoiled)
    ),
    "journal": Kind(_log_seeds, _read_journal, (_changed_journal,)),
    "settings": Kind(
        _settings_seeds, _read_settings, (mutations.changed_json, mutations.changed_json, mutations.spoiled)
    ),
    "edit": Kind(
        _edit_seeds, _read_edit, (mutations.changed_json, mutations.spoiled), (*OURS, ValidationError)
    ),
    "weights": Kind(_weights_seeds, _read_weights, (mutations.changed_safetensors, mutations.spoiled)),
    "manifest": Kind(_manifest_seeds, _read_manifest, (mutations.changed_text,)),
    "checkpoint": Kind(_checkpoint_seeds, _read_checkpoint, (mutations.changed_zip, mutations.spoiled)),
    "run": Kind(_run_seeds, _read_run, (mutations.changed_zip, mutations.spoiled)),
    "picture": Kind(_picture_seeds, _read_picture, (_changed_picture, mutations.spoiled)),
    "tar": Kind(_tar_seeds, _read_tar, (mutations.changed_tar, mutations.spoiled)),
}
