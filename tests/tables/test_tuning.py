"""The table of tuning: objectives by hand, of predictions that metrics files name."""

import json

import numpy as np
import pytest
from metrics_files import PLACE

from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.records.files import sha256
from lotus.tables.tuning import tuning
from lotus.tables.write import write_table

LABELS = np.array([0, 1, 0, 1])


@pytest.fixture
def save(tmp_path):
    """Predictions that say these classes of forget, retain and validation images."""

    def make(name, splits):
        said = {
            split: predictions_file.Split(
                np.eye(3, dtype=np.float32)[classes], LABELS, np.arange(4) + 10 * place
            )
            for place, (split, classes) in enumerate(splits.items())
        }
        path = tmp_path / f"{name}.npz"
        if name.startswith("original"):
            train = predictions_file.Split(
                *(
                    np.concatenate([getattr(said[part], of) for part in ("forget", "retain")])
                    for of in ("logits", "labels", "indices")
                )
            )
            said = {"train": train, "val": said["val"], "test": said["test"]}
        predictions_file.save(path, said)
        return {"path": str(path), "sha256": sha256(path)}

    return make


RIGHT = [0, 1, 0, 1]


@pytest.fixture
def sources(save, write_metrics, tmp_path):
    """An experiment of one tuned cell with two seeds: objectives .25 and 0 of Finetuning."""
    untouched = dict.fromkeys(("forget", "retain", "val", "test"), RIGHT)
    metrics = []
    for seed, forgotten in ((1, [2, 2, 0, 1]), (2, RIGHT)):
        files = {
            "original": save(f"original-{seed}", untouched),
            "finetune": save(f"finetune-{seed}", untouched | {"forget": forgotten}),
            "ssd": save(f"ssd-{seed}", untouched),
        }
        metrics.append(write_metrics("corrected", seed, files, gold=None))
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
    # Half of the forget set is lost, of which the original knows as much as of validation images: .5 / 4.
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


def test_rows_without_a_word_on_tuning_have_no_line_and_others_predictions_are_refused(
    sources, tmp_path
):
    described = json.loads(sources[0].read_text())
    del described["benchmarks"][0]["tuned"]["ssd"]
    sources[0].write_text(json.dumps(described))
    write_table("tuning", sources, tmp_path / "tuning", tmp_path / "record.json")
    assert (tmp_path / "tuning.csv").read_text().count("\n") == 2
    (tmp_path / "finetune-1.npz").write_bytes(b"")
    with pytest.raises(
        LotusError, match=r"finetune-1.npz: is absent, or .* computed from something"
    ):
        tuning(sources)
