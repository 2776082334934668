"""Plans: which run has which parameters, and which benchmarks share runs."""

import pytest
from small_configuration import CELL, change, plan_of

from lotus.config.cells import Benchmark
from lotus.config.scenarios import Scenario
from lotus.errors import LotusError
from lotus.plan.commands import run_command
from lotus.plan.rows import further_golds, rows_of_means
from lotus.plan.step import subject_of
from lotus.plan.steps import Steps


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
    assert small.count_runs() == plan_of(content).count_runs()
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


def test_a_row_can_be_a_variant_of_a_method(content):
    variant = {"method": "lotus", "transform": "softmax"}
    plan = plan_of(change(content, ["methods", "lotus-softmax"], variant))
    cell = plan.benchmarks[0]
    assert plan.method_of("lotus-softmax") == "lotus"
    assert plan.hyperparameters(cell, "lotus-softmax")["transform"] == "softmax"
    assert plan.rows[:2] == ("original", "gold")


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


def test_further_golds_are_those_added_and_those_of_seeds_that_forget_the_same(content):
    content["gold_seeds"] = 2
    plan = plan_of(content)
    cell = CELL.under("released")
    folders = {seed: plan.run_folders(cell, seed) for seed in (13, 12, 3407)}
    assert further_golds(plan, cell, 13) == {
        "gold-again-1": folders[13]["gold-again-1"],
        "gold-again-2": folders[13]["gold-again-2"],
        "gold-of-3407": folders[3407]["gold"],
        "gold-of-12": folders[12]["gold"],
    }
    assert folders[13]["gold-again-2"] == folders[13]["gold"].replace("/gold", "/gold-again-2")
    assert rows_of_means(plan, cell)[:4] == ("original", "gold", "gold-again", "lotus")
    # Where each seed forgets other images, only the added golds were retrained for the same.
    scenarios = {"instance-10": {"forget_fraction": 0.1, "forget_rule": "random"}}
    random = plan_of(content | {"scenarios": content["scenarios"] | scenarios})
    other = Benchmark("fashion-mini", "resnet18", "instance-10")
    assert list(further_golds(random, other, 13)) == ["gold-again-1", "gold-again-2"]
    none = plan_of(content | {"scenarios": content["scenarios"] | scenarios, "gold_seeds": 0})
    assert not further_golds(none, other, 13)
    assert "gold-again" not in rows_of_means(none, other)


def test_further_golds_are_steps_like_gold_with_a_number(content):
    content["gold_seeds"] = 1
    steps = Steps(plan_of(content))
    subject = {**subject_of(CELL, 13), "row": "gold"}
    gold, again = (
        steps.find("retrain_gold", {**subject, "row": row}) for row in ("gold", "gold-again-1")
    )
    assert again.inputs == gold.inputs
    assert again.records[0].settings == {**gold.records[0].settings, "again": 1}
    assert "--again" not in run_command(gold)
    line = run_command(again)
    assert line[line.index("--again") + 1] == "1"
    metrics = steps.find("evaluate", {**subject_of(CELL, 13), "in_study": ""})
    assert metrics.records[0].settings["golds"] == ["gold-again-1", "gold-of-3407", "gold-of-12"]
    assert "gold-again-1" not in metrics.records[0].settings["rows"]


@pytest.mark.parametrize("row", ["gold-again", "gold-again-1", "gold-of-13"])
def test_no_method_is_called_as_a_gold_is(content, row):
    content["methods"][row] = {"method": "lotus"}
    with pytest.raises(LotusError, match=f"methods.{row}: this name has a fixed meaning"):
        plan_of(content)


def test_protocols_of_one_base_may_stand_beside_it_or_in_another_study(content, block):
    beside = block(protocols=["released", "released-m1-e1", "released-e1"])
    one = block(protocols=["released-e1"])
    other = block(protocols=["released-m1-e1"], study="masks")
    assert len(plan_of(content | {"grid": [beside]}).benchmarks) == 1
    assert len(plan_of(content | {"grid": [one, other]}).benchmarks) == 2
