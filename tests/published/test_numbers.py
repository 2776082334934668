"""The paper's numbers: nothing lost, one number each, and one clear error for a broken file."""

import hashlib
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from project import ROOT

from lotus.errors import LotusError
from lotus.published.numbers import (
    KEY,
    NO_INFORMATION,
    PLACE,
    RESULTS,
    load_misprints,
    load_published,
)
from lotus.results.titles import ROW_TITLES

FOLDER = ROOT / "report" / "published"
GAPS = ["gap_mia", "gap_forget", "gap_retain", "gap_test"]
R_CIFAR10 = ("cifar10", "resnet18", "instance-10")


def one_number_each(published):
    lines = published[published["preferred"]]
    return lines.set_index(list(KEY))[["mean", "std", "source", "note"]].sort_index()


def values(published, item, metric):
    lines = published[published["preferred"]]
    lines = lines[(lines["item"] == item) & (lines["metric"] == metric)]
    return lines.pivot(index=list(PLACE), columns="row", values="mean")


def value(published, item, place, row, metric):
    lines = published[published["preferred"]]
    for name, wanted in zip(KEY, (item, *place, row, metric), strict=True):
        lines = lines[lines[name] == wanted]
    return float(lines["mean"].iloc[0]) if len(lines) else None


@pytest.fixture(scope="module")
def published():
    return load_published(FOLDER)


def test_the_file_is_as_transcribed():
    content = (FOLDER / RESULTS).read_bytes()
    assert (
        hashlib.sha256(content).hexdigest()
        == "2a61018287b052ac77d75662a8be04e9bee10c7d005af88865c23a1bc5f23cc6"
    )
    assert len(content.splitlines()) - 1 == 2579


def test_every_line_is_read_and_shared_ones_stand_under_each_item(published):
    lines = published.groupby(["item", published["row"].isin(["lotus", "gold"]), "metric"]).size()
    gaps = lines["table1"].xs("avg_gap", level="metric").sum()
    shared = lines["table3", True].sum()
    assert len(published) == 2579 + gaps + shared
    keys = list(KEY[1:-1])
    of = {
        item: set(map(tuple, lines[keys].to_numpy())) for item, lines in published.groupby("item")
    }
    assert {key for key in of["table3"] if key[-1] in ("lotus", "gold")} <= of["table6"]


def test_one_number_of_each_quantity(published):
    preferred = published.groupby(list(KEY))["preferred"].sum()
    said_nothing = published[published["note"].str.contains(NO_INFORMATION)]
    assert preferred.max() == 1
    assert (preferred == 0).sum() == len(said_nothing) == 10
    assert (said_nothing["metric"] == "rf_jsd_e4").all()
    assert len(one_number_each(published)) == preferred.sum()


def test_a_mislabelled_column_is_never_used(published):
    place = ("mufac-clean", "resnet18", "mufac-fixed")
    assert value(published, "table1", place, "lotus", "jsd_e4") == 6.90
    assert not published.loc[published["source"].str.contains("section 14"), "preferred"].any()


def test_notebooks_before_the_supplementary(published):
    assert value(published, "table5", R_CIFAR10, "lotus", "gap_mia") == 0.07
    assert (
        value(published, "table5", ("cifar10", "vit", "instance-10"), "gold", "accuracy_test")
        == 0.98
    )


def test_what_is_not_printed_is_none(published):
    assert value(published, "table1", R_CIFAR10, "salun", "avg_gap") is None


@pytest.mark.parametrize("item", ["table3", "table5", "table6", "classes"])
def test_avg_gap_is_the_mean_of_its_terms(published, item):
    lines = one_number_each(published).loc[item]
    lines = lines[lines["source"].str.contains("ipynb")]["mean"].unstack("metric")
    lines = lines.dropna(subset=[*GAPS, "avg_gap"])
    assert len(lines) >= 8
    np.testing.assert_allclose(lines[GAPS].mean(axis=1), lines["avg_gap"], atol=5e-5)


def test_gaps_are_distances_to_gold(published):
    for metric, gap in [("mia", "gap_mia"), ("accuracy_test", "gap_test")]:
        numbers, gaps = values(published, "table5", metric), values(published, "table5", gap)
        expected = numbers.sub(numbers["gold"], axis=0).abs()[gaps.columns].reindex(gaps.index)
        assert (expected - gaps).abs().max().max() < 1e-9


def test_divergences_printed_without_scale_are_scaled(published):
    cat = ("cifar10", "resnet18", "class-cat")
    assert value(published, "classes", cat, "lotus", "rf_jsd_e4") == pytest.approx(2200)


def test_names_are_those_of_the_project(published):
    config = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    known = {*ROW_TITLES, *config["methods"], "all-methods"}
    assert set(published["row"]) <= known
    assert set(published["dataset"]) <= {*config["datasets"], "all"}
    assert set(published["scenario"]) <= {*config["scenarios"], "all"}
    planned = {table for block in config["grid"] for table in block["tables"]}
    assert set(published["item"]) <= planned


def test_misprints_are_of_known_items(published):
    misprints = load_misprints(FOLDER)
    assert set(misprints["item"]) <= set(published["item"])
    assert misprints["number"].tolist() == [str(n) for n in range(1, len(misprints) + 1)]
    assert (misprints[["where", "printed", "used", "why"]] != "").all().all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="metric"), "column metric missing"),
        (
            lambda t: t.replace({"mean": {"5.32": "five"}}),
            "line 3: mean = 'five'; accepted: a number",
        ),
        (lambda t: t.replace({"mean": {"5.32": "inf"}}), "line 3: mean = 'inf'"),
        (
            lambda t: t.replace({"mean": {"0.0000": "1.5"}}),
            "mean = '1.5'; accepted: a number from 0 to 1",
        ),
        (lambda t: t.replace({"std": {"1.18": "-1"}}), "line 3: std = '-1'"),
        (
            lambda t: t.replace({"method": {"scrub": "scrbu"}}),
            "method 'scrbu' is unknown; did you mean 'scrub'",
        ),
        (
            lambda t: t.replace({"dataset": {"cifar10": "mnist"}}),
            "line 2: dataset 'mnist' is unknown",
        ),
        (lambda t: t.replace({"metric": {"time_min": "time"}}), "metric 'time' is unknown"),
        (
            lambda t: t.replace({"source": {"results.ipynb cell 2": "hearsay"}}),
            "source 'hearsay' is unknown",
        ),
        (lambda t: pd.concat([t, t.iloc[[4]]]), "is already in line 6"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path, change, said):
    table = pd.read_csv(FOLDER / RESULTS, dtype=str, keep_default_na=False).head(200)
    change(table).to_csv(tmp_path / RESULTS, index=False)
    with pytest.raises(LotusError) as error:
        load_published(tmp_path)
    assert str(error.value).startswith(str(tmp_path / RESULTS))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mistake_is_told_with_the_line_that_an_editor_shows(tmp_path):
    shutil.copytree(ROOT / "report/published", tmp_path / "published")
    path = tmp_path / "published/results.csv"
    head, first, *others = path.read_text().splitlines()
    wrong = first.replace(first.split(",")[1], "table99", 1)
    path.write_text("\n".join([head, "", "", wrong, *others]))
    with pytest.raises(LotusError, match="line 4: paper_item 'table99' is unknown"):
        load_published(tmp_path / "published")
