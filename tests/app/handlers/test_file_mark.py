import os

from app.handlers.file_mark import mark_of


def test_a_file_that_is_as_it_was_is_the_same(tmp_path) -> None:
    path = tmp_path / "a.ora"
    path.write_bytes(b"one")
    mark = mark_of(path)
    assert mark.looks_same()
    assert mark.is_same()


def test_other_content_of_the_same_size_and_another_time_is_another_file(tmp_path) -> None:
    path = tmp_path / "a.ora"
    path.write_bytes(b"one")
    mark = mark_of(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert not mark.looks_same()
    assert not mark.is_same()


def test_the_same_content_at_another_time_is_the_same(tmp_path) -> None:
    path = tmp_path / "a.ora"
    path.write_bytes(b"one")
    mark = mark_of(path)
    os.utime(path, ns=(1, 1))
    assert not mark.looks_same()
    assert mark.is_same()


def test_a_file_that_is_gone_is_none_to_lose(tmp_path) -> None:
    path = tmp_path / "a.ora"
    path.write_bytes(b"one")
    mark = mark_of(path)
    path.unlink()
    assert mark.is_same()
    assert mark_of(path) is None
