import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import TrainingError
from engine.training.previews import write_grid


def test_rows_lie_below_each_other(tmp_path):
    rows = torch.zeros(2, 3, 4, 6)
    rows[1, 0] = 1.5
    rows[1, 1] = 0.5
    rows[0, 2, 0, 0] = float("nan")
    write_grid(tmp_path / "new" / "grid.png", rows)
    pixels = np.asarray(Image.open(tmp_path / "new" / "grid.png"))
    assert pixels.shape == (8, 6, 3)
    assert not pixels[:4].any()
    assert (pixels[4:] == (255, 128, 0)).all()


def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path):
    (tmp_path / "grid.png").mkdir()
    with pytest.raises(TrainingError, match=r"grid.png: expected a file name, got a folder; add a file name"):
        write_grid(tmp_path / "grid.png", torch.zeros(1, 3, 2, 2))
