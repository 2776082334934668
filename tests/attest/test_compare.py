"""What was made again against what lies there: bytes count, unless the record names another machine."""

import json
from pathlib import Path

import pytest
from hand_made import write_by_hand

from lotus.attest.compare import compare_files, compare_records, elsewhere, other_code
from lotus.records.attestations import CLOSE, OTHER, SAME, UNCOMPARED
from lotus.records.reading import find_record

HERE = {
    "kind": "table",
    "hardware": {"processor": "abacus", "system": "Linux", "device": "cpu", "threads": 1},
    "versions": {"python": "3.11", "torch": "2.0", "dvc": "3"},
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("again").mkdir()


def record(name="run.json", **parts):
    return find_record(write_by_hand(Path(name), **{**HERE, **parts}))


def pair(was, now, name="table.csv"):
    for folder, text in ((".", was), ("again", now)):
        if text is not None:
            Path(folder, name).write_text(text)
    return name, Path("again", name)


@pytest.mark.parametrize(
    ("was", "now", "is_elsewhere", "finding", "said"),
    [
        ("a,0.125", "a,0.125", False, SAME, ""),
        ("a,0.125", "a,0.1250001", False, OTHER, "made again, it has other bytes"),
        ("a,0.125", "a,0.1250000001", True, CLOSE, ""),
        ("a,0.125", "a,0.135", True, OTHER, "0.125, made again 0.135"),
        (None, "a", True, OTHER, "absent"),
        ("a", None, True, OTHER, "the step, done again, does not write it"),
    ],
)
def test_a_file(was, now, is_elsewhere, finding, said):
    found = compare_files(*pair(was, now), is_elsewhere, None)
    assert (found.finding, found.said) == (finding, said)


def test_pictures_are_not_compared_across_machines():
    places = pair("<svg/>", "<svg />", "figure.svg")
    assert compare_files(*places, True, None).finding == UNCOMPARED
    assert compare_files(*places, False, None).finding == OTHER


def test_other_code_is_named_as_what_can_explain_other_bytes():
    was, now = record(), record("again.json", code={"step": "1" * 16})
    hint = other_code(was, now)
    assert hint.startswith("; its record names other code")
    assert other_code(was, was) == ""
    assert compare_files(*pair("a", "b"), False, None, hint).said.endswith(hint)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"hardware": {**HERE["hardware"], "memory": 1}}, ""),
        ({"versions": {**HERE["versions"], "dvc": "4"}}, ""),
        ({"hardware": {**HERE["hardware"], "processor": "b"}}, "processor abacus, here b"),
        ({"versions": {**HERE["versions"], "torch": "2.1"}}, "torch 2.0, here 2.1"),
        ({"hardware": {**HERE["hardware"], "device": "cuda:0"}}, "device cpu, here cuda"),
        ({"hardware": {**HERE["hardware"], "precision": "fp32", "compile": "off"}}, ""),
        (
            {"hardware": {**HERE["hardware"], "precision": "bf16"}},
            "precision fp32, here bf16",
        ),
    ],
)
def test_another_machine_is_what_can_change_a_bit(change, said):
    assert elsewhere(record(), record("again.json", **change)) == said


@pytest.mark.parametrize("now", ["cuda:1", "cuda"])
def test_which_of_several_equal_gpus_it_was_changes_nothing(now):
    on_gpu = HERE["hardware"] | {"device": "cuda:0", "device_name": "Abacus 9000"}
    was = record(hardware=on_gpu)
    assert elsewhere(was, record("again.json", hardware=on_gpu | {"device": now})) == ""
    other = record("again.json", hardware=on_gpu | {"device_name": "Abacus 100"})
    assert elsewhere(was, other) == "device_name Abacus 9000, here Abacus 100"


def test_a_record_that_cannot_be_read_names_no_other_machine():
    damaged = record()
    Path("run.json").write_text("{}")
    assert elsewhere(find_record(Path("run.json")), damaged) == ""


NOTES = {
    "outcome": "sound",
    "epochs": [{"epoch": 0, "loss": 0.5, "seconds": 1.0}],
    "resumed_after_epochs": [],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"notes": {**NOTES, "resumed_after_epochs": [3]}}, ""),
        ({"notes": {**NOTES, "epochs": [{**NOTES["epochs"][0], "seconds": 9.0}]}}, ""),
        ({"hardware": {}}, ""),
        ({"about": {"seed": 2}}, "about: seed: 1, made again 2"),
        ({"settings": {"a": {"b": 2}}}, "settings: a: b: 1, made again 2"),
        ({"inputs": {"x": "1" * 64}}, "inputs: not made of x as it lies here"),
        ({"inputs": {}}, "inputs: not made of x as it lies here"),
        ({"notes": {**NOTES, "outcome": "collapsed: x"}}, "notes: outcome: other than"),
        ({"notes": {**NOTES, "epochs": []}}, "notes: epochs: other than"),
        ({"notes": {**NOTES, "more": 1}}, "notes: more: other than"),
    ],
)
def test_a_record_is_compared_in_all_but_times_and_machine(change, said):
    parts = {
        "about": {"seed": 1},
        "settings": {"a": {"b": 1}},
        "inputs": {"x": "0" * 64},
        "notes": NOTES,
    }
    was, now = record(**parts), record("again.json", **{**parts, **change})
    found = compare_records(was, now, is_elsewhere=False, is_whole=True)
    assert found.finding == (OTHER if said else SAME)
    assert found.said.startswith(said)


def test_elsewhere_a_training_reports_otherwise_and_its_outcome_counts():
    was = record(notes=NOTES)
    for notes, finding in (
        ({**NOTES, "epochs": []}, SAME),
        ({**NOTES, "outcome": "collapsed: x"}, OTHER),
    ):
        now = record("again.json", notes=notes)
        assert compare_records(was, now, True, True).finding == finding


def test_what_asks_its_own_weights_reads_them_besides():
    was, now = (
        record(inputs={"x": "0" * 64}),
        record("a.json", inputs={"x": "0" * 64, "w": "1" * 64}),
    )
    assert compare_records(was, now, False, is_whole=False).finding == SAME
    assert compare_records(was, now, False, is_whole=True).said == (
        "inputs: not made of w as it lies here"
    )


def test_an_edited_record_differs_by_that():
    now = record()
    content = json.loads(Path("run.json").read_text())
    Path("run.json").write_text(json.dumps(content | {"kind": "figure"}))
    found = compare_records(find_record(Path("run.json")), now, False, True)
    assert found.finding == OTHER
    assert found.said.startswith("it was edited: ")
