"""What a crate says of files, settings, tools and steps."""

import json
from pathlib import Path

import pytest
from project_for_crates import (
    LIMIT,
    ORIGINAL,
    PAGE,
    PROJECT,
    RUN,
    STORE,
    edited,
    files_of,
    is_copied,
)
from run_crate import Metadata, demand_all, ids

from lotus.crate.export import export_crate
from lotus.crate.files import digest_uri
from lotus.crate.project import commit, configuration_files
from lotus.records.files import sha256
from lotus.records.index import read_index


def test_settings_are_values_of_their_types(crate):
    [action] = [a for a in crate.steps_run() if a["name"].startswith("unlearned")]
    values = {e["name"]: e for e in crate.at(action, "object") if e["@type"] == "PropertyValue"}
    assert {name: entity["value"] for name, entity in values.items()} == {
        "dataset": "tiny",
        "seed": 1,
        "row": "lotus",
        "method": "lotus",
        "hyperparameters.alpha": 0.5,
        "hyperparameters.flag": True,
        "hyperparameters.milestones": "[1, 2]",
    }
    slots = {name: crate.at(value, "exampleOfWork")[0] for name, value in values.items()}
    kinds = {name: slot["additionalType"] for name, slot in slots.items()}
    assert kinds["seed"] == "Integer"
    assert kinds["hyperparameters.alpha"] == "Float"
    assert kinds["hyperparameters.flag"] == "Boolean"
    assert kinds["method"] == kinds["hyperparameters.milestones"] == "Text"


def test_the_run_goes_from_what_was_given_to_what_is_shown(crate):
    run = crate.entities["#run"]
    assert [e["name"] for e in crate.at(run, "object")] == [
        "config/tiny.yaml",
        "data/raw/tiny.json",
    ]
    shown = {str(PAGE), "results/tables/t1.csv", "results/tables/t2.csv"}
    assert {e["name"] for e in crate.at(run, "result")} == shown


def test_what_is_copied_goes_by_form_and_size(crate):
    copied = {name: is_copied(entity) for name, entity in files_of(crate).items()}
    assert not copied[str(RUN / "model.safetensors")]
    assert not copied[str(STORE / "images.npy")]
    assert copied["results/tables/t1.csv"]
    assert not copied["results/tables/t2.csv"]
    assert copied[str(PAGE)]
    assert all(copied[name] for name in PROJECT)
    assert all(copied[path] for path in read_index().records)


def test_nothing_below_0_bytes_but_what_is_always_copied(project):
    export_crate(Path("../crate"), 0)
    copied = {name for name, entity in files_of(Metadata("../crate")).items() if is_copied(entity)}
    always = {"results/experiment.json", str(PAGE)}
    assert copied == {*PROJECT, *read_index().records, *always} - {"data/raw/tiny.json"}


def test_files_of_the_same_bytes_stay_apart(crate):
    one, other = (files_of(crate)[str(folder / "model.safetensors")] for folder in (ORIGINAL, RUN))
    assert one["sha256"] == other["sha256"]
    makers = [
        [a["name"] for a in crate.steps_run() if file["@id"] in ids(a, "result")]
        for file in (one, other)
    ]
    assert makers == [
        ["original: dataset tiny, seed 1, architecture net"],
        ["unlearned: dataset tiny, seed 1, row lotus"],
    ]


def test_the_uri_of_bytes_is_that_of_the_rfc():
    # RFC 6920, section 8.1, of the bytes `Hello World!`.
    digest = "7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"
    name = "f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
    assert digest_uri(digest, "a+b/c d") == f"ni:///sha-256;{name}#a%2Bb/c%20d"


def test_where_dvc_holds_a_file_is_told(crate):
    held = files_of(crate)[str(STORE / "images.npy")]
    assert held["identifier"] == "data.dvc: files/md5/01/23.dir"
    assert "identifier" not in files_of(crate)["Snakefile"]


def test_a_file_that_is_gone_is_still_named_by_its_bytes(project):
    gone = RUN / "predictions.npz"
    digest = sha256(gone)
    gone.unlink()
    export_crate(Path("../crate"), LIMIT)
    metadata = Metadata("../crate")
    demand_all(metadata)
    assert files_of(metadata)[str(gone)]["sha256"] == digest
    assert "contentSize" not in files_of(metadata)[str(gone)]


def test_steps_of_two_versions_of_the_package_have_two_tools(project):
    path = Path("results/records/tables/t1.table.json")
    code = json.loads(path.read_text())["code"]
    edited(path, code={**code, "package": "another", "commit": "c0ffee", "dirty": False})
    Path("results/records/ledger.json").unlink()
    export_crate(Path("../crate"), LIMIT)
    metadata = Metadata("../crate")
    demand_all(metadata)
    [step] = [step for step in metadata.of("HowToStep") if step["name"] == "table"]
    versions = {tool["softwareVersion"] for tool in metadata.at(step, "workExample")}
    assert versions == {"another", code["package"]}


CLEAN = {"commit": "c0ffee", "dirty": False}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([CLEAN, CLEAN], "c0ffee"),
        ([CLEAN, {**CLEAN, "commit": "abad1dea"}], ""),
        ([{**CLEAN, "dirty": True}] * 2, ""),
        ([CLEAN, {**CLEAN, "dirty": True}], ""),
        ([{"commit": None, "dirty": None}] * 2, ""),
    ],
)
def test_the_workflow_has_a_version_if_all_ran_what_lies_here(states, expected):
    assert commit(states) == expected


def test_configuration_of_the_project_is_part_of_the_crate(project):
    named = ["config/tiny.yaml", "config/gone.yaml", str(Path("config/tiny.yaml").absolute())]
    assert configuration_files(named) == ["config/tiny.yaml"]
