"""Tables, figures and sentences, from small metrics files and records made here."""

import json
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_made import write_by_hand
from matplotlib.collections import LineCollection

from lotus.config.protocol import parse
from lotus.config.register import REGISTER
from lotus.errors import LotusError
from lotus.figures import figures
from lotus.figures.streisand import POINTS, streisand
from lotus.figures.style import look_of, style
from lotus.metrics.divergence import entropy, softmax
from lotus.metrics.streisand import FLOOR
from lotus.metrics.summary import Scores
from lotus.page.costs import costs, register
from lotus.page.overview import size, standing
from lotus.page.sections import Measured
from lotus.page.sentences import differences, sentences
from lotus.predictions import predictions_file
from lotus.records.files import sha256
from lotus.records.reading import Record
from lotus.results.conventions import form_of, released_gaps, values
from lotus.results.metrics import (
    best_rows,
    column,
    jsd_agreement,
    load_metrics,
    row_title,
    summarise,
    titled,
)
from lotus.tables import tables
from lotus.tables.ablation import ablate
from lotus.tables.trace import trace

METHODS = [
    *("lotus", "finetune", "neggrad-plus", "random-labeling", "bad-teacher"),
    *("scrub", "ssd", "unsir", "salun", "salun-lotus"),
]
PLACE = {"dataset": "data", "architecture": "resnet18", "scenario": "instance-10"}


def scores(forget, retain, test, mia, **others):
    """A row with its terms of Avg Gap; `mia` also by the published attack."""
    given = {"accuracy_forget": forget, "accuracy_retain": retain, "accuracy_test": test}
    defaults = {"accuracy_val": test, "mia": mia, "mia_released_e6": mia, "mia_auc": 0.5}
    return asdict(Scores(**{**given, **defaults, **others}))


GOLD = scores(0.8, 1.0, 0.8, 0.6)
ORIGINAL = scores(1.0, 1.0, 0.8, 1.0, avg_gap=0.15, jsd=0.2, rf_jsd=0.04, avg_gap_released_e6=0.15)


@pytest.fixture
def write(tmp_path):
    """Writes a metrics file and returns its path; original and gold (unless None) are added."""

    def write(protocol, seed, files=None, about=None, **rows):
        place = PLACE | {"protocol": protocol, "seed": seed} | (about or {})
        every = {"original": ORIGINAL, "gold": GOLD} | rows
        every = {row: of for row, of in every.items() if of is not None}
        path = tmp_path / protocol / "-".join(place[key] for key in (about or {})) / f"{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**place, "rows": every, "predictions": files or {}}))
        return path

    return write


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
def test_names_carry_the_switches_that_are_on_and_concern_the_metric(write, protocol, metric, name):
    frame = load_metrics([write(protocol, 1)])
    assert form_of(metric, parse(protocol), frame).name == name
    assert values(frame, metric, parse(protocol))[0] == name


def test_e5_counts_where_there_is_a_calibration_set(write):
    gold = GOLD | {"mia_released_e5_e6": 0.25}
    lotus = scores(0.9, 1.0, 0.8, 0.5, mia_released_e5_e6=0.754)
    frame = load_metrics([write("released", 1, gold=gold, lotus=lotus)])
    name, found = values(frame, "mia", parse("released"))
    assert name == "mia_released_e3_e5_e6"
    assert found[frame["row"] == "lotus"].item() == 0.75
    name, found = values(frame, "avg_gap", parse("released-e3"))
    assert name == "avg_gap_released_e5_e6"
    expected = (0.504 + 0.1) / 4
    assert found[frame["row"] == "lotus"].item() == pytest.approx(expected)


def test_e5_leaves_rows_without_a_calibration_set_as_they_are(write):
    calibrated = scores(0.9, 1.0, 0.8, 0.5, mia_released_e5_e6=0.75)
    plain = scores(0.9, 1.0, 0.8, 0.5)
    frame = load_metrics([write("released", 1, lotus=plain, mine=calibrated)])
    summary = summarise(frame)
    found = summary["mia_released_e3_e5_e6"]
    assert found.to_dict() == {"original": 1.0, "gold": 0.6, "lotus": 0.5, "mine": 0.75}
    gaps = summary["avg_gap_released_e3_e5_e6"]
    assert gaps["lotus"] == pytest.approx((0.1 + 0.1) / 4)
    assert gaps["mine"] == pytest.approx((0.1 + 0.15) / 4)
    alone = summarise(load_metrics([write("released", 1, lotus=plain)]))
    assert alone.loc["lotus", "avg_gap_released_e3_e6"] == gaps["lotus"]


def test_ablation_states_e5_for_rows_with_a_calibration_set(write):
    calibrated = scores(0.9, 1.0, 0.8, 0.5, mia_released_e5_e6=0.75)
    files = [write("corrected", 1, lotus=scores(0.9, 1.0, 0.8, 0.5), mine=calibrated)]
    numbers = ablate(files)
    line = lines_of(numbers).loc[("E5+E6", "mine")]
    assert line["mia_change"] == pytest.approx(0.25)
    assert set(numbers.loc[numbers["switch"] == "E5+E6", "row"]) == {"mine"}


