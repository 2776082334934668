"""The commands that are put together from the plan are those that the rules of the workflow ran."""

import json
import shlex
from pathlib import Path

import pytest

from lotus.plan.commands import RESULTS, RUNS, command_of, moved
from lotus.plan.declared import present
from lotus.plan.steps import Steps

# The quick check has no shadow models, and does not try its measures.
KINDS = [kind for kind in (*RUNS, *RESULTS) if kind not in ("attack_shadows", "measure_power")]


@pytest.fixture
def steps(finished, monkeypatch):
    monkeypatch.chdir(finished)
    return Steps(present([]).plan)


def record_of(step):
    records = step.outputs.get("records") or [step.outputs["record"]]
    return Path(records[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_of_a_step_is_the_recorded_one(steps, kind):
    made = [step for step in steps.of_kind(kind).values() if step.by_default]
    assert made
    for step in made:
        recorded = shlex.split(json.loads(record_of(step).read_text())["command"])
        assert recorded[:2] == ["lotus", "--log"]
        assert command_of(step) == recorded[3:]


@pytest.mark.parametrize("kind", KINDS)
def test_only_outputs_are_written_elsewhere(steps, kind):
    step = next(iter(steps.of_kind(kind).values()))
    here, there = command_of(step), command_of(moved(step, Path("/elsewhere")))
    differ = [(was, now) for was, now in zip(here, there, strict=True) if was != now]
    assert differ
    assert all(now == f"/elsewhere/{was}" for was, now in differ)
    assert {here[here.index(was) - 1] for was, _ in differ} <= {
        *("--entropies", "--out", "--record", "--records", "--scores", "--table")
    }
