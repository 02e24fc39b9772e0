import io
import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from engine.errors import TrainingError
from engine.training.sources import find_pictures


@pytest.fixture
def skipped():
    return []


@pytest.fixture
def find(skipped):
    return lambda *sources: find_pictures(sources, lambda name, reason: skipped.append((name, reason)))


@pytest.fixture
def encode():
    def build(number: int) -> bytes:
        content = io.BytesIO()
        Image.new("RGB", (8, 8), (number, 0, 0)).save(content, "PNG")
        return content.getvalue()

    return build


@pytest.fixture
def png(encode):
    return encode(0)


def tar_of(path, members, mode="w"):
    with tarfile.open(path, mode) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_a_folder_is_searched_to_the_bottom_and_sorted(tmp_path, find, png, skipped):
    for name in ("b/2.PNG", "b/c/1.jpg", "a.webp", "notes.txt", ".hidden/3.png", "b/._2.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
    files = find(tmp_path)
    assert [file.name for file in files] == ["a.webp", "b/2.PNG", "b/c/1.jpg"]
    assert files[0].read() == png
    assert skipped == []


def test_folders_tars_and_files_mix_in_the_given_order(tmp_path, find, encode):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "one.png").write_bytes(encode(1))
    tar = tar_of(tmp_path / "two.tar", {"deep/two.png": encode(2)})
    single = tmp_path / "three.data"
    single.write_bytes(encode(3))
    files = find(single, tar, folder)
    assert [file.name for file in files] == ["three.data", "two.tar/deep/two.png", "one.png"]
    assert [file.read() for file in files] == [encode(3), encode(2), encode(1)]


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2"])
def test_compressed_tars_are_read_into_memory(tmp_path, find, png, mode):
    tar = tar_of(tmp_path / f"set.tar.{mode[2:]}", {"x.png": png, "readme.md": b"text"}, mode)
    (file,) = find(tar)
    tar.unlink()
    assert file.read() == png


def test_a_tar_inside_a_folder_counts(tmp_path, find, png):
    tar_of(tmp_path / "set.tar", {"x.png": png})
    assert [file.name for file in find(tmp_path)] == ["set.tar/x.png"]


def test_member_names_never_become_paths_and_links_are_left_out(tmp_path, find, png):
    tar_path = tar_of(tmp_path / "evil.tar", {"../../outside.png": png, "/root.png": png})
    with tarfile.open(tar_path, "a") as tar:
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
        device = tarfile.TarInfo("device.png")
        device.type = tarfile.CHRTYPE
        tar.addfile(device)
    before = sorted(os.listdir(tmp_path.parent))
    files = find(tar_path)
    assert [file.read() for file in files] == [png, png]
    assert sorted(os.listdir(tmp_path.parent)) == before
    assert os.listdir(tmp_path) == ["evil.tar"]


def test_a_damaged_tar_is_told_once_and_its_whole_members_stay(tmp_path, find, encode, skipped):
    good = tmp_path / "0.png"
    good.write_bytes(encode(0))
    (tmp_path / "junk.tar").write_bytes(random.Random(0).randbytes(3000))
    whole = tar_of(tmp_path / "whole.tar", {"1.png": encode(1), "2.png": encode(2)}).read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: 512 + 512 + 600])
    (tmp_path / "whole.tar").unlink()
    names = [file.name for file in find(tmp_path)]
    assert "0.png" in names
    assert "cut.tar/1.png" in names
    assert [name for name, _ in skipped] == ["cut.tar", "junk.tar"]
    assert all(reason.startswith("not a whole tar file") for _, reason in skipped)


def test_too_large_files_are_left_out(tmp_path, find, png, skipped, monkeypatch):
    monkeypatch.setattr("engine.training.sources.FILE_LIMIT_BYTES", 100)
    (tmp_path / "big.png").write_bytes(b"x" * 101)
    (tmp_path / "small.png").write_bytes(png)
    tar_of(tmp_path / "set.tar", {"big.png": b"x" * 101})
    assert [file.name for file in find(tmp_path)] == ["small.png"]
    assert [name for name, _ in skipped] == ["big.png", "set.tar/big.png"]


def test_a_file_that_ends_early_is_an_error_of_the_system(tmp_path, find, png):
    tar = tar_of(tmp_path / "set.tar", {"x.png": png})
    (file,) = find(tar)
    tar.write_bytes(tar.read_bytes()[:520])
    with pytest.raises(OSError, match="the tar file ends inside it"):
        file.read()


