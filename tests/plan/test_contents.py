"""What a plan comes to: each table and figure with its files, its module, in its order."""

from pathlib import Path

import pytest
from project import ROOT

from lotus.config.origins import read_origin
from lotus.errors import LotusError
from lotus.figures.registry import FIGURES
from lotus.plan.contents import Contents
from lotus.plan.making import make_plan
from lotus.tables.registry import PAPER_TABLES, TABLES

UNMADE = {"ablation", "components", "forget-sets", "klom", "power", "tuning"}


@pytest.fixture(scope="module")
def contents():
    origin = read_origin(ROOT / "config/paper.yaml")
    return Contents(make_plan(origin.content, [origin]))


def test_each_is_made_by_the_file_of_its_kind(contents):
    for registry, made in (
        (TABLES, contents.tables),
        (FIGURES, contents.figures),
        (PAPER_TABLES, contents.paper_tables),
    ):
        assert made
        for it in made:
            assert it.module == registry.module_of(it.kind)
        # Of every spec something is made, but for what this plan has no cells for, or a target asks for.
        assert {*registry.names} - {it.kind for it in made} <= UNMADE


def test_figures_of_data_sets_stand_together(contents):
    of_data = [it for it in contents.figures if it.kind in ("classes", "duplicates")]
    datasets = [it.about["dataset"] for it in of_data]
    assert len({*datasets}) > 2
    assert datasets == [name for name in dict.fromkeys(datasets) for _ in range(2)]
    assert [it.kind for it in of_data[:2]] == ["classes", "duplicates"]


def test_a_study_has_its_own(contents):
    names = {it.name for it in contents.tables if it.kind == "summary"}
    studies = {cell.study for cell in contents.cells}
    assert names == {f"summary-{study}" if study else "summary" for study in studies}


def test_two_specs_that_come_to_one_file_are_refused(contents, monkeypatch):
    spec = TABLES.spec("times")
    monkeypatch.setitem(vars(TABLES), "specs", {**TABLES.specs, "cost": spec})
    with pytest.raises(LotusError, match=r"both make timings/times.*another stem"):
        Contents(contents.plan).tables  # noqa: B018


def test_sources_are_files_of_the_cells_that_it_is_for(contents):
    for it in contents.tables:
        if it.kind == "benchmark":
            assert {Path(path).name for path in it.sources} <= {
                "metrics.json",
                f"metrics-{it.about.get('study')}.json",
            }
            assert all(it.about["dataset"] in path for path in it.sources)
