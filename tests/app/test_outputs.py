from pathlib import Path

import pytest

from app.errors import OutputError
from app.outputs import check_distinct, check_folder, check_output

ENDINGS = frozenset({".png"})


def test_a_good_place_is_left_as_it_is(tmp_path) -> None:
    check_output(tmp_path / "a.PNG", "--out", endings=ENDINGS)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_ending_is_refused(tmp_path) -> None:
    with pytest.raises(
        OutputError, match=r"--out: expected a file ending in one of \.png, got 'a\.xyz'; the ending"
    ):
        check_output(tmp_path / "a.xyz", "--out", endings=ENDINGS)


def test_a_folder_of_that_name_is_refused(tmp_path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match=r"--out: expected a file, got the folder .*; add a file name"):
        check_output(tmp_path / "a.png", "--out", endings=ENDINGS)


def test_a_missing_folder_is_refused(tmp_path) -> None:
    with pytest.raises(
        OutputError, match="expected a folder that exists, got '.*none'; make the folder first"
    ):
        check_output(tmp_path / "none" / "a.png", "--out", endings=ENDINGS)


def test_a_folder_that_refuses_files_is_refused(monkeypatch, tmp_path) -> None:
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    with pytest.raises(
        OutputError, match=r"that can be written to, got '.*' \(Permission denied\); choose another"
    ):
        check_folder(tmp_path, "--out")


def test_two_options_may_not_name_one_file(tmp_path) -> None:
    path, same = tmp_path / "a.png", tmp_path / "." / "a.png"
    with pytest.raises(
        OutputError, match="--edges-out: expected another file than --out, got .*overwrite the other"
    ):
        check_distinct(path, "--edges-out", {"--out": same})
    check_distinct(path, "--edges-out", {"--out": None, "--mask": tmp_path / "b.png"})
    check_distinct(None, "--edges-out", {"--out": Path("a.png")})


def test_a_link_to_itself_is_refused_and_no_fault(tmp_path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    words = r"--out: expected a file, got '.*loop.png': a link that leads back to itself; remove the link"
    with pytest.raises(OutputError, match=words):
        check_output(loop, "--out", endings=ENDINGS)
    with pytest.raises(OutputError, match=r"'.*loop.png/a.png': a link that leads back to itself"):
        check_output(loop / "a.png", "--out", endings=ENDINGS)
    check_distinct(loop, "--out", {"--mask": tmp_path / "a.png"})
    with pytest.raises(OutputError, match="overwrite the other"):
        check_distinct(loop, "--out", {"--mask": loop})


def test_a_name_beyond_what_the_disk_takes_is_refused(tmp_path) -> None:
    with pytest.raises(OutputError, match="got '.*': a name longer than the disk allows; shorten the name"):
        check_output(tmp_path / ("x" * 300 + ".png"), "--out", endings=ENDINGS)
    with pytest.raises(OutputError, match=r"expected a file name, got .*; leave the zero byte out"):
        check_output(tmp_path / "a\0b.png", "--out", endings=ENDINGS)
