from PySide6.QtGui import QImage

from app.learning_film import FILM_MOST, THUMB_PX, thinned, thumbs


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
