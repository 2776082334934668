"""The audit says which configuration it holds a folder against, and why this one."""

import json
import os
import shutil
from pathlib import Path

import pytest
from commands import call
from project import ROOT

from lotus.audit import to_text
from lotus.audit.project import audit_project

RECORD = Path("results/records/experiment.json")
EXPERIMENT = Path("results/experiment.json")
DIGITS = "config/digits.yaml"
DEFAULT = "config/fashion-mini.yaml, the default configuration: "
SETTINGS = f"the settings in {EXPERIMENT}: "


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with configurations, in which nothing was run."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", "config")
    Path("Snakefile").touch()


@pytest.fixture
def described():
    """The experiment of config/digits.yaml was run, as far as its description."""
    describe(files=[DIGITS], given={})


def describe(**origins):
    config = Path(DIGITS).read_text(encoding="utf-8")
    done = call(
        *("describe", "--config", config, "--origins", json.dumps(origins)),
        *("--out", EXPERIMENT, "--record", RECORD),
    )
    assert done.exit_code == 0, done.output


def held_against(*configfiles):
    """What the audit says in text and in JSON."""
    found = audit_project([Path(name) for name in configfiles])
    stated = json.loads(to_text.as_json(found))["held_against"]
    assert to_text.as_text(found).splitlines()[-2] == f"Held against {stated}."
    return stated


def test_the_default_configuration_where_nothing_was_run():
    assert held_against() == f"{DEFAULT}there is no record of an experiment here"


@pytest.mark.usefixtures("described")
def test_the_files_by_which_the_results_were_made():
    assert held_against() == f"{DIGITS}, by which the results were made"


def test_settings_given_beside_the_files():
    describe(files=[DIGITS], given={"limit": 150})
    assert (
        held_against() == f'{DIGITS} with --config {{"limit": 150}}, by which the results were made'
    )


@pytest.mark.usefixtures("described")
def test_the_files_that_are_named():
    own = shutil.copy(DIGITS, "own.yaml")
    assert held_against(own) == "own.yaml, given by --configfile"
    named = held_against(DIGITS, own)
    assert named == f"{DIGITS} and own.yaml, given by --configfile"


@pytest.mark.usefixtures("described")
def test_the_settings_where_the_files_are_not_here():
    Path(DIGITS).unlink()
    reason = f"{DIGITS}, by which the results were made, cannot be found here"
    assert held_against() == SETTINGS + reason


SECRET = "machine example.org password hunter2\n: ["


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize("by", ["name", "..", "~", "link", "linked folder"])
def test_no_file_outside_is_read_or_quoted(tmp_path_factory, monkeypatch, by):
    """A record can name any file of this machine as the configuration; a mistake in it would be quoted."""
    outside = tmp_path_factory.mktemp("outside")
    monkeypatch.setenv("HOME", str(outside))
    (outside / "netrc").write_text(SECRET)
    Path("linked").symlink_to(outside / "netrc")
    Path("folder").symlink_to(outside)
    named = {"name": f"{outside}/netrc", "..": os.path.relpath(outside / "netrc"), "~": "~/netrc"}
    named |= {"link": "linked", "linked folder": "folder/netrc"}
    describe(files=[named[by]], given={})
    said = held_against()
    assert said.startswith(f"{SETTINGS}{named[by]}, by which the results were made, ")
    assert "the project" in said
    for arguments in (["audit"], ["audit", "--json"]):
        assert "hunter2" not in call(*arguments).output


@pytest.mark.usefixtures("described")
def test_the_settings_where_their_record_is_absent_or_damaged():
    text = RECORD.read_text(encoding="utf-8")
    RECORD.write_text(text.replace("digits", "digit5"), encoding="utf-8")
    reason = (
        f"{RECORD}, which names its files, is damaged (it was edited: it does not have the digest"
    )
    assert held_against().startswith(SETTINGS + reason)
    RECORD.unlink()
    assert held_against() == f"{SETTINGS}there is no record of an experiment here"


@pytest.mark.usefixtures("described")
def test_the_default_configuration_where_all_else_is_damaged():
    EXPERIMENT.write_text("{")
    RECORD.unlink()
    reason = "there is no record of an experiment here, and results/experiment.json is damaged"
    assert held_against() == DEFAULT + reason
