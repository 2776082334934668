"""Metrics files read as tables: means, deviations, and what is not summarised."""

import numpy as np
import pandas as pd
import pytest
from metrics_files import GOLD, scores

from lotus.results.metrics import load_metrics, summarise


def test_means_and_deviations_are_those_of_pandas_to_the_last_bit(write_metrics):
    rng = np.random.default_rng(0)
    files = [
        write_metrics("corrected", seed, lotus=scores(*rng.random(4)), mine=scores(*rng.random(4)))
        for seed in (1, 2, 3)
    ]
    frame = load_metrics(files)
    summary = summarise(frame)
    for row, of_row in frame.groupby("row"):
        for metric in ("accuracy_forget", "accuracy_retain", "mia"):
            assert summary.loc[row, metric] == of_row[metric].mean()
            assert summary.loc[row, f"{metric}_std"] == of_row[metric].std()


def test_corrected_summary_is_mean_and_sample_deviation(write_metrics):
    files = [
        write_metrics("corrected", seed, lotus=scores(0.9, 1.0, 0.8, 0.6, avg_gap=gap))
        for seed, gap in [(1, 0.01), (2, 0.03)]
    ]
    lotus = summarise(load_metrics(files)).loc["lotus"]
    assert lotus["avg_gap"] == pytest.approx(0.02)
    assert lotus["avg_gap_std"] == pytest.approx(np.sqrt(2) * 0.01)


def test_nothing_is_measured_against_a_collapsed_gold_model(write_metrics):
    lotus = scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.01, jsd=0.1, rf_jsd=0.1)
    files = [
        write_metrics("corrected", 1, gold=GOLD | {"collapsed": "weights"}, lotus=lotus),
        write_metrics("corrected", 2, lotus=lotus),
    ]
    summary = summarise(load_metrics(files))
    assert np.isnan(summary.loc["lotus", "avg_gap"])
    assert np.isnan(summary.loc["lotus", "jsd"])
    assert summary.loc["lotus", "rf_jsd"] == pytest.approx(0.1)


def test_frames_of_two_protocols_are_not_summarised(write_metrics):
    frame = pd.concat(
        [load_metrics([write_metrics(name, 1)]) for name in ("corrected", "released")]
    )
    with pytest.raises(ValueError):
        summarise(frame)
