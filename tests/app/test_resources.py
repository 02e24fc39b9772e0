import shutil

import pytest

from app import resources
from app.errors import ResourceError


def test_a_clone_finds_its_resources() -> None:
    assert (resources.resources_dir() / "samples" / "samples.toml").is_file()


def test_a_wheel_finds_its_own_first(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(resources, "APP_DIR", tmp_path / "app")
    (tmp_path / "resources").mkdir(parents=True)
    assert resources.resources_dir() == tmp_path / "resources"
    (tmp_path / "app" / "_data" / "resources").mkdir(parents=True)
    assert resources.resources_dir() == tmp_path / "app" / "_data" / "resources"
    shutil.rmtree(tmp_path / "app")


def test_a_broken_installation_says_so(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(resources, "APP_DIR", tmp_path / "app")
    with pytest.raises(
        ResourceError, match="resources: expected a folder at .*, got none; install pentimento again"
    ):
        resources.resources_dir()
