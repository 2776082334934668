"""Random Labeling against closed forms and plain loops, under both protocols."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from unlearning import LR, train_on, unlearn, weights

from lotus.config.protocol import RELEASED
from lotus.methods.random_labeling import random_labels


def test_random_labels_are_wrong_and_uniform(seeded):
    labels = torch.arange(4).repeat(5000)
    drawn = random_labels(labels, 4, True, seeded())
    offset = (drawn - labels) % 4
    assert offset.min() > 0
    assert drawn.min() >= 0
    assert drawn.max() < 4
    for label in range(4):
        counts = torch.bincount(offset[labels == label], minlength=4)[1:]
        assert chisquare(counts).pvalue > 1e-3


def test_random_labels_of_any_class_are_uniform(seeded):
    drawn = random_labels(torch.zeros(20000, dtype=torch.int64), 4, False, seeded())
    assert chisquare(torch.bincount(drawn, minlength=4)).pvalue > 1e-3


def test_wrong_labels_of_two_classes_are_certain(seeded):
    labels = torch.tensor([0, 1, 1, 0])
    assert random_labels(labels, 2, True, seeded()).tolist() == [1, 0, 0, 1]


def test_random_labeling_teaches_both_sets(apart):
    w = weights(unlearn("random-labeling", apart(np.zeros((2, 2))), epochs=1, lr=LR))
    # Adam's first step is lr · sign; the forgotten image is class 0 and taught 1.
    np.testing.assert_allclose(w, [[-LR, -LR], [LR, LR]], rtol=1e-3)


def test_random_labeling_as_released_by_hand(apart):
    w = weights(unlearn("random-labeling", apart(np.zeros((2, 2)), protocol=RELEASED), epochs=1))
    # SGD on the forgotten image, then on the retained one, while momentum moves the first on.
    half = 0.5e-3
    expected = [[-1.9 * half, -half], [1.9 * half, half]]
    np.testing.assert_allclose(w, expected, rtol=1e-5)


def test_random_labeling_keeps_its_labels(one_each):
    # Labels drawn anew each epoch would pull both ways.
    task, _ = one_each(12, 1, classes=5)
    w = weights(unlearn("random-labeling", task, epochs=6, lr=0.1))[:, :12]
    assert ((w > 0).sum(0) == 1).all()
    assert (w[0] < 0).all()


@pytest.mark.parametrize(("labels", "true_ones"), [("wrong", False), ("any", True)])
def test_random_labeling_as_released_draws_anew(one_each, labels, true_ones):
    task, _ = one_each(40, 1, classes=5, protocol=RELEASED)
    more = {"epochs": 2, "momentum": 0, "lr": 0.1, "labels": labels}
    taught = weights(unlearn("random-labeling", task, **more))[:, :40] > 0
    assert {*taught.sum(0).tolist()} == {1, 2}
    assert taught[0].any() == true_ones


def test_random_labeling_as_released_is_a_plain_loop(small_task, seeded, snapshot, same):
    task, generator = small_task(protocol=RELEASED), seeded()
    model = task.student().train()
    sgd = torch.optim.SGD(model.parameters(), 1e-3, 0.9, weight_decay=5e-4)
    for _ in range(3):
        taught = random_labels(task.forget.labels, 3, True, generator)
        train_on(model, sgd, task.forget.relabelled(taught).shuffled(7, generator, True))
        train_on(model, sgd, task.retain.shuffled(7, generator, True))
    unlearned = unlearn("random-labeling", task, epochs=3, batch_size=7)
    assert same(snapshot(unlearned), snapshot(model))


def test_random_labeling_is_a_plain_loop(small_task, seeded, snapshot, same):
    task, generator = small_task(), seeded()
    model = task.student().train()
    adam = torch.optim.Adam(model.parameters(), 1e-4, weight_decay=0.1)
    taught = random_labels(task.forget.labels, 3, True, generator)
    union = task.forget.relabelled(taught) + task.retain
    for _ in range(2):
        train_on(model, adam, union.shuffled(8, generator))
    given = {"epochs": 2, "batch_size": 8, "weight_decay": 0.1}
    assert same(snapshot(unlearn("random-labeling", task, **given)), snapshot(model))
