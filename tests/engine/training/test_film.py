import numpy as np
from PIL import Image

from engine.training.film import FRAMES, write_film, write_pair


def frame(folder, number, size_wh=(20, 10)):
    path = folder / f"{number:02d}.png"
    Image.new("RGB", size_wh, (number, 0, 0)).save(path)
    return path


def shown(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_strip_shows_the_picture_and_frames_from_first_to_last(tmp_path):
    frames = [frame(tmp_path, number) for number in range(1, 21)]
    picture = np.full((8, 12, 3), 99, np.uint8)
    write_film(tmp_path / "film.png", picture, [*frames, tmp_path / "gone.png"])
    strip = shown(tmp_path / "film.png")
    assert strip.shape == (8 + FRAMES * 14, 20, 3)
    assert np.array_equal(strip[:8, :12], picture)
    assert (strip[:8, 12:] == 255).all()
    assert [int(strip[12 + 14 * number, 0, 0]) for number in range(FRAMES)] == [1, 5, 9, 12, 16, 20]


def test_tall_pictures_lie_side_by_side(tmp_path):
    write_film(tmp_path / "film.png", np.zeros((30, 12, 3), np.uint8), [frame(tmp_path, 1, (9, 30))])
    assert shown(tmp_path / "film.png").shape == (30, 12 + 4 + 9, 3)


def test_a_pair_lies_side_by_side_and_needs_its_second(tmp_path):
    write_pair(tmp_path / "pair.png", np.zeros((8, 12, 3), np.uint8), frame(tmp_path, 1))
    assert shown(tmp_path / "pair.png").shape == (10, 36, 3)
    write_pair(tmp_path / "none.png", np.zeros((8, 12, 3), np.uint8), tmp_path / "gone.png")
    assert not (tmp_path / "none.png").exists()


def test_without_frames_a_strip_is_the_picture(tmp_path):
    write_film(tmp_path / "film.png", np.zeros((8, 12, 3), np.uint8), [])
    assert shown(tmp_path / "film.png").shape == (8, 12, 3)