def test_released_values_are_rounded_per_run_before_the_mean(write):
    files = [
        write("released", seed, lotus=scores(0.5, test, 0.5, 0.5, jsd_released_e4=jsd))
        for seed, test, jsd in [(1, 0.904, 12.3e-5), (2, 0.914, 12.34e-5), (3, 0.924, 12.36e-5)]
    ]
    lotus = summarise(load_metrics(files)).loc["lotus"]
    assert lotus["accuracy_retain_released_e3"] == pytest.approx((0.9 + 0.91 + 0.92) / 3)
    assert lotus["jsd_released_e3_e4"] == pytest.approx((123e-6 + 123e-6 + 124e-6) / 3)
    assert "jsd" not in lotus.index


def test_means_and_deviations_are_those_of_pandas_to_the_last_bit(write):
    rng = np.random.default_rng(0)
    files = [
        write("corrected", seed, lotus=scores(*rng.random(4)), mine=scores(*rng.random(4)))
        for seed in (1, 2, 3)
    ]
    frame = load_metrics(files)
    summary = summarise(frame)
    for row, of_row in frame.groupby("row"):
        for metric in ("accuracy_forget", "accuracy_retain", "mia"):
            assert summary.loc[row, metric] == of_row[metric].mean()
            assert summary.loc[row, f"{metric}_std"] == of_row[metric].std()


def test_released_avg_gap_is_one_of_rounded_means(write):
    # Forget: .85, .85, .86 → .8533 → .85, gold .80. Retain: .91, .93, .92 → .92, gold 1.
    # MIA: .60, .62, .61 → .61, gold .60. Unrounded means would give .0358.
    files = [
        write("released", 1, lotus=scores(0.854, 0.914, 0.8, 0.604)),
        write("released", 2, lotus=scores(0.846, 0.926, 0.8, 0.624)),
        write("released", 3, lotus=scores(0.856, 0.922, 0.8, 0.606)),
    ]
    frame = load_metrics(files)
    gaps = released_gaps(frame, parse("released"))
    assert gaps["lotus"] == 0.035
    assert gaps["original"] == 0.15
    assert np.isnan(gaps["gold"])
    summary = summarise(frame)
    assert summary.loc["lotus", "avg_gap_released_e3_e6"] == gaps["lotus"]
    assert np.isnan(summary.loc["lotus", "avg_gap_released_e3_e6_std"])


def test_opposite_errors_cancel_in_the_released_gap_alone(write):
    files = [
        write("released", 1, lotus=scores(0.7, 1.0, 0.8, 0.6, avg_gap=0.025)),
        write("released", 2, lotus=scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.025)),
    ]
    frame = load_metrics(files)
    assert summarise(frame).loc["lotus", "avg_gap_released_e3_e6"] == 0
    textbook = summarise(frame, parse("corrected"))
    assert textbook.loc["lotus", "avg_gap"] == pytest.approx(0.025)


def test_corrected_summary_is_mean_and_sample_deviation(write):
    files = [
        write("corrected", seed, lotus=scores(0.9, 1.0, 0.8, 0.6, avg_gap=gap))
        for seed, gap in [(1, 0.01), (2, 0.03)]
    ]
    lotus = summarise(load_metrics(files)).loc["lotus"]
    assert lotus["avg_gap"] == pytest.approx(0.02)
    assert lotus["avg_gap_std"] == pytest.approx(np.sqrt(2) * 0.01)


@pytest.fixture
def fallen(write):
    """Three seeds; SalUn has the smallest gaps, and has collapsed in one."""
    why = "retain accuracy 0.100 is near chance"
    return [
        write(
            "corrected",
            seed,
            lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1 * seed, rf_jsd=0.02 * seed),
            salun=scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.0, jsd=0.3, rf_jsd=0.1, collapsed=reason),
        )
        for seed, reason in [(1, ""), (2, why), (3, "")]
    ]


def test_collapsed_rows_have_no_mean_and_say_so(fallen):
    frame = load_metrics(fallen)
    summary = summarise(frame)
    assert summary.loc["salun", "collapsed"] == 1
    assert np.isnan(summary.loc["salun", "avg_gap"])
    assert np.isnan(summary.loc["salun", "avg_gap_std"])
    assert "near chance" in summary.loc["salun", "why"]
    assert best_rows(summary, "avg_gap") == {"lotus"}
    numbers, latex = tables.benchmark(fallen)
    assert "SalUn (collapsed in 1 of 3 seeds) & -- & --" in latex
    assert numbers.set_index("row")["collapsed"].to_dict()["salun"] == 1
    assert "SalUn & collapsed & collapsed" in tables.summary(fallen)[1]


