"""Tables of benchmarks: what they hold, with collapsed rows, without gold and in studies."""

import re

import numpy as np
import pandas as pd
import pytest
from metrics_files import scores

from lotus.config.protocol import parse
from lotus.figures.avg_gap import avg_gap
from lotus.figures.rf_jsd import rf_jsd
from lotus.results.conventions import form_of
from lotus.results.correlation import jsd_agreement
from lotus.results.floor import best_rows
from lotus.results.metrics import load_metrics, summarise
from lotus.tables.benchmark import benchmark
from lotus.tables.correlation import correlation
from lotus.tables.per_seed import per_seed
from lotus.tables.summary import summary as summary_table
from lotus.tables.write import write_table


def test_collapsed_rows_have_no_mean_and_say_so(fallen):
    frame = load_metrics(fallen)
    summary = summarise(frame)
    assert summary.loc["salun", "collapsed"] == 1
    assert np.isnan(summary.loc["salun", "avg_gap"])
    assert np.isnan(summary.loc["salun", "avg_gap_std"])
    assert "near chance" in summary.loc["salun", "why"]
    assert best_rows(summary, "avg_gap") == {"lotus"}
    numbers, latex = benchmark(fallen)
    assert "SalUn (collapsed in 1 of 3 seeds): seed 2 & -- & --" in latex
    over_benchmarks, of_all = summary_table(fallen)
    assert "SalUn & collapsed (seed 2) & collapsed (seed 2)" in of_all
    for table in (numbers, over_benchmarks):
        by_row = table.set_index("row")
        assert by_row.loc["salun", ["collapsed", "collapsed_seeds"]].tolist() == [1, "seed 2"]
        assert by_row.loc["lotus", ["collapsed", "collapsed_seeds"]].tolist() == [0, ""]


def test_collapsed_models_stay_in_the_list_of_models_with_the_reason(fallen):
    numbers = per_seed(fallen)[0].set_index(["row", "seed"])
    assert numbers.loc[("salun", 2), "collapsed"].startswith("retain accuracy 0.100")
    assert numbers.loc[("salun", 2), "jsd"] == 0.3


def test_collapsed_models_are_no_points_of_the_correlation(fallen):
    points, found = jsd_agreement(load_metrics(fallen))
    assert found.points == 3 + 3 + 2
    assert set(points.loc[points["row"] == "salun", "seed"]) == {1, 3}
    numbers, latex = correlation(fallen)
    assert numbers[["collapsed", "collapsed_seeds"]].values.tolist() == [[1, "salun: seed 2"]]
    assert "& salun: seed 2 " in latex


def test_a_correlation_of_few_rows_is_stated_without_an_interval(write_metrics):
    rows = {
        name: scores(0.9, 1.0, 0.8, 0.7, jsd=value, rf_jsd=2 * value)
        for name, value in {"lotus": 0.1, "ssd": 0.3}.items()
    }
    path = write_metrics("corrected", 1, **rows)
    numbers, latex = correlation([path])
    assert numbers["rows"].tolist() == [3]
    assert numbers[["pearson_low", "pearson_high"]].isna().all(axis=None)
    assert "nan" not in latex
    assert re.search(r"3 & 3 & [\d.]+ & -- & -- &", latex)
    drawn = rf_jsd([path])
    assert "[no interval], 3 models of 3 rows" in drawn.axes[0].get_title()


def test_nearest_is_who_is_nearest_in_each_seed_as_printed_and_not_in_the_mean(write_metrics):
    """SSD is right on average, and farther from gold in each seed."""
    files = [
        write_metrics(
            "corrected",
            seed,
            lotus=scores(0.9, 1.0, 0.8, 0.7),
            ssd=scores(0.8 + apart, 1.0, 0.8, 0.7),
        )
        for seed, apart in enumerate((0.15, -0.15))
    ]
    summary = summarise(load_metrics(files))
    assert best_rows(summary, "accuracy_forget") == {"lotus"}
    distance = summary["accuracy_forget_distance"]
    assert distance["lotus"] < distance["ssd"]


def test_best_rows_share_the_mark_if_they_print_alike(write_metrics):
    rows = {
        name: scores(0.9, 1.0, 0.8, 0.7, jsd_released_e4=value)
        for name, value in {"lotus": 2.000e-3, "ssd": 2.0004e-3, "scrub": 2.002e-3}.items()
    }
    frame = load_metrics([write_metrics("released", 1, **rows)])
    form = form_of("jsd", parse("released"), frame)
    assert best_rows(summarise(frame), "jsd", form.resolution) == {"lotus", "ssd"}


