"""SECURITY.md: results of strangers name plug-ins, and a configuration of one's own keeps these out."""

import json
import sys

import pytest
import yaml
from project import ROOT

from lotus.plan.declared import present

PLUGIN = """from pathlib import Path

from lotus.methods.base import register

Path("was-run").touch()
"""


@pytest.fixture
def stranger(tmp_path, monkeypatch):
    """A project with results whose description names a plug-in beside them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    settings = yaml.safe_load((ROOT / "config/digits.yaml").read_text(encoding="utf-8"))
    (tmp_path / "Snakefile").touch()
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "results").mkdir()
    described = {"settings": {**settings, "plugins": [f"results/{tmp_path.name}.py"]}}
    (tmp_path / "results/experiment.json").write_text(json.dumps(described))
    (tmp_path / f"results/{tmp_path.name}.py").write_text(PLUGIN)
    return tmp_path


def test_plugins_that_results_name_are_imported_as_the_page_says(stranger):
    (stranger / "config").mkdir()
    (stranger / "config/fashion-mini.yaml").write_text((stranger / "own.yaml").read_text())
    present([])
    assert (stranger / "was-run").exists()


def test_a_configuration_of_ones_own_keeps_them_out(stranger):
    present([stranger / "own.yaml"])
    assert not (stranger / "was-run").exists()
