"""Names as people write them."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.names import composed, look_alikes, on_disk, path_form, shown

PAPER_CLASSES = {"T-shirt/top": "t-shirt-top", "Ankle boot": "ankle-boot", "cat": "cat"}


@pytest.mark.parametrize(("name", "form"), PAPER_CLASSES.items())
def test_names_of_letters_and_gaps_keep_a_plain_form(name: str, form: str) -> None:
    assert path_form(name) == form


@pytest.mark.parametrize(
    "pair", [("犬", "猫"), ("C++", "C#"), ("C", "C++"), ("été", "t"), ("é", "e")]
)
def test_names_that_lose_more_than_gaps_do_not_share_a_form(pair: tuple[str, str]) -> None:
    assert path_form(pair[0]) != path_form(pair[1])


@given(st.text(), st.text())
def test_forms_told_apart_differ_wherever_names_do(one: str, other: str) -> None:
    same = composed(one) == composed(other)
    assert (path_form(one, told_apart=True) == path_form(other, told_apart=True)) == same


@given(st.text())
def test_a_form_is_one_part_of_a_path_in_either_form_of_unicode(name: str) -> None:
    for form in (path_form(name), path_form(name, told_apart=True)):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", form)
        assert len(form) < 100
    assert path_form(unicodedata.normalize("NFD", name)) == path_form(name)


@pytest.mark.parametrize(
    ("pair", "is_mistake"),
    [
        (("ant", "ant "), True),
        (("ant", "a\u200bnt"), True),
        (("a b", "a\u00a0b"), True),
        (("1", "1.0"), True),
        (("7", "07"), True),
        (("-0", "0.00"), True),
        (("+1.50", "1.5"), True),
        (("A", "a"), False),
        (("1", "１"), False),
    ],
)
def test_names_that_look_alike_are_found(pair: tuple[str, str], is_mistake: bool) -> None:
    (found,) = look_alikes([pair[0], "other", pair[1]])
    assert (found.first, found.second, found.is_mistake) == (*pair, is_mistake)
    assert "differ only in" in str(found)


def test_names_that_differ_are_not_called_alike() -> None:
    assert (
        look_alikes(
            [
                "-1",
                "1" + 40 * "0",
                "1" + 41 * "0",
                "1",
                "1.5",
                "10",
                "v1.0",
                "v1",
                "cat",
                "cats",
                "x²",
                "x³",
                "犬",
                "猫",
            ]
        )
        == []
    )


def test_what_cannot_be_printed_is_shown_as_an_escape() -> None:
    assert shown("caf\udce9.png") == "caf\\xe9.png"
    assert shown("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert shown("猫 é") == "猫 é"


def test_a_path_is_found_in_either_form_of_unicode(tmp_path):
    there = tmp_path / "e\u0301te\u0301" / "\u00e9.png"
    there.parent.mkdir()
    there.write_text("")
    assert on_disk(tmp_path / "\u00e9t\u00e9" / "e\u0301.png") == there
    assert on_disk(there) == there
    assert on_disk(tmp_path / "\u00e9t\u00e9" / "\u00e0.png").name == "\u00e0.png"
    assert on_disk(tmp_path / "plain") == tmp_path / "plain"
