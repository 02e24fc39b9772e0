"""Turn the colours of printing, of palettes and of CIE Lab into RGB, at the depth they have.

Source: IEC 61966-2-1 (sRGB); CIE 15:2004, section 8.2.1 (Lab); TIFF 6.0, sections 5, 16 and 23.
Elsewhere: which file means which of them in tiff_reader.py and decoding.py.
"""

import io

import numpy as np
from PIL import ImageCms

from engine.strips import strips_of

LAB_NOTE = "Lab colours became sRGB"

_WHITE_D50 = np.array([0.96422, 1.0, 0.82521], np.float32)
_SRGB_OF_XYZ_D50 = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ],
    np.float32,
)  # the Bradford-adapted matrix: profiles speak of the light of print, 5000 K
_BEND = 6 / 29


def rgb_of_cmyk(cmyk: np.ndarray, icc_profile: bytes | None, notes: list[str]) -> np.ndarray:
    """Printing colours as sRGB by the file's own profile; by the plain formula where there is none that can be used.

    Args:
        cmyk: (H, W, 4) uint8 or uint16, 0 = no ink. Not modified.
        icc_profile: the file's.
        notes: gets which way was taken.

    Returns:
        (H, W, 3), same type.
    """
    rgb = np.empty((*cmyk.shape[:2], 3), cmyk.dtype)
    if icc_profile is not None and _is_of_cmyk(icc_profile) and _by_profile(cmyk, icc_profile, rgb):
        notes.append("CMYK became sRGB by the file's own profile")
        return rgb
    notes.append("CMYK became RGB without a profile, colours are approximate")
    top = np.uint32(np.iinfo(cmyk.dtype).max)
    for rows, into in zip(strips_of(cmyk), strips_of(rgb), strict=True):
        light = top - rows.astype(np.uint32)
        into[:] = (light[..., :3] * light[..., 3:] + top // 2) // top
    return rgb


def rgb_of_lab(lightness: np.ndarray, ab: np.ndarray, into: np.ndarray) -> None:
    """Lab of daylight at 5000 K as sRGB; what no screen shows is cut off.

    Args:
        lightness: (H, W) float32, 0 to 100.
        ab: (H, W, 2) float32.
        into: (H, W, 3), uint8 or uint16, which gets the values.
    """
    f_y = (lightness[..., None] + 16) / 116
    f = np.concatenate([f_y + ab[..., :1] / 500, f_y, f_y - ab[..., 1:] / 200], axis=2)
    xyz = np.where(f > _BEND, f**3, 3 * _BEND**2 * (f - 4 / 29)) * _WHITE_D50
    linear = np.clip(xyz @ _SRGB_OF_XYZ_D50.T, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    into[:] = np.rint(encoded * np.iinfo(into.dtype).max)


def colours_of_palette(indices: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The colour of each index.

    Args:
        indices: (H, W) whole numbers below N.
        table: (N, 3); 0 to 65535, or 0 to 255 by writers who took a byte's range for the field's.

    Returns:
        (H, W, 3) uint8.
    """
    eight = table if table.max(initial=0) <= 255 else table >> 8
    return np.take(eight.astype(np.uint8), indices, axis=0)


def _is_of_cmyk(icc_profile: bytes) -> bool:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)).profile.xcolor_space.strip() == "CMYK"
    except (OSError, ValueError, TypeError):
        return False


def _by_profile(cmyk: np.ndarray, icc_profile: bytes, rgb: np.ndarray) -> bool:
    """Fill ``rgb``; False where the profile cannot be used after all."""
    import imagecodecs

    srgb = imagecodecs.cms_profile("srgb")
    try:
        for rows, into in zip(strips_of(cmyk), strips_of(rgb), strict=True):
            into[:] = imagecodecs.cms_transform(
                np.ascontiguousarray(rows), icc_profile, srgb, colorspace="cmyk", outcolorspace="rgb"
            )
    except (imagecodecs.CmsError, ValueError, RuntimeError):
        return False
    return True