def test_collapsed_models_stay_in_the_list_of_models_with_the_reason(fallen):
    numbers = tables.per_seed(fallen)[0].set_index(["row", "seed"])
    assert numbers.loc[("salun", 2), "collapsed"].startswith("retain accuracy 0.100")
    assert numbers.loc[("salun", 2), "jsd"] == 0.3


def test_collapsed_models_are_no_points_of_the_correlation(fallen):
    points, found = jsd_agreement(load_metrics(fallen))
    assert found.points == 3 + 3 + 2
    assert set(points.loc[points["row"] == "salun", "seed"]) == {1, 3}


def test_nothing_is_measured_against_a_collapsed_gold_model(write):
    lotus = scores(0.9, 1.0, 0.8, 0.6, avg_gap=0.01, jsd=0.1, rf_jsd=0.1)
    files = [
        write("corrected", 1, gold=GOLD | {"collapsed": "weights"}, lotus=lotus),
        write("corrected", 2, lotus=lotus),
    ]
    summary = summarise(load_metrics(files))
    assert np.isnan(summary.loc["lotus", "avg_gap"])
    assert np.isnan(summary.loc["lotus", "jsd"])
    assert summary.loc["lotus", "rf_jsd"] == pytest.approx(0.1)


def test_titled():
    assert titled("scrub", 0, 3) == "SCRUB"
    assert titled("my-row", 2, 3) == "my-row (collapsed in 2 of 3 seeds)"


def test_column_does_not_take_one_metric_for_another(write):
    summary = summarise(load_metrics([write("released", 1)]))
    assert column(summary, "mia") == "mia_released_e3_e6"
    assert column(summary, "mia_auc") == "mia_auc"
    assert column(summary, "jsd") == "jsd_released_e3_e4"
    with pytest.raises(KeyError):
        column(summary, "zrf")


def test_best_rows_share_the_mark_if_they_print_alike(write):
    rows = {
        name: scores(0.9, 1.0, 0.8, 0.7, jsd_released_e4=value)
        for name, value in {"lotus": 2.000e-3, "ssd": 2.0004e-3, "scrub": 2.002e-3}.items()
    }
    frame = load_metrics([write("released", 1, **rows)])
    form = form_of("jsd", parse("released"), frame)
    assert best_rows(summarise(frame), "jsd", form.resolution) == {"lotus", "ssd"}


def test_latex_of_a_benchmark(write):
    lotus = scores(0.9, 0.95, 0.8, 0.7, avg_gap=0.0625, jsd=0.1)
    corrected = tables.benchmark([write("corrected", 1, lotus=lotus)])[1]
    assert "LoTUS & \\textbf{0.062} & \\textbf{0.100} & -- & \\textbf{0.900}" in corrected
    released = scores(0.9, 0.95, 0.8, 0.7, jsd_released_e4=1.874e-4)
    latex = tables.benchmark([write("released", 1, lotus=released)])[1]
    assert "{JSD\\\\(as released,\\\\$\\times 10^4$)}" in latex
    assert "{Forget acc.\\\\(as released)}" in latex
    assert "LoTUS & \\textbf{0.0625} & \\textbf{1.87} & -- & \\textbf{0.90}" in latex
    assert "data, ResNet18, 10 \\% forgotten, released" in latex


ALONE = {"scenario": "instance-50"}
NO_GAP = {"avg_gap": None, "jsd": None, "avg_gap_released_e6": None}


@pytest.fixture
def ungauged(write):
    """A place without gold, and one with."""
    lotus = scores(0.9, 0.95, 0.8, 0.7, rf_jsd=0.02, rf_jsd_released_e4=2e-5)
    scrub = scores(0.7, 0.95, 0.8, 0.7, rf_jsd=0.01, rf_jsd_released_e4=1e-5)
    alone = {"original": ORIGINAL | NO_GAP, "gold": None, "lotus": lotus, "scrub": scrub}
    return {
        name: [
            write(name, 1, about=ALONE, **alone),
            write(name, 1, lotus=lotus | {"avg_gap": 0.1, "jsd": 0.2, "jsd_released_e4": 1e-4}),
        ]
        for name in ("corrected", "released")
    }


@pytest.mark.parametrize("name", ["corrected", "released"])
def test_without_gold_a_table_has_no_columns_that_need_it(ungauged, name):
    alone, beside = ungauged[name]
    numbers, latex = tables.benchmark([alone])
    assert not [column for column in numbers if column.startswith(("jsd", "avg_gap"))]
    assert list(numbers["row"]) == ["original", "lotus", "scrub"]
    assert "nan" not in latex
    heads = latex.split("\\toprule\n")[1].split(" & ")
    assert heads[1].removeprefix("\\shortstack[r]{").startswith("RF-JSD")
    assert "SCRUB & \\textbf{" in latex
    assert latex.count("textbf") == 1
    assert "Avg Gap" in tables.benchmark([beside])[1]


