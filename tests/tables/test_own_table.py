"""docs/own-table.md, done word by word: a table in one file."""

import json

import pandas as pd
import pytest


def test_it_is_made_and_nothing_else_is_made_for_it(extended):
    _, noted = extended
    before, jobs = noted["figure"], noted["table"]
    assert jobs["make_table"] == jobs["write_report"] == jobs["describe_experiment"] == 1
    assert "make_table" not in before
    assert not {"evaluate", "unlearn", "average_metrics"} & jobs.keys()
    assert jobs["draw_figure"] == before["draw_figure"]


def test_it_stands_in_the_report(extended):
    folder, _ = extended
    numbers = pd.read_csv(folder / "results/tables/forget-drop.csv")
    assert "study" not in numbers
    original = numbers[numbers["row"] == "original"]
    assert (original["drop"] == 0).all()
    lotus = numbers[numbers["row"] == "lotus"].iloc[0]
    known = original.merge(lotus[["scenario", "protocol"]].to_frame().T)
    assert known["accuracy_forget"].item() - lotus["accuracy_forget"] == pytest.approx(
        lotus["drop"]
    )
    page = (folder / "results/report/index.html").read_text()
    assert '<div class="entry" id="table-entry-forget-drop">' in page
    assert "<h3>How far forget accuracy falls</h3>" in page
    assert f"{lotus['drop']:.3f}</td>" in page
    assert 'href="#table-entry-forget-drop"' in page
    assert 'id="lineage-table-forget-drop"' in page
    record = json.loads((folder / "results/records/tables/forget-drop.table.json").read_text())
    assert record["code"]["entry"] == ["lotus.tables.forget_drop"]


def test_another_operator_makes_this_table_and_what_shows_it(extended):
    _, noted = extended
    assert noted["table edited"] == {
        "make_table": 1,
        "write_report": 1,
        "seal_records": 1,
        "all": 1,
    }
