"""How tables and figures are named in the list that `snakemake --report` makes."""

import pytest

from lotus.config.cells import Benchmark
from lotus.figures.registry import FIGURES, spec_modules
from lotus.page.labels import report_listing
from lotus.tables.registry import TABLES

CELLS = (
    Benchmark("mnist", "resnet18", "instance-10"),
    Benchmark("fashion-mnist", "resnet18", "instance-10"),
    Benchmark("fashion-mnist", "resnet18", "instance-10", "released"),
    Benchmark("fashion-mnist", "resnet18", "instance-10", "corrected", "share"),
)
KINDS = [("table", name) for name in TABLES.names] + [("figure", name) for name in FIGURES.names]


@pytest.mark.parametrize(("form", "kind"), KINDS)
def test_every_kind_is_listed_by_what_it_shows(form, kind):
    spec = (TABLES if form == "table" else FIGURES).spec(kind)
    found = report_listing(kind, CELLS[0].labels if spec.each == "cell" else {}, form)
    assert found.labels["Shown"] == spec.label
    assert found.labels["Form"] == form
    assert found.summary.endswith((".", "(dashed)."))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_figure_of_a_cell_is_listed_with_it(cell):
    found = report_listing("streisand", cell.labels, "figure")
    assert found.category == "Benchmarks"
    assert found.labels["Protocol"] == cell.protocol
    assert ("share" in found.labels["Benchmark"]) == (cell.study == "share")
    assert found.labels["Benchmark"].startswith("MNIST") == (cell.dataset == "mnist")
    assert report_listing("benchmark", cell.labels, "table").subcategory == found.subcategory


def test_what_is_of_many_cells_is_listed_by_study():
    assert report_listing("summary", {}, "table").category == "Across benchmarks"
    assert report_listing("summary", {"study": "share"}, "table").subcategory == "study share"


def test_data_and_behaviours_have_categories_of_their_own():
    classes = report_listing("classes", {"dataset": "mnist"}, "figure")
    assert (classes.category, classes.labels["Data set"]) == ("Data", "MNIST")
    assert report_listing("similarity", {}, "figure").category == "Data"
    assert report_listing("ablation", {}, "figure").category == "Published behaviours"


def test_no_label_is_a_file_name():
    for cell in CELLS:
        labels = report_listing("benchmark", cell.labels, "table").labels
        assert not any(cell.name in text or ".csv" in text for text in labels.values())


def test_the_page_shows_words_of_every_spec():
    modules = {"lotus.figures.streisand", "lotus.tables.benchmark", "lotus.tables.paper.table1"}
    assert modules <= {*spec_modules()}
