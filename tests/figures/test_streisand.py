"""Densities of entropies."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from measured_runs import texts_of_figure
from scores import row_of_metrics

from lotus.figures.streisand import FLOOR, POINTS, streisand
from lotus.figures.style import style
from lotus.metrics.base.probabilities import entropy_of_logits
from lotus.predictions import predictions_file
from lotus.records.files import sha256
from lotus.results.metrics import (
    row_title,
)


def test_streisand_figure_skips_collapsed_models(write_metrics, tmp_path):
    def save(row, logits, splits, collapsed=""):
        labels, path = np.zeros(len(logits), int), tmp_path / f"{row}.npz"
        split = predictions_file.Split(logits.astype(np.float32), labels, np.arange(len(logits)))
        predictions_file.save(path, dict.fromkeys(splits, split), collapsed)
        return {"path": str(path), "sha256": sha256(path)}

    logits = np.random.default_rng(0).normal(size=(30, 3))
    usual = ("forget", "retain", "val", "test")
    files = {
        "original": save("original", logits, ("train", "val", "test")),
        "gold": save("gold", logits, usual),
        "ssd": save("ssd", np.full((30, 3), np.nan), usual, "weights are not finite"),
    }
    fallen = {"ssd": row_of_metrics(collapsed="weights are not finite")}
    source = write_metrics("corrected", 1, files, **fallen)
    figure = streisand([source])
    assert [len(axes.patches) for axes in figure.axes] == [3, 3, 0]
    assert texts_of_figure(figure)[2] == "collapsed in 1 of 1 seeds: not drawn"
    del files["gold"]
    alone = write_metrics(
        "corrected", 2, {**files, "lotus": save("lotus", logits, usual)}, gold=None, **fallen
    )
    assert rows_of(streisand([alone])) == ["Original (nothing done)", "SSD", "LoTUS"]


def rows_of(figure):
    """Names at the sides of the panels of a figure with one for each row."""
    return [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]


def test_streisand_figure_draws_densities_and_cuts_a_peak(write_metrics, tmp_path):
    """All rows have one scale and areas of 1; ticks are forget images, least and largest among them."""

    def save(row, spread):
        logits = np.random.default_rng(1).normal(scale=spread, size=(900, 3))
        split = predictions_file.Split(
            logits.astype(np.float32), np.zeros(900, int), np.arange(900)
        )
        path = tmp_path / f"{row}.npz"
        predictions_file.save(path, dict.fromkeys(("forget", "retain", "val", "test"), split))
        return {"path": str(path), "sha256": sha256(path)}

    def log_entropies(path):
        split = predictions_file.load(path)
        logits = split["forget" if "forget" in split else "train"].logits
        return np.log(np.maximum(entropy_of_logits(logits), FLOOR))

    names = {row_title(row): row for row in ("original", "gold", "lotus", "scrub", "ssd")}
    spreads = {"gold": 9, "lotus": 10, "scrub": 9, "ssd": 0.05}
    files = {row: save(row, spread) for row, spread in spreads.items()}
    original = tmp_path / "original.npz"
    splits = predictions_file.load(Path(files["gold"]["path"]))
    everything = {"train": splits["retain"], "val": splits["val"], "test": splits["test"]}
    predictions_file.save(original, everything)
    files["original"] = {"path": str(original), "sha256": sha256(original)}
    with style():
        figure = streisand([write_metrics("corrected", 1, files)])
        figure.draw_without_rendering()
    (legend,) = figure.legends
    boxes = [legend.get_window_extent(), *(axes.get_tightbbox() for axes in figure.axes)]
    assert not any(above.overlaps(below) for above, below in combinations(boxes, 2))
    assert all(
        figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        and figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        for box in boxes
    )
    rows = rows_of(figure)
    said = dict(zip(rows, texts_of_figure(figure), strict=True))
    assert {row for row, text in said.items() if "cut, peak" in text} == {"SSD"}
    assert said["LoTUS"] == "KS forget–test 0.00"
    scale = float(figure.axes[-1].get_xlabel().rsplit(" ", 1)[1])
    for row, axes in zip(rows, figure.axes, strict=True):
        assert axes.get_xlim() == figure.axes[0].get_xlim()
        assert axes.get_ylim() == (0, pytest.approx(scale, rel=0.03))
        for patch in axes.patches:
            heights, edges, _ = patch.get_data()
            assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
            assert (heights.max() > scale) == (row == "SSD")
        forget = log_entropies(Path(files[names[row]]["path"]))
        (ticks,) = [found for found in axes.collections if isinstance(found, LineCollection)]
        shown = np.array([segment[0, 0] for segment in ticks.get_segments()])
        assert len(shown) == POINTS
        assert (shown[0], shown[-1]) == (forget.min(), forget.max())
        assert set(shown) <= set(forget)
