"""Files of every version of our format and what a crash left, made by the program of their time, open as they were.

Elsewhere: how they were made in samples/make_samples.py; a file of a later version in test_ora_reader.py.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.document import recovery
from app.document.edit_builder import inpaint_request, settings_of
from app.document.flatten import flatten
from app.document.journal_log import MAGIC
from app.document.ora import read_ora, write_ora
from app.document.ora_layout import FORMAT
from app.document.recovery import journals_folder, recover, recoverable
from app.document.snapshot import Snapshot

SAMPLES = Path(__file__).parent / "samples"
OURS = sorted(SAMPLES.glob("format-*.ora"))
JOURNALS = sorted(SAMPLES.glob("journal-*"))


def assert_holds(found, expected, at=""):
    """All of ``expected`` is in ``found``; a later version may know more."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in found, f"{at}.{key} is gone"
            assert_holds(found[key], value, f"{at}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), at
        for place, value in enumerate(expected):
            assert_holds(found[place], value, f"{at}[{place}]")
    else:
        assert found == expected, at


def plain(content):
    return json.loads(json.dumps(content, default=bytes.hex))


def test_every_version_has_its_samples():
    assert {path.stem.split("-")[1] for path in OURS} == {str(version) for version in range(1, FORMAT + 1)}
    assert len(OURS) >= 3 * FORMAT


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_an_old_file_opens_as_it_was(kit, path):
    document, notes = read_ora(path)
    assert notes == ()
    assert_holds(plain(kit.content_of(document)), json.loads(path.with_suffix(".json").read_text()))
    assert not document.is_modified


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_an_old_file_becomes_one_of_now(kit, tmp_path, path):
    document, _ = read_ora(path)
    with Snapshot(document) as snapshot:
        write_ora(snapshot, tmp_path / "again.ora")
    again, notes = read_ora(tmp_path / "again.ora")
    assert notes == ()
    assert kit.content_of(again) == kit.content_of(document)
    assert np.array_equal(flatten(again, with_result=True), flatten(document, with_result=True))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_a_result_of_an_old_file_can_be_made_anew(path):
    document, _ = read_ora(path)
    step = document.results[0].step
    settings = settings_of(step)
    edit, inputs, _ = inpaint_request(document, settings)
    assert_holds(edit.model_dump(mode="json"), step.edit)
    assert inputs.mask.any()
    assert inputs.drawn_edges.any()


def test_every_version_of_the_journal_has_its_sample():
    newest = int(MAGIC.split()[-1])
    assert [path.name for path in JOURNALS] == [f"journal-{version}" for version in range(1, newest + 1)]


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: path.stem)
def test_work_that_an_older_program_left_comes_back(kit, tmp_path, monkeypatch, path):
    """A program is brought up to date between the crash and the next start."""
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    shutil.copytree(path, journals_folder() / "ab12", ignore=shutil.ignore_patterns("content.json"))
    (item,) = recoverable()
    assert item.steps > 0
    document = recover(item)
    recovery._claims.pop(document.opening_id).lock.release()
    assert_holds(plain(kit.content_of(document)), json.loads((path / "content.json").read_text()))
    assert document.is_modified
    assert (document.undo_label, document.redo_label) == ("Brush", "Eraser")
    document.redo()
    assert document.mask_layer.planes["coverage"].max() == 9
