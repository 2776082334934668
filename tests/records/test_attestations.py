"""Attestations as they are read: nothing in one is believed that does not follow from the rest."""

import json
from pathlib import Path

import pytest
from attested import attestation_of, file_of, run_of, step_of

from lotus import layout
from lotus.records.attestations import (
    CLOSE,
    FAILED,
    OTHER,
    SAME,
    UNCOMPARED,
    find_attestation,
    outdated,
)
from lotus.records.attested_words import FROM_WEIGHTS
from lotus.records.files import sha256, write_json
from lotus.records.seal import sealed

RUNS = [f"results/toy/run{number}" for number in range(6)]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in RUNS:
        Path(run).mkdir(parents=True)
        for name in layout.RUN_FILES.values():
            Path(run, name).write_text(f"{run}/{name}")


def runs_of(count):
    from lotus.records.draws import draw

    return {run: run_of(run) for run in draw(RUNS, count, 1)}


def read(content):
    write_json(Path("a.json"), content)
    return find_attestation(Path("a.json"))


def test_a_sound_one_is_read():
    found = read(attestation_of(runs_of(2), RUNS))
    assert found.problem == ""
    assert found.content.summary() == "2 of 6 runs (seed 1) made again whole: 2 same bytes"
    assert list(found.content.differences()) == []
    assert not found.is_signed


def change(place, value):
    def edit(content):
        part = content
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (change(["draw", "seed"], 2), "not those of seed 2"),
        (change(["draw", "drawn"], RUNS[:2]), "not those of seed 1"),
        (change(["draw", "population"], RUNS + RUNS[:1]), "twice in the population"),
        (change(["draw", "population", 0], "../elsewhere"), "does not lie in the project"),
        (change(["draw", "count"], 3), "not those of seed 1"),
        (lambda content: content["runs"].reverse(), "not those that were drawn"),
        (change(["by_bytes"], 6), "by_bytes is not the number"),
        (change(["chances", 2, "missed"], 0.0), "chances do not follow"),
        (change(["runs", 0, "finding"], OTHER), "by_bytes is not the number"),
        (change(["runs", 0, "said"], "burnt"), "does not follow from its files"),
        (change(["runs", 0, "files"], {}), "are not those of the run"),
        (lambda content: content["runs"][0]["files"].popitem(), "are not those of the run"),
        (change(["draw", "depth"], FROM_WEIGHTS), "proves something else"),
        (change(["proves"], ["Everything is true."]), "proves something else"),
        (change(["proves"], []), "proves something else"),
        (change(["tolerances", "numbers"], "whatever"), "not those by which this version judges"),
        (change(["runs", 0, "finding"], "fine"), "accepted: same bytes"),
        (change(["format"], 2), "format"),
        (change(["more"], 1), "more"),
        (lambda content: content.pop("proves"), "proves"),
    ],
)
def test_what_does_not_follow_is_refused_even_if_it_is_sealed(edit, said):
    content = attestation_of(runs_of(2), RUNS)
    edit(content)
    assert said in read(sealed(content)).problem


def test_a_finding_that_is_better_than_its_files_is_refused():
    runs = runs_of(1)
    (folder,) = runs
    runs[folder] = run_of(folder, OTHER, "x")
    content = attestation_of(runs, RUNS)
    assert read(content).problem == ""
    content["runs"][0]["finding"] = CLOSE
    assert "does not follow from its files" in read(sealed(content)).problem


@pytest.mark.parametrize("digest", ["0" * 64, None])
def test_bytes_that_are_said_to_be_the_same_have_the_same_digest(digest):
    runs = runs_of(1)
    (folder,) = runs
    path = f"{folder}/predictions.npz"
    runs[folder][path]["again"] = digest
    content = attestation_of(runs, RUNS)
    assert f"{path}: its finding does not follow" in read(content).problem


def result_of(path, finding=SAME, elsewhere="", **edits):
    """A step of results, and its record, whose file lies there."""
    record = layout.record_of(Path(path)).as_posix()
    for file in (path, record):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(file)
    files = {path: file_of(path, finding) | edits, record: file_of(record)}
    return step_of(path, files, "make_table") | {"elsewhere": elsewhere}


TABLE, FIGURE = "results/tables/t.csv", "results/figures/f.svg"


