"""Means over the seeds, as `dvc metrics` reads them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from lotus.results.means import write_means

METRICS = "results/digits/resnet18/seed{}/{}/corrected/metrics.json"


@pytest.fixture
def written(results, tmp_path, monkeypatch):
    """Folder of means and folder of records, of two benchmarks with two seeds."""
    monkeypatch.chdir(results.parent)
    sources = [
        Path(METRICS.format(seed, scenario))
        for scenario in ("instance-10", "class-three")
        for seed in (3407, 13)
    ]
    stale = tmp_path / "metrics/digits-resnet18-class-three-corrected/gone.json"
    stale.parent.mkdir(parents=True)
    stale.touch()
    write_means(sources, tmp_path / "metrics", tmp_path / "records")
    return tmp_path


def test_means_are_those_of_the_table(written):
    table = pd.read_csv("results/tables/digits-resnet18-instance-10-corrected.csv").set_index("row")
    for row in ("original", "lotus", "ssd"):
        path = written / f"metrics/digits-resnet18-instance-10-corrected/{row}.json"
        means = json.loads(path.read_text())
        for metric in ("avg_gap", "jsd", "rf_jsd", "mia", "accuracy_forget", "accuracy_test"):
            assert means[metric] == pytest.approx(table.loc[row, metric], rel=1e-5)


def test_what_has_no_value_is_left_out(written):
    folder = written / "metrics/digits-resnet18-class-three-corrected"
    assert "avg_gap" not in json.loads((folder / "gold.json").read_text())
    # Doing nothing would score best where a class is forgotten.
    assert "rf_jsd" not in json.loads((folder / "lotus.json").read_text())


def test_each_benchmark_has_a_record_and_no_row_of_earlier_times(written):
    assert not list(written.rglob("gone.json"))
    records = {path.stem: json.loads(path.read_text()) for path in written.glob("records/*.json")}
    assert sorted(records) == [
        "digits-resnet18-class-three-corrected",
        "digits-resnet18-instance-10-corrected",
    ]
    for name, record in records.items():
        made = sorted(str(path) for path in (written / "metrics" / name).iterdir())
        assert sorted(record["outputs"]) == made
        assert len(record["inputs"]) == 2