def test_latex_of_a_benchmark(write_metrics):
    lotus = scores(0.9, 0.95, 0.8, 0.7, avg_gap=0.0625, jsd=0.1)
    corrected = benchmark([write_metrics("corrected", 1, lotus=lotus)])[1]
    assert "LoTUS & \\textbf{0.062} & \\textbf{0.100} & -- & \\textbf{0.900}" in corrected
    released = scores(0.9, 0.95, 0.8, 0.7, jsd_released_e4=1.874e-4)
    latex = benchmark([write_metrics("released", 1, lotus=released)])[1]
    assert "{JSD\\\\(as released,\\\\$\\times 10^4$)}" in latex
    assert "{Forget acc.\\\\(as released)}" in latex
    assert "LoTUS & \\textbf{0.0625} & \\textbf{1.87} & -- & \\textbf{0.90}" in latex
    assert "data, ResNet18, 10 \\% forgotten, released" in latex


@pytest.mark.parametrize("name", ["corrected", "released"])
def test_without_gold_a_table_has_no_columns_that_need_it(ungauged, name):
    alone, beside = ungauged[name]
    numbers, latex = benchmark([alone])
    assert not [column for column in numbers if column.startswith(("jsd", "avg_gap"))]
    assert list(numbers["row"]) == ["original", "lotus", "scrub"]
    assert "nan" not in latex
    heads = latex.split("\\toprule\n")[1].split(" & ")
    assert heads[1].removeprefix("\\shortstack[r]{").startswith("RF-JSD")
    assert "SCRUB & \\textbf{" in latex
    assert latex.count("textbf") == 1
    assert "Avg Gap" in benchmark([beside])[1]


def test_summary_of_places_with_and_without_gold(ungauged):
    numbers, latex = summary_table(ungauged["corrected"])
    by = numbers.set_index(["scenario", "row"])
    assert by.loc[("instance-50", "scrub"), "rf_jsd"] == 0.01
    assert np.isnan(by.loc[("instance-50", "scrub"), "jsd"])
    assert np.isnan(by.loc[("instance-10", "lotus"), "rf_jsd"])
    assert "RF-JSD where there are none, corrected." in latex
    assert "\nOriginal (nothing done) & 0.040 & 0.150 & 0.200" in latex
    assert "\nGold (retrained) & -- & -- & --" in latex
    assert "\nSCRUB & \\textbf{0.010} & -- & --" in latex
    assert "no gold models" in summary_table(ungauged["released"][:1])[1]


def test_without_gold_there_is_nothing_to_correlate(ungauged):
    alone, beside = ungauged["corrected"]
    assert correlation([alone])[0].empty
    assert list(correlation([alone, beside])[0]["scenario"]) == ["instance-10"]


STUDY = {"study": "share"}


def test_studies_are_kept_apart(write_metrics):
    files = [
        write_metrics("corrected", 1, lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.1, jsd=0.1)),
        write_metrics(
            "corrected", 1, about=STUDY, half=scores(0.8, 1.0, 0.8, 0.7, avg_gap=0.2, jsd=0.1)
        ),
    ]
    numbers, latex = summary_table(files)
    by = numbers.set_index(["study", "row"])["avg_gap"]
    assert by[("share", "half")] == 0.2
    assert ("", "half") not in by.index
    assert latex.count("\\begin{table}") == 2
    assert "study share, corrected" in latex
    assert "data, ResNet18, 10 \\% forgotten, study share" in benchmark(files[1:])[1]
    titles = [axes.get_title() for axes in avg_gap(files).axes if axes.get_visible()]
    assert titles == [
        "data, ResNet18\n10 % forgotten",
        "data, ResNet18\n10 % forgotten, study share",
    ]


def test_tables_name_the_study_only_where_there_is_one(write_metrics, tmp_path):
    plain, of_study = write_metrics("corrected", 1), write_metrics("corrected", 1, about=STUDY)
    for name in ("summary", "per-seed"):
        for sources, told in (([plain], False), ([plain, of_study], True)):
            write_table(name, sources, tmp_path / "t", tmp_path / "r.json")
            assert ("study" in pd.read_csv(tmp_path / "t.csv")) == told
            assert ("share" in (tmp_path / "t.tex").read_text()) == told


def test_summary_names_columns_by_convention(write_metrics):
    files = [write_metrics(protocol, 1) for protocol in ("corrected", "released")]
    numbers, latex = summary_table(files)
    assert {"avg_gap", "avg_gap_released_e3_e6", "jsd_released_e3_e4"} <= set(numbers.columns)
    by = numbers.set_index(["protocol", "row"])
    assert np.isnan(by.loc[("released", "original"), "avg_gap"])
    assert by.loc[("released", "original"), "avg_gap_released_e3_e6"] == 0.15
    assert latex.count("\\begin{table}") == 2
