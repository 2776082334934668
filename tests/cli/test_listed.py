"""Forget sets of single images from the command line, on images of one's own."""

import json
from pathlib import Path

import pytest
import raw_files
from commands import call

OPTIONS = "{source: image-folder, raw: birds/all.csv, held_out: 0.4}"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A store of images behind a list without parts, whose images show two subjects."""
    monkeypatch.chdir(tmp_path)
    raw_files.folders(tmp_path / "birds", {"ant": 5, "bee": 5})
    names = [f"{name}/{i:04d}.png" for name in ("ant", "bee") for i in range(5)]
    rows = [(name, name[:3], 17 + i % 2) for i, name in enumerate(names)]
    raw_files.table(tmp_path / "birds/all.csv", ("path", "label", "subject"), rows)
    for command in (
        ["fetch", "birds", "--options", OPTIONS, "--out", "raw.json"],
        ["store", "birds", "--options", OPTIONS, "--raw", "raw.json", "--out", "store"],
        ["verify", "store", "--options", OPTIONS, "--raw", "raw.json", "--out", "verified.json"],
    ):
        assert call(*command).exit_code == 0
    return tmp_path


def choose(scenario):
    arguments = ["--store", "store", "--seed", 1, "--out", "out.json", "--scenario", scenario]
    return call("choose-forget-set", *arguments)


def names():
    return json.loads(Path("store/names.json").read_text())["names"]


@pytest.mark.usefixtures("project")
def test_a_list_is_chosen_and_pictured():
    Path("case.csv").write_text(f"name\n{names()[1]}\n{names()[4]}\n")
    assert choose("{forget_list: case.csv}").exit_code == 0
    chosen = json.loads(Path("out.json").read_text())
    assert chosen["forget"] == [1, 4]
    assert chosen["rule"] == "2 images named in case.csv"
    record = json.loads(Path("out.record.json").read_text())
    assert {"case.csv", "store/names.json"} <= set(record["inputs"])
    sheet = ["--store", "store", "--forget-set", "out.json", "--out", "sheet.png"]
    assert call("picture-forget-set", *sheet).exit_code == 0
    assert json.loads(Path("sheet.json").read_text())["positions"] == [1, 4]


@pytest.mark.usefixtures("project")
def test_columns_and_patterns_are_chosen():
    assert choose("{forget_where: {subject: 17}}").exit_code == 0
    subjects = json.loads(Path("store/names.json").read_text())["columns"]["subject"]
    forgotten = json.loads(Path("out.json").read_text())["forget"]
    assert forgotten == [at for at in range(6) if subjects[at] == "17"]
    assert choose("{forget_glob: 'ant/*'}").exit_code == 0
    chosen = json.loads(Path("out.json").read_text())
    assert chosen["class_forgetting"]
    assert chosen["rule"] == (
        "3 training images whose names fit ant/*; all there is of the class ant"
    )


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ("{forget_list: absent.csv}", "absent.csv: was not found; it must be a CSV file\n"),
        ("{forget_list: a.json}", "--scenario: forget_list = 'a.json'"),
        ("{forget_where: {subject: 19}}", "no training image has subject = 19"),
        ("{forget_glob: cat/*}", "forget_glob: 'cat/*' fits the name of no image"),
        ("{forget_glob: 'ant/*', forget_class: ant}", "give one of forget_fraction"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_mistake_is_one_line_and_nothing_is_written(scenario, told):
    done = choose(scenario)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines(keepends=True)
    assert told in line
    assert not Path("out.json").exists()
    assert not Path("out.record.json").exists()
