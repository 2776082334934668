"""Scenarios of single images: their keys, their names, and what a mistake in them is answered with."""

import json

import jsonschema
import pytest
from project import ROOT
from small_configuration import change, plan_of

from lotus.config.mistakes import check
from lotus.config.scenarios import Scenario
from lotus.errors import LotusError
from lotus.results.titles import scenario_title

KINDS = {
    "forget_list": "requests/case-7.csv",
    "forget_where": {"subject": 17},
    "forget_glob": "subject17/*",
}


@pytest.mark.parametrize("kind", KINDS)
def test_such_scenarios_are_called_listed(kind):
    scenario = Scenario(**{kind: KINDS[kind]})
    assert scenario.kind == kind
    assert scenario.is_listed
    assert scenario.canonical_name == "listed"
    for name in ("listed", "case-7-listed"):
        assert scenario.is_called(name)
    for name in ("case-7", "unlisted", "listed-case-7", "instance-10"):
        assert not scenario.is_called(name)
    assert not scenario.forgets_a_class
    assert not scenario.depends_on_seed
    assert not scenario.has_rule
    assert not Scenario(forget_fraction=0.1).is_listed


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_step_is_told_is_the_scenario_again(kind):
    scenario = Scenario(**{kind: KINDS[kind]})
    told = json.loads(json.dumps(scenario.told("resnet18")))
    assert list(told) == [kind]
    assert check(Scenario, told, "--scenario") == scenario
    settings = json.loads(json.dumps(scenario.model_dump(exclude_none=True)))
    assert Scenario.model_validate_json(json.dumps(settings)) == scenario


def test_values_are_texts_in_one_form():
    scenario = Scenario(forget_where={"e\u0301": [17, " x ", "e\u0301"], "camera": "007"})
    assert scenario.forget_where == {"é": ("17", "x", "é"), "camera": ("007",)}
    assert Scenario(forget_glob=["a", "b"]).forget_glob == ("a", "b")


@pytest.mark.parametrize(
    ("name", "scenario", "parts"),
    [
        ("case-7", {"forget_list": "a.csv"}, ["must be called 'listed', or a name that ends in '-listed'"]),
        ("listed", {"forget_list": "a.json"}, [".forget_list = 'a.json'", "ends in .csv or .txt"]),
        ("listed", {"forget_list": ["a.csv"]}, [".forget_list", "must be"]),
        ("listed", {"forget_where": {}}, [".forget_where: needs a column and its value, as {subject: 17}"]),
        ("listed", {"forget_where": "subject"}, [".forget_where = 'subject'", "must be a mapping"]),
        ("listed", {"forget_where": {"subject": []}}, [".forget_where: subject: needs a value"]),
        ("listed", {"forget_where": {"subject": True}}, ["subject: must be text or", "not True; write it"]),
        ("listed", {"forget_where": {"subject": [1.5]}}, ["not 1.5; write it in quotes"]),
        ("listed", {"forget_where": {"subject": {"a": 1}}}, ["must be text or a whole number, or a list"]),
        ("listed", {"forget_glob": []}, [".forget_glob", "at least 1"]),
        ("listed", {"forget_glob": ""}, [".forget_glob", "must not be empty"]),
        ("listed", {"forget_glob": 3}, [".forget_glob = 3", "must be a list"]),
        ("listed", {"forget_glob": "a", "forget_list": "a.csv"}, ["give one of", ", forget_glob"]),
        ("listed", {"forget_glob": "a", "forget_rule": "random"}, ["forget_rule = random works only with"]),
        ("listed", {"forget_globs": "a"}, [".forget_globs: unknown key; did you mean 'forget_glob'?"]),
    ],
)  # fmt: skip
def test_mistakes(content, name, scenario, parts):
    scenarios = {**content["scenarios"], name: scenario}
    with pytest.raises(LotusError) as error:
        plan_of(change(content, ["scenarios"], scenarios))
    (line,) = str(error.value).splitlines()
    assert f"scenarios.{name}" in line
    for part in parts:
        assert part in line, line


def test_several_requests_each_have_a_list(content):
    scenarios = {f"case-{n}-listed": {"forget_list": f"requests/{n}.csv"} for n in (7, 8)}
    content["scenarios"] |= scenarios
    content["grid"][0]["scenarios"] += list(scenarios)
    plan = plan_of(content)
    assert {"case-7-listed", "case-8-listed"} <= {cell.scenario for cell in plan.cells}


def test_editors_take_the_same_values():
    schema = json.loads((ROOT / "config/schema.json").read_text())
    section = {**schema["$defs"]["Scenario"], "$defs": schema["$defs"]}
    for given in (KINDS, {"forget_where": {"subject": ["a", 17]}}, {"forget_glob": ["a", "b"]}):
        jsonschema.validate(given, section)
    for given in ({"forget_where": {"a": 1.5}}, {"forget_where": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(given, section)


def test_titles_say_what_is_forgotten():
    assert scenario_title("listed") == "listed images forgotten"
    assert scenario_title("case-7-listed") == "listed images of case-7 forgotten"
