"""The words of every error, and the parts kept beside them."""

from models.errors import ModelsError, ShapeError, StateError, UnknownFamilyError


def test_shape_error_says_expected_got_and_what_to_know():
    error = ShapeError(
        "match", (1, 12, 10), (1, 10, 12), "rows are guide positions, columns exemplar positions"
    )
    assert str(error) == (
        "match: expected (1, 12, 10), got (1, 10, 12); rows are guide positions, columns exemplar positions"
    )
    assert (error.name, error.expected, error.got) == ("match", (1, 12, 10), (1, 10, 12))
    assert isinstance(error, ValueError)
    assert isinstance(error, ModelsError)


def test_state_error_lists_the_first_few_of_each_fault():
    error = StateError(
        "x", missing=list("abcde"), unexpected=["f"], misshapen={"g": ((1, 2), (2, 1))}, hint="look"
    )
    assert str(error) == (
        "x: expected every tensor once and in shape, got 5 missing (a, b, c and 2 more), 1 unexpected (f), "
        "1 misshapen (g (2, 1) instead of (1, 2)); look"
    )
    assert error.missing == tuple("abcde")
    assert error.misshapen == {"g": ((1, 2), (2, 1))}


def test_unknown_family_guesses_only_when_close():
    known = ["inpaint", "retarget"]
    error = UnknownFamilyError("inpant", known)
    assert str(error) == "unknown family 'inpant'; known: inpaint, retarget (did you mean 'inpaint'?)"
    assert str(UnknownFamilyError("xyz", known)) == "unknown family 'xyz'; known: inpaint, retarget"
