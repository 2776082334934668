"""`config/paper.yaml`: the hyper-parameters that the authors of the methods have for single data sets.

`config/cifar10-gpu.yaml` is a part of it.
"""

from pathlib import Path

import pytest

from lotus.config.cells import Benchmark
from lotus.methods.base import configured
from lotus.plan.declared import declared

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plan():
    return declared([ROOT / "config/paper.yaml"], {}).plan


def of(plan, row, dataset, protocol="corrected", architecture="resnet18"):
    scenario = "mufac-fixed" if dataset == "mufac-clean" else "instance-10"
    cell = Benchmark(dataset, architecture, scenario, protocol)
    assert cell in plan.cells
    return plan.hyperparameters(cell, row)


@pytest.mark.parametrize("architecture", ["resnet18", "vit"])
@pytest.mark.parametrize(
    ("dataset", "order"),
    [
        ("cifar10", "separate"),
        ("cifar100", "union"),
        ("tiny-imagenet", "union"),
        ("mufac-clean", "separate"),
    ],
)
def test_salun_shuffles_both_sets_together_where_its_authors_do(plan, dataset, order, architecture):
    assert of(plan, "salun", dataset, architecture=architecture)["order"] == order
    released = of(plan, "salun", dataset, "released", architecture)
    assert (released["order"], released["mask_share"]) == ("separate", 0.1)


def test_scrub_has_its_authors_values_for_cifar100(plan):
    theirs = {"gamma": 1, "alpha": 0.5, "epochs": 5, "max_epochs": 5, "temperature": 4}
    found = of(plan, "scrub", "cifar100")
    assert {key: found[key] for key in theirs} == theirs
    assert (found["optimizer"], found["lr"], found["weight_decay"]) == ("adam", 5e-4, 5e-4)
    # Their first milestone is the last epoch, after which nothing follows.
    assert min(found["milestones"]) >= found["epochs"]
    defaults = configured.hyperparameters(configured.make("scrub", {}))
    for dataset in ("cifar10", "tiny-imagenet", "mufac-clean"):
        assert of(plan, "scrub", dataset) == defaults


def test_the_first_experiment_for_a_gpu_is_the_papers(plan):
    first = declared([ROOT / "config/cifar10-gpu.yaml"], {}).plan
    assert first.settings.seeds == plan.settings.seeds
    cells = [
        Benchmark("cifar10", "resnet18", "instance-10", protocol)
        for protocol in ("corrected", "released")
    ]
    assert [*first.cells] == cells
    assert first.architecture("cifar10", "resnet18") == plan.architecture("cifar10", "resnet18")
    assert first.use_of("cifar10", "resnet18") == plan.use_of("cifar10", "resnet18")
    assert first.scenario("instance-10") == plan.scenario("instance-10")
    for cell in cells:
        assert first.rows_of(cell) == plan.rows_of(cell)
        for row in first.rows_of(cell):
            if row not in ("original", "gold"):
                assert first.hyperparameters(cell, row) == plan.hyperparameters(cell, row)
    # What the paper's lacks, and a result cannot be judged without: how far gold is from gold.
    assert (first.settings.gold_seeds, plan.settings.gold_seeds) == (1, 0)


@pytest.mark.parametrize("name", ["paper", "cifar10-gpu", "cifar10-small", "cifar10-cpu"])
def test_alpha_of_lotus_is_8_for_resnet18_on_cifar10_and_32_for_a_class(name):
    found = declared([ROOT / f"config/{name}.yaml"], {}).plan
    for cell in found.cells:
        if "lotus" not in found.rows_of(cell):
            continue
        of_class = cell.scenario.startswith("class-")
        is_eight = (cell.dataset, cell.architecture) == ("cifar10", "resnet18")
        alpha = 32 if of_class else 8 if is_eight else 2
        assert found.hyperparameters(cell, "lotus")["alpha"] == alpha, cell


@pytest.mark.parametrize("name", ["paper", "cifar10-gpu", "cifar10-small", "cifar10-cpu"])
def test_salun_lotus_differs_from_lotus_by_the_mask_alone_and_as_released_by_its_constants(name):
    found = declared([ROOT / f"config/{name}.yaml"], {}).plan
    for cell in found.cells:
        if not {"lotus", "salun-lotus"} <= {*found.rows_of(cell)}:
            continue
        under_mask = {**found.hyperparameters(cell, "salun-lotus")}
        alone = found.hyperparameters(cell, "lotus")
        share = under_mask.pop("mask_share")
        if found.column_of(cell, "salun-lotus") == "corrected":
            assert (under_mask, share) == (alone, 0.5), cell
        elif "m6" in cell.protocol or cell.protocol == "released":
            stated = {key: under_mask[key] for key in ("alpha", "lr", "retain_fraction")}
            assert (stated, share) == ({"alpha": 2, "lr": 1e-4, "retain_fraction": 0.3}, 0.1), cell
            assert under_mask["epochs"] == alone["epochs"], cell