def test_summary_of_places_with_and_without_gold(ungauged):
    numbers, latex = tables.summary(ungauged["corrected"])
    by = numbers.set_index(["scenario", "row"])
    assert by.loc[("instance-50", "scrub"), "rf_jsd"] == 0.01
    assert np.isnan(by.loc[("instance-50", "scrub"), "jsd"])
    assert np.isnan(by.loc[("instance-10", "lotus"), "rf_jsd"])
    assert "RF-JSD where there are none, corrected." in latex
    assert "\nOriginal (nothing done) & 0.040 & 0.150 & 0.200" in latex
    assert "\nGold (retrained) & -- & -- & --" in latex
    assert "\nSCRUB & \\textbf{0.010} & -- & --" in latex
    assert "no gold models" in tables.summary(ungauged["released"][:1])[1]


def test_without_gold_there_is_nothing_to_correlate(ungauged):
    alone, beside = ungauged["corrected"]
    assert tables.correlation([alone])[0].empty
    assert list(tables.correlation([alone, beside])[0]["scenario"]) == ["instance-10"]


def test_the_avg_gap_figure_leaves_places_without_gold_out(ungauged):
    figure = figures.avg_gap(ungauged["corrected"])
    assert [axes.get_title() for axes in figure.axes] == ["data, ResNet18\n10 % forgotten"]
    assert [
        axes.get_title().split("\n")[0] for axes in figures.rf_jsd(ungauged["corrected"]).axes
    ] == ["data, ResNet18, 10 % forgotten"]


def summaries(frames):
    return {name: summarise(frame) for name, frame in frames.items()}


def test_sentences_without_gold_are_about_rf_jsd(ungauged):
    frames = {name: load_metrics(files[:1]) for name, files in ungauged.items()}
    said = sentences(frames, summaries(frames))
    assert "Corrected: smallest RF-JSD: SCRUB (0.010; doing nothing: 0.040)." in said
    assert "Released: smallest RF-JSD by the published rule: SCRUB (0.10; doing nothing" in said[1]
    assert len(said) == 2
    whole_class = load_metrics(ungauged["corrected"][:1]).assign(rf_jsd=np.nan)
    frames = {"corrected": whole_class}
    said = sentences(frames, summaries(frames))
    assert said == ["Corrected: RF-JSD is defined for no method."]


def test_ablation_without_gold(ungauged, write):
    switched = {"original": ORIGINAL | NO_GAP, "gold": None, "scrub": scores(0.9, 0.9, 0.8, 0.7)}
    files = [ungauged["corrected"][0], write("corrected+m1", 1, about=ALONE, **switched)]
    numbers = ablate(files)
    line = lines_of(numbers).loc[("M1", "scrub")]
    assert line["accuracy_retain_change"] == pytest.approx(-0.05)
    assert np.isnan(line["avg_gap_change"])
    assert "E4" not in set(numbers["switch"])
    found = costs(files)
    assert not found.gaps
    assert not found.divergences
    (sentence,) = found.sentences
    assert "Avg Gap" not in sentence
    assert "of retain accuracy: SCRUB under M1 (−0.050)" in sentence


STUDY = {"study": "share"}


def test_studies_are_kept_apart(write):
    files = [
        write("corrected", 1, lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.1, jsd=0.1)),
        write("corrected", 1, about=STUDY, half=scores(0.8, 1.0, 0.8, 0.7, avg_gap=0.2, jsd=0.1)),
    ]
    numbers, latex = tables.summary(files)
    by = numbers.set_index(["study", "row"])["avg_gap"]
    assert by[("share", "half")] == 0.2
    assert ("", "half") not in by.index
    assert latex.count("\\begin{table}") == 2
    assert "study share, corrected" in latex
    assert "data, ResNet18, 10 \\% forgotten, study share" in tables.benchmark(files[1:])[1]
    titles = [axes.get_title() for axes in figures.avg_gap(files).axes if axes.get_visible()]
    assert titles == [
        "data, ResNet18\n10 % forgotten",
        "data, ResNet18\n10 % forgotten, study share",
    ]


def test_tables_name_the_study_only_where_there_is_one(write, tmp_path):
    plain, of_study = write("corrected", 1), write("corrected", 1, about=STUDY)
    for name in ("summary", "per-seed"):
        for sources, told in (([plain], False), ([plain, of_study], True)):
            tables.write_table(name, sources, tmp_path / "t", tmp_path / "r.json")
            assert ("study" in pd.read_csv(tmp_path / "t.csv")) == told
            assert ("share" in (tmp_path / "t.tex").read_text()) == told


def test_summary_names_columns_by_convention(write):
    files = [write(protocol, 1) for protocol in ("corrected", "released")]
    numbers, latex = tables.summary(files)
    assert {"avg_gap", "avg_gap_released_e3_e6", "jsd_released_e3_e4"} <= set(numbers.columns)
    by = numbers.set_index(["protocol", "row"])
    assert np.isnan(by.loc[("released", "original"), "avg_gap"])
    assert by.loc[("released", "original"), "avg_gap_released_e3_e6"] == 0.15
    assert latex.count("\\begin{table}") == 2


