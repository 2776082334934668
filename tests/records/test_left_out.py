"""The list of what a small copy leaves out: read strictly, since anybody can write one."""

import pytest

from lotus import layout
from lotus.errors import LotusError
from lotus.records.left_out import left_out, text_of_list


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Puts a text in the list's place."""
    monkeypatch.chdir(tmp_path)
    layout.LEFT_OUT.parent.mkdir()
    return layout.LEFT_OUT.write_text


def test_what_is_written_is_read(write):
    paths = {"results/b/model.safetensors", "data/stores/ä/images.npy"}
    write(text_of_list(paths))
    assert left_out() == paths


def test_without_a_list_nothing_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert left_out() == set()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "as a whole"),
        ("{", "Expecting"),
        ('{"left_out": "results/a"}', "left_out: Input should be a valid list"),
        ('{"left_out": ["results/../a/"]}', "left_out.0"),
        ('{"left_out": [], "more": 1}', "more"),
    ],
)
def test_another_list_is_refused_in_words(write, text, said):
    write(text)
    with pytest.raises(LotusError) as caught:
        left_out()
    assert str(caught.value).startswith("results/left-out.json: ")
    assert said in str(caught.value)
    assert "accepted: the list that `lotus publish --into` writes" in str(caught.value)


def test_a_list_elsewhere_is_not_followed(write, tmp_path):
    elsewhere = tmp_path.parent / "list.json"
    elsewhere.write_text(text_of_list([]))
    layout.LEFT_OUT.symlink_to(elsewhere)
    with pytest.raises(LotusError, match="leads out of the project by a link"):
        left_out()
