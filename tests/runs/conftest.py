"""Real digits, their splits and a finetuned network."""

import pytest
from digits import store_of_digits
from runs_on_digits import pretrain, run_in

from lotus.config.scenarios import Scenario
from lotus.data.splits import choose_forget_set, save_forget_set
from lotus.runs.run import Inputs
from lotus.runs.unlearn import unlearn_run


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A folder with a digits store and its splits."""
    folder = tmp_path_factory.mktemp("digits")
    store = store_of_digits(folder)
    for name, fraction in (("forget", 0.1), ("other", 0.2)):
        chosen = choose_forget_set(store, Scenario(forget_fraction=fraction), 1)
        save_forget_set(folder / f"{name}.json", chosen)
    return folder


@pytest.fixture
def inputs(digits):
    return Inputs(digits / "store", digits / "held-out.json", digits / "forget.json")


@pytest.fixture(scope="session")
def finetuned(digits, tmp_path_factory):
    """An original and a run of one epoch of finetuning."""
    folder = tmp_path_factory.mktemp("finetuned")
    inputs = Inputs(digits / "store", digits / "held-out.json", digits / "forget.json")
    pretrain(inputs, folder / "original")
    unlearn_run(inputs, run_in(folder / "run"), folder / "original", "finetune", {"epochs": 1})
    return folder
