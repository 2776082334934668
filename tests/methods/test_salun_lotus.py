"""SalUn+LoTUS is LoTUS with all weights and the original with none."""

import math

import numpy as np
import pytest
import torch
from unlearning import unlearn

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.methods import salun_lotus


@pytest.fixture
def mask_of(monkeypatch):
    """Makes SalUn+LoTUS use a mask that is everywhere the same, and draw nothing for it."""

    def make(value):
        def all_alike(task, share, batch_size):
            named = task.original.named_parameters()
            return {name: torch.full_like(p, value, dtype=torch.bool) for name, p in named}

        monkeypatch.setattr(salun_lotus, "saliency_mask", all_alike)

    return make


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_salun_lotus_with_all_weights_is_lotus(small_task, snapshot, same, mask_of, protocol):
    mask_of(True)
    given = {"epochs": 3, "batch_size": 8, "exit_tolerance": 1, "lr": 0.01, "weight_decay": 0.5}
    found = [
        snapshot(unlearn(name, small_task(protocol=protocol), **given))
        for name in ("lotus", "salun-lotus")
    ]
    assert same(*found)


@pytest.mark.parametrize(("protocol", "kept"), [(CORRECTED, 1.0), (RELEASED, (1 - 5e-4) ** 9)])
def test_salun_lotus_without_weights_is_the_original(small_task, steps, mask_of, protocol, kept):
    mask_of(False)
    task, made = small_task(protocol=protocol), []
    given = {"epochs": 3, "batch_size": 8, "exit_tolerance": 1, "lr": 0.01, "weight_decay": 0.05}
    with steps(made.append):
        unlearned = dict(unlearn("salun-lotus", task, **given).named_parameters())
    assert len(made) == 9
    for name, before in task.original.named_parameters():
        if kept == 1:
            assert torch.equal(unlearned[name], before)
        np.testing.assert_allclose(unlearned[name].detach(), kept * before.detach(), rtol=1e-5)


@pytest.mark.parametrize(("protocol", "unseen"), [(CORRECTED, 0), (RELEASED, 0.9)])
def test_salun_lotus_as_released_is_not_told_of_classes(accurate, protocol, unseen):
    task, reports = accurate((10, 10), (9, 10), class_forgetting=True, protocol=protocol)
    unlearn("salun-lotus", task, epochs=1)
    assert reports[0]["temperature"] == pytest.approx(math.exp(2 * (1 - unseen)), rel=1e-9)
