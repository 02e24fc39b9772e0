from itertools import combinations

from app.document.layers import PLANES
from app.document.ora_layout import PLANE_COLOURS, PLANE_NAMES, is_own_entry, plane_entry, result_entry


def test_every_drawn_plane_has_a_colour_and_all_differ():
    assert set(PLANE_COLOURS) == {*PLANES["mask"], *PLANES["edges"]}
    assert set(PLANE_NAMES) == set(PLANES["edges"])
    for first, second in combinations(PLANE_COLOURS.values(), 2):
        assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) > 60


def test_entries_of_different_things_have_different_names():
    names = [plane_entry("a1", kind, plane) for kind, planes in PLANES.items() for plane in planes]
    names = [*names[1:], *(result_entry("a1", array) for array in ("pixels", "coverage", "edges"))]
    assert len(set(names)) == len(names)
    assert plane_entry("a1", "picture", "pixels") == "data/a1.png"


def test_what_is_written_anew_is_told_from_what_survives():
    sources = frozenset({"data/a1.png"})
    assert all(is_own_entry(name, sources) for name in ("mimetype", "stack.xml", "data/a1.png"))
    assert all(is_own_entry(name, sources) for name in ("pentimento/document.json", "mergedimage.png"))
    assert not any(is_own_entry(name, sources) for name in ("data/other.png", "palette.gpl", "Pentimento"))
