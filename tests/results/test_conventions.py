"""Names and values of metrics in the conventions of each protocol."""

import numpy as np
import pytest
from metrics_files import GOLD, scores

from lotus.config.protocol import parse
from lotus.results.conventions import StatedRuns
from lotus.results.floor import column
from lotus.results.metrics import load_metrics, summarise
from lotus.tables.cell_texts import signed


@pytest.mark.parametrize(
    ("protocol", "metric", "name"),
    [
        ("corrected", "jsd", "jsd"),
        ("released", "jsd", "jsd_released_e3_e4"),
        ("released", "rf_jsd", "rf_jsd_released_e3_e4"),
        ("released", "mia", "mia_released_e3_e6"),
        ("released", "avg_gap", "avg_gap_released_e3_e6"),
        ("released", "accuracy_forget", "accuracy_forget_released_e3"),
        ("released", "mia_auc", "mia_auc"),
        ("released-e3", "jsd", "jsd_released_e4"),
        ("released-e3", "accuracy_test", "accuracy_test"),
        ("corrected+e6", "mia", "mia_released_e6"),
        ("corrected+m1", "mia", "mia"),
        ("corrected+e5", "mia", "mia"),
    ],
)
def test_names_carry_the_switches_that_are_on_and_concern_the_metric(
    write_metrics, protocol, metric, name
):
    frame = load_metrics([write_metrics(protocol, 1)])
    runs = StatedRuns(frame, parse(protocol))
    assert runs.form(metric).name == name
    assert runs.values(metric).name == name


def test_e5_counts_where_there_is_a_calibration_set(write_metrics):
    gold = GOLD | {"mia_released_e5_e6": 0.25}
    lotus = scores(0.9, 1.0, 0.8, 0.5, mia_released_e5_e6=0.754)
    frame = load_metrics([write_metrics("released", 1, gold=gold, lotus=lotus)])
    found = StatedRuns(frame, parse("released")).values("mia")
    assert found.name == "mia_released_e3_e5_e6"
    assert found[frame["row"] == "lotus"].item() == 0.75
    found = StatedRuns(frame, parse("released-e3")).values("avg_gap")
    assert found.name == "avg_gap_released_e5_e6"
    expected = (0.504 + 0.1) / 4
    assert found[frame["row"] == "lotus"].item() == pytest.approx(expected)


def test_e5_leaves_rows_without_a_calibration_set_as_they_are(write_metrics):
    calibrated = scores(0.9, 1.0, 0.8, 0.5, mia_released_e5_e6=0.75)
    plain = scores(0.9, 1.0, 0.8, 0.5)
    frame = load_metrics([write_metrics("released", 1, lotus=plain, mine=calibrated)])
    summary = summarise(frame)
    found = summary["mia_released_e3_e5_e6"]
    assert found.to_dict() == {"original": 1.0, "gold": 0.6, "lotus": 0.5, "mine": 0.75}
    gaps = summary["avg_gap_released_e3_e5_e6"]
    assert gaps["lotus"] == pytest.approx((0.1 + 0.1) / 4)
    assert gaps["mine"] == pytest.approx((0.1 + 0.15) / 4)
    alone = summarise(load_metrics([write_metrics("released", 1, lotus=plain)]))
    assert alone.loc["lotus", "avg_gap_released_e3_e6"] == gaps["lotus"]


def test_released_values_are_rounded_per_run_before_the_mean(write_metrics):
    files = [
        write_metrics("released", seed, lotus=scores(0.5, test, 0.5, 0.5, jsd_released_e4=jsd))
        for seed, test, jsd in [(1, 0.904, 12.3e-5), (2, 0.914, 12.34e-5), (3, 0.924, 12.36e-5)]
    ]
    lotus = summarise(load_metrics(files)).loc["lotus"]
    assert lotus["accuracy_retain_released_e3"] == pytest.approx((0.9 + 0.91 + 0.92) / 3)
    assert lotus["jsd_released_e3_e4"] == pytest.approx((123e-6 + 123e-6 + 124e-6) / 3)
    assert "jsd" not in lotus.index


def test_released_avg_gap_is_one_of_rounded_means(write_metrics):
    # Forget: .85, .85, .86 → .8533 → .85, gold .80. Retain: .91, .93, .92 → .92, gold 1.
    # MIA: .60, .62, .61 → .61, gold .60. Unrounded means would give .0358.
    files = [
        write_metrics("released", 1, lotus=scores(0.854, 0.914, 0.8, 0.604)),
        write_metrics("released", 2, lotus=scores(0.846, 0.926, 0.8, 0.624)),
        write_metrics("released", 3, lotus=scores(0.856, 0.922, 0.8, 0.606)),
    ]
    frame = load_metrics(files)
    gaps = StatedRuns(frame, parse("released")).released_gaps()
    assert gaps["lotus"] == 0.035
    assert gaps["original"] == 0.15
    assert np.isnan(gaps["gold"])
    summary = summarise(frame)
    assert summary.loc["lotus", "avg_gap_released_e3_e6"] == gaps["lotus"]
    assert np.isnan(summary.loc["lotus", "avg_gap_released_e3_e6_std"])


def test_opposite_errors_cancel_in_the_released_gap_alone(write_metrics):
    files = [
        write_metrics("released", 1, lotus=scores(0.7, 1.0, 0.8, 0.6, avg_gap=0.025)),
        write_metrics("released", 2, lotus=scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.025)),
    ]
    frame = load_metrics(files)
    assert summarise(frame).loc["lotus", "avg_gap_released_e3_e6"] == 0
    textbook = summarise(frame, parse("corrected"))
    assert textbook.loc["lotus", "avg_gap"] == pytest.approx(0.025)


def test_column_does_not_take_one_metric_for_another(write_metrics):
    summary = summarise(load_metrics([write_metrics("released", 1)]))
    assert column(summary, "mia") == "mia_released_e3_e6"
    assert column(summary, "mia_auc") == "mia_auc"
    assert column(summary, "jsd") == "jsd_released_e3_e4"
    with pytest.raises(KeyError):
        column(summary, "zrf")


def test_signed():
    assert signed(-0.0001) == "0.000"
    assert signed(-0.25, 0.1, 2) == "−0.25 ± 0.10"
    assert signed(0.0126) == "+0.013"
    assert signed(float("nan")) == "–"
