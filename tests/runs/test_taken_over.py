"""Weights that are taken over from another run."""

import pytest
from runs_on_digits import record, run_in

from lotus.errors import LotusError
from lotus.runs.run import Inputs
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
