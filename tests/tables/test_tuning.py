"""The table of tuning: objectives of the report's models, as metrics files state them."""

import json

import numpy as np
import pytest
from forging import edit_json
from metrics_files import PLACE
from scores import row_of_metrics

from lotus.errors import LotusError
from lotus.tables.tuning import tuning
from lotus.tables.write import write_table


@pytest.fixture
def sources(write_metrics, tmp_path):
    """An experiment of one tuned cell with two seeds: objectives .125 and 0 of Finetuning."""
    metrics = []
    for seed, objective in ((1, 0.125), (2, 0.0)):
        rows = {"finetune": row_of_metrics(), "ssd": row_of_metrics()}
        metrics.append(write_metrics("corrected", seed, gold=None, **rows))
        edit_json(
            metrics[-1],
            lambda of, found=objective: of.update(objectives={"finetune": found, "ssd": 0.0}),
        )
    chosen = {"objective": 0.05, "spread": 0.01, "seeds": 3, "candidates": 12}
    cell = {
        **{**PLACE, "study": "", "protocol": "corrected", "measured": "corrected"},
        **{"items": [], "published": None, "runs": {}},
        "tuned": {"finetune": chosen, "ssd": {**chosen, "objective": 0.2, "spread": None}},
    }
    described = {"benchmarks": [cell], "ablations": [], "settings": {"seeds": [1, 2]}}
    experiment = tmp_path / "experiment.json"
    experiment.write_text(json.dumps(described))
    return [experiment, *metrics]


def test_the_objective_of_tuning_stands_beside_that_on_the_reports_models(sources):
    numbers, latex = tuning(sources)
    rows = numbers.set_index("row")
    finetune, ssd = rows.loc["finetune"], rows.loc["ssd"]
    assert finetune["objective"] == pytest.approx(0.125 / 2)
    assert finetune["objective_std"] == pytest.approx(0.125 / 2**0.5)
    assert (finetune["tuned_objective"], finetune["tuned_spread"]) == (0.05, 0.01)
    assert finetune["ratio"] == pytest.approx(1.25)
    assert (finetune["n"], finetune["tuning_seeds"], finetune["candidates"]) == (2, 3, 12)
    assert not finetune["above_twice"]
    assert (ssd["objective"], ssd["ratio"]) == (0, 0)
    assert np.isnan(ssd["tuned_spread"])
    assert "Finetuning & 0.050 $\\pm$ 0.010 & 0.062 $\\pm$ 0.088" in latex


def test_a_row_with_more_than_twice_its_objective_is_marked(sources):
    described = json.loads(sources[0].read_text())
    described["benchmarks"][0]["tuned"]["finetune"]["objective"] = 0.03
    sources[0].write_text(json.dumps(described))
    numbers, latex = tuning(sources)
    assert numbers.set_index("row")["above_twice"].to_dict() == {"finetune": True, "ssd": False}
    assert latex.count("& yes") == 1


def test_a_row_with_a_collapsed_model_has_no_mean_and_names_its_seed(sources):
    edit_json(sources[2], lambda of: of["rows"]["finetune"].update(collapsed="near chance"))
    numbers, latex = tuning(sources)
    finetune, ssd = (numbers.set_index("row").loc[row] for row in ("finetune", "ssd"))
    assert (finetune["collapsed"], finetune["collapsed_seeds"], finetune["n"]) == (1, "seed 2", 2)
    assert np.isnan([finetune["objective"], finetune["objective_std"], finetune["ratio"]]).all()
    assert not finetune["above_twice"]
    assert (ssd["collapsed"], ssd["collapsed_seeds"], ssd["objective"]) == (0, "", 0)
    assert "Finetuning (collapsed in 1 of 2 seeds): seed 2 & 0.050 $\\pm$ 0.010 & --" in latex


def test_rows_without_a_word_on_tuning_have_no_line(sources, tmp_path):
    described = json.loads(sources[0].read_text())
    del described["benchmarks"][0]["tuned"]["ssd"]
    sources[0].write_text(json.dumps(described))
    write_table("tuning", sources, tmp_path / "tuning", tmp_path / "record.json")
    assert (tmp_path / "tuning.csv").read_text().count("\n") == 2


@pytest.mark.parametrize("objectives", [{}, {"finetune": None, "ssd": 0.0}])
def test_metrics_without_the_objective_of_a_tuned_row_are_refused(sources, objectives):
    edit_json(sources[1], lambda of: of.update(objectives=objectives))
    with pytest.raises(LotusError, match=r"1\.json: states no objective of the row finetune"):
        tuning(sources)
