from pathlib import Path

from app.folders import cache_folder, config_folder, state_folder


def test_one_variable_moves_everything(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    assert config_folder() == tmp_path / "config"
    assert state_folder() == tmp_path / "state"
    assert cache_folder() == tmp_path / "cache"
    assert list(tmp_path.iterdir()) == []


def test_the_system_says_where_otherwise(monkeypatch) -> None:
    monkeypatch.delenv("PENTIMENTO_HOME")
    for folder in (config_folder(), state_folder(), cache_folder()):
        assert isinstance(folder, Path)
        assert "pentimento" in folder.parts
