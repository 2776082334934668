"""The default configuration with single published behaviours, and plans of changed copies of it."""

import copy

import pytest
import yaml
from project import ROOT

from lotus.config.cells import Benchmark
from lotus.config.origins import Origin
from lotus.plan.making import make_plan


def plan_of(content, name="config/mine.yaml"):
    return make_plan(content, [Origin(name, content)])


@pytest.fixture
def content():
    """The default experiment and single switches, both scenarios in its first block."""
    files = [ROOT / f"config/{name}.yaml" for name in ("fashion-mini", "fashion-mini-studies")]
    content, studies = (yaml.safe_load(path.read_text()) for path in files)
    content["grid"] = studies["grid"]
    # Tests change the grid, in which its benchmark has to be.
    del content["power"]
    first, second, *others = content["grid"]
    first = first | {"scenarios": first["scenarios"] + second["scenarios"]}
    blocks = [first, *(block for block in others if "study" not in block)]
    content["grid"] = [
        {key: value for key, value in block.items() if key not in ("methods", "tables")}
        for block in blocks
    ]
    return content


METHODS = [
    *("lotus", "finetune", "neggrad-plus", "random-labeling", "bad-teacher"),
    *("scrub", "ssd", "unsir", "salun", "salun-lotus"),
]


def change(content, path, value):
    changed = copy.deepcopy(content)
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return changed


CELL = Benchmark("fashion-mini", "resnet18", "class-trouser")
RELEASED = CELL.under("released")


@pytest.fixture
def block(content):
    """A block of one place under both protocols, and keys of its own."""
    place = {"datasets": ["fashion-mini"], "architectures": ["resnet18"]}
    place |= {"scenarios": ["class-trouser"], "protocols": ["corrected", "released"]}
    return lambda **keys: {**place, **keys}
