"""`lotus methods`, `protocols`, `datasets`, `check-config` and `schema` list all that there is."""

import json

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
