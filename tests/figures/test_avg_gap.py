"""The figures of Avg Gap and of its changes."""

import numpy as np
import pytest
from forging import edit_json
from measured_runs import texts_of_figure
from metrics_files import FALLEN, METHODS, scores

from lotus.errors import LotusError
from lotus.figures.avg_gap import avg_gap
from lotus.figures.registry import FIGURES
from lotus.figures.rf_jsd import rf_jsd
from lotus.figures.style import SCREEN, look_of, style

LOTUS = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05)


def test_the_avg_gap_figure_leaves_places_without_gold_out(ungauged):
    figure = avg_gap(ungauged["corrected"])
    assert [axes.get_title() for axes in figure.axes] == ["data, ResNet18\n10 % forgotten"]
    assert [axes.get_title().split("\n")[0] for axes in rf_jsd(ungauged["corrected"]).axes] == [
        "data, ResNet18, 10 % forgotten"
    ]


def test_ten_methods_look_different():
    looks = look_of(["original", "gold", *METHODS, "mine", "also-mine"])
    assert len(set(looks.values())) == 14
    assert len({colour for colour, _ in (looks[row] for row in METHODS)}) == 10
    assert len({marker for _, marker in (looks[row] for row in METHODS)}) == 10
    assert look_of(["scrub"])["scrub"] == looks["scrub"]


def test_avg_gap_figure_leaves_collapsed_models_out_and_says_so(fallen, write_metrics):
    released = write_metrics("released", 1, lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.06))
    figure = avg_gap([*fallen, released])
    assert texts_of_figure(figure) == ["corrected: collapsed in 1 of 3 seeds (2)"]
    (axes,) = figure.axes
    means = [line for line in axes.lines if line.get_marker() == "D"]
    assert [np.nanmean(line.get_xdata()) for line in means] == pytest.approx([0.05, 0.06])
    assert [line.get_markerfacecolor() == "white" for line in means] == [False, True]


def test_the_avg_gap_figure_says_in_one_line_that_both_protocols_collapsed(fallen, write_metrics):
    figure = avg_gap([*fallen, write_metrics("released", 1, salun=FALLEN)])
    assert texts_of_figure(figure) == [
        "collapsed: corrected in 1 of 3 seeds (2), released in 1 of 1 seed (1)"
    ]
    (legend,) = figure.legends
    assert "doing nothing" in [text.get_text() for text in legend.get_texts()]


def test_the_legend_of_a_single_panel_is_not_cut(write_metrics):
    again = scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.01, jsd=0.05, avg_gap_released_e6=0.01)
    files = []
    for protocol in ("corrected", "released"):
        files.append(write_metrics(protocol, 1, lotus=LOTUS, **{"gold-again": again}))
        edit_json(files[-1], lambda of: of.update(golds={"gold-again-1": again}))
    with style():
        figure = avg_gap(files)
        figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 4
    box = legend.get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.bbox.y1
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    assert not any(box.overlaps(title) for title in titles)


def test_avg_gap_figure_has_no_row_for_gold_even_if_that_has_collapsed(write_metrics):
    files = [write_metrics("corrected", 1, gold=FALLEN, lotus=scores(0.9, 1.0, 0.8, 0.6))]
    (axes,) = avg_gap(files).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "Original (nothing done)",
        "LoTUS",
    ]
    assert not axes.texts


def test_the_map_of_changes_shows_each_change_once_and_no_collapsed_model(write_metrics):
    files = [
        write_metrics(
            "corrected", 1, lotus=scores(0.9, 1.0, 0.8, 0.6), ssd=scores(0.5, 0.5, 0.5, 0.5)
        ),
        write_metrics("corrected+e1", 1, lotus=scores(0.9, 0.7, 0.8, 0.6), ssd=FALLEN),
    ]
    left, right, _ = FIGURES.spec("ablation").draw(files).axes
    rows = [label.get_text() for label in left.get_yticklabels()]
    e1 = [label.get_text() for label in left.get_xticklabels()].index("E1")
    told = {
        rows[int(t.get_position()[1])]: t.get_text()
        for t in right.texts
        if int(t.get_position()[0]) == e1 and t.get_text()
    }
    assert told == {"LoTUS": "−.30"}
    with pytest.raises(LotusError, match="no switch was tried"):
        FIGURES.spec("ablation").draw(
            [write_metrics("released", 1, lotus=scores(0.9, 1.0, 0.8, 0.6))]
        )


def test_three_benchmarks_stand_side_by_side_and_a_fourth_below(write_metrics):
    shapes = []
    for count in (3, 4):
        files = [
            write_metrics("corrected", 1, about={"scenario": f"instance-{share}"}, lotus=LOTUS)
            for share in range(10, 10 + count)
        ]
        figure = avg_gap(files)
        panels = [axes.get_position() for axes in figure.axes if axes.get_visible()]
        shapes.append([len({round(getattr(p, side), 6) for p in panels}) for side in ("x0", "y0")])
        width, height = figure.get_size_inches()
        assert width == SCREEN
        assert height < width or count > 3
    assert shapes == [[3, 1], [3, 2]]
