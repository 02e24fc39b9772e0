"""What Krita and GIMP see in a file of ours.

Krita opens it and writes it again, as OpenRaster (its layers, each with its pixels) and as PNG (what it shows); the two are
read here with Pillow and nothing of ours. GIMP's console answers a script. Both run on a screen of their own, with
settings of their own.
"""

import io
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.desktop.program import isolation
from tests.desktop.screen import Screen

KRITA = {"krita": "krita"}
GIMP = {"gimp-console": "gimp"}
TIMEOUT_S = 150
"""Krita builds its caches at its first start, on a machine that is busy with other tests."""


@dataclass(frozen=True)
class SeenLayer:
    """A layer as another program understood it."""

    name: str
    """With the groups it lies in, joined by ``/``."""
    offset_xy: tuple[int, int]
    opacity: float
    is_visible: bool
    pixels: np.ndarray
    """(H, W, 4) uint8; programs cut off what is transparent all around."""

    def on_canvas(self, size_hw: tuple[int, int]) -> np.ndarray:
        """Its pixels at their place on a transparent canvas."""
        canvas = np.zeros((*size_hw, 4), np.uint8)
        x, y = self.offset_xy
        height, width = self.pixels.shape[:2]
        canvas[y : y + height, x : x + width] = self.pixels
        return canvas


class Krita:
    """Krita with a home of its own: its first start takes a while, later ones a second.

    Args:
        screen: where it comes up; it has no mode without one.
        home: for its settings and caches.
    """

    def __init__(self, screen: Screen, home: Path) -> None:
        self._screen = screen
        self._home = home

    def layers(self, path: Path) -> tuple[SeenLayer, ...]:
        """The layers it finds in a file with 8 bits a channel, bottom to top."""
        with zipfile.ZipFile(self._convert(path, ".ora")) as archive:
            root = ElementTree.fromstring(archive.read("stack.xml")).find("stack")
            assert root is not None
            return tuple(reversed(list(_walk(archive, root, ""))))

    def rewritten(self, path: Path) -> Path:
        """The file as Krita itself writes it."""
        return self._convert(path, ".ora")

    def picture(self, path: Path) -> np.ndarray:
        """What it shows of a file: (H, W, 3 or 4) uint8 or uint16, RGB first."""
        import cv2

        pixels = cv2.imread(str(self._convert(path, ".png")), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)

    def _convert(self, path: Path, ending: str) -> Path:
        written = path.with_name(f"{path.stem}-krita{ending}")
        done = subprocess.run(
            ["krita", "--nosplash", str(path), "--export", "--export-filename", str(written)],
            env=self._screen.environment | isolation(self._home),
            capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        if not written.exists():
            raise AssertionError(f"Krita wrote nothing: {done.stdout}{done.stderr}")
        return written


def picture_in_gimp(path: Path, folder: Path) -> np.ndarray | None:
    """What GIMP shows of a file: (H, W, 4) uint8; None if this GIMP has no reader of OpenRaster.

    The reader is a Python plug-in, which GIMP 2.10 of Debian 12 comes without.
    """
    written = folder / "gimp.png"
    script = (
        f'(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{path}" "{path.name}")))'
        "        (layer (car (gimp-image-merge-visible-layers image CLIP-TO-IMAGE))))"
        f'  (gimp-file-save RUN-NONINTERACTIVE image layer "{written}" "{written.name}"))'
    )
    done = subprocess.run(
        ["gimp-console", "-i", "--no-data", "--no-fonts", "-b", script, "-b", "(gimp-quit 1)"],
        env={"PATH": "/usr/bin:/bin"} | isolation(folder / "gimp"),
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip
    if "Unknown file type" in done.stdout + done.stderr:
        return None
    if not written.exists():
        raise AssertionError(f"GIMP wrote nothing: {done.stdout}{done.stderr}")
    with Image.open(written) as picture:
        return np.asarray(picture.convert("RGBA"))


def _walk(archive: zipfile.ZipFile, stack: ElementTree.Element, above: str) -> list[SeenLayer]:
    """Layers of a stack and of those inside it, top to bottom as they stand in the file."""
    found: list[SeenLayer] = []
    for element in stack:
        name = above + element.get("name", "")
        if element.tag == "stack":
            found += _walk(archive, element, f"{name}/")
            continue
        with Image.open(io.BytesIO(archive.read(element.get("src", "")))) as picture:
            pixels = np.asarray(picture.convert("RGBA"))
        offset_xy = int(element.get("x", "0")), int(element.get("y", "0"))
        is_visible = element.get("visibility", "visible") == "visible"
        found.append(SeenLayer(name, offset_xy, float(element.get("opacity", "1")), is_visible, pixels))
    return found