def test_nothing_to_learn_from_is_refused_by_name(tmp_path, find):
    with pytest.raises(
        TrainingError, match=r"gone: expected a folder, a tar file or a picture, got nothing there; c"
    ):
        find(tmp_path / "gone")
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(
        TrainingError, match=r"data: expected at least one picture, got none in .*; name a folder or"
    ):
        find(tmp_path)
    with pytest.raises(
        TrainingError, match=r"null: expected a folder, a tar file or a picture, got something else; p"
    ):
        find(Path("/dev/null"))


@pytest.mark.parametrize("mode", ["gz", "xz", "bz2"])
def test_damaged_packed_tars_are_told_and_never_fatal(tmp_path, find, png, skipped, mode):
    (tmp_path / "0.png").write_bytes(png)
    tar = tar_of(tmp_path / f"set.tar.{mode}", {"x.png": random.Random(1).randbytes(3000)}, f"w:{mode}")
    damaged = bytearray(tar.read_bytes())
    damaged[len(damaged) // 2] ^= 64
    tar.write_bytes(damaged)
    assert "0.png" in [file.name for file in find(tmp_path)]
    assert [name for name, _ in skipped] == [tar.name]
    assert "not a whole tar file" in skipped[0][1]


def test_links_devices_and_empty_files_of_a_tar_are_counted(tmp_path, find, png, skipped):
    path = tar_of(tmp_path / "set.tar", {"a.png": png, "empty.png": b""})
    with tarfile.open(path, "a") as tar:
        for name, kind in (
            ("l.png", tarfile.SYMTYPE),
            ("m.png", tarfile.LNKTYPE),
            ("d.png", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type = kind
            tar.addfile(info)
    assert len(find(path)) == 1
    assert skipped == [("4 of 5 members of set.tar", "1 x device, 1 x empty file, 2 x link")]


def test_pictures_of_packed_tars_are_held_within_one_limit(tmp_path, find, png, skipped, monkeypatch):
    monkeypatch.setattr("engine.training.sources.memory_share", lambda parts: 1000)
    for number in range(2):
        tar_of(tmp_path / f"{number}.tar.gz", {"a.png": png}, "w:gz")
    assert len(find(tmp_path)) == 1
    assert skipped[0][0] == "1.tar.gz"
    assert "bytes of pictures in packed tar files (unpack them first)" in skipped[0][1]


@pytest.fixture
def dig(tmp_path):
    """Makes a folder in a folder in a folder, and puts a picture into the last; takes them away again."""

    def run(depth, name, content):
        here = os.open(tmp_path, os.O_RDONLY)
        for _ in range(depth):
            os.mkdir(name, dir_fd=here)
            deeper = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        file = os.open("deep.png", os.O_CREAT | os.O_WRONLY, dir_fd=here)
        os.write(file, content)
        os.close(file)
        os.close(here)

    yield run
    subprocess.run(["rm", "-rf", tmp_path], check=True)  # Python's own way is too deep a recursion


def test_folders_deeper_than_pythons_stack_are_searched(tmp_path, find, png, dig):
    dig(1100, "d", png)
    (file,) = find(tmp_path)
    assert file.name.count("/") == 1100
    assert file.read() == png


def test_a_folder_too_deep_for_the_system_is_told(tmp_path, find, png, skipped, dig):
    (tmp_path / "a.png").write_bytes(png)
    dig(30, "d" * 200, png)
    assert [file.name for file in find(tmp_path)] == ["a.png"]
    assert [reason for _, reason in skipped] == ["folder that cannot be read (file name too long)"]


def test_links_to_folders_and_to_nothing_are_told(tmp_path, find, png, skipped):
    (tmp_path / "a.png").write_bytes(png)
    (tmp_path / "b.png").symlink_to("a.png")
    (tmp_path / "self").symlink_to(".")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    assert [file.name for file in find(tmp_path)] == ["a.png", "b.png"]
    assert dict(skipped) == {
        "gone.png": "cannot be read (no such file or directory)",
        "loop.png": "cannot be read (too many levels of symbolic links)",
        "pipe.png": "not a file",
        "self": "link to a folder; name the folder itself if it is wanted",
    }


def test_names_that_are_no_utf8_can_be_printed(tmp_path, find, png):
    with open(os.fsencode(tmp_path) + b"/\xff\n.png", "wb") as file:
        file.write(png)
    tar_of(tmp_path / "set.tar", {"\udcfe.png": png})
    names = [file.name for file in find(tmp_path)]
    assert names == ["\\xdcff\\x0a.png", "set.tar/\\xfe.png"]
    assert "".join(names).encode().isascii()
