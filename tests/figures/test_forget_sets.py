"""The figure of forget sets that were chosen by different rules."""

import numpy as np
import pytest
from forging import edit_json
from measured_runs import texts_of
from metrics_files import scores

from lotus.data.splits import ForgetSet, save_forget_set
from lotus.figures.forget_sets import forget_sets
from lotus.figures.style import style

RULES = ("", "-random", "-hardest", "-easiest", "-duplicates")


@pytest.fixture
def sources(write_metrics, tmp_path):
    found = []
    for number, rule in enumerate(RULES):
        scenario = f"instance-10{rule}"
        of = scores(0.1 * number, 1.0, 0.8, 0.6, avg_gap=0.1 * number, jsd=0.01)
        found.append(write_metrics("corrected", 1, about={"scenario": scenario}, lotus=of))
        path = tmp_path / "results" / "data" / "splits" / "seed1" / f"{scenario}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_forget_set(path, ForgetSet("rule", np.arange(7), np.arange(7, 9), False))
        found.append(path)
    return found


def test_every_rule_is_drawn_at_its_means_and_named_in_the_legend(sources):
    with style():
        figure = forget_sets(sources)
        figure.canvas.draw()
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [
        "10 % forgotten",
        "drawn at random",
        "hardest first",
        "easiest first",
        "look-alikes",
    ]
    gaps, accuracies = figure.axes
    for axes in (gaps, accuracies):
        of_lotus = [line.get_xdata()[-1] for line in axes.get_lines()]
        assert of_lotus == pytest.approx([0.1 * number for number in range(5)])
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert all(box.y0 >= axes.title.get_window_extent().y1 for axes in figure.axes)


def test_a_row_with_a_collapsed_model_has_no_mark_and_names_the_seed(sources):
    edit_json(sources[2], lambda of: of["rows"]["lotus"].update(collapsed="near chance"))
    gaps, accuracies = forget_sets(sources).axes
    for axes in (gaps, accuracies):
        assert np.isnan([line.get_xdata()[-1] for line in axes.get_lines()]).tolist() == [
            *(False, True, False, False, False)
        ]
        assert texts_of(axes) == ["collapsed: seed 1"]
