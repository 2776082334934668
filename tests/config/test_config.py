"""Configuration: what is accepted, and what a mistake is answered with."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lotus import layout
from lotus.config.architectures import ARCHITECTURE
from lotus.config.cells import Benchmark
from lotus.config.origins import Origin, read_origin, typed
from lotus.config.scenarios import Scenario
from lotus.errors import LotusError
from lotus.plan.candidates import candidates, tuned_cells, tuned_rows
from lotus.plan.description import description, part_counts, summary
from lotus.plan.making import make_plan
from lotus.plan.schema import json_schema

ROOT = Path(__file__).parents[2]
CONFIGS = sorted(ROOT.glob("config/*.yaml"))


def plan_of(content, name="config/mine.yaml"):
    return make_plan(content, [Origin(name, content)])


@pytest.fixture
def content():
    """The default experiment without its studies, both scenarios in its first block."""
    content = yaml.safe_load((ROOT / "config/fashion-mini.yaml").read_text())
    first, second, *others = content["grid"]
    first = first | {"scenarios": first["scenarios"] + second["scenarios"]}
    blocks = [first, *(block for block in others if "study" not in block)]
    content["grid"] = [
        {key: value for key, value in block.items() if key not in ("methods", "tables")}
        for block in blocks
    ]
    content["methods"] = without_variants(content["methods"])
    for override in content["overrides"]:
        override["methods"] = without_variants(override["methods"])
    return content


def without_variants(rows):
    return {row: given for row, given in rows.items() if row in METHODS}


METHODS = [
    *("lotus", "finetune", "neggrad-plus", "random-labeling", "bad-teacher"),
    *("scrub", "ssd", "unsir", "salun", "salun-lotus"),
]


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
        (["protocol"], "corrected", ["protocol: unknown key"]),
        (
            ["grid", 0, "protocols"],
            ["corected"],
            ["grid.0.protocols.0 = 'corected'", "did you mean 'corrected'", "released-SWITCH"],
        ),
        (["grid", 0, "protocols"], ["corrected+m77"], ["'+m77'", "corrected+SWITCH", "m1, m2"]),
        (["grid", 0, "protocols"], ["corrected-m1"], ["'-m1'", "corrected+SWITCH"]),
        (["grid", 0, "protocols"], ["released-e1-e1"], ["named twice"]),
        (
            ["overrides", 0, "where"],
            {"protocol": "corrected+m1"},
            ["overrides.0.where.protocol = 'corrected+m1'", "'corrected' or 'released'"],
        ),
        (["grid", 0, "seeds"], [3407, 5], ["grid.0.seeds.1 = 5", "3407, 13, 12"]),
        (["grid", 0, "methods"], ["lotus", "lotsu"], ["grid.0.methods.1 = 'lotsu'", "'lotus'"]),
        (["grid", 0, "methods"], [], ["grid.0.methods", "at least 1"]),
        (["grid", 0, "gold"], "no", ["grid.0.gold = 'no'", "boolean"]),
        (["grid", 0, "tables"], ["publish"], ["grid.0.tables.0 = 'publish'", "target of its own"]),
        (["grid", 0, "study"], "Size", ["grid.0.study = 'Size'", "lower-case"]),
        (["grid", 0, "study"], "e1-alone", ["grid.0.study = 'e1-alone'", "switch"]),
        (["grid", 0, "study"], "released", ["grid.0.study = 'released'", "protocol"]),
        (
            ["methods", "lotus", "calibration"],
            "fashoin-mini",
            ["methods.lotus.calibration = 'fashoin-mini'", "did you mean 'fashion-mini'"],
        ),
        (
            ["methods", "lotus", "calibration"],
            "fashion-mini",
            ["tuning.spaces.lotus", "calibration"],
        ),
        (["tuning", "seeds"], [3407], ["tuning.seeds.0 = 3407", "report's own seeds"]),
        (["tuning", "spaces", "lotsu"], {"lr": [1]}, ["tuning.spaces.lotsu", "'lotus'"]),
        (
            ["tuning", "spaces", "lotus"],
            {"alpha": [2, "two"]},
            ["tuning.spaces.lotus.alpha = 'two'", "number"],
        ),
        (["tuning", "budget"], 0, ["tuning.budget = 0", "greater than 0"]),
        (["plugins"], ["nowhere.py"], ["plugins", "'nowhere.py'", "no such file"]),
        (["datasets", "fashion-mini"], {"resize": 28, "crop": 32}, ["crop (32)", "resize (28)"]),
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
            ["architectures", "vit"],
            {"model": "vit-b16"},
            ["architectures.vit.training: is required", "the paper's: {optimizer: sgd, lr: 1e-4"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {}, "weights": 3},
            ["architectures.vit.weights = 3", "null, a name or {file: PATH, sha256: HEX}"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {}, "weights": "data/vit.pth"},
            ["architectures.vit.weights = 'data/vit.pth'", "{file: PATH, sha256: HEX}"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {}, "weights": {"file": "vit.pth"}},
            ["architectures.vit.weights.sha256: is required"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {}, "weights": {"file": "v.npz", "sha256": "a" * 64}},
            ["architectures.vit.weights.file = 'v.npz'", ".safetensors, .pth, .pt, .bin"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {}, "weights": {"file": "v.pth", "sha256": "A" * 64}},
            ["architectures.vit.weights.sha256 = 'AAA", "64 hexadecimal digits in lower case"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {}, "weights": {"file": "v.pth", "url": "x"}},
            ["architectures.vit.weights.url: unknown key", "file, sha256"],
        ),
        (
            ["architectures", "vit"],
            {"model": "torchvision-vit-b16", "training": {}, "weights": "IMAGENET21K"},
            ["architectures.vit.weights = 'IMAGENET21K'", "'IMAGENET1K_V1'"],
        ),
        (
            ["architectures", "resnet18", "weights"],
            "IMAGENET1K_V1",
            ["architectures.resnet18.weights: unknown key"],
        ),
        (
            ["architectures", "vit"],
            {"model": "vit-b16", "training": {"epochs": 0}, "weights": None},
            ["architectures.vit: training.epochs = 0 needs pretrained `weights`"],
        ),
        (
            ["architectures", "resnet18", "training", "epochs"],
            0,
            ["architectures.resnet18: training.epochs = 0 needs pretrained `weights`"],
        ),
        (
            ["overrides", 0],
            {"where": {"architecture": "resnet18"}, "training": {"epochs": 0}},
            ["overrides.0.training.epochs = 0: needs", "architecture 'resnet18' has none"],
        ),
        (
            ["architectures", "vit", "training", "schedule"],
            "cosine",
            ["architectures.vit.training.schedule = 'cosine'", "'linear' or 'constant'"],
        ),
        (["architectures", "resnet18"], {"width": 8}, ["needs the key 'model'", "vit-b16"]),
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
        (
            ["datasets", "fashion-mini", "store"],
            {"sorce": "x"},
            ["store.sorce: unknown key", "source"],
        ),
        (
            ["datasets", "fashion-mini", "store"],
            {"source": "cifar11"},
            ["datasets.fashion-mini.store.source = 'cifar11'", "did you mean 'cifar10'"],
        ),
        (
            ["datasets", "fashion-mini", "store"],
            {"limit": 0},
            ["store.limit = 0", "greater than 0"],
        ),
        (
            ["datasets", "fashion-mini", "store"],
            {"content": "md5"},
            ["store.content = 'md5'", "64 hexadecimal digits"],
        ),
        (["datasets", "fashion-mini", "store"], {"mean": [0.5]}, ["give mean and std"]),
        (["limit"], 0, ["limit = 0", "greater than 0"]),
        (["data"], {"mirrors": []}, ["data.mirrors: unknown key", "did you mean 'mirror'"]),
        (
            ["scenarios", "class-trouser"],
            {"forget_class": "Trouser", "forget_first": 3},
            ["scenarios.class-trouser", "give one of forget_fraction, forget_per_class"],
        ),
        (
            ["scenarios", "class-trouser"],
            {"forget_class": "Trouser", "forget_rule": "random"},
            ["forget_rule = random", "forget_fraction and forget_per_class only"],
        ),
        (["scenarios", "first-ten"], {"forget_first": 10}, ["scenarios.first-ten", "'fixed'"]),
        (["scenarios", "six-per-class"], {"forget_per_class": 5}, ["'5-per-class'"]),
        (
            ["overrides", 0],
            {"where": {}, "images": {"augmentation": {"flip": True}}},
            ["overrides.0.images.augmentation.flip", "not permitted"],
        ),
        (
            ["overrides", 0],
            {"where": {}, "images": {"resise": 224}},
            ["overrides.0.images.resise: unknown key", "did you mean 'resize'"],
        ),
        (
            ["overrides", 0],
            {"where": {"scenario": "class-trouser"}, "images": {"resize": 224}},
            ["overrides.0.images", "original model serves every scenario"],
        ),
        (
            ["overrides", 0],
            {"where": {}, "images": {"store": {}}},
            ["overrides.0.images.store", "a data set of its own"],
        ),
        (["grid", 0, "tables"], ["Table 1"], ["grid.0.tables.0 = 'Table 1'", "lower-case"]),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"padding_mode": "reflect"}},
            ["augmentation.padding_mode = 'reflect'", "'zero' or 'edge'"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"affine": {"shear": 90}}},
            ["augmentation.affine.shear = 90", "less than 90"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"affine": {"shear": -1}}},
            ["augmentation.affine.shear = -1", "greater than or equal to 0"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"affine": {"shaer": 5}}},
            ["augmentation.affine.shaer: unknown key", "did you mean 'shear'"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"affine": {"scale": [0, 1]}}},
            ["augmentation.affine.scale.0 = 0", "greater than 0"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"affine": {"scale": [1.2, 0.8]}}},
            ["augmentation.affine.scale = [1.2, 0.8]", "0 < low ≤ high"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"affine": {"scale": [0.8]}}},
            ["augmentation.affine.scale = [0.8]", "[low, high]"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"colour_jitter": {"contrast": -0.2}}},
            ["augmentation.colour_jitter.contrast = -0.2", "greater than or equal to 0"],
        ),
        (
            ["datasets", "fashion-mini"],
            {"augmentation": {"colour_jitter": {"hue": 0.1}}},
            ["augmentation.colour_jitter.hue: unknown key", "saturation"],
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
        (["overrides", 0, "training"], {"epochs": 1}, ["overrides.0.training", "where.scenario"]),
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


def test_pretrained_weights_as_they_come_are_an_original(content):
    file = {"file": "not/there/yet.safetensors", "sha256": "0" * 64}
    content["overrides"] = []
    for weights in ({}, {"weights": file}):
        section = {"model": "torchvision-vit-b16", "training": {"epochs": 0}, **weights}
        plan = plan_of(change(content, ["architectures", "vit"], section))
        found = plan.architecture("fashion-mini", "vit")
        assert found["weights"] == weights.get("weights", "IMAGENET1K_V1")
        assert ARCHITECTURE.validate_python(json.loads(json.dumps(found))).training.epochs == 0


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


def test_overrides_apply_to_their_part_of_the_grid_only(content):
    content["overrides"] = [
        {"where": {"scenario": "class-trouser"}, "methods": {"lotus": {"alpha": 32}}}
    ]
    plan = plan_of(content)
    in_class = Benchmark("fashion-mini", "vit", "class-trouser")
    in_instance = Benchmark("fashion-mini", "vit", "instance-10")
    assert plan.hyperparameters(in_class, "lotus")["alpha"] == 32
    assert plan.hyperparameters(in_instance, "lotus")["alpha"] == 2
    content["overrides"].append({"where": {"architecture": "vit"}, "training": {"epochs": 7}})
    plan = plan_of(content)
    assert plan.architecture("fashion-mini", "vit")["training"]["epochs"] == 7
    assert plan.architecture("fashion-mini", "resnet18")["training"]["epochs"] == 25


CELL = Benchmark("fashion-mini", "resnet18", "class-trouser")


def test_a_switch_brings_the_constants_of_the_published_code(content):
    content["overrides"] = []
    plan = plan_of(content)
    for name, expected in (
        ("corrected", ("adam", 1e-4, 3)),
        ("released", ("sgd", 1e-3, 10)),
        ("corrected+m9", ("sgd", 1e-3, 10)),
        ("corrected+m8", ("adam", 1e-4, 3)),
        ("released-m9", ("adam", 1e-4, 3)),
    ):
        found = plan.hyperparameters(CELL.under(name), "random-labeling")
        assert (found["optimizer"], found["lr"], found["epochs"]) == expected, name


def test_configured_values_win_over_those_constants(content):
    where = {"scenario": "class-trouser", "protocol": "released"}
    content["overrides"] = [{"where": where, "methods": {"random-labeling": {"lr": 0.5}}}]
    plan = plan_of(content)
    rates = {
        name: plan.hyperparameters(CELL.under(name), "random-labeling")["lr"]
        for name in ("corrected", "corrected+e1", "corrected+m9", "released", "released-m9")
    }
    assert rates == {
        "corrected": 1e-4,
        "corrected+e1": 1e-4,
        "corrected+m9": 0.5,
        "released": 0.5,
        "released-m9": 1e-4,
    }


def homes(plan, cell, row, *names):
    return [plan.home(cell.under(name), row).protocol for name in names]


def test_protocols_share_the_runs_that_they_do_not_touch(content):
    plan = plan_of(content)
    names = ("corrected", "corrected+m1", "corrected+e1", "corrected+e4", "released", "released-m2")
    assert homes(plan, CELL, "original", *names) == ["corrected"] * 6
    assert homes(plan, CELL, "gold", *names) == ["corrected"] * 6
    kept = ["corrected", "corrected+m1", "corrected+e1", "corrected", "released", "released"]
    assert homes(plan, CELL, "scrub", *names) == kept
    kept = ["corrected", "corrected", "corrected+e1", "corrected", "released", "released-m2"]
    assert homes(plan, CELL, "neggrad-plus", *names) == kept


def test_without_batchnorm_augmentation_and_patience_their_switches_touch_nothing(content):
    plan = plan_of(content)
    vit = Benchmark("fashion-mini", "vit", "instance-10")
    assert homes(plan, vit, "lotus", "corrected+e1", "corrected+e2") == ["corrected"] * 2
    assert homes(plan, vit, "original", "corrected+t1", "released") == ["corrected"] * 2
    content["architectures"]["vit"]["training"]["patience"] = 3
    content["datasets"]["fashion-mini"] = {"augmentation": {"horizontal_flip": True}}
    plan = plan_of(content)
    assert homes(plan, vit, "original", "corrected+t1", "released") == ["corrected+t1", "released"]
    assert homes(plan, vit, "lotus", "corrected+e2") == ["corrected+e2"]


def test_evaluation_alone_takes_the_weights_of_another_run(content):
    plan = plan_of(content)
    found = plan.weights_home(CELL.under("corrected+e1"), "finetune")
    assert found == CELL.under("corrected")
    for name in ("corrected", "released", "corrected+m2"):
        assert plan.weights_home(CELL.under(name), "neggrad-plus") is None
    content["grid"] = [{**content["grid"][0], "protocols": ["corrected+e1"]}]
    assert plan_of(content).weights_home(CELL.under("corrected+e1"), "finetune") is None


def test_ablations_show_the_rows_that_their_switch_concerns(content):
    single = ["corrected+m1", "corrected+m8"]
    content["grid"].append({**content["grid"][0], "protocols": single})
    plan = plan_of(content)
    assert plan.rows_of(CELL.under("corrected+m1")) == ("scrub",)
    assert plan.rows_of(CELL.under("corrected+m8")) == ("lotus", "salun-lotus")
    assert plan.rows_of(CELL) == tuple(content["methods"])
    assert CELL.under("corrected+m1") in plan.ablations
    assert CELL.under("released") in plan.benchmarks
    content["grid"] = [{**content["grid"][0], "protocols": ["released-e1", "corrected+e4"]}]
    alone = plan_of(content)
    assert not alone.ablations
    assert alone.rows_of(CELL.under("released-e1")) == tuple(content["methods"])
    assert alone.measured(CELL.under("corrected+e4")).protocol == "corrected"


def test_a_limit_makes_a_small_version_under_other_names(content):
    small = plan_of(content | {"limit": 20, "data": {"mirror": "somewhere"}})
    assert small.settings.data.mirror == ("somewhere",)
    assert small.store_of("fashion-mini-limit20") == {"source": "fashion-mini", "limit": 20}
    assert plan_of(content).store_of("fashion-mini") == {"source": "fashion-mini"}
    assert {cell.dataset for cell in small.cells} == {"fashion-mini-limit20"}
    cell = Benchmark("fashion-mini", "resnet18", "instance-10")
    limited = Benchmark("fashion-mini-limit20", "resnet18", "instance-10")
    # Overrides follow.
    for row in content["methods"]:
        assert small.hyperparameters(limited, row) == plan_of(content).hyperparameters(cell, row)
    assert small.run_count() == plan_of(content).run_count()
    own = change(content, ["datasets", "fashion-mini"], {"store": {"limit": 5}})
    assert plan_of(own | {"limit": 20}).store_of("fashion-mini-limit20")["limit"] == 5


def test_an_architecture_can_be_shown_a_data_set_in_another_way(content):
    flips = {"augmentation": {"horizontal_flip": True}, "resize": 14}
    content["overrides"].append({"where": {"architecture": "vit"}, "images": flips})
    plan = plan_of(content)
    usual, other = (plan.use_of("fashion-mini", name) for name in ("resnet18", "vit"))
    assert (usual["resize"], other["resize"]) == (None, 14)
    assert other["augmentation"]["horizontal_flip"]
    assert not usual["augmentation"]["horizontal_flip"]
    assert "store" not in usual
    # The released evaluation augments (E2): a run of its own, for this architecture alone.
    for name, expected in (("resnet18", "corrected"), ("vit", "released")):
        cell = Benchmark("fashion-mini", name, "instance-10", "corrected+e2")
        assert plan.home(cell, "gold").protocol == expected


def test_parts_are_the_tables_of_blocks_and_each_architecture_on_each_data_set(content):
    content["grid"][0]["tables"] = ["table1", "table5"]
    content["grid"][2]["tables"] = ["table1"]
    plan = plan_of(content)
    assert list(plan.parts) == [
        "table1", "table5", "resnet18-fashion-mini", "vit-fashion-mini"
    ]  # fmt: skip
    assert len(plan.parts["table5"]) == 4
    assert set(plan.parts["table1"]) - set(plan.parts["table5"]) == set(
        plan.parts["vit-fashion-mini"]
    )
    told = dict(line.split() for line in part_counts(plan).splitlines()[1:])
    assert f"({plan.run_count()} in all" in part_counts(plan)
    # The transformer: original, gold and ten methods of two seeds.
    assert int(told["vit-fashion-mini"]) == 24
    assert int(told["table1"]) == int(told["table5"]) + 24


def test_a_block_may_take_some_of_the_seeds(content):
    plan = plan_of(content)
    base = Benchmark("fashion-mini", "resnet18", "instance-10")
    assert plan.seeds_of(base) == (3407, 13, 12)
    assert plan.seeds_of(base.under("corrected+m1")) == (3407, 13)
    content["grid"] = [
        {**content["grid"][0], "protocols": ["corrected+e4"], "seeds": [12]},
        {**content["grid"][0], "protocols": ["corrected"], "seeds": [13]},
    ]
    # The corrected metrics serve E4 too.
    assert plan_of(content).seeds_of(base) == (13, 12)


def test_few_of_many_methods_are_explained_side_by_side(content):
    content["methods"]["lotus-again"] = {"method": "lotus"}
    content["grid"][0]["methods"] = [*content["methods"]]
    plan = plan_of(content)
    cell = Benchmark("fashion-mini", "resnet18", "class-trouser", "released")
    chosen = plan.explained_runs(cell, 13)
    methods = ["lotus", "random-labeling", "finetune", "bad-teacher"]
    assert list(chosen) == ["original", "gold", *methods]
    assert chosen.items() <= plan.run_folders(cell, 13).items()
    content["grid"][0]["methods"] = ["ssd", "scrub", "lotus"]
    assert list(plan_of(content).explained_runs(cell, 13)) == [
        *("original", "gold", "lotus", "scrub", "ssd")
    ]


def test_a_calibration_set_must_have_the_classes_of_the_benchmark(content):
    content["datasets"]["digits"] = {}
    content["methods"]["lotus-digits"] = {"method": "lotus", "calibration": "digits"}
    content["grid"] = [{**content["grid"][0], "methods": ["lotus"]}]
    plan_of(content)  # declared, but in no part of the grid
    del content["grid"][0]["methods"]
    with pytest.raises(LotusError, match=r"lotus-digits.calibration = 'digits'.*class 0 is 'zero'"):
        plan_of(content)


def test_a_calibration_set_is_no_hyper_parameter(content):
    row = {"method": "lotus", "calibration": "fashion-mini", "alpha": 3}
    plan = plan_of(change(content, ["methods", "calibrated"], row))
    assert plan.calibration_of("calibrated") == "fashion-mini"
    assert plan.calibration_of("lotus") is None
    found = plan.hyperparameters(CELL, "calibrated")
    assert found["alpha"] == 3
    assert "calibration" not in found


RELEASED = CELL.under("released")


@pytest.fixture
def block(content):
    """A block of one place under both protocols, and keys of its own."""
    place = {"datasets": ["fashion-mini"], "architectures": ["resnet18"]}
    place |= {"scenarios": ["class-trouser"], "protocols": ["corrected", "released"]}
    return lambda **keys: {**place, **keys}


def test_a_block_without_gold_has_no_gold_runs(content, block):
    content["grid"] = [block(gold=False)]
    plan = plan_of(content)
    assert not plan.has_gold(CELL)
    assert list(plan.run_folders(CELL, 13)) == ["original", *content["methods"]]
    assert plan.rows == ("original", *content["methods"])
    assert f"{CELL.name}: no gold model\n" in summary(plan)
    assert plan.run_count() == 3 * (1 + 2 * len(content["methods"]))


def test_where_blocks_meet_one_that_wants_gold_is_enough(content, block):
    content["grid"] = [block(gold=False), block(protocols=["corrected"], study="extra")]
    plan = plan_of(content)
    assert [plan.has_gold(cell) for cell in plan.cells] == [True, False, True]
    assert "gold" in plan.run_folders(CELL, 13)
    assert plan.rows[:2] == ("original", "gold")


@pytest.mark.parametrize("gold", [True, False])
def test_single_switches_have_the_gold_model_of_their_base(content, block, gold):
    # E4 needs no metrics of its own: it must not bring a gold model to those of its base.
    single = block(protocols=["corrected+m1", "corrected+e4"], gold=not gold)
    content["grid"] = [block(gold=gold), single]
    plan = plan_of(content)
    assert {plan.has_gold(cell) for cell in plan.cells} == {gold}
    assert plan.measured(CELL.under("corrected+e4")) == CELL


def test_a_block_may_take_some_of_the_rows(content, block):
    content["grid"] = [
        block(methods=["scrub", "lotus"]),
        block(protocols=["released"], methods=["finetune"], seeds=[13]),
        block(protocols=["corrected+e1"]),
    ]
    plan = plan_of(content)
    assert plan.rows_of(CELL) == ("lotus", "scrub")
    assert plan.rows_of(RELEASED) == ("lotus", "finetune", "scrub")
    assert plan.seeds_of(RELEASED) == (3407, 13, 12)
    # Single switches are compared with their base: they have no other rows.
    assert plan.rows_of(CELL.under("corrected+e1")) == ("lotus", "scrub")
    assert f"{CELL.name}: lotus, scrub\n" in summary(plan)


def test_a_study_shares_the_runs_and_nothing_else(content, block):
    content["grid"] = [
        block(methods=["lotus"]),
        block(methods=["lotus"], study="share", seeds=[13]),
        block(methods=["finetune"], study="share", seeds=[12], protocols=["corrected"]),
        block(methods=["scrub"], study="other"),
        block(protocols=["corrected+e1"], study="share"),
    ]
    plan = plan_of(content)
    study = replace(CELL, study="share")
    assert plan.cells[0] == CELL
    assert study in plan.benchmarks
    assert study.name == f"{CELL.name}-share"
    assert plan.rows_of(study) == ("lotus", "finetune")
    assert plan.seeds_of(study) == (13, 12)
    assert plan.seeds_of(CELL) == (3407, 13, 12)
    for row in ("original", "gold", "lotus"):
        assert plan.run_folders(study, 13)[row] == plan.run_folders(CELL, 13)[row]
    single = study.under("corrected+e1")
    assert plan.ablations == (single,)
    assert plan.rows_of(single) == plan.rows_of(study)
    assert layout.metrics_file(study, 13) == layout.metrics_file(CELL, 13).with_name(
        "metrics-share.json"
    )
    described = {cell["study"] for cell in description(plan)["benchmarks"]}
    assert described == {"", "share", "other"}


def test_a_benchmark_is_tuned_once_for_the_rows_that_it_has(content, block):
    content["grid"] = [
        block(methods=["lotus"]),
        block(methods=["lotus", "finetune"], study="share"),
    ]
    plan = plan_of(content)
    assert tuned_cells(plan) == (CELL,)
    assert set(tuned_rows(plan, CELL)) == {"lotus", "finetune"}


def test_candidates_come_from_the_space_and_keep_the_budget(content):
    plan = plan_of(content)
    tuning = plan.settings.tuning
    for cell in tuned_cells(plan):
        for row, space in tuning.spaces.items():
            tried = candidates(plan, cell, row)
            assert 1 < len(tried) <= tuning.budget
            assert len({json.dumps(c) for c in tried}) == len(tried)
            for key, values in space.items():
                assert {c[key] for c in tried} <= {float(value) for value in values}
            assert tried == candidates(plan, cell, row)
    assert {*tuning.spaces} == {*content["methods"]}, "every row is tuned"


def test_the_default_configuration_has_what_tuning_chose_for_every_row(content):
    plan = plan_of(content)
    for cell in tuned_cells(plan):
        for row, space in plan.settings.tuning.spaces.items():
            found = plan.hyperparameters(cell, row)
            chosen = {key: found[key] for key in space}
            tried = [{key: c[key] for key in space} for c in candidates(plan, cell, row)]
            assert chosen in tried, f"{cell.name}: {row}: {chosen} was not tried"


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


@pytest.mark.parametrize(
    ("axis", "name"),
    [("datasets", "tables"), ("architectures", "splits"), ("datasets", "claims.json")],
)
def test_names_of_places_in_the_results_are_refused(content, axis, name):
    content[axis][name] = next(iter(content[axis].values()))
    with pytest.raises(LotusError, match=f"{axis}.{name}: this name is taken"):
        plan_of(content)


def test_benchmarks_that_would_share_their_files_are_refused(content):
    vit = content["architectures"]["vit"]
    content["architectures"] = {"net": vit, "small-net": vit}
    content["datasets"] = {"own": {"store": {"source": "digits"}}}
    content["datasets"]["own-small"] = content["datasets"]["own"]
    content["methods"] = {"finetune": {}}
    content["scenarios"] = {"instance-10": {"forget_fraction": 0.1}}
    block = {"architectures": ["net", "small-net"], "datasets": ["own", "own-small"]}
    content["grid"] = [block | {"scenarios": ["instance-10"]}]
    del content["overrides"], content["tuning"]
    with pytest.raises(LotusError, match=r"own / small-net .* and own-small / net .* would share"):
        plan_of(content)


@pytest.mark.parametrize(
    ("name", "wanted", "accepted"),
    [
        ("Trouser", "class-trouser", True),
        ("Trouser", "class-dress", False),
        ("猫", "class-a810bf", True),
        ("猫", "class-", False),
        ("C", "class-c", True),
        ("C++", "class-c", False),
    ],
)
def test_a_scenario_is_called_by_the_class_that_it_forgets(name, wanted, accepted):
    scenario = Scenario(forget_class=name)
    assert scenario.is_called(wanted) == accepted
    assert scenario.is_called(scenario.canonical_name)
    assert scenario.is_called(scenario.own_name)


def test_a_text_that_yaml_reads_otherwise_is_told_so(tmp_path):
    path = tmp_path / "own.yaml"
    text = (ROOT / "config/digits.yaml").read_text()
    path.write_text(text.replace("forget_class: three", "forget_class: no"))
    with pytest.raises(
        LotusError, match=r"own.yaml: line 18: .*forget_class = False: must be a text"
    ):
        make_plan(read_origin(path).content, [read_origin(path)])
