"""docs/reproduction-notes.md: it covers the register, its commands run, and what it quotes is printed."""

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import python

from lotus.claims.behaviours_in_print import SIGNS, signs
from lotus.cli.main import main
from lotus.config.register import REGISTER
from lotus.published.numbers import load_published
from lotus.results.titles import ROW_TITLES

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "report" / "published"
NOTES = (ROOT / "docs" / "reproduction-notes.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", NOTES, re.MULTILINE | re.DOTALL)


def commands(program):
    """Arguments of each call of a program in the blocks and in the text."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    lines += re.findall(rf"`({program} [^`…]+)`", NOTES)
    parts = [part for line in lines for part in line.split("&&")]
    calls = [shlex.split(part, comments=True) for part in parts]
    start = shlex.split(program)
    return [call[len(start) :] for call in calls if call[: len(start)] == start]


@pytest.fixture(scope="module")
def shown():
    """What `lotus signs` prints, without indents."""
    return [line.strip() for line in signs(load_published(PUBLISHED))]


def test_every_switch_has_its_section_and_its_line_in_the_overview():
    assert sorted(re.findall(r"^### (\w+)$", NOTES, re.MULTILINE)) == sorted(REGISTER)
    linked = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \|", NOTES, re.MULTILINE)
    assert {name: anchor for name, anchor in linked if name in REGISTER} == {
        name: name.lower() for name in REGISTER
    }


def test_every_switch_has_a_command():
    named = re.findall(r"^python -m pytest .*# (\w+)$", "\n".join(blocks("sh")), re.MULTILINE)
    assert set(REGISTER) <= set(named)


COLLECTING = """
import sys, pytest
from _pytest.mark import KeywordMatcher
from _pytest.mark.expression import Expression

def selected(item, places, expression):
    starts = tuple(f"{place}{end}" for place in places for end in ("/", "::"))
    if not item.nodeid.startswith(starts):
        return False
    return not expression or Expression.compile(expression).evaluate(KeywordMatcher.from_item(item))

class Chosen:
    def pytest_collection_modifyitems(self, items):
        for places, expression in SELECTIONS:
            count = sum(selected(item, places, expression) for item in items)
            print("SELECTED", count, places, expression)

without = ("cacheprovider", "unraisableexception", "xdist")
options = ["--collect-only", "-qq", *(f"-pno:{name}" for name in without)]
places = sorted({place for of_call, _ in SELECTIONS for place in of_call})
sys.exit(pytest.main([*options, *places], plugins=[Chosen()]))
"""
"""Reads files once, and says how many tests each call would have selected, by what pytest has for `-k`."""


def test_every_selection_of_tests_selects_some():
    selections = []
    for call in commands("python -m pytest"):
        places = call[: call.index("-k")] if "-k" in call else call
        expression = call[len(places) + 1 :]
        assert len(expression) <= 1, call
        selections.append((places, "".join(expression)))
    found = python(ROOT, f"SELECTIONS = {selections!r}\n{COLLECTING}")
    told = [line for line in found.stdout.splitlines() if line.startswith("SELECTED")]
    assert len(told) == len(selections) > len(REGISTER)
    assert not [line for line in told if line.startswith("SELECTED 0 ")], found.stdout


def test_every_command_of_lotus_is_one():
    calls = commands("lotus")
    assert {"effects", "signs"} <= {call[0] for call in calls}
    for call in calls:
        command = main.commands[call[0]]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {part for part in call if part.startswith("--")} <= options, call
        if "--of" in call:
            assert call[call.index("--of") + 1] in SIGNS


def test_files_that_are_named_exist():
    named = set(re.findall(r"`((?:tests|lotus|config|report|docs)/[\w./-]+)", NOTES))
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_quoted_lines_of_published_numbers_are_printed(shown):
    quoted = [line.strip() for block in blocks("text") for line in block.splitlines()]
    others = [line for line in quoted if line not in shown]
    assert len(others) < len(quoted)
    # The rest are changes in the default experiment: a row, its seeds, numbers.
    rows = "|".join(re.escape(title) for title in ROW_TITLES.values())
    assert [
        line for line in others if not re.fullmatch(rf"({rows}) +[23]( +[−+±.\d]+)+", line)
    ] == []


def test_counts_in_the_tables_are_those_of_the_signs(shown):
    heads = {line.split()[0]: line for line in shown if line.split()[0] in SIGNS}
    lines = [line for line in NOTES.splitlines() if re.match(r"\| \[(M|E)\d\]", line)]
    counted = {
        re.match(r"\| \[(\w+)\]", line)[1]: re.findall(r"\d+ of \d+", line) for line in lines
    }
    assert {name for name, counts in counted.items() if counts} == {"M1", "M2", "M3", "E1", "E4"}
    assert all(count in heads[name] for name, counts in counted.items() for count in counts)
    assert re.search(r"8 of 11 benchmarks of instances", NOTES)
    assert "8 of 11 benchmarks of instances" in heads["rf-jsd"]


def test_every_misprint_is_listed():
    with (PUBLISHED / "misprints.csv").open(newline="", encoding="utf-8") as file:
        known = [(line["number"], line["where"]) for line in csv.DictReader(file)]
    listed = re.findall(r"^\| (\d+) \| ([^|]+) \|", NOTES, re.MULTILINE)
    assert listed == known


# Behaviours that no other test shows


def test_name_of_torchvisions_vit_has_neither_word_that_the_published_check_looks_for():
    from torchvision.models import VisionTransformer

    name = VisionTransformer.__name__.lower()
    assert "vit" not in name
    assert "resnet" not in name


def test_magnitude_of_a_parameter_without_gradient_cannot_be_taken():
    """The published sum of gradients of a parameter starts as the number 0 and stays so."""
    with pytest.raises(TypeError):
        torch.abs_(0)


def test_lotus_exit_as_released_fires_for_82_of_100_neighbours():
    assert sum(k / 100 - (k + 1) / 100 <= -0.01 for k in range(100)) == 82


def test_standardising_each_set_hides_where_it_lies_and_a_zero_makes_it_nan():
    def standardised(entropies):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(entropies)
            return (logs - logs.mean()) / logs.std()

    test = np.random.default_rng(0).uniform(0.1, 1, 100)
    forget = 0.01 * test**2
    assert np.log(forget).max() < np.log(test).min()
    np.testing.assert_allclose(standardised(forget), standardised(test))
    assert np.isnan(standardised(np.append(test, 0.0))).all()
