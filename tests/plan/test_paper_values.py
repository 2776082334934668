"""`config/paper.yaml`: the hyper-parameters that the authors of the methods have for single data sets."""

from pathlib import Path

import pytest

from lotus.config.cells import Benchmark
from lotus.config.origins import read_origin
from lotus.config.reading import load
from lotus.methods.base import configured
from lotus.plan.plan import Plan

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plan():
    origin = read_origin(ROOT / "config/paper.yaml")
    return Plan(load(origin.content, [origin]))


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