@pytest.fixture
def ablated(write):
    """SCRUB under `corrected` and `corrected+m1`, two seeds; the second seed's file comes first."""
    before = {1: (0.10, 0.95), 2: (0.20, 0.90)}
    after = {1: (0.13, 0.94), 2: (0.21, 0.92)}
    return [
        write(protocol, seed, scrub=scores(0.9, retain, 0.8, 0.7, avg_gap=gap, jsd=0.1))
        for protocol, values in {"corrected+m1": after, "corrected": before}.items()
        for seed, (gap, retain) in reversed(values.items())
    ]


def lines_of(numbers):
    return numbers.set_index(["switch", "row"])


def test_ablation_lines_are_paired_over_seeds(ablated):
    line = lines_of(ablate(ablated)).loc[("M1", "scrub")]
    assert line["n"] == 2
    assert line["avg_gap_corrected"] == pytest.approx(0.15)
    assert line["avg_gap_switched"] == pytest.approx(0.17)
    assert line["avg_gap_change"] == pytest.approx(0.02)
    assert line["avg_gap_change_std"] == pytest.approx(np.sqrt(2) * 0.01)
    assert line["accuracy_retain_change"] == pytest.approx(0.005)
    assert line["jsd_change"] == 0


def test_ablation_leaves_out_what_is_the_same_row(ablated):
    numbers = ablate(ablated)
    assert set(numbers.loc[numbers["switch"] == "M1", "row"]) == {"scrub"}
    assert "gold" not in set(numbers["row"])
    assert list(dict.fromkeys(numbers["switch"])) == ["M1", "E3", "E4", "E6"]


def test_seeds_without_a_partner_are_left_out(write, ablated):
    extra = write("corrected+m1", 3, scrub=scores(0.9, 0.1, 0.8, 0.7, avg_gap=0.9))
    line = lines_of(ablate([*ablated, extra])).loc[("M1", "scrub")]
    assert line["n"] == 2
    assert line["avg_gap_change"] == pytest.approx(0.02)


def test_ablation_of_a_collapsed_model_states_no_change(write, ablated):
    bad = scores(0.1, 0.1, 0.1, 0.7, avg_gap=0.9, collapsed="near chance")
    line = lines_of(ablate([*ablated[1:], write("corrected+m1", 2, scrub=bad)]))
    line = line.loc[("M1", "scrub")]
    assert line["collapsed"] == 1
    assert np.isnan(line["avg_gap_change"])
    assert "M1 & SCRUB & collapsed" in tables.ablation(ablated[1:] + ablated[:1])[1]


def test_switches_of_metrics_are_computed_from_the_corrected_runs(write, tmp_path):
    images = predictions_file.Split(np.zeros((40, 2), np.float32), np.zeros(40, int), np.arange(40))
    predictions_file.save(tmp_path / "gold.npz", {"forget": images})
    files = {"gold": {"path": str(tmp_path / "gold.npz"), "sha256": ""}}
    rows = {
        1: scores(0.854, 1.0, 0.8, 0.6, avg_gap=0.0135, jsd=0.1, avg_gap_released_e6=0.0235),
        2: scores(0.846, 1.0, 0.8, 0.6, avg_gap=0.0115, jsd=0.1, avg_gap_released_e6=0.0415),
    }
    for row in rows.values():
        row |= {"jsd_released_e4": 0.003, "mia_released_e6": 0.7}
    sources = [write("corrected", seed, files, lotus=row) for seed, row in rows.items()]
    lines = lines_of(ablate(sources))
    e3, e4, e6 = (lines.loc[(switch, "lotus")] for switch in ("E3", "E4", "E6"))
    assert e3["avg_gap_switched"] == 0.0125
    assert e3["avg_gap_change"] == pytest.approx(0.0)
    assert np.isnan(e3["avg_gap_change_std"])
    assert e6["avg_gap_change"] == pytest.approx((0.01 + 0.03) / 2)
    assert e6["mia_change"] == pytest.approx(0.1)
    assert e4["jsd_corrected"] == pytest.approx(0.1)
    assert e4["jsd_switched"] == pytest.approx(0.003)
    assert e4["jsd_switched_mean_ag"] == pytest.approx(0.12)
    assert np.isnan(e4["jsd_change"])
    assert "30.00 (AG 0.120)" in tables.ablation(sources)[1]


def test_ablation_without_anything_to_compare_is_empty(write):
    assert ablate([write("released", 1)]).empty
    assert costs([write("released", 1)]) is None


