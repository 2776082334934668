"""The ablation: changes paired over seeds."""

import numpy as np
import pytest
from forging import edit_json
from metrics_files import ALONE, NO_GAP, ORIGINAL, experiment_of, scores

from lotus.page.ablation import ablation_part
from lotus.page.change_ways import ChangeWays
from lotus.results.ablation import ablate
from lotus.tables.ablation import ablation


def test_ablation_states_e5_for_rows_with_a_calibration_set(write_metrics):
    calibrated = scores(0.9, 1.0, 0.8, 0.5, mia_released_e5_e6=0.75)
    files = [write_metrics("corrected", 1, lotus=scores(0.9, 1.0, 0.8, 0.5), mine=calibrated)]
    numbers = ablate(files)
    line = lines_of(numbers).loc[("E5+E6", "mine")]
    assert line["mia_change"] == pytest.approx(0.25)
    assert set(numbers.loc[numbers["switch"] == "E5+E6", "row"]) == {"mine"}


def test_ablation_without_gold(ungauged, write_metrics):
    switched = {"original": ORIGINAL | NO_GAP, "gold": None, "scrub": scores(0.9, 0.9, 0.8, 0.7)}
    files = [ungauged["corrected"][0], write_metrics("corrected+m1", 1, about=ALONE, **switched)]
    numbers = ablate(files)
    line = lines_of(numbers).loc[("M1", "scrub")]
    assert line["accuracy_retain_change"] == pytest.approx(-0.05)
    assert np.isnan(line["avg_gap_change"])
    assert "E4" not in set(numbers["switch"])
    found = ablation_part(ChangeWays(experiment_of(), files))
    assert not found.gaps
    assert not found.divergences
    (sentence,) = found.sentences
    assert "Avg Gap" not in sentence
    assert "of retain accuracy: SCRUB under M1 (−0.050)" in sentence


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


def test_seeds_without_a_partner_are_left_out(write_metrics, ablated):
    extra = write_metrics("corrected+m1", 3, scrub=scores(0.9, 0.1, 0.8, 0.7, avg_gap=0.9))
    line = lines_of(ablate([*ablated, extra])).loc[("M1", "scrub")]
    assert line["n"] == 2
    assert line["avg_gap_change"] == pytest.approx(0.02)


def test_ablation_of_a_collapsed_model_states_no_change(write_metrics, ablated):
    bad = scores(0.1, 0.1, 0.1, 0.7, avg_gap=0.9, collapsed="near chance")
    line = lines_of(ablate([*ablated[1:], write_metrics("corrected+m1", 2, scrub=bad)]))
    line = line.loc[("M1", "scrub")]
    assert line["collapsed"] == 1
    assert np.isnan(line["avg_gap_change"])
    assert line["collapsed_seeds"] == "seed 2"
    latex = ablation(ablated[1:] + ablated[:1])[1]
    assert "M1 & SCRUB (collapsed in 1 of 2 seeds): seed 2 & collapsed" in latex


def test_a_model_that_collapsed_in_a_seed_without_the_switch_is_no_partner(write_metrics, ablated):
    bad = scores(0.1, 0.1, 0.1, 0.7, avg_gap=0.9, collapsed="near chance")
    alone = write_metrics("corrected", 3, scrub=bad)
    line = lines_of(ablate([*ablated, alone])).loc[("M1", "scrub")]
    assert (line["n"], line["collapsed"], line["collapsed_seeds"]) == (2, 0, "")
    assert line["avg_gap_change"] == pytest.approx(0.02)


def test_switches_of_metrics_are_computed_from_the_corrected_runs(write_metrics):
    rows = {
        1: scores(0.854, 1.0, 0.8, 0.6, avg_gap=0.0135, jsd=0.1, avg_gap_released_e6=0.0235),
        2: scores(0.846, 1.0, 0.8, 0.6, avg_gap=0.0115, jsd=0.1, avg_gap_released_e6=0.0415),
    }
    for row in rows.values():
        row |= {"jsd_released_e4": 0.003, "mia_released_e6": 0.7}
    sources = [write_metrics("corrected", seed, lotus=row) for seed, row in rows.items()]
    for path in sources:
        edit_json(path, lambda of: of.update(images={"forget": 40}))
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
    assert "30.00 (AG 0.120)" in ablation(sources)[1]


def test_ablation_without_anything_to_compare_is_empty(write_metrics):
    files = [write_metrics("released", 1)]
    assert ablate(files).empty
    assert ablation_part(ChangeWays(experiment_of(), files)) is None
