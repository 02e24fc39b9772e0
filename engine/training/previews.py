"""Write what a run has learned so far as one picture: a grid, one row a probe picture."""

import io
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from engine.atomic import write_atomically
from engine.errors import TrainingError


def write_grid(path: Path, rows: Tensor) -> None:
    """Write rows of pictures below each other, as PNG, whole or not at all.

    Args:
        path: the file; its folder is made if it is not there.
        rows: (B, 3, H, W) floats, RGB in [0, 1].

    Raises:
        TrainingError: if the place cannot be written.
    """
    b, c, h, w = rows.shape
    levels = rows.detach().float().nan_to_num(0.0).clamp(0.0, 1.0).mul(255.0).round().to(torch.uint8)
    grid = levels.permute(0, 2, 3, 1).reshape(b * h, w, c).cpu().numpy()
    content = io.BytesIO()
    Image.fromarray(grid).save(content, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda file: file.write(content.getvalue()), error_type=TrainingError)