def test_matrix_of_costs(ablated):
    found = costs(ablated)
    (gaps,), (retained,) = found.gaps, found.retained
    assert [switch for switch, _ in gaps.heads] == ["M1", "E3", "E6"]
    assert [switch for switch, _ in retained.heads] == ["M1"]
    cell = dict(gaps.rows)["SCRUB"][0]
    assert (cell.text, cell.kind) == ("+0.020", "worse")
    assert "from 0.150 to 0.170, 2 seeds" in cell.title
    assert dict(gaps.rows)["Original (nothing done)"][0].text == ""


def test_register_says_what_has_no_effect(write):
    described = {
        "settings": {
            "datasets": {"data": {"augmentation": {"crop_padding": 0, "horizontal_flip": False}}},
            "architectures": {"resnet18": {"model": "resnet18"}},
        },
        "benchmarks": [
            {"training": {"patience": None}, "methods": {"my-scrub": {"method": "scrub"}}}
        ],
        "ablations": [PLACE | {"study": "", "protocol": "corrected+m1"}],
    }
    frame = load_metrics([write("corrected", 1), write("released", 1)])
    here = {line[0]: line[3] for line in register(described, frame)}
    assert list(here) == list(REGISTER)
    for switch in ("T1", "E2", "E5", "R2", "M2"):
        assert here[switch].startswith("no effect here"), switch
    assert here["M1"] == here["E3"] == "tried alone"
    assert here["E1"] == here["T2"] == "part of released only"
    described["benchmarks"][0]["training"]["patience"] = 5
    described["settings"]["datasets"]["data"]["augmentation"]["crop_padding"] = 4
    here = {line[0]: line[3] for line in register(described, frame)}
    assert here["T1"] == here["E2"] == "part of released only"
    here = {
        line[0]: line[3] for line in register(described, frame[frame["protocol"] == "corrected"])
    }
    assert here["E1"] == "off in this report"


@pytest.fixture
def record(tmp_path):
    """Writes a run's record and returns its path."""

    def record(row, seed, seconds, protocol="corrected", **notes):
        about = PLACE | {"row": row, "seed": seed, "protocol": protocol}
        path = tmp_path / f"{protocol}-{row}-{seed}.json"
        return write_by_hand(path, about=about, time=seconds, notes=notes)

    return record


def test_times_with_preparation_and_published_minutes(record):
    files = [
        record("gold", 1, {"train": 60.0}),
        record("salun", 1, {"unlearn": 30.0, "method_prepare": 3.0}, minutes_released_r1=3.5),
        record("salun", 2, {"unlearn": 30.0, "method_prepare": 5.0}, minutes_released_r1=5.5),
        record("scrub", 1, {"unlearn": 30.0, "method_prepare": 6.0}),
    ]
    numbers = tables.times(files)[0].set_index("row")
    assert numbers.loc["gold", "seconds"] == 60
    assert numbers.loc["gold", "minutes_released_r1"] == 1
    assert numbers.loc["salun", "seconds"] == 34
    assert numbers.loc["salun", "prepare_seconds"] == 4
    assert numbers.loc["salun", "minutes_released_r1"] == 4.5
    assert numbers.loc["scrub", "minutes_released_r1"] == pytest.approx(0.6)
    assert list(numbers["n"]) == [1, 2, 1]


def test_times_keep_protocols_apart(record):
    files = [
        record("scrub", 1, {"unlearn": 1.0}),
        record("scrub", 1, {"unlearn": 3.0}, protocol="released"),
    ]
    numbers = tables.times(files)[0].set_index("protocol")
    assert numbers["seconds"].to_dict() == {"corrected": 1.0, "released": 3.0}


def test_sentences_state_what_differs(write):
    corrected = [
        write(
            "corrected",
            1,
            lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.05, jsd=0.1),
            scrub=scores(0.8, 1.0, 0.8, 0.6, avg_gap=0.0, jsd=0.1),
            unsir=scores(0.1, 0.1, 0.1, 0.6, avg_gap=0.4, jsd=0.1, collapsed="near chance"),
        )
    ]
    released = [
        write(
            "released",
            1,
            lotus=scores(0.9, 0.94, 0.8, 0.6, jsd=0.1),
            scrub=scores(1.0, 1.0, 0.8, 1.0, same_as_original=True),
            unsir=scores(0.9, 0.1, 0.8, 0.7, jsd=0.1),
        )
    ]
    frames = {"corrected": load_metrics(corrected), "released": load_metrics(released)}
    said = " ".join(sentences(frames, summaries(frames)) + differences(frames))
    assert "Corrected: smallest Avg Gap: SCRUB (0.000; doing nothing: 0.150)." in said
    assert "Released: smallest Avg Gap by the published rule: LoTUS (0.0400;" in said
    assert "LoTUS, corrected: Avg Gap 0.050, smaller than doing nothing in 1 of 1 seeds" in said
    assert "Released, 1 of 2 methods lose more than 5 points of retain accuracy" in said
    assert "Released, SCRUB equals the original" in said
    assert "Corrected: UNSIR collapsed in 1 of 1 seeds and is left out." in said


