import pytest

from engine.errors import WeightsError
from engine.weight_checks import check_size, first_bytes


def test_a_file_has_its_size_and_its_first_bytes(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abcdef")
    assert check_size(path, 6) == 6
    assert first_bytes(path, 4) == b"abcd"
    assert first_bytes(path, 40) == b"abcdef"
    with pytest.raises(WeightsError, match=r"expected at most 5 bytes, got 6 bytes"):
        check_size(path, 5)


def test_what_is_no_regular_file_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    for name, words in (("empty", "an empty file"), ("none", "no such file"), (".", "a folder")):
        with pytest.raises(WeightsError, match=words):
            check_size(tmp_path / name, 10)
