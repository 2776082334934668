"""Comparisons as text and as JSON."""

import json

from small_experiment import compared

from lotus.diff import to_json
from lotus.diff import to_text as compare_text


def test_many_changes_are_numbered_in_ranges():
    assert compare_text._ids((1, 2, 3, 5, 7, 8)) == "[1–3, 5, 7–8]"


def test_the_json_is_strict_and_refers_to_changes_that_exist(experiment):
    b = experiment("b", alpha={"ours": 4.0}, effect={"ours": 0.5}, torch="2.1")
    found = to_json.as_json(compared(experiment("a"), b))
    text = json.dumps(found, allow_nan=False)
    ids = [change["id"] for change in json.loads(text)["changes"]]
    assert ids == list(range(1, len(ids) + 1))
    assert all(set(number["changes"]) <= {*ids} for number in found["numbers"])
    counts = [sum(id_ in number["changes"] for number in found["numbers"]) for id_ in ids]
    assert [change["moved"] for change in found["changes"]] == counts


def test_top_shows_the_largest_and_counts_the_rest(experiment):
    b = experiment("b", metrics_code="1", offset=0.5)
    found = compared(experiment("a"), b)
    text = "\n".join(compare_text.lines(found, 2))
    assert text.count("d-net-class-a-corrected") == 2
    assert "… and 9 more (--top)" in text
