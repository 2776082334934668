"""SECURITY.md: what inspects the results of somebody else runs no code of theirs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hand_made import write_by_hand
from project import ROOT

from lotus import layout
from lotus.config.origins import Origin
from lotus.errors import LotusError
from lotus.plan.declared import present
from lotus.plan.making import make_plan

PLUGIN = """from dataclasses import dataclass
from pathlib import Path

from lotus.methods.base import register

Path("was-run").touch()
STEPS = 2 + 1


@register("theirs", released={"M8": {"strength": 2.0}})
@dataclass(frozen=True)
class Theirs:
    strength: float = 0.5
    steps: int = STEPS

    def unlearn(self, task):
        return task.student()
"""
PLANTED = "from pathlib import Path\nPath('was-run').touch()\n"


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A project with results whose description names a plug-in beside them."""
    monkeypatch.chdir(tmp_path)
    settings = yaml.safe_load((ROOT / "config/digits.yaml").read_text(encoding="utf-8"))
    settings["methods"] = {"theirs": {"strength": "1e-1"}, "finetune": {}}
    settings["grid"] = [{**settings["grid"][0], "methods": ["theirs", "finetune"]}]
    settings["plugins"] = [f"results/{tmp_path.name}.py"]
    settings.pop("overrides", None)
    settings.pop("tuning", None)
    for name in ("Snakefile", "config/fashion-mini.yaml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(yaml.safe_dump(settings))
    Path("results").mkdir()
    Path("results/experiment.json").write_text(json.dumps({"settings": settings}))
    Path(settings["plugins"][0]).write_text(PLUGIN)
    return tmp_path


def run_lotus(*words):
    """Runs the command as somebody does in that folder; returns what it says."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from lotus.cli.main import main; main()", *words]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("audit",),
        ("audit", "--configfile", "config/fashion-mini.yaml"),
        ("restore", "--list"),
        ("check-config", "config/fashion-mini.yaml"),
        ("publish",),
        ("lineage", "results/experiment.json"),
        ("export-crate", "crate.zip"),
    ],
)
def test_inspecting_runs_no_plugin_and_no_module_beside_the_results(stranger, words):
    # Modules that libraries look for and do without.
    for name in ("orjson", "simplejson", "cupy", "polars", "pyarrow", "bottleneck", "numexpr"):
        Path(f"{name}.py").write_text(PLANTED)
    said = run_lotus(*words)
    assert not Path("was-run").exists()
    assert "Traceback" not in said


def test_checking_a_configuration_says_that_plugins_were_not_run(stranger):
    said = run_lotus("check-config", "config/fashion-mini.yaml")
    assert "plug-ins were read, not run" in said
    run_lotus("check-config", "config/fashion-mini.yaml", "--import-plugins")
    assert Path("was-run").exists()


def write_run(path, hyperparameters):
    settings = {"hyperparameters": hyperparameters}
    write_by_hand(path, settings=settings, about={"seed": 13}, notes={"outcome": "sound"})


def plan_of_stranger():
    plan = present([]).plan
    assert not Path("was-run").exists()
    return plan, next(cell for cell in plan.benchmarks if cell.protocol == "corrected")


def test_what_a_source_says_of_its_method_is_known_without_running_it(stranger):
    plan, cell = plan_of_stranger()
    assert plan.hyperparameters(cell, "theirs") == {"strength": "1e-1"}
    released = cell.under("released-e1")
    assert plan.home(released, "theirs") != plan.home(cell, "theirs")
    with pytest.raises(LotusError, match=r"strenght = 1: unknown hyper-parameter.*steps, strength"):
        settings = json.loads(Path("results/experiment.json").read_text())["settings"]
        settings["methods"]["theirs"] = {"strenght": 1}
        make_plan(settings, [Origin("theirs.yaml", settings)], import_plugins=False)
    assert not Path("was-run").exists()


@pytest.mark.parametrize(
    ("stated", "is_taken"),
    [
        ({"strength": 0.1, "steps": 3}, True),
        ({"strength": 0.2, "steps": 3}, False),
        ({"steps": 3}, False),
        ({"strength": True, "steps": 3}, False),
        ({"strength": 0.1}, True),
    ],
)
def test_what_a_source_computes_is_taken_from_records_that_agree_with_it(
    stranger, stated, is_taken
):
    plan, cell = plan_of_stranger()
    home = plan.home(cell, "theirs")
    path = layout.run_files(layout.run_folder(home, 3407, "theirs"))["record"]
    write_run(path, stated)
    known = stated if is_taken else {"strength": "1e-1"}
    assert plan.hyperparameters(home, "theirs") == known


def test_a_method_that_a_source_does_not_plainly_register_is_as_its_records_say(stranger):
    file = Path(json.loads(Path("results/experiment.json").read_text())["settings"]["plugins"][0])
    file.write_text(PLUGIN.replace('"theirs"', '"".join(["the", "irs"])'))
    plan, cell = plan_of_stranger()
    path = layout.run_files(layout.run_folder(plan.home(cell, "theirs"), 13, "theirs"))["record"]
    write_run(path, {"strength": 0.1, "other": [1]})
    assert plan.hyperparameters(cell, "theirs") == {"strength": 0.1, "other": [1]}


@pytest.mark.parametrize("text", ["def f(:", "", "x = '\0'", None])
def test_a_plugin_that_cannot_be_read_is_no_error_of_an_inspection(stranger, text):
    file = Path(json.loads(Path("results/experiment.json").read_text())["settings"]["plugins"][0])
    file.unlink() if text is None else file.write_text(text)
    plan, cell = plan_of_stranger()
    assert plan.hyperparameters(cell, "theirs") == {"strength": "1e-1"}
