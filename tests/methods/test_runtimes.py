"""Every method works under every runtime that a processor offers, without knowing of it."""

import copy
from dataclasses import replace

import pytest
import torch
from compiling import compiled_eagerly

from lotus.engine.forward import as_declared
from lotus.engine.runtime import parse
from lotus.methods.base import checks, configured, registry

SHORT = {
    **{"epochs": 1, "max_epochs": 1, "rounds": 1, "passes": 1, "per_sample": True},
    **{"class_noise_steps": 2, "batch_size": 20},
}


def unlearned(name, task, text):
    """Probabilities of a network that a method makes of a task whose networks compute as declared."""
    declare = lambda network: as_declared(network, parse(text), "cpu")  # noqa: E731
    untrained = task.untrained
    task = replace(
        task,
        original=declare(copy.deepcopy(task.original)),
        untrained=lambda: declare(untrained()),
    )
    before = copy.deepcopy(task.original.state_dict())
    fields = configured.hyperparameters(configured.make(name, {}))
    method = configured.make(name, {key: it for key, it in SHORT.items() if key in fields})
    student = method.unlearn(task)
    checks.check_returned(name, student, task)
    checks.check_original(name, task.original, before)
    with torch.no_grad():
        return student.eval()(next(task.forget.in_order(12)).images).softmax(1)


CASES = [(name, False) for name in sorted(registry.available())] + [("unsir", True)]


@pytest.mark.parametrize(("name", "class_forgetting"), CASES)
def test_bf16_and_compilation_change_last_digits_alone(name, class_forgetting, small_task):
    made = lambda: small_task(class_forgetting=class_forgetting)  # noqa: E731
    plain = unlearned(name, made(), "default")
    bf16 = unlearned(name, made(), "precision=bf16")
    with compiled_eagerly() as graphs:
        compiled = unlearned(name, made(), "compile=on")
    assert plain.dtype == bf16.dtype == torch.float32
    # Adam goes by the sign even of slopes that are 0 but for rounding; in large steps, of classes.
    torch.testing.assert_close(compiled, plain, rtol=0, atol=0.05 if class_forgetting else 0.01)
    torch.testing.assert_close(bf16, plain, rtol=0, atol=0.1)
    # At most one for each mode, with and without gradients, of weights or of images.
    assert 1 <= len(graphs) <= 8 or name == "ssd"
