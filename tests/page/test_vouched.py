"""What the page says of its numbers is what it compared."""

import numpy as np
import pytest
from metrics_files import FALLEN, measured_of, scores

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.metrics.base import registry
from lotus.page import formulas
from lotus.page.book import Book
from lotus.page.forgotten import as_ranges
from lotus.page.measured_ways import of_metric
from lotus.page.vouched import NO_ATTESTATION, Vouched, vouched
from lotus.page.ways import Basis, Formula, Way
from lotus.records.files import write_text
from lotus.records.record import write_record
from lotus.results.conventions import form_of


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table with its record."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results/tables/t.csv"
    write_text(path, "row,x\na,1\n")
    write_record(
        tmp_path / "results/records/tables/t.table.json",
        kind="table",
        modules=["lotus.errors"],
        about={"table": "t"},
        settings={},
        inputs=[],
        outputs=[path],
    )
    return path.relative_to(tmp_path)


def test_a_file_that_was_edited_after_its_record_is_named(table):
    sound = vouched([table])
    assert (
        "1 file that it is made of were held against them: all of them had the bytes"
        in sound.verified
    )
    assert (sound.other, sound.attested, sound.unattested) == ([], (), NO_ATTESTATION)
    table.write_text("row,x\na,2\n")
    edited = vouched([table])
    assert edited.other == ["results/tables/t.csv"]
    assert "1 file had other bytes than the record states" in edited.verified


def test_no_text_of_a_result_can_end_the_data_or_be_taken_for_html():
    book = Book(Vouched("", [], []), with_pictures=True)
    book.number_of(Way(Formula("</script><b>&", "<!--"), "row", "where", Basis()))
    text = book.as_text()
    assert "<" not in text
    assert ">" not in text
    assert "&" not in text


def test_equal_ways_have_one_number():
    book = Book(Vouched("", [], []), with_pictures=True)
    ways = [Way(Formula(title, ""), "row", "where", Basis()) for title in ("a", "b", "a")]
    assert [book.number_of(way) for way in ways] == [0, 1, 0]


@pytest.mark.parametrize("name", registry.specs())
def test_every_metric_states_its_formula_in_words_and_symbols(name):
    spec = registry.specs()[name]
    assert spec.words.endswith(".")
    assert spec.symbols
    assert {*spec.released.words} == {*spec.released.switches}


def test_a_released_form_says_what_its_switches_do(write_metrics):
    frame = measured_of([write_metrics("released", 1)], "released").frame
    said = formulas.of_form(form_of("jsd", RELEASED, frame))
    assert said.title == "JSD (as released, ×10⁴)"
    assert [note.split(":")[0] for note in said.notes] == ["As released, E3", "As released, E4"]
    assert formulas.of_form(form_of("jsd", CORRECTED, frame)).notes == ()


def test_runs_that_are_left_out_are_named_with_the_reason(fallen):
    measured = measured_of(fallen)
    way = of_metric(measured.asked, "avg_gap")["salun"]
    assert [each.text for each in way.seeds] == ["0.000"] * 3
    assert [each.left_out for each in way.seeds] == [
        "",
        "collapsed: retain accuracy 0.100 is near chance",
        "",
    ]
    assert way.stated.startswith("No mean is stated: 1 of 3 seeds left out")


def test_a_collapsed_gold_model_leaves_out_what_is_measured_against_it(write_metrics):
    lotus = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05)
    files = [
        write_metrics("corrected", 1, lotus=lotus),
        write_metrics("corrected", 2, gold=FALLEN, lotus=lotus),
    ]
    measured = measured_of(files)
    gap, accuracy = (
        of_metric(measured.asked, name)["lotus"] for name in ("avg_gap", "accuracy_test")
    )
    assert gap.seeds[1].left_out == "its gold model collapsed: retain accuracy near chance"
    assert accuracy.seeds[1].left_out == ""


@pytest.mark.parametrize(
    ("positions", "text"),
    [([3], "3"), ([5, 4, 3], "3–5"), ([9, 1, 2, 7], "1–2, 7, 9"), ([0, 2, 4], "0, 2, 4")],
)
def test_positions_in_a_row_are_ranges(positions, text):
    assert as_ranges(np.array(positions)) == text
