"""Densities of entropies."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from measured_runs import texts_of_figure

from lotus.errors import LotusError
from lotus.figures.streisand import FLOOR, POINTS, streisand
from lotus.figures.style import style
from lotus.predictions.predictions_file import Split
from lotus.results.entropies import entropies_of, load_entropies, save_entropies
from lotus.results.titles import row_title

PARTS = ("forget", "retain", "val", "test")


def said(logits):
    """The same answers about the images of every split."""
    split = Split(logits.astype(np.float32), np.zeros(len(logits), int), np.arange(len(logits)))
    return dict.fromkeys(PARTS, split)


def untouched(splits):
    """Predictions of an original model, which knows of no forget set."""
    return {"train": splits["retain"], "val": splits["val"], "test": splits["test"]}


def test_streisand_figure_skips_collapsed_models(tmp_path):
    logits = np.random.default_rng(0).normal(size=(30, 3))
    original, lost = untouched(said(logits)), said(np.full((30, 3), np.nan))
    rows = {"gold": said(logits), "ssd": lost}
    why = {"original": "", "gold": "", "lotus": "", "ssd": "weights are not finite"}
    source = tmp_path / "seed12" / "instance-10" / "metrics.npz"
    source.parent.mkdir(parents=True)
    save_entropies(source, entropies_of(original, rows, why))
    figure = streisand([source])
    assert [len(axes.patches) for axes in figure.axes] == [3, 3, 0]
    assert texts_of_figure(figure)[2] == "collapsed in 1 of 1 seed (12): not drawn"
    save_entropies(source, entropies_of(original, {"ssd": lost, "lotus": said(logits)}, why))
    assert rows_of(streisand([source])) == ["Original (nothing done)", "SSD", "LoTUS"]


def test_a_row_that_collapsed_in_one_seed_is_not_drawn_of_the_others(tmp_path):
    logits = np.random.default_rng(0).normal(size=(30, 3))
    files = []
    for seed, fallen in enumerate(["", "near chance"]):
        rows = {"gold": said(logits), "ssd": said(logits)}
        why = {"original": "", "gold": "", "ssd": fallen}
        files.append(tmp_path / f"{seed}.npz")
        save_entropies(files[-1], entropies_of(untouched(said(logits)), rows, why))
    assert texts_of_figure(streisand(files))[2] == "collapsed in 1 of 2 seeds (1.npz): not drawn"


def rows_of(figure):
    """Names at the sides of the panels of a figure with one for each row."""
    return [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]


def test_streisand_figure_draws_densities_and_cuts_a_peak(tmp_path):
    """All rows have one scale and areas of 1; ticks are forget images, least and largest among them."""
    names = {row_title(row): row for row in ("original", "gold", "lotus", "scrub", "ssd")}
    spreads = {"gold": 9, "lotus": 10, "scrub": 9, "ssd": 0.05}
    rows = {
        row: said(np.random.default_rng(1).normal(scale=spread, size=(900, 3)))
        for row, spread in spreads.items()
    }
    source = tmp_path / "metrics.npz"
    save_entropies(
        source, entropies_of(untouched(rows["gold"]), rows, dict.fromkeys(names.values(), ""))
    )
    entropies = load_entropies(source)
    with style():
        figure = streisand([source])
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
    texts = dict(zip(rows, texts_of_figure(figure), strict=True))
    assert {row for row, text in texts.items() if "cut, peak" in text} == {"SSD"}
    assert texts["LoTUS"] == "KS forget–test 0.00"
    scale = float(figure.axes[-1].get_xlabel().rsplit(" ", 1)[1])
    for row, axes in zip(rows, figure.axes, strict=True):
        assert axes.get_xlim() == figure.axes[0].get_xlim()
        assert axes.get_ylim() == (0, pytest.approx(scale, rel=0.03))
        for patch in axes.patches:
            heights, edges, _ = patch.get_data()
            assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
            assert (heights.max() > scale) == (row == "SSD")
        forget = np.log(np.maximum(entropies[names[row]]["forget"], FLOOR))
        (ticks,) = [found for found in axes.collections if isinstance(found, LineCollection)]
        shown = np.array([segment[0, 0] for segment in ticks.get_segments()])
        assert len(shown) == POINTS
        assert (shown[0], shown[-1]) == (forget.min(), forget.max())
        assert set(shown) <= set(forget)


@pytest.mark.parametrize("damage", ["no zip", "no rows", "a text", "negative", "no split"])
def test_what_is_no_file_of_entropies_is_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "metrics.npz"
    logits = np.random.default_rng(0).normal(size=(30, 3))
    rows = {"gold": said(logits)}
    save_entropies(path, entropies_of(untouched(said(logits)), rows, {"original": "", "gold": ""}))
    with np.load(path) as arrays:
        content = dict(arrays)
    if damage == "no zip":
        path.write_text("no")
    else:
        changed = {
            "no rows": {"rows": np.array([1])},
            "a text": {"gold/test": np.array(["1"])},
            "negative": {"gold/test": np.array([-1], np.float32)},
            "no split": {},
        }[damage]
        kept = {name: of for name, of in content.items() if damage != "no split" or "/" not in name}
        np.savez(path, **(kept | changed))
    with pytest.raises(LotusError, match="is no file of entropies by `lotus evaluate`"):
        streisand([path])
