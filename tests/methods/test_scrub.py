"""SCRUB against closed forms and a plain loop, under both protocols."""

import math

import numpy as np
import pytest
import torch
from unlearning import LN3, train_on, unlearn, weights

from lotus.config.protocol import RELEASED
from lotus.methods.bad_teacher import distillation
from lotus.methods.base import configured


def scrub(**given):
    return configured.make("scrub", given)


def teachers(task):
    return task.teacher(task.forget), task.teacher(task.retain)


@pytest.fixture
def disagreeing(task_of, image_set, linear, cut):
    """Teacher logits (4 ln 3, 0), student logits (0, 0) on an image of class 0."""
    both = cut(image_set(np.full((2, 1, 1, 1), 255), [0, 0]), 1, 1)
    return lambda: (task_of(linear([[4 * LN3], [0]]), *both)[0], linear([[0.0], [0.0]]))


def test_scrub_losses_by_hand(disagreeing):
    task, student = disagreeing()
    d = 16 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert d == pytest.approx(2.09299, abs=5e-6)
    method = scrub(gamma=0.7, alpha=0.3, max_epochs=2)
    losses = [loss.item() for loss in method._losses(task, student, teachers(task), epoch=1)]
    assert losses == pytest.approx([-d, 0.7 * math.log(2) + 0.3 * d], rel=1e-5)
    losses = [loss.item() for loss in method._losses(task, student, teachers(task), epoch=2)]
    assert losses == pytest.approx([0.7 * math.log(2) + 0.3 * d], rel=1e-5)


def test_scrub_temperature(disagreeing):
    task, student = disagreeing()
    (loss,) = scrub(gamma=0, alpha=1, max_epochs=0, temperature=2)._losses(
        task, student, teachers(task), 0
    )
    # Softened by 2 the teacher says (.9, .1).
    expected = 4 * (0.9 * math.log(1.8) + 0.1 * math.log(0.2))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_scrub_cannot_leave_its_teacher_at_its_first_step(apart):
    task = apart([[2.0, 0], [0, 2.0]])
    given = {"epochs": 1, "max_epochs": 1, "gamma": 0, "alpha": 0, "weight_decay": 0, "lr": 1}
    w = weights(unlearn("scrub", task, **given))
    assert (w - weights(task.original)).abs().max() < 1e-5


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_scrub_without_its_distance_is_plain_training(
    small_task, seeded, snapshot, same, optimizer
):
    task, generator = small_task(), seeded()
    model = task.student().train()
    if optimizer == "sgd":
        chosen = torch.optim.SGD(model.parameters(), 1e-3, 0.9, weight_decay=0.1)
    else:
        chosen = torch.optim.Adam(model.parameters(), 1e-3, weight_decay=0.1)
    for _ in range(2):
        train_on(model, chosen, task.retain.shuffled(16, generator))
    given = {"optimizer": optimizer, "lr": 1e-3, "weight_decay": 0.1, "batch_size": 16}
    given |= {"gamma": 1, "alpha": 0, "max_epochs": 0, "epochs": 2}
    assert same(snapshot(unlearn("scrub", task, **given)), snapshot(model))


def test_scrub_moves_away_on_the_forget_set_and_stays_on_the_retain_set(small_task):
    def distance(task, model, images):
        (batch,) = images.in_order(100)
        with torch.no_grad():
            return distillation(model.eval()(batch.images), task.original(batch.images), 4.0)

    task = small_task()
    given = {"epochs": 6, "gamma": 0, "lr": 0.01, "forget_batch_size": 12, "milestones": []}
    obeying = unlearn("scrub", task, **given, alpha=1, max_epochs=0)
    both = unlearn("scrub", small_task(), **given, alpha=1, max_epochs=6)
    disobeying = unlearn("scrub", small_task(), **given, alpha=0, max_epochs=6)
    d = [distance(task, model, task.forget).item() for model in (obeying, both, disobeying)]
    assert d[0] < d[1] < d[2]
    d = [distance(task, model, task.retain).item() for model in (both, disobeying)]
    assert d[0] < d[1]


def test_scrub_lowers_forget_accuracy(small_task):
    task = small_task()
    (batch,) = task.forget.in_order(100)
    with torch.no_grad():
        known = task.original(batch.images).argmax(1)
    student = unlearn("scrub", task, epochs=10, max_epochs=10, lr=0.05, milestones=[]).eval()
    assert (student(batch.images).argmax(1) == known).float().mean() < 0.7


@pytest.mark.parametrize("training", [False, True])
def test_scrub_as_released_returns_the_original(small_task, snapshot, same, training):
    task = small_task(protocol=RELEASED)
    task.original.train(training)
    before = snapshot(task.original)
    unlearned = unlearn("scrub", task, epochs=2)
    assert same(before, snapshot(unlearned))
    assert unlearned.training is training
    assert unlearned is not task.original


def test_scrub_rate_falls_after_milestones(one_each, steps):
    task, _ = one_each(1, 1)
    rates = []
    with steps(lambda optimizer: rates.append(optimizer.param_groups[0]["lr"])):
        unlearn("scrub", task, epochs=10, max_epochs=0)
    expected = [5e-4] * 3 + [5e-5] * 2 + [5e-6] * 4 + [5e-7]
    assert rates == pytest.approx(expected, rel=1e-9)


def test_scrub_as_its_authors_have_it_for_cifar100_never_lowers_its_rate(one_each, steps, watch):
    task, _ = one_each(6, 8)
    calls, rates = watch(task.original), []
    with steps(lambda optimizer: rates.append(optimizer.param_groups[0]["lr"])):
        theirs = {"gamma": 1, "alpha": 0.5, "epochs": 5, "max_epochs": 5, "milestones": [5, 5, 9]}
        unlearn("scrub", task, **theirs, optimizer="adam", forget_batch_size=3, batch_size=4)
    assert rates == [5e-4] * 5 * (2 + 2)
    shown = [call.positions for call in calls if call.training]
    assert [max(batch) < 6 for batch in shown] == [True, True, False, False] * 5


def test_scrub_goes_to_the_forget_set_first_in_its_first_epochs(one_each, watch):
    task, _ = one_each(6, 8)
    calls = watch(task.original)
    unlearn("scrub", task, epochs=3, max_epochs=2, forget_batch_size=3, batch_size=4)
    # The teacher is asked about each set once.
    assert sorted(len(call.shown) for call in calls if not call.training) == [6, 8]
    shown = [call.positions for call in calls if call.training]
    forgets = [max(batch) < 6 for batch in shown]
    assert forgets == [True, True, False, False] * 2 + [False, False]
    assert sorted(shown[0] + shown[1]) == list(range(6))
    assert sorted(shown[2] + shown[3]) == list(range(6, 14))
