import threading

import numpy as np
import pytest
from PIL import Image

from app.document import saving
from app.document.ora import read_ora
from app.document.saving import export_in_background, save_in_background
from app.errors import DocumentError
from app.export_way import ExportWay
from engine.errors import PictureError
from engine.pictures import read_picture


class Told:
    """What a job said at its end, and on which thread."""

    def __init__(self):
        self.errors, self.threads = [], []

    def __call__(self, error):
        self.errors.append(error)
        self.threads.append(threading.current_thread())


def test_a_save_is_done_on_a_thread_and_settled_on_ours(kit, full, tmp_path):
    told = Told()
    job = save_in_background(full, tmp_path / "a.ora", told)
    assert job.wait(20)
    assert told.errors == [None]
    assert told.threads != [threading.current_thread()]
    assert full.is_modified  # nothing of the document changes on another thread
    job.settle()
    assert not full.is_modified
    assert (full.path, full.name) == (tmp_path / "a.ora", "a")
    assert job.share == 1.0
    again, _ = read_ora(tmp_path / "a.ora")
    assert kit.content_of(again) == kit.content_of(full)


def test_what_is_drawn_while_saving_is_unsaved_still(kit, full, tmp_path, monkeypatch):
    before = kit.content_of(full)
    go_on, is_begun = threading.Event(), threading.Event()
    real = saving.write_ora

    def slow(*args):
        is_begun.set()
        go_on.wait(20)
        real(*args)

    monkeypatch.setattr(saving, "write_ora", slow)
    job = save_in_background(full, tmp_path / "a.ora", Told())
    is_begun.wait(20)
    kit.brush(full, (0, 0, 80, 60), 99)
    go_on.set()
    assert job.wait(20)
    job.settle()
    assert full.is_modified
    full.undo()
    assert not full.is_modified
    again, _ = read_ora(tmp_path / "a.ora")
    assert kit.content_of(again) == before


def test_half_a_stroke_is_not_saved(kit, full, tmp_path):
    before = kit.content_of(full)
    with full.begin("Brush") as change:
        change.touch(full.mask_layer.id, "coverage", (0, 0, 80, 60))
        full.mask_layer.planes["coverage"][:] = 1
        job = save_in_background(full, tmp_path / "a.ora", Told())
        full.mask_layer.planes["coverage"][:] = 2
        assert job.wait(20)
    job.settle()
    assert full.is_modified
    again, _ = read_ora(tmp_path / "a.ora")
    assert kit.content_of(again) == before


def test_a_save_that_failed_leaves_document_and_file_as_they_were(full, tmp_path, monkeypatch):
    (tmp_path / "a.ora").write_bytes(b"old")

    def no_room(_fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    told = Told()
    job = save_in_background(full, tmp_path / "a.ora", told)
    job.wait(20)
    job.settle()
    assert isinstance(told.errors[0], DocumentError)
    assert "got no space left" in str(told.errors[0])
    assert full.is_modified
    assert full.path is None
    assert (tmp_path / "a.ora").read_bytes() == b"old"


def test_a_defect_of_ours_is_told_too(full, tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "write_ora", lambda *_args: 1 / 0)
    told = Told()
    save_in_background(full, tmp_path / "a.ora", told).wait(20)
    assert isinstance(told.errors[0], ZeroDivisionError)


def test_an_export_is_what_the_user_sees_with_its_profile_and_depth(kit, rng, tmp_path):
    document = kit.full_document(rng, "RGB", np.uint16)
    from app.document.flatten import flatten

    told = Told()
    job = export_in_background(document, tmp_path / "a.png", told, text={"Software": "Pentimento"})
    assert job.wait(20)
    job.settle()
    assert told.errors == [None]
    assert document.is_modified  # a picture does not hold the document
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, flatten(document, with_result=True))
    assert picture.icc_profile == b"a profile"
    with Image.open(tmp_path / "a.png") as image:
        assert image.text["Software"] == "Pentimento"


def test_an_export_tells_what_the_format_could_not_keep(full, tmp_path):
    job = export_in_background(full, tmp_path / "a.bmp", Told())
    assert job.wait(20)
    assert job.notes == ("left out of the BMP: the colour profile, XMP, the text 'Author', IPTC",)


def test_a_format_that_cannot_hold_the_picture_is_refused_at_once(full, tmp_path):
    with pytest.raises(PictureError, match="a name ending in"):
        export_in_background(full, tmp_path / "a.gif", Told())


def test_clear_pixels_need_a_colour_to_lie_on(kit, rng, tmp_path):
    document = kit.full_document(rng, "RGBA")
    told = Told()
    assert export_in_background(document, tmp_path / "a.jpg", told).wait(20)
    assert "a format that holds transparency, got JPEG" in str(told.errors[0])
    told = Told()
    assert export_in_background(
        document, tmp_path / "a.jpg", told, way=ExportWay(flatten_rgb=(0, 0, 0))
    ).wait(20)
    assert told.errors == [None]
    assert read_picture(tmp_path / "a.jpg").mode == "RGB"
