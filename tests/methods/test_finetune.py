"""Finetuning against a plain loop."""

import numpy as np
import torch
from unlearning import train_on, unlearn, weights


def test_finetune_on_the_toy(toy):
    w = weights(unlearn("finetune", toy(), epochs=1)).flatten()
    np.testing.assert_allclose(w, [5e-4, -5e-4], rtol=1e-5)


def test_finetune_never_reads_the_forget_set(task_of, conv_net, noise):
    task, reports = task_of(conv_net(), None, noise(20))
    unlearn("finetune", task, epochs=3)
    assert [(r["epoch"], r["of"]) for r in reports] == [(0, 3), (1, 3), (2, 3)]


def test_finetune_is_a_plain_loop(small_task, seeded, snapshot, same):
    task, generator = small_task(), seeded()
    model = task.student().train()
    sgd = torch.optim.SGD(model.parameters(), 1e-3, 0.9, weight_decay=5e-4)
    for _ in range(2):
        train_on(model, sgd, task.retain.shuffled(16, generator))
    unlearned = unlearn("finetune", task, epochs=2, batch_size=16)
    assert same(snapshot(unlearned), snapshot(model))
