"""Any configuration, and any value of `--config`, is a plan or a line for each mistake."""

from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from fuzzing import inputs, result_or_error
from hypothesis import given, note
from mutations import CHANCE, OF_YAML, a_value, as_yaml, encoded, mutated, spliced
from project import ROOT

from lotus.config.origins import typed
from lotus.plan.declared import declared
from lotus.plan.feasible import refuse_nonsense

NAMES = ("digits", "fashion-mini", "fashion-mini-studies", "paper", "privacy")
TEXTS = {name: (ROOT / f"config/{name}.yaml").read_text() for name in NAMES}
PLACES = ("mine.yaml: ", *(f"{name}.yaml: " for name in NAMES))
"""A mistake can stand in what a configuration is based on."""
TREES = {name: yaml.safe_load(text) for name, text in TEXTS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With the configurations that others are based on, and nothing else."""
    found = tmp_path_factory.mktemp("configurations")
    for path in (ROOT / "config").glob("*.yaml"):
        (found / path.name).write_text(path.read_text())
    return found


def planned(files, given=None):
    """What `snakemake` does with a configuration before it makes a job."""
    found = declared(files, typed(given or {}))
    refuse_nonsense(found.plan, found.origins, list(found.plan.cells))
    return found


def planned_or_refused(folder, content):
    note(repr(content))
    with chdir(folder):
        Path("mine.yaml").write_bytes(content)
        result_or_error(lambda: planned([Path("mine.yaml")]), PLACES)


@inputs(0.2)
@given(CHANCE)
def test_values_that_change(folder, chance):
    tree = mutated(TREES[chance.choice(NAMES)], chance, OF_YAML)
    planned_or_refused(folder, encoded(as_yaml(tree, chance), chance))


@inputs(0.1)
@given(CHANCE)
def test_texts_that_change(folder, chance):
    text = spliced(TEXTS[chance.choice(NAMES)], chance)
    planned_or_refused(folder, encoded(text, chance))


@inputs(0.1)
@given(CHANCE)
def test_values_of_the_command_line(folder, chance):
    """As Snakemake hands over `--config KEY=VALUE`: of the keys that there are, and of others."""
    tree = TREES["digits"]
    keys = chance.sample([*tree, "limit", "plugins", "overrides", "x", "based_on"], 2)
    asked = {
        key: mutated(tree[key], chance)
        if key in tree and chance.random() < 0.6
        else a_value(chance, OF_YAML)
        for key in keys
    }
    note(repr(asked))
    with chdir(folder):
        base = Path("digits.yaml")
        result_or_error(lambda: planned([base], asked), ("--config: ", "digits.yaml: "))
