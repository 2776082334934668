"""The one reader of records: form and seal are checked before anything in them is believed."""

import json
from pathlib import Path

import pytest
from hand_made import write_by_hand

from lotus.errors import LotusError
from lotus.records.files import as_text
from lotus.records.index import read_index
from lotus.records.reading import find_record, read_record
from lotus.records.record import write_record
from lotus.records.seal import FORMAT

RUN = Path("results/d/net/seed1/s/corrected/lotus/run.json")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_by_hand(RUN, about={"seed": 1}, notes={"outcome": "sound"})


def edit():
    content = json.loads(RUN.read_text())
    content["notes"]["outcome"] = "collapsed"
    RUN.write_text(as_text(content))


def test_a_record_is_read():
    record = read_record(RUN)
    assert record == find_record(RUN) == read_index().records[RUN.as_posix()]
    assert (record.about, record.problem) == ({"seed": 1}, "")
    assert not record.is_of_older_format


@pytest.mark.parametrize("number", [2, FORMAT])
def test_older_formats_are_read(number):
    write_by_hand(RUN, format=number, about={"seed": 1})
    assert read_record(RUN).is_of_older_format == (number < FORMAT)


def test_steps_and_the_audit_see_the_same_edit():
    edit()
    assert find_record(RUN).problem.startswith("it was edited")
    with pytest.raises(LotusError, match=r"run\.json: the record is damaged: it was edited"):
        read_record(RUN)


def test_what_a_step_builds_on_has_to_be_as_it_was_written():
    model = RUN.with_name("model.safetensors")
    model.write_text("weights")
    given = {"kind": "metrics", "modules": ["lotus.errors"], "about": {}, "settings": {}}
    write_record(Path("r.json"), **given, inputs=[model], outputs=[])
    edit()
    with pytest.raises(LotusError, match="edited"):
        write_record(Path("r.json"), **given, inputs=[model], outputs=[])


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": 3}'])
def test_what_is_no_record_is_refused(text):
    RUN.write_text(text)
    assert find_record(RUN).problem
    with pytest.raises(LotusError, match="the record is damaged"):
        read_record(RUN)


def test_an_absent_record_is_named():
    with pytest.raises(LotusError, match=r"other\.json: the record cannot be read"):
        read_record(Path("other.json"))


def test_a_record_at_another_place_is_read_and_makes_nothing_there():
    """A step can be told of a copy; to a project it says nothing of what lies beside the copy."""
    copy = RUN.parent.with_name("ssd") / "run.json"
    copy.parent.mkdir()
    copy.write_bytes(RUN.read_bytes())
    assert read_record(copy).content == read_record(RUN).content
    assert find_record(copy).problem == f"it is the record of {RUN}"
