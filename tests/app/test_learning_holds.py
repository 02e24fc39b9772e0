"""Who uses a folder of learning: windows together, one process alone, nobody."""

import pytest

from app.learning_child import LearningError, _alone_in
from app.learning_holds import hold, unused


def is_unused(folder) -> bool:
    with unused(folder) as found:
        return found


def test_a_folder_is_used_as_long_as_anybody_holds_it(tmp_path) -> None:
    assert is_unused(tmp_path)
    first, second = hold(tmp_path), hold(tmp_path)
    with _alone_in(tmp_path):
        assert not is_unused(tmp_path)
        first.close()
        second.close()
        assert not is_unused(tmp_path)
    assert is_unused(tmp_path)


def test_what_is_not_there_is_not_held(tmp_path) -> None:
    assert hold(tmp_path / "none") is None
    assert is_unused(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_nobody_begins_to_learn_where_it_is_being_cleared_up(tmp_path, monkeypatch) -> None:
    with _alone_in(tmp_path):
        pass
    monkeypatch.setattr("app.learning_child.LOCK_PATIENCE_S", 0.0)
    with unused(tmp_path), pytest.raises(LearningError), _alone_in(tmp_path):
        pass
