"""The trace of a table: from each row to its models."""

from pathlib import Path

from metrics_files import measured_of, scores

from lotus.records.reading import Record
from lotus.tables.trace import trace


def test_a_trace_leads_from_each_row_to_its_models(write_metrics):
    files = [
        write_metrics("released", seed, lotus=scores(0.904, 1.0, 0.8, 0.7, jsd_released_e4=jsd))
        for seed, jsd in [(1, 1.5e-4), (2, 3e-4)]
    ]
    measured = measured_of(files, "released")
    folders = [Path(f) for rows in measured.described["runs"].values() for f in rows.values()]
    runs = {
        folder: Record(
            f"{folder}/run.json",
            "",
            {"outputs": {f"{folder}/model.safetensors": "m", f"{folder}/predictions.npz": "p"}},
        )
        for folder in folders
    }
    found = trace(measured.described, measured.stated, measured.forms, runs)
    lotus = next(row for row in found.rows if row.name == "LoTUS")
    assert lotus.anchor == "row-data-resnet18-instance-10-released-lotus"
    assert [each.run for each in lotus.seeds] == [
        "results/1/lotus/run.json",
        "results/2/lotus/run.json",
    ]
    assert lotus.seeds[0].predictions == ("results/1/lotus/predictions.npz", "p")
    assert lotus.seeds[1].metrics == "results/data/resnet18/seed2/instance-10/released/metrics.json"
    texts = [dict(zip(found.heads, each.texts, strict=True)) for each in lotus.seeds]
    assert [text["JSD (as released, ×10⁴)"] for text in texts] == ["1.50", "3.00"]
    assert {text["Forget acc. (as released)"] for text in texts} == {"0.90"}
