"""`lotus methods`, `protocols`, `datasets`, `check-config` and `schema` list all that there is."""

import json
from pathlib import Path

import pytest
from commands import call
from project import ROOT

from lotus.config.register import REGISTER
from lotus.data import sources
from lotus.methods.base import registry


@pytest.mark.parametrize("name", registry.available())
def test_every_method_is_listed(name):
    listed = call("methods").output
    said = f"\n{listed}".partition(f"\n{name}\n")[2]
    for part in ("defaults: ", "reads: ", "source: "):
        assert part in said.split("\n\n")[0]


def test_a_method_is_listed_with_what_the_released_code_does():
    assert "M2: the sign is flipped" in call("methods").output


def test_every_switch_is_listed():
    listed = call("protocols").output
    for switch in REGISTER:
        assert f"\n{switch}  " in f"\n{listed}"


def test_every_data_set_is_listed_with_its_licence():
    listed = call("datasets").output
    for name in sources.available():
        said = f"\n{listed}".partition(f"\n{name}\n")[2]
        assert said.splitlines()[1].startswith("  licence: "), name


def test_a_configuration_is_summed_up():
    said = call("check-config", ROOT / "config/fashion-mini-studies.yaml").output
    assert "fashion-mini-vit-instance-10-corrected" in said
    assert "fashion-mini-resnet18-instance-10-corrected+m1: scrub\n" in said


def test_the_schema_is_that_of_the_repository():
    stored = (ROOT / "config/schema.json").read_text(encoding="utf-8")
    assert json.loads(call("schema").output) == json.loads(stored)


def test_a_plug_in_that_is_not_there_is_named_though_none_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "config/digits.yaml").read_text()
    Path("mine.yaml").write_text(f"{text}\nplugins: [nowhere.py, no_such.module, json]\n")
    done = call("check-config", "mine.yaml")
    assert done.exit_code == 1
    first, second = done.output.splitlines()
    assert "plugins.0 = 'nowhere.py': there is no such file; looked in" in first
    assert "plugins.1 = 'no_such.module': there is no such file or installed module" in second
