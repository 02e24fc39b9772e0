import pytest

from app.document.stack_xml import StackGroup, StackLayer, read_stack, write_stack
from app.errors import DocumentError


def _read(inner: str, head: str = '<image w="64" h="48">'):
    return read_stack(f"{head}<stack>{inner}</stack></image>".encode(), name="a.ora")


def _refusal(inner: str, head: str = '<image w="64" h="48">') -> str:
    with pytest.raises(DocumentError) as caught:
        _read(inner, head)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_written_is_read_again():
    photo = StackLayer('Photo "1" & <2>', "data/1.png", (-3, 7), 0.123456789, is_visible=False)
    edges = StackGroup("Edges", (StackLayer("Drawn", "data/2.png"), StackLayer("Erased", "data/3.png")))
    data = write_stack((48, 64), [photo, edges])
    stack = read_stack(data, name="a.ora")
    assert stack.size_hw == (48, 64)
    assert stack.layers == (photo, *edges.layers)
    assert data.index(b"Erased") < data.index(b"Drawn") < data.index(b"Photo")  # the file counts from the top


def test_signs_that_xml_cannot_hold_are_replaced():
    data = write_stack((1, 1), [StackLayer("a\x00b\ud800c\n", "data/1.png")])
    assert read_stack(data, name="a.ora").layers[0].name == "a\ufffdb\ufffdc\ufffd"


def test_groups_are_opened_with_their_place_opacity_and_visibility():
    stack = _read(
        '<layer name="top" src="t"/>'
        '<stack name="g" x="10" y="-5" opacity="0.5"><layer name="in" src="i" x="1" y="2" opacity="0.5"/>'
        '<stack visibility="hidden"><layer name="deep" src="d" x="1"/></stack></stack>'
    )
    deep, inside, top = stack.layers
    assert (deep.name, deep.offset_xy, deep.opacity, deep.is_visible) == ("deep", (11, -5), 0.5, False)
    assert (inside.name, inside.offset_xy, inside.opacity, inside.is_visible) == ("in", (11, -3), 0.25, True)
    assert (top.offset_xy, top.opacity, top.is_visible) == ((0, 0), 1.0, True)
    assert "groups were opened, their layers lie in one list now" in stack.notes
    assert "the opacity of group 'g' was given to each of its layers" in stack.notes


def test_groups_that_add_up_to_a_place_too_far_away_are_refused():
    """A layer out there could be saved, and not be opened again."""
    inner = '<stack x="60000"><stack x="60000"><layer src="a"/></stack></stack>'
    assert "places within 65536 px, got 120000 px" in _refusal(inner)


def test_what_was_left_out_is_told():
    stack = _read('<layer name="m" src="m" composite-op="svg:multiply"/><text>hi</text><layer name="empty"/>')
    assert [layer.name for layer in stack.layers] == ["m"]
    assert stack.notes == (
        "layer 'm' is blended plainly, its mode 'svg:multiply' was left out",
        "'text' elements were left out, only pictures are kept",
        "layer 'empty' has no picture and was left out",
    )


def test_an_empty_stack_is_a_canvas_without_layers():
    assert _read("").layers == ()


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<layer src="a" x="nan"/>', "finite numbers"),
        ('<layer src="a" y="1e400"/>', "finite numbers"),
        ('<layer src="a" x="70000"/>', "places within 65536 px"),
        ('<layer src="a" x="left"/>', "numbers in the layer stack, got 'left'"),
        ('<layer src="a" opacity="1.5"/>', "opacities from 0 to 1, got 1.5"),
        ('<layer src="a" opacity="-inf"/>', "finite numbers"),
        ("<stack>" * 70 + "</stack>" * 70, "groups at most 64 deep"),
        ('<layer src="a"/>' * 10_001, "at most 10000 layers"),
        (f'<layer src="a" name="{"n" * 5000}"/>', "names of at most 4096 signs"),
        ("<image/>", "one image around its stacks, got 'image' there"),
        ("<stack>", "a layer stack in XML"),
        ("&bomb;", "a layer stack in XML"),
    ],
)
def test_hostile_stacks_are_refused_in_one_line(inner, words):
    assert words in _refusal(inner)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ('<image w="0" h="5">', "a canvas with sides of 1 to 16384 px, got 0 px"),
        ('<image w="5" h="16385">', "got 16385 px"),
        ('<image w="5">', "got 0 px"),
        ("<x>", "one image around its stacks, got 'x' there"),
    ],
)
def test_a_canvas_of_impossible_size_is_refused(head, words):
    assert words in _refusal("", head)


def test_a_document_type_is_refused_so_that_no_entity_can_grow():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><image w="1" h="1">&b;</image>'
    with pytest.raises(
        DocumentError,
        match="expected a layer stack without DOCTYPE, got one with a DOCTYPE; it may be hostile",
    ):
        read_stack(bomb.encode(), name="a.ora")


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b'<?xml version="1.0" encoding="nonsense"?><image/>'])
def test_what_is_no_xml_is_refused(data):
    with pytest.raises(DocumentError, match=r"a\.ora: expected a layer stack"):
        read_stack(data, name="a.ora")


def test_a_doctype_alone_is_refused_as_what_it_is():
    with pytest.raises(DocumentError, match="got one with a DOCTYPE"):
        read_stack(b'<!DOCTYPE image><image w="1" h="1"><stack/></image>', name="a.ora")


def test_sides_and_places_a_hair_off_are_rounded():
    inner = (
        b'<stack composite-op="mypaint:spectral-wgm"><layer src="a" x="9.9999999" y="-0.0000001"/></stack>'
    )
    stack = read_stack(b'<image w="1.0000001" h="0.9999999">' + inner + b"</image>", name="a.ora")
    assert (stack.size_hw, stack.layers[0].offset_xy) == ((1, 1), (10, 0))
    assert stack.notes == (), "the outermost stack is the canvas, and blended with nothing"
