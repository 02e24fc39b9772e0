"""Count how many pictures of a folder are read right, by this program and by readers that know nothing of it.

Run by hand, never by pytest: ``python tests/corpora/measure_reading.py FOLDER [--show KIND]``. Good folders are the
test pictures in the source packages of Pillow, libtiff and libpng (``pip download --no-binary :all: pillow``,
``apt-get source tiff libpng1.6``).

A file's truth is what two readers agree on that are not the one judged: Pillow, OpenCV, tifffile, and ImageMagick's
``convert`` where it is installed. They are compared as 16-bit RGBA, turned as the camera held them; two readings are one
where no value differs by more than two levels of 255. A file without such a pair has no truth and is counted apart.
"""

import argparse
import contextlib
import logging
import multiprocessing
import os
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

TOLERANCE = 2 * 257
SECONDS = 60
PICTURE_ENDINGS = ".avif .bmp .gif .heic .jpeg .jpg .mpo .pam .pbm .pfm .pgm .png .pnm .ppm .tif .tiff .webp"


def as_rgba16(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint16 of grey, grey with alpha, RGB or RGBA at 8 or 16 bits."""
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.uint16) * 257
    if pixels.dtype != np.uint16:
        raise ValueError(f"a {pixels.dtype} says no range")
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    colours = planes[..., [0, 0, 0]] if planes.shape[2] < 3 else planes[..., :3]
    alpha = planes[..., -1:] if planes.shape[2] in (2, 4) else np.full_like(planes[..., :1], 65535)
    return np.concatenate([colours, alpha], axis=2)


def ours(path: Path) -> np.ndarray:
    """This program's answer."""
    from engine.pictures import read_picture

    return read_picture(path).pixels


def pillow(path: Path) -> np.ndarray:
    """What Pillow gives, at 16 bits where its grey has them."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        if image.mode in ("I", "F"):
            raise ValueError("no range is said")
        if (
            image.mode in ("1", "L", "I;16")
            and "transparency" in image.info
            and str(image.tile[0].args) != "L"
        ):
            raise ValueError("the key is taken at another depth")
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            return np.asarray(image).astype(np.uint16)
        return np.asarray(image.convert("RGBA"))


def opencv(path: Path) -> np.ndarray:
    """What OpenCV gives: alpha where it sees any."""
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    turned = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if pixels is None or turned is None:
        raise ValueError("nothing was read")
    if pixels.ndim == 2 and b"tRNS" in path.read_bytes():
        raise ValueError("the key is lost")
    if pixels.ndim == 2 or pixels.shape[2] != 4:
        pixels = turned
    elif pixels.shape != (*turned.shape[:2], 4):
        raise ValueError("turned, with alpha")
    return pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def tifffile_plain(path: Path) -> np.ndarray:
    """What tifffile gives for grey and RGB whose values fill their type."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        if page.tags.valueof(274, 1) != 1 or page.photometric not in (0, 1, 2, 3):
            raise ValueError("values alone are not enough")
        pixels = page.asarray()
        if page.photometric == 3:
            return np.moveaxis(page.colormap >> 8, 0, -1).astype(np.uint8)[pixels]
        if page.planarconfig == 2 and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
        bits = page.bitspersample
        if pixels.dtype not in (bool, np.uint8, np.uint16):
            raise ValueError("no range is said")
        if bits not in (8, 16):
            pixels = np.rint(pixels.astype(np.float64) * (65535 / (2**bits - 1))).astype(np.uint16)
        return np.iinfo(pixels.dtype).max - pixels if page.photometric == 0 else pixels


def imagemagick(path: Path) -> np.ndarray:
    """What ImageMagick gives of the first picture, colours not managed."""
    command = ["convert", f"{path}[0]", "-auto-orient", "-colorspace", "sRGB", "-depth", "16"]
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        done = subprocess.run(
            [*command, "-print", "%w %h", f"rgba:{raw}"], capture_output=True, timeout=SECONDS
        )
        if done.returncode or not raw.exists():
            raise ValueError("nothing was read")
        width, height = map(int, done.stdout.split()[:2])
        return np.fromfile(raw, np.uint16).reshape(height, width, 4)


READERS: dict[str, Callable[[Path], np.ndarray]] = {
    "ours": ours, "pillow": pillow, "opencv": opencv, "tifffile": tifffile_plain, "imagemagick": imagemagick,
}  # fmt: skip


def reading(reader: str, path: Path, folder: Path) -> None:
    """Leave what one reader says of one file in a folder: pixels, or a refusal; and what was printed beside it."""
    warnings.simplefilter("ignore")
    logging.disable()
    os.dup2(os.open(folder / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    try:
        np.save(folder / "pixels.npy", as_rgba16(READERS[reader](path)))
    except Exception as error:  # noqa: BLE001 - a refusal of any kind is what is counted
        (folder / "refusal").write_text(f"{type(error).__name__}: {error}")


def answer_of(reader: str, path: Path) -> np.ndarray | str:
    """Pixels, or ``refused ...``, ``crashed`` or ``hung``; in a process of its own, so that a crash is one answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = multiprocessing.get_context("fork").Process(target=reading, args=(reader, path, folder))
        process.start()
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            return "hung"
        if (folder / "refusal").exists():
            return "refused " + (folder / "refusal").read_text()
        if not (folder / "pixels.npy").exists() or process.exitcode:
            return "crashed"
        if reader == "ours" and (folder / "printed").stat().st_size:
            return "printed " + (folder / "printed").read_text(errors="replace").split("\n")[0]
        return np.load(folder / "pixels.npy")


def is_same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two readings are one, colours under clear pixels apart."""
    if first.shape != second.shape:
        return False
    seen = np.minimum(first[..., 3:], second[..., 3:]) > 0
    difference = np.abs(first.astype(np.int32) - second)
    return bool((difference[..., :3] * seen).max() <= TOLERANCE and difference[..., 3].max() <= TOLERANCE)


def verdict(reader: str, answers: dict[str, np.ndarray | str]) -> str:
    """One word on one reader's answer, by what two others agree on."""
    others = [
        value
        for name, value in answers.items()
        if name not in (reader, "ours") and not isinstance(value, str)
    ]
    truths = [
        one for place, one in enumerate(others) if any(is_same(one, two) for two in others[place + 1 :])
    ]
    own = answers[reader]
    if isinstance(own, str):
        word = own.partition(" ")[0]
        return f"{word}, truth known" if truths and word == "refused" else word
    if not truths:
        return "read, no truth known"
    return "right" if any(is_same(own, truth) for truth in truths) else "wrong"


def main() -> None:
    """Print a line for each verdict of each reader."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--show", action="append", default=[], help="list the files of this verdict of ours")
    chosen = parser.parse_args()
    import cv2
    import tifffile
    from PIL import Image

    import engine.pictures

    del cv2, tifffile, Image, engine.pictures  # once here, not once a file
    endings = PICTURE_ENDINGS.split()
    files = [
        path
        for folder in chosen.folders
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in endings and path.is_file()
    ]
    tally = {reader: Counter() for reader in READERS}
    for path in files:
        answers = {reader: answer_of(reader, path) for reader in READERS}
        for reader in READERS:
            word = verdict(reader, answers)
            tally[reader][word] += 1
            if reader == "ours" and word in chosen.show:
                got = answers["ours"] if isinstance(answers["ours"], str) else ""
                print(f"{word}: {path} {got}", flush=True)
    print(f"{len(files)} files")
    for reader, counts in tally.items():
        print(f"{reader:12}", *(f"{word}: {count};" for word, count in sorted(counts.items())))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
