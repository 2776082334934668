"""Both protocols and a switch, run through the workflow on real clothes, up to metrics and a table."""

import json

import pandas as pd
import pytest
from forked import snakemake
from project import copy_of_project

FASHION = """
title: Protocols
seeds: [3407]
datasets: {fashion-mini: {}}
architectures:
  resnet18:
    model: resnet18
    width: 8
    training: {epochs: 6, warmup_epochs: 1, batch_size: 100}
scenarios: {class-trouser: {forget_class: Trouser}}
methods:
  finetune: {epochs: 2, batch_size: 100}
  diverging: {method: finetune, epochs: 1, lr: 1e20, batch_size: 100}
  scrub: {epochs: 3, batch_size: 100}
  neggrad-plus: {batch_size: 100}
grid:
  - datasets: [fashion-mini]
    architectures: [resnet18]
    scenarios: [class-trouser]
    protocols: [corrected, released, corrected+e1]
overrides:
  - where: {protocol: corrected}
    methods: {scrub: {lr: 1e-3}, neggrad-plus: {alpha: 0.8}}
"""
PROTOCOLS = ("corrected", "released", "corrected+e1")
TABLE = "results/tables/fashion-mini-resnet18-class-trouser-corrected.csv"


@pytest.fixture(scope="module")
def protocols(tmp_path_factory):
    """A copy of the project with both protocols run on the small Fashion-MNIST, one seed, up to metrics."""
    folder = tmp_path_factory.mktemp("protocols")
    copy_of_project(folder)
    (folder / "protocols.yaml").write_text(FASHION)
    metrics = [runs_of(folder, name) / "metrics.json" for name in PROTOCOLS]
    wanted = [path.relative_to(folder) for path in (*metrics, folder / TABLE)]
    snakemake(folder, "--cores", "2", "--configfile", "protocols.yaml", "--", *wanted)
    return folder


def runs_of(folder, name):
    return folder / "results/fashion-mini/resnet18/seed3407/class-trouser" / name


def rows_of(folder, protocol):
    return json.loads((runs_of(folder, protocol) / "metrics.json").read_text())["rows"]


def test_released_scrub_is_the_original_bit_for_bit(protocols):
    original = protocols / "results/fashion-mini/resnet18/seed3407/original/corrected"
    for name, same in (("released", True), ("corrected", False)):
        mine = (runs_of(protocols, name) / "scrub/model.safetensors").read_bytes()
        assert (mine == (original / "model.safetensors").read_bytes()) is same
    assert rows_of(protocols, "released")["scrub"]["same_as_original"]


def test_corrected_scrub_and_neggrad_plus_forget_a_class(protocols):
    rows = rows_of(protocols, "corrected")
    for name in ("scrub", "neggrad-plus"):
        assert rows[name]["accuracy_forget"] < rows["original"]["accuracy_forget"] - 0.2
    released = rows_of(protocols, "released")
    for name in ("scrub", "neggrad-plus"):
        assert released[name]["accuracy_forget"] > rows[name]["accuracy_forget"] + 0.2


def test_evaluation_in_train_mode_damages_what_it_measures(protocols):
    before, after = rows_of(protocols, "corrected"), rows_of(protocols, "corrected+e1")
    # The same weights, file by file.
    for name in ("finetune", "scrub", "neggrad-plus"):
        models = [
            (runs_of(protocols, p) / name / "model.safetensors").read_bytes()
            for p in ("corrected", "corrected+e1")
        ]
        assert models[0] == models[1]
    assert after["finetune"]["accuracy_retain"] < before["finetune"]["accuracy_retain"] - 0.05
    assert after["original"] == before["original"]
    assert after["gold"] == before["gold"]
    released = rows_of(protocols, "released")["finetune"]
    assert released["accuracy_retain"] < before["finetune"]["accuracy_retain"] - 0.05


def test_a_diverging_method_is_shown_as_collapsed(protocols):
    assert "not finite" in rows_of(protocols, "corrected")["diverging"]["collapsed"]
    table = pd.read_csv(protocols / TABLE).set_index("row")
    assert pd.isna(table.loc["diverging", "avg_gap"])
    assert table.loc["diverging", "collapsed"] == 1
    assert table.loc["finetune", "collapsed"] == 0