def test_ten_methods_look_different():
    looks = look_of(["original", "gold", *METHODS, "mine", "also-mine"])
    assert len(set(looks.values())) == 14
    assert len({colour for colour, _ in (looks[row] for row in METHODS)}) == 10
    assert len({marker for _, marker in (looks[row] for row in METHODS)}) == 10
    assert look_of(["scrub"])["scrub"] == looks["scrub"]


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_avg_gap_figure_leaves_collapsed_models_out_and_says_so(fallen, write):
    released = write("released", 1, lotus=scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.06))
    figure = figures.avg_gap([*fallen, released])
    assert texts_of(figure) == ["corrected: collapsed in 1 of 3 seeds"]
    (axes,) = figure.axes
    means = [line for line in axes.lines if line.get_marker() == "D"]
    assert [np.nanmean(line.get_xdata()) for line in means] == pytest.approx([0.05, 0.06])
    assert [line.get_markerfacecolor() == "white" for line in means] == [False, True]


def test_avg_gap_figure_has_no_row_for_gold_even_if_that_has_collapsed(write):
    files = [write("corrected", 1, gold=FALLEN, lotus=scores(0.9, 1.0, 0.8, 0.6))]
    (axes,) = figures.avg_gap(files).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "Original (nothing done)",
        "LoTUS",
    ]
    assert not axes.texts


def test_streisand_figure_skips_collapsed_models(write, tmp_path):
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
    source = write("corrected", 1, files)
    figure = streisand([source])
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 0]
    assert texts_of(figure)[2] == "collapsed in 1 of 1 seeds: not drawn"
    del files["gold"]
    alone = write("corrected", 2, {**files, "lotus": save("lotus", logits, usual)}, gold=None)
    assert rows_of(streisand([alone])) == ["Original (nothing done)", "SSD", "LoTUS"]


def rows_of(figure):
    """Names at the sides of the panels of a figure with one for each row."""
    return [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]


def test_streisand_figure_draws_densities_and_cuts_a_peak(write, tmp_path):
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
        return np.log(np.maximum(entropy(softmax(logits)), FLOOR))

    names = {row_title(row): row for row in ("original", "gold", "lotus", "scrub", "ssd")}
    spreads = {"gold": 9, "lotus": 10, "scrub": 9, "ssd": 0.05}
    files = {row: save(row, spread) for row, spread in spreads.items()}
    original = tmp_path / "original.npz"
    splits = predictions_file.load(Path(files["gold"]["path"]))
    everything = {"train": splits["retain"], "val": splits["val"], "test": splits["test"]}
    predictions_file.save(original, everything)
    files["original"] = {"path": str(original), "sha256": sha256(original)}
    with style():
        figure = streisand([write("corrected", 1, files)])
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
    said = dict(zip(rows, texts_of(figure), strict=True))
    assert {row for row, text in said.items() if "cut, peak" in text} == {"SSD"}
    assert said["LoTUS"] == "KS forget–test 0.00"
    scale = float(figure.axes[-1].get_xlabel().rsplit(" ", 1)[1])
    for row, axes in zip(rows, figure.axes, strict=True):
        assert axes.get_xlim() == figure.axes[0].get_xlim()
        assert axes.get_ylim() == (0, pytest.approx(scale, rel=0.03))
        for line in axes.lines:
            edges, heights = line.get_xdata(), line.get_ydata()
            assert np.sum(heights[:-1] * np.diff(edges)) == pytest.approx(1)
            assert (heights.max() > scale) == (row == "SSD")
        forget = log_entropies(Path(files[names[row]]["path"]))
        (ticks,) = [found for found in axes.collections if isinstance(found, LineCollection)]
        shown = np.array([segment[0, 0] for segment in ticks.get_segments()])
        assert len(shown) == POINTS
        assert (shown[0], shown[-1]) == (forget.min(), forget.max())
        assert set(shown) <= set(forget)


def test_load_metrics_asks_for_the_protocol(write):
    path = write("corrected", 1)
    content = json.loads(path.read_text())
    del content["protocol"]
    path.write_text(json.dumps(content))
    with pytest.raises(Exception, match="lacks protocol"):
        load_metrics([path])


def test_signed():
    assert tables.signed(-0.0001) == "0.000"
    assert tables.signed(-0.25, 0.1, 2) == "−0.25 ± 0.10"
    assert tables.signed(0.0126) == "+0.013"
    assert tables.signed(float("nan")) == "–"


def test_frames_of_two_protocols_are_not_summarised(write):
    frame = pd.concat([load_metrics([write(name, 1)]) for name in ("corrected", "released")])
    with pytest.raises(ValueError):
        summarise(frame)


