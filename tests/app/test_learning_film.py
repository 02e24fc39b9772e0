from PySide6.QtGui import QImage

from app.learning_film import FILM_MOST, THUMB_PX, film_of, thinned, thumbs


def test_older_looks_grow_rarer_and_the_first_and_the_newest_stay() -> None:
    film = ()
    for number in range(100):
        film = thinned((*film, number))
        assert len(film) <= FILM_MOST
        assert (film[0], film[-1]) == (0, number)


def test_looks_are_small_and_what_cannot_be_read_is_left_out(tmp_path) -> None:
    for name, side in (("large", 2 * THUMB_PX), ("small", 20)):
        image = QImage(side, side // 2, QImage.Format.Format_RGB32)
        image.fill(7)
        image.save(str(tmp_path / f"{name}.png"))
    (tmp_path / "no.png").write_bytes(b"")
    found = thumbs([tmp_path / f"{name}.png" for name in ("large", "no", "small", "gone")])
    assert [(one.width(), one.height()) for one in found] == [(THUMB_PX, THUMB_PX // 2), (20, 10)]


def test_of_a_long_run_only_what_is_shown_is_read(tmp_path) -> None:
    paths = [tmp_path / f"{number:03d}.png" for number in range(1, 101)]
    for width, path in enumerate(paths, 1):
        QImage(width, 8, QImage.Format.Format_RGB32).save(str(path))
    film = film_of(paths)
    assert len(film) == FILM_MOST
    assert (film[0].width(), film[-1].width()) == (1, 100)
    assert [one.width() for one in film_of(paths[:3])] == [1, 2, 3]
    assert film_of([]) == ()
