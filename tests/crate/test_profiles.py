"""Crates are as their profiles demand, and what is missing is noticed."""

import copy
import json

import pytest
from project_for_crates import PAGE
from rocrate.rocrate import ROCrate
from run_crate import DEMANDS, Metadata, demand_all

from lotus.crate.export import export_crate
from lotus.records.environment import git_state
from lotus.records.index import read_index


@pytest.mark.parametrize("demand", DEMANDS)
def test_the_crate_is_as_the_profiles_demand(crate, demand):
    demand(crate)


def test_the_crate_of_a_finished_run_is_as_the_profiles_demand(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished)
    written = export_crate(tmp_path / "crate", 100_000)
    metadata = Metadata(tmp_path / "crate")
    demand_all(metadata)
    actions_are_the_records(metadata)
    assert written.steps > 100
    assert (tmp_path / "crate" / PAGE).is_file()
    assert not list((tmp_path / "crate").rglob("*.safetensors"))
    assert metadata.workflow["version"] == git_state()["commit"]


DAMAGE = [
    ("CreateAction", "instrument"),
    ("CreateAction", "result"),
    ("ControlAction", "object"),
    ("HowToStep", "workExample"),
    ("HowToStep", "position"),
    ("FormalParameter", "additionalType"),
    ("OrganizeAction", "object"),
    ("File", "sha256"),
    ("File", "exampleOfWork"),
    ("HowTo", "hasPart"),
    ("Dataset", "conformsTo"),
    ("CreativeWork", "@id"),
]


@pytest.mark.parametrize(("kind", "key"), DAMAGE)
def test_the_demands_notice_what_is_missing(crate, kind, key):
    damaged = copy.deepcopy(crate.content)
    entity = next(e for e in damaged["@graph"] if kind in e["@type"] and key in e)
    entity[key] = "#other" if key == "@id" else "0" * 64 if key == "sha256" else []
    (crate.folder / "ro-crate-metadata.json").write_text(json.dumps(damaged))
    with pytest.raises((AssertionError, ValueError, KeyError)):
        demand_all(Metadata(crate.folder))


def test_the_library_reads_it_back(crate):
    read = ROCrate(crate.folder)
    assert read.mainEntity.id == "Snakefile"
    assert read.name == "Tiny: tiny run"
    assert [author["name"] for author in read.mainEntity["author"]] == ["A. B", "C"]
    assert len(list(read.get_entities())) == len(crate.graph)


def actions_are_the_records(metadata):
    """One action a record, with the record's digests, settings and times."""
    records = read_index().records
    actions = metadata.steps_run()
    assert len(actions) == len(records)
    for action in actions:
        digests = {e["name"]: e["sha256"] for e in metadata.at(action, "result")}
        [path] = digests.keys() & records.keys()
        found = records[path]
        assert digests == {**found.outputs, path: found.sha256}
        read = metadata.at(action, "object")
        assert {e["name"]: e["sha256"] for e in read if e["@type"] == "File"} == found.inputs
        values = {e["name"]: e["value"] for e in read if e["@type"] == "PropertyValue"}
        for key, value in found.about.items():
            assert values[key] == value
        assert action["startTime"] == found.started
        assert found.content["command"] in action["description"]


def test_actions_are_the_records(crate):
    actions_are_the_records(crate)
