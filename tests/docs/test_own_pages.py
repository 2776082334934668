"""The how-tos name every field of a spec, and every question that one can ask of a plan."""

import re
from dataclasses import fields

import pytest
from project import ROOT

from lotus.figures import registry as figures
from lotus.figures.spec import FigureSpec
from lotus.metrics.base import MetricSpec
from lotus.tables import registry as tables
from lotus.tables.spec import Planned, TableSpec

NOT_FOR_OTHERS = {
    "draw",
    "registry",
    "spec",
    "write",
    "trace",
    "discovery",
    "paper",
    "effects",
    "printed",
}
"""Shared files from which no figure or table imports."""


def page(name):
    return (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")


def table_of(text, heading):
    """The first column's names in the table below a heading."""
    part = text.split(f"## {heading}")[1].split("\n## ")[0]
    return {
        name
        for line in part.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }


@pytest.mark.parametrize(
    ("name", "heading", "spec"),
    [
        ("own-metric", "What the specification says", MetricSpec),
        ("own-figure", "What a spec says", FigureSpec),
        ("own-table", "What a spec says", TableSpec),
    ],
)
def test_every_field_of_a_spec_is_told(name, heading, spec):
    assert table_of(page(name), heading) == {field.name for field in fields(spec)}


def test_every_question_to_a_plan_is_told():
    asked = {name for name in vars(Planned) if not name.startswith("_")}
    lines = [
        line for line in page("own-figure").splitlines() if re.match(r"\| `(cells|sources)`", line)
    ]
    told = {name for line in lines for name in re.findall(r"(?:planned\.|`)(\w+)", line)}
    assert told - {"cells", "sources", "lambda"} == asked - {"cells"}


@pytest.mark.parametrize(
    ("name", "shared"), [("own-figure", figures.SHARED), ("own-table", tables.SHARED)]
)
def test_every_shared_file_is_told(name, shared):
    (told,) = re.findall(r"shared \(([^)]*)\)", page(name).replace("\n", " "))
    assert {*re.findall(r"`(\w+)\.py`", told)} == shared - NOT_FOR_OTHERS
