"""Make the bundled samples: photographs of scikit-image, and a mask of what is unwanted in each.

Run it in the folder it lies in, from an environment that has scikit-image and Pillow:

    python resources/samples/make_samples.py

The photographs are copied byte for byte out of scikit-image's wheel, except the cat, which gets two scratches
and a date stamp first, and those of REMADE, which are shrunk. Masks are white where something is to go, with a few
pixels to spare: a hole that ends on the object's own border leaves its rim standing. The lock is white where the cup
keeps its shape.
"""

import shutil
from pathlib import Path

import numpy as np
import skimage
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).resolve().parent
SOURCE = Path(skimage.__file__).parent / "data"

Points = list[tuple[int, int]]
Box = tuple[int, int, int, int]

# Outlines in pixels (x, y) of the originals, drawn by eye on enlarged crops.
SHUTTLE: Points = [
    (386, 0), (442, 0), (446, 36), (456, 50), (461, 72), (461, 230), (466, 260), (480, 266), (481, 283),
    (440, 292), (420, 297), (372, 295), (361, 285), (361, 262), (372, 228), (352, 226), (350, 212),
    (356, 198), (373, 178), (373, 44), (380, 35), (390, 33),
]  # fmt: skip
SPOON_HANDLE: Points = [
    (392, 66), (402, 59), (420, 59), (429, 70), (428, 86), (420, 116), (413, 148), (405, 176), (396, 202),
    (390, 232), (398, 246), (370, 262), (340, 262), (344, 244), (366, 228), (377, 212), (389, 186),
    (398, 168), (404, 148), (406, 128), (402, 100), (394, 82),
]  # fmt: skip
SPOON_OVALS: list[Box] = [(322, 232, 411, 332), (311, 236, 362, 266), (398, 268, 436, 294)]
LEFT_MAST: Points = [
    (193, 118), (209, 118), (209, 376), (180, 380), (174, 427), (158, 427), (167, 360), (180, 230), (186, 186), (193, 180),
]  # fmt: skip
RIGHT_MAST: Points = [
    (439, 118), (453, 118), (455, 186), (465, 186), (468, 250), (476, 330), (484, 427), (466, 427), (462, 392),
    (450, 384), (436, 378), (436, 186), (439, 180),
]  # fmt: skip
TOWER: Points = [
    (414, 120), (418, 106), (430, 106), (437, 116), (437, 190), (430, 199), (410, 199), (406, 194), (406, 128),
]  # fmt: skip
SNOW_HEAP: Points = [(311, 246), (316, 232), (324, 223), (338, 223), (346, 234), (350, 246)]
SCRATCHES: list[Points] = [
    [(238, 0), (243, 40), (240, 85), (248, 130), (246, 185), (255, 240), (253, 299)],
    [(0, 196), (60, 190), (130, 198), (180, 194)],
]
DATE_STAMP = "'97  8  31"
# Pictures to be remade at another shape: name of the file here, of the original, and the new size.
REMADE = {
    "coins.png": ("coins.png", (256, 202)),
    "brick.png": ("brick.png", (256, 256)),
    "gravel.png": ("gravel.png", (224, 224)),
    "cup.png": ("coffee.png", (300, 200)),
}
CUP_OVALS: list[Box] = [(32, 48, 247, 199), (36, 44, 190, 170), (80, -20, 214, 165)]


def blank(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty mask and the pen to draw on it."""
    mask = Image.new("L", size, 0)
    return mask, ImageDraw.Draw(mask)


def mask_of(size: tuple[int, int], polygons: list[Points], ovals: list[Box] = ()) -> Image.Image:
    """A mask with the given areas white."""
    mask, pen = blank(size)
    for points in polygons:
        pen.polygon(points, fill=255)
    for box in ovals:
        pen.ellipse(box, fill=255)
    return mask


def stamp_and_scratch(photo: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Draw two scratches and a date on a clean photo; the mask covers them with three pixels to spare."""
    marks, pen = blank(photo.size)
    rng = np.random.default_rng(31)
    for points in SCRATCHES:
        for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
            pen.line([(x0, y0), (x1, y1)], fill=255, width=int(rng.integers(2, 4)))
    stamped = photo.copy()
    stamped.paste((238, 236, 228), mask=marks.filter(ImageFilter.GaussianBlur(0.6)))

    date, pen = blank(photo.size)
    pen.text((318, 266), DATE_STAMP, font=ImageFont.load_default(22), fill=255, stroke_width=1)
    stamped.paste((255, 126, 24), mask=date)

    both = Image.fromarray(np.maximum(np.asarray(marks), np.asarray(date)))
    mask = both.filter(ImageFilter.MaxFilter(7)).point(lambda level: 255 if level else 0)
    return stamped, mask


def main() -> None:
    """Write pictures and masks beside this file."""
    areas = {
        "astronaut.png": ([SHUTTLE], []),
        "coffee.png": ([SPOON_HANDLE], SPOON_OVALS),
        "rocket.jpg": ([LEFT_MAST, RIGHT_MAST], []),
        "camera.png": ([TOWER, SNOW_HEAP], []),
    }
    for file_name, (polygons, ovals) in areas.items():
        shutil.copyfile(SOURCE / file_name, HERE / file_name)
        with Image.open(HERE / file_name) as photo:
            mask = mask_of(photo.size, polygons, ovals)
        mask.convert("1").save(HERE / f"{Path(file_name).stem}-mask.png", optimize=True)

    with Image.open(SOURCE / "chelsea.png") as photo:
        stamped, mask = stamp_and_scratch(photo.convert("RGB"))
    stamped.save(HERE / "chelsea.png", optimize=True)
    mask.convert("1").save(HERE / "chelsea-mask.png", optimize=True)

    for file_name, (original, size) in REMADE.items():
        with Image.open(SOURCE / original) as photo:
            photo.resize(size, Image.Resampling.LANCZOS).save(HERE / file_name, optimize=True)
    mask_of(REMADE["cup.png"][1], [], CUP_OVALS).convert("1").save(HERE / "cup-lock.png", optimize=True)

    for path in sorted(HERE.glob("*.[pj][np]g")):
        print(f"{path.name:22} {path.stat().st_size:8} bytes")


if __name__ == "__main__":
    main()
