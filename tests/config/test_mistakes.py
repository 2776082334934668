"""What a mistake in a configuration is answered with."""

import pytest
from project import ROOT
from small_configuration import CELL, change, plan_of

from lotus.config.origins import Origin, read_origin
from lotus.errors import LotusError
from lotus.plan.making import make_plan

RIVALS = {"datasets": ["fashion-mini"], "architectures": ["resnet18"]}
RIVALS |= {
    "scenarios": ["class-trouser"],
    "protocols": ["corrected", "released-m1-e1", "released-e1"],
}


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
        (["grid", 0, "protocols"], ["released-e1-e1"], ["names a switch twice"]),
        (
            ["grid"],
            [RIVALS],
            ["released-m1-e1 and released-e1 would both stand for released in", "or released too"],
        ),
        (
            ["overrides", 0, "where"],
            {"protocol": "corrected+m1"},
            ["overrides.0.where.protocol = 'corrected+m1'", "'corrected' or 'released'"],
        ),
        (["gold_seeds"], 10**8, ["gold_seeds = 100000000", "less than or equal to 10000"]),
        (["privacy"], {"shadows": 10**8}, ["privacy.shadows = 100000000", "equal to 10000"]),
        (["power"], {"golds": 10**8}, ["power.golds = 100000000", "equal to 10000"]),
        (["grid", 0, "seeds"], [3407, 5], ["grid.0.seeds.1 = 5", "3407, 13, 12"]),
        (["grid", 0, "methods"], ["lotus", "lotsu"], ["grid.0.methods.1 = 'lotsu'", "'lotus'"]),
        (["grid", 0, "methods"], [], ["grid.0.methods", "at least 1"]),
        (["grid", 0, "gold"], "no", ["grid.0.gold = 'no'", "boolean"]),
        (
            ["grid", 0, "tables"],
            ["publish"],
            ["grid.0.tables.0 = 'publish'", "already the name of a target"],
        ),
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
        (["datasets", "fashion-mini"], {"store": {"side": 10**5}}, ["side = 100000", "16384"]),
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
            ["scenarios.instance-10.forget_rule = 'frist'", "'easiest' or 'duplicates'"],
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
        (
            ["architectures", "resnet18", "model"],
            "resnet50",
            ["resnet18.model = 'resnet50': did you mean 'resnet18'? accepted: plugin, resnet18"],
        ),
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
        (["datasets", "fashion-mini", "store"], {"mean": [0.5]}, ["give both mean and std"]),
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
            ["forget_rule = random", "works only with forget_fraction and forget_per_class"],
        ),
        (
            ["scenarios", "instance-10"],
            {"forget_fraction": 0.1, "forget_rule": "hardest"},
            ["must be called 'instance-10-hardest'"],
        ),
        (
            ["scenarios", "instance-10-hardest"],
            {"forget_fraction": 0.1, "forget_rule": "hardest", "ranked_by": "resnet19"},
            ["scenarios.instance-10-hardest.ranked_by = 'resnet19'", "not declared"],
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
            ["overrides.0.images", "scenarios share one original model"],
        ),
        (
            ["overrides", 0],
            {"where": {}, "images": {"store": {}}},
            ["overrides.0.images.store", "declare another data set"],
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
        (["methods", "gold"], {"method": "lotus"}, ["methods.gold", "fixed meaning"]),
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
    with pytest.raises(
        LotusError, match=f"{axis}.{name}: files of the results already use this name"
    ):
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


def test_a_text_that_yaml_reads_otherwise_is_told_so(tmp_path):
    path = tmp_path / "own.yaml"
    text = (ROOT / "config/digits.yaml").read_text()
    path.write_text(text.replace("forget_class: three", "forget_class: no"))
    with pytest.raises(
        LotusError, match=r"own.yaml: line 18: .*forget_class = False: must be text"
    ):
        make_plan(read_origin(path).content, [read_origin(path)])
