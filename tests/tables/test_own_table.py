"""docs/own-table.md, done word by word: a table in one file."""

import json

import pandas as pd
import pytest
from own_file import DIGITS, block, copy_of_finished, planned
from project import run

FILE = block("own-table.md")


def test_a_table_in_one_file(finished, tmp_path):
    folder = copy_of_finished(finished, tmp_path / "project")
    file = folder / "lotus/tables/forget_drop.py"
    file.write_text(FILE)
    jobs = planned(folder)
    assert jobs["make_table"] == jobs["write_report"] == jobs["describe_experiment"] == 1
    assert not {"draw_figure", "evaluate", "unlearn", "average_metrics"} & jobs.keys()

    run(folder, "snakemake", "--cores", "2", *DIGITS)
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
    assert '<h3 id="table-entry-forget-drop">How far forget accuracy falls</h3>' in page
    assert f"{lotus['drop']:.3f}</td>" in page
    assert 'href="#table-entry-forget-drop"' in page
    assert 'id="lineage-table-forget-drop"' in page
    record = json.loads((folder / "results/records/tables/forget-drop.table.json").read_text())
    assert record["code"]["entry"] == ["lotus.tables.forget_drop"]
    assert not planned(folder)

    # Another operator: this table and what shows it.
    file.write_text(FILE.replace("_original - acc", "_original + acc"))
    assert {**planned(folder), "total": 0} == {
        **{"make_table": 1, "write_report": 1, "seal_records": 1, "all": 1, "total": 0}
    }
