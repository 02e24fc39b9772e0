import numpy as np

from engine.host_events import HostReply, Patch


def test_a_reply_puts_its_parts_together():
    patches = (
        Patch((2, 1, 4, 3), np.full((2, 2), 5, np.uint8)),
        Patch((6, 4, 7, 6), np.full((2, 1), 8, np.uint8)),
    )
    edges = (
        Patch((0, 0, 4, 4), np.full((4, 4), 3, np.uint8)),
        Patch((2, 2, 8, 6), np.full((4, 6), 9, np.uint8)),
    )
    reply = HostReply((6, 8), patches, edges, {})
    assert reply.box_xyxy == (2, 1, 7, 6)
    whole = np.zeros((6, 8), np.uint8)
    reply.paste_into(whole)
    assert (whole.sum(), whole[1, 2], whole[5, 6]) == (4 * 5 + 2 * 8, 5, 8)
    part = np.zeros((2, 2), np.uint8)
    reply.paste_into(part, offset_xy=(3, 2))
    assert part.tolist() == [[5, 0], [0, 0]]
    assert reply.edges_in((1, 1, 4, 4)).tolist() == [[3, 3, 3], [3, 9, 9], [3, 9, 9]]


def test_a_reply_in_which_nothing_changed_has_no_box():
    reply = HostReply((6, 8), (), (), {})
    assert reply.box_xyxy == (0, 0, 0, 0)
    assert reply.edges_in((0, 0, 2, 3)).tolist() == [[0, 0]] * 3
