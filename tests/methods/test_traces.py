"""The first steps of every method on a small problem, against records in `traces/`.

The oracles say what a method must do; these say that it still does the same. After a change that is
meant: `python -m pytest tests/methods/test_traces.py --renew-traces`, and look at the difference.
"""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.methods import ssd
from lotus.methods.base import configured, registry

FOLDER = Path(__file__).parent / "traces"
STEPS = 12
TOLERANCE = 1e-4
SMALL = {
    **{"epochs": 4, "batch_size": 16, "forget_batch_size": 16, "rounds": 1, "passes": STEPS},
    # Large enough that ten steps can be told apart.
    **{"class_batch_size": 16, "class_copies": 4, "class_noise_steps": 5, "exit_tolerance": 1},
}
OF_METHOD = {"ssd": {"alpha": 2.0, "dampening": 0.9}, "lotus": {"alpha": 2.0}}
OF_CLASSES = ("unsir", "lotus", "salun-lotus")
CASES = [
    (name, protocol, of_class)
    for name in registry.available()
    for protocol in (CORRECTED, RELEASED)
    for of_class in ((False, True) if name in OF_CLASSES else (False,))
]


def title(case):
    name, protocol, of_class = case
    return f"{name}{'-class' if of_class else ''}-{protocol.name}"


def network(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        # No bias before BatchNorm: its gradient is noise, which Adam would blow up.
        net = nn.Sequential(
            *(nn.Conv2d(2, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Tanh()),
            *(nn.Flatten(), nn.Linear(128, 3)),
        )
        net(torch.randn(64, 2, 6, 6))
    return net.eval()


@pytest.fixture
def problem(task_of, noise, cut):
    def make(protocol, of_class):
        images = noise(184, crop_padding=1, horizontal_flip=True)
        if of_class:
            labels = images.labels % 2
            labels[:40] = 2
            images = images.relabelled(labels)
        forget, retain, val = cut(images, 40, 120, 24)
        more = {"class_forgetting": of_class, "protocol": protocol}
        untrained = lambda: network(1)  # noqa: E731
        return task_of(network(0), forget, retain, val, num_classes=3, untrained=untrained, **more)

    return make


def told(parameters, start):
    """Norm and one random projection of the change so far."""
    change = torch.cat(
        [(p.detach() - s).flatten().double() for p, s in zip(parameters, start, strict=True)]
    )
    direction = torch.randn(len(change), generator=torch.Generator().manual_seed(0)).double()
    return [change.norm().item(), (change @ direction).item()]


@pytest.fixture
def trace_of(problem, steps, monkeypatch):
    """What the model's parameters went through: a row for each step (SSD: for each pass)."""

    def make(name, protocol, of_class):
        task, _ = problem(protocol, of_class)
        start = [p.detach().clone() for p in task.original.parameters()]
        rows = []

        def after_step(optimizer):
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            # UNSIR's noise has optimizers too.
            if len(parameters) == len(start):
                rows.append(told(parameters, start))

        def after_dampening(model, *given):
            share = dampen(model, *given)
            rows.append(told(model.parameters(), start))
            return share

        dampen = ssd.dampen
        monkeypatch.setattr(ssd, "dampen", after_dampening)
        known = {field.name for field in fields(registry.method_class(name))}
        chosen = registry.constants(name, protocol) | SMALL | OF_METHOD.get(name, {})
        method = configured.make(name, {key: v for key, v in chosen.items() if key in known})
        with steps(after_step):
            unlearned = method.unlearn(task)
        buffers = {
            key: value.double().norm().item()
            for key, value in unlearned.named_buffers()
            if value.is_floating_point()
        }
        return {"steps": rows[:STEPS], "buffers": buffers}

    return make


@pytest.mark.parametrize("case", CASES, ids=title)
def test_trace(trace_of, case, request):
    found, path = trace_of(*case), FOLDER / f"{title(case)}.json"
    assert len(found["steps"]) >= 10
    if request.config.getoption("--renew-traces"):
        rows = ",\n".join(
            f"    {json.dumps([float(f'{v:.9g}') for v in row])}" for row in found["steps"]
        )
        buffers = {key: float(f"{value:.9g}") for key, value in found["buffers"].items()}
        text = f'{{\n  "steps": [\n{rows}\n  ],\n  "buffers": {json.dumps(buffers)}\n}}\n'
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path.name} is missing; make it with --renew-traces"
    known = json.loads(path.read_text(encoding="utf-8"))
    for number, (mine, recorded) in enumerate(zip(found["steps"], known["steps"], strict=True)):
        scale = max(recorded[0], 1e-12)
        np.testing.assert_allclose(
            mine, recorded, rtol=0, atol=TOLERANCE * scale, err_msg=f"step {number + 1}"
        )
    assert found["buffers"] == pytest.approx(known["buffers"], rel=TOLERANCE)


def test_there_is_no_trace_without_a_test():
    assert {path.stem for path in FOLDER.glob("*.json")} == {title(case) for case in CASES}


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED], ids=lambda p: p.name)
def test_traces_tell_methods_apart(protocol):
    ends = {}
    for name in registry.available():
        known = json.loads((FOLDER / f"{name}-{protocol.name}.json").read_text(encoding="utf-8"))
        ends[name] = known["steps"][-1][0]
    assert len(set(ends.values())) == len(ends)
    still = {name for name, end in ends.items() if end == 0}
    assert still == ({"scrub"} if protocol == RELEASED else set())