def test_the_map_of_changes_shows_each_change_once_and_no_collapsed_model(write):
    files = [
        write("corrected", 1, lotus=scores(0.9, 1.0, 0.8, 0.6), ssd=scores(0.5, 0.5, 0.5, 0.5)),
        write("corrected+e1", 1, lotus=scores(0.9, 0.7, 0.8, 0.6), ssd=FALLEN),
    ]
    left, right, _ = figures.FIGURES["ablation"](files).axes
    rows = [label.get_text() for label in left.get_yticklabels()]
    e1 = [label.get_text() for label in left.get_xticklabels()].index("E1")
    told = {
        rows[int(t.get_position()[1])]: t.get_text()
        for t in right.texts
        if int(t.get_position()[0]) == e1 and t.get_text()
    }
    assert told == {"LoTUS": "−.30"}
    with pytest.raises(LotusError, match="no switch was tried"):
        figures.FIGURES["ablation"]([write("released", 1, lotus=scores(0.9, 1.0, 0.8, 0.6))])


FALLEN = scores(0.1, 0.1, 0.1, 0.5, collapsed="retain accuracy near chance")


def measured_of(files, protocol="corrected"):
    """A cell with the runs that its metrics are of, all in one folder for each seed and row."""
    frame = load_metrics(files)
    runs = {
        str(seed): {row: f"results/{seed}/{row}" for row in part["row"]}
        for seed, part in frame.groupby("seed", sort=False)
    }
    described = PLACE | {"study": "", "protocol": protocol, "measured": protocol, "runs": runs}
    return Measured(described, frame)


def test_standing_of_lotus(write):
    rows = {
        "lotus": scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.0501),
        "scrub": scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.0499),
        "ssd": scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.2),
        "unsir": scores(0.9, 0.1, 0.8, 0.7, avg_gap=0.01, collapsed="near chance"),
    }
    found = standing(measured_of([write("corrected", 1, **rows)]))
    # Both print as 0.050, and the collapsed model is not in the race.
    assert (found.rank, found.methods, found.best) == (1, 3, ["LoTUS", "SCRUB"])
    assert found.beats_original
    assert found.value == 0.0501
    rows["scrub"] |= {"avg_gap": 0.04}
    rows["lotus"] |= {"avg_gap": 0.3}
    found = standing(measured_of([write("corrected", 1, **rows)]))
    assert (found.rank, found.best, found.best_value) == (3, ["SCRUB"], "0.040")
    assert not found.beats_original


def test_lotus_stands_nowhere_without_a_number(write):
    fallen = scores(0.9, 0.1, 0.8, 0.7, avg_gap=0.01, collapsed="near chance")
    other = scores(0.9, 1.0, 0.8, 0.7, avg_gap=0.1)
    assert standing(measured_of([write("corrected", 1, lotus=fallen, ssd=other)])) is None
    assert standing(measured_of([write("corrected", 1, ssd=other)])) is None


def test_without_gold_lotus_stands_by_rf_jsd(ungauged):
    found = standing(measured_of(ungauged["corrected"][:1]))
    assert (found.metric, found.rank, found.best) == ("RF-JSD", 2, ["SCRUB"])


def test_a_trace_leads_from_each_row_to_its_models(write):
    files = [
        write("released", seed, lotus=scores(0.904, 1.0, 0.8, 0.7, jsd_released_e4=jsd))
        for seed, jsd in [(1, 1.5e-4), (2, 3e-4)]
    ]
    measured = measured_of(files, "released")
    folders = [Path(f) for rows in measured.described["runs"].values() for f in rows.values()]
    runs = {
        folder: Record(
            f"{folder}/run.json",
            "",
            {"outputs": {f"{folder}/model.safetensors": "m", f"{folder}/predictions.npz": "p"}},
        )
        for folder in folders
    }
    found = trace(measured.described, measured.frame, measured.forms, runs)
    lotus = next(row for row in found.rows if row.name == "LoTUS")
    assert lotus.anchor == "row-data-resnet18-instance-10-released-lotus"
    assert [each.run for each in lotus.seeds] == [
        "results/1/lotus/run.json",
        "results/2/lotus/run.json",
    ]
    assert lotus.seeds[0].predictions == ("results/1/lotus/predictions.npz", "p")
    assert lotus.seeds[1].metrics == "results/data/resnet18/seed2/instance-10/released/metrics.json"
    texts = [dict(zip(found.heads, each.texts, strict=True)) for each in lotus.seeds]
    assert [text["JSD (as released, ×10⁴)"] for text in texts] == ["1.50", "3.00"]
    assert {text["Forget acc. (as released)"] for text in texts} == {"0.90"}


def test_an_architecture_is_told_with_its_size_and_the_papers():
    assert (
        size("resnet18", {"model": "resnet18", "width": 8})
        == "ResNet18 (width 8; the paper's: width 64)"
    )
    assert size("resnet18", {"model": "resnet18", "width": 64}) == "ResNet18 (width 64)"
    small = {"model": "vit", "patch_size": 7, "embed_dim": 64}
    assert size("vit", small) == "ViT (patch size 7, embed dim 64; the paper's: ViT-B/16)"
    assert size("vit", {"model": "vit-b16"}) == "ViT"
