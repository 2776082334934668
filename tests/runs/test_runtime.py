"""Runs under a declared runtime: what they compute, and what their records say of it."""

import numpy as np
import pytest
import torch
from runs_on_digits import pretrain, record, run_in, said

from lotus import models
from lotus.engine.runtime import DEFAULT_RUNTIME, parse
from lotus.predictions import predictions_file
from lotus.runs.run import Inputs
from lotus.runs.unlearn import unlearn_run

BF16 = parse("precision=bf16")
LONGER = {"epochs": 4, "lr": 0.02}


@pytest.fixture(scope="module")
def accuracies(digits, tmp_path_factory):
    """Test accuracies of trainings with three seeds, in float32 and in bf16; the last one's folder."""
    folder, found = tmp_path_factory.mktemp("runtimes"), {}
    inputs = Inputs(digits / "store", digits / "held-out.json")
    for name, runtime in (("fp32", DEFAULT_RUNTIME), ("bf16", BF16)):
        found[name] = []
        for seed in (1, 2, 3):
            pretrain(inputs, folder / name, seed=seed, runtime=runtime, **LONGER)
            split = predictions_file.load(folder / name / "predictions.npz")["test"]
            found[name].append(float((split.logits.argmax(1) == split.labels).mean()))
    return found, folder


def test_bf16_is_as_accurate_as_float32_within_the_spread_of_seeds(accuracies):
    found, _ = accuracies
    assert min(found["fp32"]) > 0.8
    # Means of three runs each; twice the standard error of their difference, if the seeds' spread is all.
    spread = 2 * np.std(found["fp32"], ddof=1) * np.sqrt(2 / 3)
    assert 0 < abs(np.mean(found["bf16"]) - np.mean(found["fp32"])) <= spread


def test_a_record_states_the_runtime_and_files_stay_float32(accuracies):
    _, folder = accuracies
    for name, precision in (("fp32", "fp32"), ("bf16", "bf16")):
        hardware = record(folder / name)["hardware"]
        assert hardware["precision"] == precision
        assert hardware["deterministic"] == "on"
        state = models.read_weights(folder / name / "model.safetensors")
        assert {it.dtype for it in state.values()} == {torch.float32, torch.int64}
        assert said(folder / name).dtype == np.float32
    states = [models.read_weights(folder / it / "model.safetensors") for it in ("fp32", "bf16")]
    assert states[0].keys() == states[1].keys()


def test_a_method_on_an_original_computes_as_its_own_run_declares(accuracies, inputs, tmp_path):
    _, folder = accuracies
    for name, runtime in (("default", DEFAULT_RUNTIME), ("bf16", BF16)):
        run = run_in(tmp_path / name, runtime=runtime)
        unlearn_run(inputs, run, folder / "fp32", "finetune", {"epochs": 1})
    precisions = [record(tmp_path / it)["hardware"]["precision"] for it in ("default", "bf16")]
    assert precisions == ["fp32", "bf16"]
    assert not np.array_equal(said(tmp_path / "default"), said(tmp_path / "bf16"))
