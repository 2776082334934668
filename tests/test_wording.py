"""Counts and lists in words."""

import pytest

from lotus.wording import all_of, counted, first_of


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0, "seed"), "0 seeds"),
        ((1, "seed"), "1 seed"),
        ((2, "seed"), "2 seeds"),
        ((12_000, "file"), "12000 files"),
        ((12_000, "file", "", ","), "12,000 files"),
        ((1, "entry", "entries"), "1 entry"),
        ((0, "entry", "entries"), "0 entries"),
    ],
)
def test_a_count_has_the_form_of_its_number(given, said):
    assert counted(*given) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more")],
)
def test_a_long_list_is_cut_and_says_how_long_it_is(names, said):
    assert first_of(names, 2) == said


def test_the_rest_of_a_list_is_counted_as_asked():
    assert first_of(["a"] * 2001, 1, ",") == "a and 2,000 more"


@pytest.mark.parametrize(
    ("names", "said"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_whole_list_ends_in_and(names, said):
    assert all_of(names) == said
