"""NegGrad+ against closed forms and a plain loop, under both protocols."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from unlearning import train_on, unlearn, weights

from lotus.config.protocol import RELEASED, parse
from lotus.data.batches import Batch
from lotus.methods.neggrad_plus import joint_loss


def test_neggrad_plus_as_released_on_the_toy(toy):
    w = weights(unlearn("neggrad-plus", toy(protocol=RELEASED), epochs=1)).flatten()
    np.testing.assert_allclose(w, [-4.4975e-4, 4.4975e-4], rtol=1e-5)


def test_neggrad_plus_as_released_trains_on_forget_then_retain(small_task, seeded, snapshot, same):
    task, generator = small_task(protocol=parse("corrected+m2")), seeded()
    model = task.student().train()
    sgd = torch.optim.SGD(model.parameters(), 1e-3, 0.9, weight_decay=5e-4)
    for _ in range(3):
        train_on(model, sgd, task.forget.shuffled(8, generator))
        train_on(model, sgd, task.retain.shuffled(8, generator))
    unlearned = unlearn("neggrad-plus", task, epochs=3, batch_size=8)
    assert same(snapshot(unlearned), snapshot(model))


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.95, 0.9999])
def test_neggrad_plus_on_the_toy(toy, alpha):
    w = weights(unlearn("neggrad-plus", toy(), epochs=1, lr=1, alpha=alpha)).flatten()
    np.testing.assert_allclose(w, [0.5, -0.5], rtol=1e-5)
    forget_loss = F.cross_entropy(w[None], torch.tensor([1])).item()
    assert forget_loss == pytest.approx(math.log(1 + math.e), rel=1e-5)


def test_neggrad_plus_weighs_both_terms(linear):
    model = linear([[1.0], [0.0]])
    x, where = torch.ones(1, 1, 1, 1), torch.tensor([0])
    retained = Batch(x, torch.tensor([0]), where)
    forgotten = Batch(x, torch.tensor([1]), where)
    low, high = math.log(1 + math.exp(-1)), math.log(1 + math.e)
    for alpha in (0.25, 1.0):
        expected = alpha * low - (1 - alpha) * high
        assert joint_loss(model, retained, forgotten, alpha).item() == pytest.approx(expected)


def test_neggrad_plus_at_alpha_1_is_finetune(task_of, conv_net, noise, cut, snapshot, same):
    shared = {"epochs": 1, "lr": 0.01, "momentum": 0.9, "weight_decay": 5e-4, "batch_size": 8}
    found = []
    for name, more in (("finetune", {}), ("neggrad-plus", {"alpha": 1})):
        task, _ = task_of(conv_net(), *cut(noise(39), 9, 30))
        found.append(snapshot(unlearn(name, task, **shared, **more)))
    assert same(*found)


def test_neggrad_plus_cycles_the_forget_batches(one_each):
    # One forgotten image for four retained ones, which show other pixels: pushed in each step.
    task, _ = one_each(1, 4)
    w = weights(unlearn("neggrad-plus", task, epochs=1, lr=1e-3, alpha=0.5, batch_size=1))
    step = 1e-3 * 0.5 * 0.5
    expected = np.array([[-4, 1, 1, 1, 1], [4, -1, -1, -1, -1]]) * step
    np.testing.assert_allclose(w, expected, rtol=1e-2)