@pytest.mark.parametrize(
    "sound",
    [
        lambda: result_of(TABLE),
        lambda: result_of(TABLE, OTHER),
        lambda: result_of(TABLE, CLOSE, "torch 2, here 3"),
        lambda: result_of(FIGURE, UNCOMPARED, "torch 2, here 3"),
        lambda: result_of(TABLE, OTHER, there=None),
    ],
)
def test_findings_on_results_follow_from_digests(sound):
    assert read(attestation_of(runs_of(1), RUNS, [sound()])).problem == ""


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        # As if only bytes counted, and others came out.
        (lambda: [result_of(TABLE, CLOSE)], "does not follow from its digests"),
        (lambda: [result_of(FIGURE, UNCOMPARED)], "does not follow from its digests"),
        (lambda: [result_of(TABLE, UNCOMPARED, "x")], "does not follow from its digests"),
        (lambda: [result_of(FIGURE, CLOSE, "x")], "does not follow from its digests"),
        # Of a file that was not there no digest is held against anything.
        (lambda: [result_of(TABLE, CLOSE, "x", there=None)], "does not follow from its digests"),
        (lambda: [result_of(TABLE, CLOSE, "x", again=None)], "does not follow from its digests"),
        (lambda: [result_of(TABLE)] * 2, "a file stands in two steps"),
        (lambda: [result_of(TABLE) | {"about": FIGURE}], "not a result and its record"),
        (lambda: [result_of(TABLE) | {"files": {}}], "not a result and its record"),
        (lambda: [without_record()], "not a result and its record"),
        (lambda: [of_run()], "not a result and its record"),
        (lambda: [result_of(TABLE), made_of(TABLE, "1" * 64)], "is stated with two digests"),
        (
            lambda: [result_of(TABLE) | {"inputs": {"a.json": "2" * 64}}, made_of("a.json")],
            "a.json: is stated with two digests",
        ),
    ],
)
def test_results_that_do_not_follow_are_refused(forged, said):
    assert said in read(attestation_of(runs_of(1), RUNS, forged())).problem


def without_record():
    step = result_of(TABLE)
    step["files"].popitem()
    return step


def of_run():
    """A run that was not drawn, among the results."""
    (other,) = {*RUNS} - {*runs_of(5)}
    return step_of(f"{other}/predictions.npz", run_of(other))


def made_of(path, digest="1" * 64):
    return result_of(FIGURE) | {"inputs": {path: digest}}


def test_an_edited_one_shows_it():
    content = attestation_of(runs_of(2), RUNS)
    content["made"]["hardware"]["processor"] = "another"
    assert read(content).problem == "it was edited: it does not have the digest that it states"


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"format": 1}', '{"a": 1, "a": 2}'])
def test_whatever_lies_there_ends_in_one_line(text):
    Path("a.json").write_text(text)
    problem = find_attestation(Path("a.json")).problem
    assert problem
    assert "\n" not in problem


def test_an_absent_one_is_told():
    assert "No such file" in find_attestation(Path("b.json")).problem


def test_differences_are_told_each_in_a_line():
    runs = runs_of(2)
    folder = next(iter(runs))
    path = f"{folder}/predictions.npz"
    runs[folder] = run_of(folder, OTHER, "made again, it has other bytes")
    results = [
        step_of("results/tables/t.csv", {}, "make_table") | {"finding": FAILED, "said": "no"}
    ]
    found = read(attestation_of(runs, RUNS, results)).content
    assert list(found.differences()) == [
        f"{path}: made again, it has other bytes",
        "results/tables/t.csv: cannot be made again: no",
    ]
    assert found.by_bytes == 1
    assert found.summary().endswith(": 1 same bytes, 1 other, 1 failed")


def test_outdated_is_what_has_another_digest_now():
    content = read(attestation_of(runs_of(6), RUNS)).content
    now = {path: sha256(Path(path)) for path in content.files}
    assert outdated(content, now) == []
    path = f"{RUNS[3]}/predictions.npz"
    assert outdated(content, now | {path: "0" * 64}) == [path]
    # Of what is not looked at nothing is said.
    assert outdated(content, {}) == []


def test_the_text_is_what_json_says_and_no_more():
    content = attestation_of(runs_of(2), RUNS)
    write_json(Path("a.json"), content)
    assert json.loads(Path("a.json").read_text()) == content
    assert content["runs"][0]["finding"] == SAME
