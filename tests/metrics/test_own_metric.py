"""docs/own-metric.md, done word by word, in a copy of a finished experiment."""

import csv
import json
import re

import numpy as np
import pytest
from forked import own_lotus
from own_file import MODEL
from project import ROOT

PAGE = (ROOT / "docs/own-metric.md").read_text()
PLACE = "results/digits/resnet18/seed3407/instance-10/corrected"
BENCHMARK = "results/tables/digits-resnet18-instance-10-corrected"
# Steps that make or look at models, or prepare for them.
OF_MODELS = (
    *("pretrain_original", "retrain_gold", "unlearn", "explain_forget_set"),
    *("build_store", "split_held_out", "choose_forget_set"),
)


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", PAGE, re.M | re.S)
    return found


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def project(extended):
    """The finished experiment with the page's file and what follows from it."""
    folder, _ = extended
    return folder


def test_no_model_is_made_or_looked_at_for_it(extended):
    _, noted = extended
    assert noted["metric"]["evaluate"] > 1
    assert "evaluate" not in noted["table"]
    assert not [rule for rule in noted["metric"] if rule in OF_MODELS]


def expected(logits, labels):
    """The same number, image by image."""
    logits = logits.astype(np.float64)
    said = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    bins = {}
    for row, label in zip(said, labels, strict=True):
        bins.setdefault(min(int(10 * row.max()), 9), []).append((row.argmax() == label) - row.max())
    return sum(abs(sum(gaps)) for gaps in bins.values()) / len(labels)


def test_it_is_computed_for_every_model_from_its_predictions(project):
    content = json.loads((project / PLACE / "metrics.json").read_text())
    assert set(content["rows"]) > {"original", "gold", "lotus"}
    for row, path in content["predictions"].items():
        with np.load(project / path["path"]) as said:
            if row == "original":
                assert 0 <= content["rows"][row]["ece_forget"] <= 1
                continue
            value = expected(said["forget.logits"], said["forget.labels"])
        assert content["rows"][row]["ece_forget"] == pytest.approx(value, abs=1e-9)


def test_all_other_numbers_and_all_models_are_as_they_were(project, finished):
    for path in finished.glob("results/*/*/seed*/*/*/metrics*.json"):
        before = json.loads(path.read_text())
        after = json.loads((project / path.relative_to(finished)).read_text())
        for row in [*after["rows"].values(), *after.get("golds", {}).values()]:
            del row["ece_forget"]
        assert after == before
    models = {*finished.glob("results/**/model.safetensors")} - {finished / MODEL}
    for path in models:
        again = project / path.relative_to(finished)
        assert again.stat().st_mtime_ns == path.stat().st_mtime_ns


def test_it_stands_in_the_tables_and_on_the_page(project):
    values = {
        (line["row"], line["seed"]): line["ece_forget"]
        for line in lines(project / "results/tables/per-seed.csv")
    }
    assert all(0 <= float(value) <= 1 for value in values.values())
    table = {line["row"]: line for line in lines(project / f"{BENCHMARK}.csv")}
    assert float(table["lotus"]["ece_forget"]) > 0
    assert "ece_forget_std" in table["lotus"]
    assert "Forget ECE" in (project / f"{BENCHMARK}.tex").read_text()
    assert "Forget ECE" in (project / "results/tables/per-seed.tex").read_text()
    assert "Forget ECE" in (project / "results/report/index.html").read_text()
    means = json.loads(
        (project / "results/metrics/digits-resnet18-instance-10-corrected/lotus.json").read_text()
    )
    assert means["ece_forget"] == pytest.approx(float(table["lotus"]["ece_forget"]), rel=1e-5)


def test_it_is_followed_to_its_bytes_and_compared(project, finished):
    (command,) = re.findall(r"^lotus (lineage .+)$", block("sh"), re.M)
    told = own_lotus(project, *command.split()).stdout
    assert "lotus/predictions.npz" in told
    assert "gold/predictions.npz" not in told
    assert "ece_forget" in own_lotus(project, "diff", finished, ".").stdout
