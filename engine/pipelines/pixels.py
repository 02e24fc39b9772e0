"""Pixels between the file's own type and what networks see.

A file keeps uint8 or uint16, grey or colour, with or without transparency; a network sees float32 RGB in [0, 1].
"""

import numpy as np


def colours_of(image: np.ndarray) -> np.ndarray:
    """View of the colour channels, (H, W, 1) or (H, W, 3); transparency stays out."""
    if image.ndim == 2:
        return image[..., None]
    return image[..., :3] if image.shape[2] >= 3 else image[..., :1]


def rgb_of(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) of any picture: grey is tripled, transparency left out; grey comes as a view."""
    colours = colours_of(image)
    return np.broadcast_to(colours, (*colours.shape[:2], 3)) if colours.shape[2] == 1 else colours


def floats_of(values: np.ndarray) -> np.ndarray:
    """Integers from 0 to their type's top as float32 in [0, 1]; floats as they are."""
    if np.issubdtype(values.dtype, np.floating):
        return values
    return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)


def sixteen_of(values: np.ndarray) -> np.ndarray:
    """uint8, uint16 or floats in [0, 1] as fresh uint16."""
    if values.dtype == np.uint8:
        return values.astype(np.uint16) * np.uint16(257)
    if values.dtype == np.uint16:
        return values.copy()
    return np.asarray(np.rint(values * 65535).clip(0, 65535), dtype=np.uint16)


def bytes_of(values: np.ndarray) -> np.ndarray:
    """[0, 1] as uint8."""
    return np.asarray(np.rint(values * 255).clip(0, 255), dtype=np.uint8)
