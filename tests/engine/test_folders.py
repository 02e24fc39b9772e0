import tempfile
from pathlib import Path

import platformdirs
import pytest

from engine.folders import has_home, of_system, own_folder
from engine.weights import user_folder

KINDS = ("config", "state", "cache")


def test_one_variable_moves_everything(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    assert [own_folder(kind) for kind in KINDS] == [tmp_path / kind for kind in KINDS]
    assert has_home()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_system_says_where_otherwise(monkeypatch, kind) -> None:
    monkeypatch.delenv("PENTIMENTO_HOME", raising=False)
    assert "pentimento" in own_folder(kind).parts


@pytest.mark.parametrize("answer", ["~/.local/pentimento", None])
def test_without_a_home_folder_nothing_is_kept_below_the_current_one(monkeypatch, answer) -> None:
    def find(*_: object, **__: object) -> str:
        if answer is None:
            raise RuntimeError("could not determine the home directory")
        return answer

    for name in ("PENTIMENTO_HOME", "PENTIMENTO_WEIGHTS", "PENTIMENTO_LOG"):
        monkeypatch.delenv(name, raising=False)
    for kind in (*KINDS, "data", "log"):
        monkeypatch.setattr(platformdirs, f"user_{kind}_dir", find)
    folders = [*(own_folder(kind) for kind in KINDS), user_folder().parent, of_system("log")]
    assert {folder.parent for folder in folders} == {Path(tempfile.gettempdir())}
    assert len(set(folders)) == 5
    assert not has_home()
