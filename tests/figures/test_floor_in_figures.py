"""The floor of gold in figures: as a band, and in what is joined and named above it."""

import numpy as np
import pytest
from forging import edit_json
from matplotlib.patches import Rectangle
from measured_runs import ROWS, metrics_of, texts_of, values
from metrics_files import scores

from lotus.data.splits import ForgetSet, save_forget_set
from lotus.figures.forget_sets import forget_sets
from lotus.figures.pareto import pareto
from lotus.figures.rf_jsd import rf_jsd
from lotus.figures.style import style


def with_floor(path, of):
    edit_json(path, lambda content: content["rows"].update({"gold-again": of}))
    edit_json(path, lambda content: content.update(golds={"gold-again-1": of}))
    return path


def front(axes):
    line = next(line for line in axes.lines if line.get_drawstyle() == "steps-post")
    return [pytest.approx(point) for point in zip(*line.get_data(), strict=True)]


def bands(axes):
    """(left, right) of what is drawn in the colour of the floor, in the order of drawing."""
    patches = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in patches]


def test_methods_inside_the_floor_have_no_rank_in_time_against_avg_gap(measured):
    """SalUn is slower and farther than LoTUS, SSD slower still and near; UNSIR is beaten by retraining."""
    rows = {
        **{"finetune": (0.10, 0.2, 1.0), "random-labeling": (0.11, 0.2, 3.0)},
        **{"lotus": (0.05, 0.1, 2.0), "salun": (0.055, 0.1, 4.0), "ssd": (0.03, 0.1, 6.0)},
        "unsir": (0.02, 0.05, 20.0),
    }
    files = measured(rows)
    (axes,) = pareto(files).axes
    assert texts_of(axes) == ["Finetuning", "LoTUS", "SSD"]
    for path in metrics_of(files):
        with_floor(path, values(0.06, 0.1, ""))
    (axes,) = pareto(files).axes
    assert texts_of(axes) == ["Finetuning", "LoTUS", "SalUn", "SSD"]
    # The line ends at the floor's edge, above the fastest method inside.
    assert front(axes) == [(1.0, 0.10), (2.0, 0.06)]


def test_where_doing_nothing_is_inside_the_floor_it_beats_no_method_inside(measured):
    files = measured({"lotus": (0.21, 0.1, 2.0), "ssd": (0.3, 0.1, 1.0)})
    assert texts_of(pareto(files).axes[0]) == []
    for path in metrics_of(files):
        with_floor(path, values(0.25, 0.1, ""))
    assert texts_of(pareto(files).axes[0]) == ["LoTUS"]


def test_without_a_method_inside_the_line_is_as_without_a_floor(measured):
    files = measured(ROWS)
    before = front(pareto(files).axes[0])
    for path in metrics_of(files):
        with_floor(path, values(0.01, 0.1, ""))
    assert [tuple(of.expected) for of in front(pareto(files).axes[0])] == before


def test_rf_jsd_has_a_band_on_the_axis_of_jsd_and_names_the_collapsed(write_metrics):
    files = []
    for seed, why in ((1, ""), (2, "near chance")):
        of = scores(0.9, 1.0, 0.8, 0.7, jsd=0.1 * seed, rf_jsd=0.02, collapsed=why)
        files.append(write_metrics("corrected", seed, salun=of))
        with_floor(files[-1], scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.01, jsd=0.02 * seed))
    with style():
        figure = rf_jsd(files)
        figure.draw_without_rendering()
    (axes,) = figure.axes
    assert bands(axes) == [pytest.approx((0, 0.03)), pytest.approx((0.03, 0.04))]
    assert axes.get_title().endswith("\nwithout SalUn of seed 2: collapsed")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][-1] == "floor: another gold"
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    title = axes.title.get_window_extent()
    assert title.x0 >= 0
    assert title.y1 <= figure.bbox.height


def test_each_forget_set_has_its_own_floor_behind_its_marks(write_metrics, tmp_path):
    rules, sources = ("", "-random", "-hardest", "-easiest", "-duplicates"), []
    for number, rule in enumerate(rules, 1):
        about = {"scenario": f"instance-10{rule}"}
        of = scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.1, jsd=0.01)
        path = write_metrics("corrected", 1, about=about, lotus=of)
        again = scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.01 * number, jsd=0.1)
        sources.append(with_floor(path, again))
        split = tmp_path / "results" / "data" / "splits" / "seed1" / f"{about['scenario']}.json"
        split.parent.mkdir(parents=True, exist_ok=True)
        save_forget_set(split, ForgetSet("rule", np.arange(7), np.arange(7, 9), False))
        sources.append(split)
    with style():
        figure = forget_sets(sources)
        figure.draw_without_rendering()
    gaps, accuracies = figure.axes
    assert not bands(accuracies)
    # Of each scenario a lane in each of four rows, and its paler edge, here of no width.
    ends = [right for _, right in bands(gaps)]
    assert ends == pytest.approx([0.01 * number for number in range(1, 6) for _ in range(8)])
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][-1] == "floor: another gold"
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
