"""What the list of steps says of code and of files is what the records of a finished run state."""

import json
from pathlib import Path

from lotus.config.origins import read_origin
from lotus.plan.making import make_plan
from lotus.plan.steps import Steps


def test_records_enter_the_modules_that_the_list_of_steps_names(finished, monkeypatch):
    monkeypatch.chdir(finished)
    origin = read_origin(Path("config/digits.yaml"))
    for step in Steps(make_plan(origin.content, [origin])):
        for expected in step.records if step.by_default else ():
            record = json.loads(Path(expected.path).read_text(encoding="utf-8"))
            assert record["code"]["entry"] == list(step.modules), step.kind
            assert set(record["outputs"]) == set(expected.outputs), step.kind
