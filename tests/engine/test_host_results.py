from types import SimpleNamespace

import numpy as np
import pytest

from engine.host_results import PLANES, ResultParts, ResultPlane, reply_of
from engine.shared import Segment

CROPS = [{"hole": [2, 1, 4, 3], "frame": [0, 0, 5, 5]}, {"hole": [6, 4, 7, 6], "frame": [4, 2, 8, 6]}]


def travelled(result, planes=PLANES):
    """The reply to a result, by way of memory."""
    found = ResultParts(result, planes)
    room = Segment.create(found.nbytes)
    found.write_to(room)
    reply = reply_of(result.image.shape[:2], result.report, found.parts, room)
    room.close()
    return reply


def result_of(**planes):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 65536, (6, 8, 4), np.uint16)
    return SimpleNamespace(image=image, report={"crops": CROPS, "seed": 3}, **planes)


def test_holes_of_the_picture_and_frames_of_the_edges_come_back():
    edges = np.random.default_rng(1).integers(0, 256, (6, 8), np.uint8)
    result = result_of(edges=edges)
    reply = travelled(result)
    assert [patch.box_xyxy for patch in reply.patches] == [(2, 1, 4, 3), (6, 4, 7, 6)]
    for patch in reply.patches:
        x0, y0, x1, y1 = patch.box_xyxy
        assert np.array_equal(patch.pixels, result.image[y0:y1, x0:x1])
    assert np.array_equal(reply.edges_in((0, 0, 5, 5)), edges[:5, :5])
    assert (reply.size_hw, reply.report, reply.planes) == ((6, 8), result.report, {})


@pytest.mark.parametrize("planes", [{"edges": None}, {}])
def test_a_result_without_edges_sends_none(planes):
    reply = travelled(result_of(**planes))
    assert (len(reply.patches), reply.edges) == (2, ())


def test_a_plane_added_to_the_table_arrives_under_its_name():
    novelty = np.random.default_rng(2).integers(0, 256, (6, 8), np.uint8)
    result = result_of(edges=None, novelty=novelty)
    result.depth = novelty
    reply = travelled(result, (*PLANES, ResultPlane("depth", "depth", "hole")))
    assert [patch.box_xyxy for patch in reply.planes["depth"]] == [(2, 1, 4, 3), (6, 4, 7, 6)]
    shown = reply.plane_in("depth", (1, 0, 4, 3))
    assert shown.tolist() == [[0, 0, 0], [0, *novelty[1, 2:4]], [0, *novelty[2, 2:4]]]
    assert reply.plane_in("height", (1, 0, 4, 3)) is None


def test_the_map_of_what_is_invented_arrives():
    novelty = np.random.default_rng(2).integers(0, 256, (6, 8), np.uint8)
    reply = travelled(result_of(edges=None, novelty=novelty))
    assert [patch.box_xyxy for patch in reply.novelty] == [(2, 1, 4, 3), (6, 4, 7, 6)]
    assert np.array_equal(reply.novelty[0].pixels, novelty[1:3, 2:4])
    assert travelled(result_of()).novelty == ()


def test_a_result_in_which_nothing_changed_needs_no_room():
    result = SimpleNamespace(image=np.zeros((6, 8), np.uint8), edges=None, report={"crops": []})
    found = ResultParts(result)
    assert (found.parts, found.nbytes) == ((), 0)
    assert reply_of((6, 8), {}, found.parts, None).patches == ()
