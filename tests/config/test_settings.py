"""Configurations that are accepted, and how their values are read."""

import json

import pytest
from project import ROOT
from small_configuration import change, plan_of

from lotus.config.architectures import ARCHITECTURE
from lotus.config.cells import Benchmark
from lotus.config.origins import typed
from lotus.plan.declared import declared
from lotus.plan.schema import json_schema

CONFIGS = sorted(ROOT.glob("config/*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configurations_are_accepted(path):
    assert declared([path], {}).plan.benchmarks


def test_schema_file_is_generated_from_the_settings():
    written = json.loads((ROOT / "config/schema.json").read_text())
    assert written == json_schema(), "out of date: run `lotus schema > config/schema.json`"


def test_pretrained_weights_as_they_come_are_an_original(content):
    file = {"file": "not/there/yet.safetensors", "sha256": "0" * 64}
    content["overrides"] = []
    for weights in ({}, {"weights": file}):
        section = {"model": "torchvision-vit-b16", "training": {"epochs": 0}, **weights}
        plan = plan_of(change(content, ["architectures", "vit"], section))
        found = plan.architecture("fashion-mini", "vit")
        assert found["weights"] == weights.get("weights", "IMAGENET1K_V1")
        assert ARCHITECTURE.validate_python(json.loads(json.dumps(found))).training.epochs == 0


def test_numbers_in_scientific_notation_without_a_dot_are_numbers(content):
    content["overrides"] = []
    plan = plan_of(change(content, ["methods", "lotus", "lr"], "1e-3"))
    cell = Benchmark("fashion-mini", "vit", "instance-10")
    assert plan.hyperparameters(cell, "lotus")["lr"] == 1e-3


def test_values_of_the_command_line_are_read_as_yaml():
    given = {
        "seeds": ["3407"],
        "limit": 5,
        "data": {"mirror": "somewhere", "x": ["1e-3", "true", ""]},
    }
    assert typed(given) == {
        "seeds": [3407],
        "limit": 5,
        "data": {"mirror": "somewhere", "x": ["1e-3", True, ""]},
    }
