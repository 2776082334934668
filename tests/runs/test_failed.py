"""Methods that make no model: the run is recorded as failed, and whatever reads it says so."""

import errno
from dataclasses import dataclass

import pytest
import torch
from runs_on_digits import record, run_in, said

from lotus import models
from lotus.audit import collapses
from lotus.engine.failures import is_of_the_machine
from lotus.errors import LotusError
from lotus.methods.base import configured
from lotus.predictions import predictions_file
from lotus.runs.failed import FailedRunError, no_model, reason
from lotus.runs.handing_back import hand_back
from lotus.runs.unlearn import unlearn_run


def broken(does):
    """A method that does something to its task in place of unlearning."""

    @dataclass(frozen=True)
    class Broken:
        def unlearn(self, task):
            return does(task)

    return lambda name, given: Broken()


def raises(task):
    with torch.no_grad():
        next(task.original.parameters()).zero_()
    raise ValueError("the mask is empty,\nwhich it must not be")


def ends_the_process(task):
    raise SystemExit(7)


def reports_nonsense(task):
    task.progress(0, 1, {"epoch": 0})


@pytest.mark.parametrize(
    ("does", "why"),
    [
        (raises, "method finetune raised ValueError: the mask is empty, which it must not be"),
        (lambda task: None, "method finetune returned None instead of a network"),
        (ends_the_process, "method finetune: ended the process"),
        (reports_nonsense, "the key 'epoch': must be text"),
        (lambda task: task.original.zero_grad() or task.original[0], "method finetune raised"),
    ],
)
def test_it_is_recorded_with_its_reason(inputs, finetuned, tmp_path, monkeypatch, does, why):
    monkeypatch.setattr(configured, "make", broken(does))
    run = run_in(tmp_path / "run")
    with pytest.raises(FailedRunError, match="recorded as failed") as caught:
        unlearn_run(inputs, run, finetuned / "original", "finetune", {})
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    outcome = record(run.out)["notes"]["outcome"]
    assert outcome.startswith("failed: ")
    assert why in outcome
    assert predictions_file.why_collapsed(run.out / "predictions.npz") == outcome
    assert said(run.out).shape == said(finetuned / "run").shape
    assert torch.tensor(said(run.out)).isnan().all()
    weights = models.read_weights(run.out / "model.safetensors")
    original = models.read_weights(finetuned / "original/model.safetensors")
    assert {name: value.shape for name, value in weights.items()} == {
        name: value.shape for name, value in original.items()
    }
    assert all(value.isnan().all() for value in weights.values() if value.is_floating_point())
    with pytest.raises(LotusError, match="there is no model to hand back: failed: "):
        hand_back(run.out, tmp_path / "out.safetensors", finetuned / "original")
    assert not (tmp_path / "out.safetensors").exists()


def test_a_run_that_takes_over_the_weights_of_a_failed_one_has_failed(
    inputs, finetuned, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        broken = configured.make("finetune", {"epochs": 1})
        patched.setattr(type(broken), "unlearn", lambda self, task: None)
        first = run_in(tmp_path / "first")
        with pytest.raises(FailedRunError):
            unlearn_run(inputs, first, finetuned / "original", "finetune", {"epochs": 1})
    second = run_in(tmp_path / "second", "corrected+e2")
    with pytest.raises(FailedRunError):
        unlearn_run(inputs, second, finetuned / "original", "finetune", {"epochs": 1}, first.out)
    outcomes = [record(run.out)["notes"]["outcome"] for run in (first, second)]
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOSPC, "No space left on device"),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_where_the_machine_failed_nothing_is_recorded(
    inputs, finetuned, tmp_path, monkeypatch, error
):
    """The same command is to try again."""

    def fails(task):
        raise error

    monkeypatch.setattr(configured, "make", broken(fails))
    run = run_in(tmp_path / "run")
    with pytest.raises(type(error)):
        unlearn_run(inputs, run, finetuned / "original", "finetune", {})
    assert not (run.out / "run.json").exists()


def test_only_errors_of_the_machine_may_pass():
    assert not is_of_the_machine(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert is_of_the_machine(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert len(reason("mine", ValueError("x" * 10_000))) < 400


@pytest.mark.parametrize(("network", "is_refuted"), [("void", False), ("sound", True)])
def test_an_audit_looks_whether_there_is_a_model_after_all(tmp_path, network, is_refuted):
    """Who calls a run failed to hide a model is found out."""
    layer = torch.nn.BatchNorm1d(2)
    weights = tmp_path / "model.safetensors"
    models.save_weights(weights, no_model(layer) if network == "void" else layer)
    predictions = (tmp_path / "predictions.npz").as_posix()
    found = collapses._weights_are_finite(
        predictions, "failed: method x raised ValueError", {weights.as_posix()}
    )
    assert found is is_refuted
