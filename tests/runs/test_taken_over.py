"""Weights that are taken over from another run."""

import pytest
from runs_on_digits import RESNET, record, run_in

from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.runs.run import Inputs
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run


def test_weights_of_another_run_are_evaluated_anew_only(inputs, finetuned, tmp_path):
    run = run_in(tmp_path / "again", "corrected+e2")
    original = finetuned / "original"
    unlearn_run(inputs, run, original, "finetune", {"epochs": 1}, finetuned / "run")
    weights = [folder / "model.safetensors" for folder in (finetuned / "run", run.out)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    mine, theirs = record(run.out), record(finetuned / "run")
    assert mine["time"]["unlearn"] == theirs["time"]["unlearn"]
    assert mine["notes"]["left_in_train_mode"] is True
    assert mine["notes"]["weights_of"].endswith("run")


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ({"hyperparameters": {"epochs": 2}}, "hyperparameters = "),
        ({"method": "lotus"}, "method = 'finetune', but 'lotus' here"),
        ({"seed": 2}, "seed = 1, but 2 here"),
        ({"protocol": "corrected+t2"}, "switches = []"),
        ({"forget_set": "other.json"}, "was not made from"),
    ],
)
def test_weights_of_a_run_that_differs_are_refused(
    inputs, digits, finetuned, tmp_path, change, said_of_it
):
    run = run_in(tmp_path / "again", change.get("protocol", "corrected"), change.get("seed", 1))
    wanted = Inputs(inputs.store, inputs.held_out, digits / change.get("forget_set", "forget.json"))
    given = change.get("hyperparameters", {"epochs": 1})
    with pytest.raises(LotusError, match="not those of this run") as caught:
        unlearn_run(
            wanted,
            run,
            finetuned / "original",
            change.get("method", "finetune"),
            given,
            finetuned / "run",
        )
    assert said_of_it in str(caught.value)
    assert not run.out.exists()


def test_a_further_gold_has_weights_of_its_own_and_takes_none_of_gold(inputs, tmp_path):
    section = {**RESNET, "training": {**RESNET["training"], "epochs": 1}}
    architecture = ARCHITECTURE.validate_python(section)
    for row, again in (("gold", 0), ("gold-again-1", 1)):
        run = run_in(tmp_path / row, again=again)
        train_run("gold", inputs, run, architecture, Dataset())
    gold, other = (record(tmp_path / row) for row in ("gold", "gold-again-1"))
    assert other["settings"] == {**gold["settings"], "again": 1}
    assert other["inputs"] == gold["inputs"]
    told = predictions_file.load(tmp_path / "gold" / "predictions.npz")
    for split, of_other in predictions_file.load(tmp_path / "gold-again-1/predictions.npz").items():
        assert (of_other.indices == told[split].indices).all()
        assert not (of_other.logits == told[split].logits).any()
    with pytest.raises(LotusError, match="again = 0, but 2 here"):
        run = run_in(tmp_path / "third", again=2)
        train_run("gold", inputs, run, architecture, Dataset(), tmp_path / "gold")
    with pytest.raises(LotusError, match="again = 1, but 0 here"):
        run = run_in(tmp_path / "third")
        train_run("gold", inputs, run, architecture, Dataset(), tmp_path / "gold-again-1")
