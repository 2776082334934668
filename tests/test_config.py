"""Configuration: what is accepted, and what a mistake is answered with."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from lotus.errors import LotusError
from lotus.plan import json_schema, make_plan
from lotus.settings import Benchmark, Origin, read_origin

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(ROOT.glob("config/*.yaml"))


def plan_of(content, name="config/mine.yaml"):
    return make_plan(content, [Origin(name, content)])


@pytest.fixture
def content():
    return yaml.safe_load((ROOT / "config/fashion-mini.yaml").read_text())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_shipped_configurations_are_accepted(path):
    origin = read_origin(path)
    assert make_plan(origin.content, [origin]).benchmarks


def test_schema_file_is_generated_from_the_settings():
    written = json.loads((ROOT / "config/schema.json").read_text())
    assert written == json_schema(), "out of date: run `lotus schema > config/schema.json`"


def change(content, path, value):
    changed = copy.deepcopy(content)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        (["seeds"], [3407, 13, 3407], ["seeds.2 = 3407", "duplicate"]),
        (["seeds"], [], ["seeds", "at least 1"]),
        (["seeds"], ["x"], ["seeds.0 = 'x'", "integer"]),
        (["sedes"], [1], ["sedes: unknown key", "did you mean 'seeds'", "grid"]),
        (["protocol"], "wrong", ["protocol = 'wrong'", "'corrected'"]),
        (
            ["scenarios", "instance-10", "forget_fraction"],
            1.5,
            ["scenarios.instance-10.forget_fraction = 1.5", "less than 1"],
        ),
        (
            ["scenarios", "instance-10", "forget_fraction"],
            0,
            ["scenarios.instance-10.forget_fraction = 0", "greater than 0"],
        ),
        (["scenarios", "instance-10", "forget_fraction"], 0.2, ["instance-20"]),
        (
            ["scenarios", "instance-10", "forget_rule"],
            "frist",
            ["scenarios.instance-10.forget_rule = 'frist'", "'first' or 'random'"],
        ),
        (
            ["scenarios", "class-trouser"],
            {"forget_class": "Trouser", "fraction": 0.1},
            ["scenarios.class-trouser.fraction: unknown key", "forget_fraction"],
        ),
        (["architectures", "vit", "depht"], 2, ["architectures.vit.depht: unknown key", "depth"]),
        (["architectures", "vit", "num_heads"], 3, ["architectures.vit", "num_heads (3)"]),
        (["architectures", "resnet18", "width"], "8", ["architectures.resnet18.width = '8'"]),
        (["architectures", "resnet18", "width"], 4, ["width = 4", "greater than or equal to 8"]),
        (["architectures", "resnet18", "model"], "resnet50", ["resnet50", "'resnet18', 'vit'"]),
        (
            ["architectures", "vit", "training", "warmup_epochs"],
            30,
            ["warmup_epochs (30) must be below epochs (30)"],
        ),
        (["datasets", "mnits"], {}, ["datasets.mnits", "unknown data set", "fashion-mini"]),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"flip": True}},
            ["datasets.fashion-mini.augmentation.flip: unknown key", "horizontal_flip"],
        ),
        (["methods", "lotus", "alhpa"], 2, ["methods.lotus.alhpa = 2", "did you mean 'alpha'"]),
        (["methods", "lotus", "alpha"], "two", ["methods.lotus.alpha = 'two'", "number"]),
        (["methods", "lotus", "retain_fraction"], 0, ["retain_fraction = 0", "greater than 0"]),
        (["methods", "scrab"], {}, ["methods.scrab", "unknown method", "finetune"]),
        (["methods", "gold"], {"method": "lotus"}, ["methods.gold", "taken"]),
        (["grid", 0, "architectures"], ["vti"], ["grid.0.architectures.0 = 'vti'", "'vit'"]),
        (
            ["overrides", 0, "methods"],
            {"lotus": {"epochs": "ten"}},
            ["overrides.0.methods.lotus.epochs = 'ten'", "integer"],
        ),
        (["overrides", 0, "where"], {"scenario": "no"}, ["overrides.0.where.scenario = 'no'"]),
        (["overrides", 0, "training"], {"epochs": 1}, ["overrides.0.training"]),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, list) else None,
)
def test_a_mistake_is_answered_with_place_value_and_what_is_accepted(content, path, value, parts):
    with pytest.raises(LotusError) as caught:
        plan_of(change(content, path, value))
    message = str(caught.value)
    assert message.startswith("config/mine.yaml: ")
    for part in parts:
        assert part in message


def test_a_class_that_the_data_set_lacks(content):
    content = change(content, ["scenarios", "class-cat"], {"forget_class": "cat"})
    plan_of(content)  # declared, but in no part of the grid
    content["grid"][0]["scenarios"].append("class-cat")
    with pytest.raises(LotusError, match=r"class-cat.forget_class = 'cat'.*Ankle boot"):
        plan_of(content)


def test_the_message_names_the_file_that_holds_the_mistake(content):
    origins = [Origin("base.yaml", content), Origin("mine.yaml", {"seeds": [1, 1]})]
    with pytest.raises(LotusError, match=r"^mine.yaml: seeds.1 = 1"):
        make_plan({**content, "seeds": [1, 1]}, origins)


def test_numbers_in_scientific_notation_without_a_dot_are_numbers(content):
    plan = plan_of(change(content, ["methods", "lotus", "lr"], "1e-3"))
    cell = Benchmark("fashion-mini", "vit", "instance-10")
    assert plan.hyperparameters(cell, "lotus")["lr"] == 1e-3


def test_overrides_apply_to_their_part_of_the_grid_only(content):
    plan = plan_of(content)
    in_class = Benchmark("fashion-mini", "vit", "class-trouser")
    in_instance = Benchmark("fashion-mini", "vit", "instance-10")
    assert plan.hyperparameters(in_class, "lotus")["alpha"] == 32
    assert plan.hyperparameters(in_instance, "lotus")["alpha"] == 4
    content["overrides"].append({"where": {"architecture": "vit"}, "training": {"epochs": 7}})
    plan = plan_of(content)
    assert plan.architecture("fashion-mini", "vit")["training"]["epochs"] == 7
    assert plan.architecture("fashion-mini", "resnet18")["training"]["epochs"] == 25


def test_a_row_can_be_a_variant_of_a_method(content):
    variant = {"method": "lotus", "transform": "softmax"}
    plan = plan_of(change(content, ["methods", "lotus-softmax"], variant))
    cell = plan.benchmarks[0]
    assert plan.method_of("lotus-softmax") == "lotus"
    assert plan.hyperparameters(cell, "lotus-softmax")["transform"] == "softmax"
    assert plan.rows[:2] == ("original", "gold")


@pytest.mark.parametrize("text", ["a: [1", "- 1", ""])
def test_files_that_are_no_mapping(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(LotusError, match=r"bad\.yaml: "):
        read_origin(path)
