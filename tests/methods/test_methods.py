"""Methods against closed forms and plain loops, under both protocols."""

import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import nn
from torch.nn import functional as F

from lotus.config.protocol import CORRECTED, RELEASED, parse
from lotus.data.batches import Batch
from lotus.methods import salun_lotus, ssd, unsir
from lotus.methods.bad_teacher import distillation
from lotus.methods.base import configured, registry
from lotus.methods.lotus import targets
from lotus.methods.neggrad_plus import joint_loss
from lotus.methods.random_labeling import random_labels
from lotus.methods.salun import MaskedOptimizer, largest, saliency_mask

LR = 1e-4
LN3 = math.log(3)
SGD = {"lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}


@pytest.fixture
def toy(task_of, image_set, linear, cut):
    """Logits = x·(w0, w1), w = 0, D_r = {(1, class 0)}, D_f = {(1, class 1)}."""
    both = cut(image_set(np.full((2, 1, 1, 1), 255), [1, 0]), 1, 1)
    return lambda **more: task_of(linear([[0.0], [0.0]]), *both, **more)[0]


@pytest.fixture
def apart(task_of, one_hot_images, linear, cut):
    """A forgotten and a retained image that share no weight; the original is right on both."""

    def make(weights, **more):
        both = cut(one_hot_images([0, 1], [0, 1], 2), 1, 1)
        return task_of(linear(weights), *both, **more)[0]

    return make


@pytest.fixture
def one_each(task_of, one_hot_images, linear, cut):
    """`forget` + `retain` images of class 0 that each have a pixel, so a weight, of their own."""

    def make(forget, retain, classes=2, weights=None, **more):
        count = forget + retain
        both = cut(one_hot_images(np.arange(count), [0] * count, count), forget, retain)
        weights = np.zeros((classes, count)) if weights is None else weights
        return task_of(linear(weights), *both, num_classes=classes, **more)

    return make


def weights(model):
    return model[-1].weight.detach()


def unlearn(name, task, **given):
    """With the constants that the task's protocol brings."""
    return configured.make(name, registry.constants(name, task.protocol) | given).unlearn(task)


def train_on(model, optimizer, batches):
    for batch in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(batch.images), batch.labels).backward()
        optimizer.step()


# Published constants (methods.md of the project's analysis; the method's own paper or code)


@pytest.mark.parametrize(
    ("name", "protocol", "expected"),
    [
        ("finetune", CORRECTED, {"epochs": 10, "batch_size": 128, **SGD}),
        ("finetune", RELEASED, {"epochs": 10, "batch_size": 128, **SGD}),
        (
            "neggrad-plus",
            CORRECTED,
            {"alpha": 0.9999, "epochs": 5, "lr": 0.01, "momentum": 0, "weight_decay": 0},
        ),
        ("neggrad-plus", RELEASED, {"epochs": 10, "batch_size": 128, **SGD}),
        (
            "random-labeling",
            CORRECTED,
            {"labels": "wrong", "optimizer": "adam", "epochs": 3, "lr": 1e-4, "weight_decay": 0},
        ),
        (
            "random-labeling",
            RELEASED,
            {"labels": "wrong", "optimizer": "sgd", "epochs": 10, "batch_size": 128, **SGD},
        ),
        (
            "bad-teacher",
            CORRECTED,
            {"epochs": 1, "batch_size": 256, "lr": 1e-4, "retain_fraction": 0.3, "temperature": 1},
        ),
        (
            "bad-teacher",
            RELEASED,
            {"epochs": 10, "batch_size": 128, "lr": 1e-4, "weight_decay": 0},
        ),
        (
            "scrub",
            CORRECTED,
            {
                **{"optimizer": "sgd", "lr": 5e-4, "momentum": 0.9, "weight_decay": 5e-4},
                **{"gamma": 0.99, "alpha": 0.001, "temperature": 4, "epochs": 3, "max_epochs": 2},
                **{"milestones": (3, 5, 9), "forget_batch_size": 32, "batch_size": 128},
            },
        ),
        (
            "scrub",
            RELEASED,
            {
                **{"optimizer": "adam", "lr": 5e-4, "weight_decay": 0.1, "temperature": 4},
                **{"gamma": 1, "alpha": 1, "epochs": 10, "max_epochs": 10},
                **{"forget_batch_size": 128, "batch_size": 128},
            },
        ),
        (
            "ssd",
            CORRECTED,
            {
                **{"alpha": 10, "dampening": 1, "passes": 1, "batch_size": 128},
                **{"per_sample": False, "augmented": True},
            },
        ),
        ("ssd", RELEASED, {"alpha": 10, "dampening": 1, "passes": 10, "per_sample": False}),
        (
            "unsir",
            CORRECTED,
            {
                **{"rounds": 1, "impair_epochs": 2, "repair_epochs": 1, "lr": 1e-3, "momentum": 0},
                **{"noise_lr": 0.01, "noise_steps": 5, "batch_size": 64, "retain_per_class": 1000},
                **{"class_impair_epochs": 1, "class_impair_lr": 0.02, "class_repair_lr": 0.01},
                **{"class_noise_lr": 0.1, "class_noise_steps": 40, "class_noise_penalty": 0.1},
                **{"class_copies": 20, "class_batch_size": 256},
            },
        ),
        (
            "unsir",
            RELEASED,
            {
                **{"rounds": 10, "impair_epochs": 1, "repair_epochs": 1, "lr": 1e-3},
                **{"momentum": 0.9, "noise_lr": 0.01, "batch_size": 128},
            },
        ),
        (
            "salun",
            CORRECTED,
            {
                **{"mask_share": 0.5, "labels": "any", "order": "separate", "epochs": 10},
                **{"lr": 0.013, "momentum": 0.9, "weight_decay": 5e-4, "batch_size": 256},
            },
        ),
        (
            "salun",
            RELEASED,
            {
                **{"mask_share": 0.1, "labels": "wrong", "order": "separate", "epochs": 10},
                **{"batch_size": 128, **SGD},
            },
        ),
        (
            "lotus",
            CORRECTED,
            {
                **{"alpha": 2, "epochs": 10, "lr": 1e-4, "weight_decay": 5e-4, "batch_size": 128},
                **{"retain_fraction": 0.3, "transform": "gumbel", "exit_tolerance": 0.01},
            },
        ),
        ("lotus", RELEASED, {"alpha": 2, "epochs": 10, "exit_tolerance": 0.01}),
        ("salun-lotus", CORRECTED, {"mask_share": 0.5, "alpha": 2, "lr": 1e-4}),
        (
            "salun-lotus",
            RELEASED,
            {"mask_share": 0.1, "alpha": 2, "lr": 1e-4, "retain_fraction": 0.3},
        ),
    ],
    ids=lambda value: getattr(value, "name", value) if not isinstance(value, dict) else "",
)
def test_constants_are_the_published_ones(name, protocol, expected):
    found = configured.hyperparameters(configured.make(name, registry.constants(name, protocol)))
    assert {key: found[key] for key in expected} == expected


# Finetuning


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


# NegGrad+


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


# Random Labeling


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


# Bad Teacher


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_distillation_by_hand(temperature):
    teacher, student = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.8, 0.2]]).log()
    found = distillation(temperature * student, temperature * teacher, temperature)
    assert found.item() == pytest.approx(0.22314, abs=5e-6)
    both = distillation(torch.cat([student, teacher]), torch.cat([teacher, teacher]), 1.0)
    assert both.item() == pytest.approx(0.22314 / 2, abs=5e-6)


def test_distillation_from_an_equal_has_no_gradient(seeded):
    logits = torch.randn(8, 5, generator=seeded(), requires_grad=True)
    loss = distillation(logits, logits.detach().clone(), 2.0)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.abs() < 1e-6
    assert gradient.abs().max() < 1e-7


@pytest.fixture
def taught_badly(task_of, one_hot_images, linear, cut):
    """The original says (.8, .2) of both images, the incompetent teacher (.5, .5)."""

    def make(**more):
        both = cut(one_hot_images([0, 1], [0, 1], 2), 1, 1)
        original = linear(np.log([[0.8, 0.8], [0.2, 0.2]]))
        return task_of(original, *both, untrained=lambda: linear(np.zeros((2, 2))), **more)

    return make


@pytest.mark.parametrize(
    ("protocol", "element_mean"), [(CORRECTED, 1), (RELEASED, 2), (parse("corrected+m7"), 2)]
)
def test_bad_teacher_teaches_the_forget_rows_alone(taught_badly, protocol, element_mean):
    task, reports = taught_badly(protocol=protocol)
    change = weights(unlearn("bad-teacher", task, epochs=1)) - weights(task.original)
    # The retained row agrees with its teacher, and halves the mean.
    assert reports[0]["loss"] == pytest.approx(0.22314 / 2 / element_mean, abs=5e-6)
    np.testing.assert_allclose(change[:, 0], [-LR, LR], rtol=1e-3)


def test_bad_teacher_softens_both(taught_badly):
    task, reports = taught_badly()
    unlearn("bad-teacher", task, temperature=2.0)
    p = np.sqrt([0.8, 0.2]) / np.sqrt([0.8, 0.2]).sum()
    expected = (0.5 * np.log(0.5 / p)).sum() / 2
    assert reports[0]["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_bad_teacher_order(one_each, linear, watch, protocol):
    untrained = linear(np.zeros((2, 60)))
    calls = watch(untrained)
    task, _ = one_each(20, 40, untrained=lambda: untrained, protocol=protocol)
    unlearn("bad-teacher", task, epochs=2, batch_size=8, retain_fraction=0.3)
    batches = [call.positions for call in calls]
    assert len(batches) == 8
    shown = [[p for batch in part for p in batch] for part in (batches[:4], batches[4:])]
    # A sample of 12 retained images is read in each epoch.
    assert sorted(shown[0]) == sorted(shown[1])
    assert sorted(shown[0])[:20] == list(range(20))
    assert len(set(shown[0])) == 32
    assert (shown[0] == shown[1]) == (protocol == RELEASED)
    assert (shown[0][:20] == list(range(20))) == (protocol == RELEASED)


def test_bad_teachers_are_in_eval_mode_and_stay_as_they_are(small_task, conv_net, snapshot, same):
    untrained = conv_net(1).train()
    before = snapshot(untrained)
    task = small_task(untrained=lambda: untrained)
    unlearn("bad-teacher", task, batch_size=8)
    assert same(before, snapshot(untrained))
    assert all(p.grad is None for p in untrained.parameters())


def test_bad_teacher_is_a_plain_loop(small_task, conv_net, seeded, snapshot, same):
    task, generator = small_task(), seeded()
    bad, model = conv_net(1), task.student().train()
    adam = torch.optim.Adam(model.parameters(), 1e-4, weight_decay=0.1)
    union = task.forget + task.retain.sample(0.3, generator)
    for _ in range(2):
        for batch in union.shuffled(8, generator):
            with torch.no_grad():
                p = [net(batch.images).softmax(1) for net in (bad, task.original)]
            p = torch.where((batch.positions < 12)[:, None], *p)
            loss = (p * (p.log() - model(batch.images).log_softmax(1))).sum(1).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
    given = {"epochs": 2, "batch_size": 8, "weight_decay": 0.1}
    unlearned = unlearn("bad-teacher", task, **given)
    for key, value in snapshot(unlearned).items():
        # The convolution's bias is of no effect before BatchNorm: its gradient is noise.
        if key != "0.bias":
            np.testing.assert_allclose(value, snapshot(model)[key], atol=1e-5, err_msg=key)


# SCRUB


def scrub(**given):
    return configured.make("scrub", given)


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
    losses = [loss.item() for loss in method._losses(task, student, epoch=1)]
    assert losses == pytest.approx([-d, 0.7 * math.log(2) + 0.3 * d], rel=1e-5)
    losses = [loss.item() for loss in method._losses(task, student, epoch=2)]
    assert losses == pytest.approx([0.7 * math.log(2) + 0.3 * d], rel=1e-5)


def test_scrub_temperature(disagreeing):
    task, student = disagreeing()
    (loss,) = scrub(gamma=0, alpha=1, max_epochs=0, temperature=2)._losses(task, student, 0)
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


def test_scrub_goes_to_the_forget_set_first_in_its_first_epochs(one_each, watch):
    task, _ = one_each(6, 8)
    calls = watch(task.original)
    unlearn("scrub", task, epochs=3, max_epochs=2, forget_batch_size=3, batch_size=4)
    # Teacher and student are asked about each batch.
    assert [call.training for call in calls] == [True, False] * 10
    shown = [call.positions for call in calls[::2]]
    assert shown == [call.positions for call in calls[1::2]]
    forgets = [max(batch) < 6 for batch in shown]
    assert forgets == [True, True, False, False] * 2 + [False, False]
    assert sorted(shown[0] + shown[1]) == list(range(6))
    assert sorted(shown[2] + shown[3]) == list(range(6, 14))


# SSD


class Parameters(nn.Module):
    def __init__(self, *values):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(values))


def importance(*values):
    return {"theta": torch.tensor(values)}


def test_dampening_by_hand():
    model = Parameters(2.0, 3.0, 5.0, 7.0, 11.0)
    # In order: selected, not enough, zero importance in D, 0/0, a tie.
    both = importance(20.0, 5.0, 4.0, 0.0, 10.0), importance(1.0, 1.0, 0.0, 0.0, 1.0)
    assert ssd.dampen(model, *both, 10.0, 1.0) == pytest.approx(2 / 5)
    np.testing.assert_allclose(model.theta.detach(), [0.1, 3, 0, 7, 11], rtol=1e-6)
    ssd.dampen(model, *both, 10.0, 1.0)
    np.testing.assert_allclose(model.theta.detach(), [0.005, 3, 0, 7, 11], rtol=1e-6)


def test_dampening_never_strengthens():
    model = Parameters(2.0, 3.0, 5.0, 7.0, 11.0)
    both = importance(20.0, 5.0, 4.0, 0.5, 10.0), importance(1.0, 1.0, 1.0, 1.0, 1.0)
    ssd.dampen(model, *both, 1.0, 15.0)
    np.testing.assert_allclose(model.theta.detach(), [1.5, 3, 5, 7, 11], rtol=1e-6)


def test_dampening_leaves_what_has_no_importance():
    model = Parameters(2.0)
    model.extra = nn.Parameter(torch.tensor([3.0]))
    ssd.dampen(model, importance(20.0), importance(1.0), 10.0, 1.0)
    assert model.extra.tolist() == [3.0]


def test_importance_of_batches_and_of_images(toy):
    # The two images have the opposite gradients ±½.
    task = toy()
    images, model = task.forget + task.retain, task.original
    for size, squares, expected in (
        (2, ssd.batch_squares, 0),
        (1, ssd.batch_squares, 0.25),
        (2, ssd.per_sample_squares, 0.25),
        (1, ssd.per_sample_squares, 0.25),
    ):
        method = configured.make("ssd", {"per_sample": squares is ssd.per_sample_squares})
        found = method._importance(model, images.in_order(size))
        np.testing.assert_allclose(found["1.weight"].flatten(), [expected] * 2, atol=1e-7)


def test_importance_of_unequal_batches_counts_each_once(toy):
    task = toy()
    both = task.forget + task.retain
    found = configured.make("ssd", {})._importance(
        task.original, [both.draw(torch.tensor(p), None) for p in ([0], [0, 1], [0, 0, 1])]
    )
    # Mean gradients ½, 0 and (½ + ½ − ½)/3.
    expected = (0.25 + 0 + 1 / 36) / 3
    np.testing.assert_allclose(found["1.weight"].flatten(), [expected] * 2, rtol=1e-5)


def test_importance_skips_frozen_and_unreached_parameters(toy):
    task = toy()
    model = task.student()
    model.unused = nn.Parameter(torch.ones(2))
    model.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    found, _ = ssd.batch_squares(model, next(task.forget.in_order(1)))
    assert found["unused"].tolist() == [0, 0]
    assert "frozen" not in found


@pytest.mark.parametrize(
    ("given", "factor"),
    [
        ({}, 1 / 20),
        ({"dampening": 0.5}, 0.5 / 20),
        ({"alpha": 1.0, "dampening": 15.0}, 15 / 20),
        ({"alpha": 1.0, "dampening": 30.0}, 1),
        ({"alpha": 21.0}, 1),
        ({"per_sample": True}, 1 / 20),
    ],
)
def test_ssd_dampens_the_weights_of_the_forget_set(one_each, given, factor):
    # A weight that one image of 20 reaches has 20 times its importance in that image.
    start = np.random.default_rng(0).normal(size=(2, 20))
    task, reports = one_each(1, 19, weights=start)
    w = weights(unlearn("ssd", task, batch_size=1, **given))
    expected = start.copy()
    expected[:, 0] *= factor
    np.testing.assert_allclose(w, expected, rtol=1e-4)
    selected = 0 if given.get("alpha") == 21 else 1 / 20
    assert reports == [{"epoch": 0, "of": 1, "dampened": pytest.approx(selected)}]


def test_ssd_as_released_accumulates(one_each):
    start = np.random.default_rng(0).normal(size=(2, 20))
    task, reports = one_each(1, 19, weights=start, protocol=RELEASED)
    w = weights(unlearn("ssd", task, batch_size=1, passes=3))
    np.testing.assert_allclose(w[:, 0], start[:, 0] / 20**3, rtol=1e-4)
    np.testing.assert_allclose(w[:, 1:], start[:, 1:], rtol=1e-6)
    assert [r["epoch"] for r in reports] == [0, 1, 2]


@pytest.mark.parametrize(("alpha", "identity"), [(10.0, True), (3.0, False)])
def test_ssd_per_sample_is_the_identity_from_a_forget_share_of_one_in_alpha(
    task_of, conv_net, noise, cut, snapshot, same, alpha, identity
):
    # A tenth is forgotten.
    task, _ = task_of(conv_net(), *cut(noise(40), 4, 36), num_classes=3)
    unlearned = unlearn("ssd", task, per_sample=True, augmented=False, alpha=alpha)
    assert same(snapshot(unlearned), snapshot(task.original)) == identity


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_ssd_leaves_buffers_and_mode(small_task, protocol):
    task = small_task(protocol=protocol)
    unlearned = unlearn("ssd", task, batch_size=4, alpha=1.0)
    before = dict(task.original.named_buffers())
    for key, value in unlearned.named_buffers():
        assert torch.equal(value, before[key])
    assert not unlearned.training


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_ssd_reads_the_whole_in_order_only_as_released(one_each, watch, protocol):
    task, _ = one_each(6, 14, protocol=protocol)
    calls = watch(task.original)
    unlearn("ssd", task, batch_size=2, passes=1)
    shown = [p for call in calls for p in call.positions]
    forget, whole = shown[:6], shown[6:]
    assert sorted(forget) == list(range(6)) != forget
    assert sorted(whole) == list(range(20))
    assert (whole == list(range(20))) == (protocol == RELEASED)


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
@pytest.mark.parametrize("augmented", [True, False])
def test_ssd_augments_if_told(small_task, watch, protocol, augmented):
    task = small_task(protocol=protocol)
    calls = watch(task.original)
    unlearn("ssd", task, augmented=augmented, passes=1)
    plain = {image.numpy().tobytes() for image in task.forget.pixels / 255}
    for call in calls:
        as_stored = [image.numpy().tobytes() in plain for image in call.shown.contiguous()]
        assert all(as_stored) != augmented


# UNSIR


@pytest.fixture
def unsir_of(task_of, conv_net, noise, cut, watch):
    """UNSIR on images whose valid range is −2 … 2; returns the model, the task and all calls."""

    def run(forget, retain, protocol, original=None, **given):
        images = noise(forget + retain, crop_padding=2)
        images = replace(images, mean=images.mean + 0.5, std=images.std * 0.25)
        task, _ = task_of(
            original or conv_net(), *cut(images, forget, retain), num_classes=3, protocol=protocol
        )
        calls = watch(task.original)
        return unlearn("unsir", task, **given), task, calls

    return run


def test_unsir_as_released_has_one_noise_step_clamped_to_0_1(unsir_of):
    given = {"rounds": 1, "repair_epochs": 0, "batch_size": 16}
    _, _, calls = unsir_of(16, 16, RELEASED, **given)
    assert len(calls) == 12
    noises, forgotten = calls[:10:2], calls[1:10:2]
    assert all(torch.equal(call.shown, noises[0].shown) for call in noises)
    assert all(torch.equal(call.shown, forgotten[0].shown) for call in forgotten)
    used, start = calls[10].shown, noises[0].shown
    assert used.min() == 0
    assert used.max() == 1
    change = used - start.clamp(0, 1)
    assert change.abs().max() <= 0.01 + 1e-6
    # Adam's first step is ±.01 wherever the clamp lets it.
    inside = (start > 0.02) & (start < 0.98)
    np.testing.assert_allclose(change[inside].abs(), 0.01, rtol=2e-2)
    # The very first ten passes are in eval mode.
    assert [call.training for call in calls] == [False] * 10 + [True] * 2


def unlikeness(calls):
    """MSE between what is said of the noise and of the forget batch, step by step."""
    return [F.mse_loss(n.said, f.said).item() for n, f in zip(calls[::2], calls[1::2], strict=True)]


def test_unsir_noise_steps_go_away_from_the_forget_batch(unsir_of):
    given = {"impair_epochs": 1, "repair_epochs": 0, "batch_size": 16, "noise_lr": 0.1}
    _, _, calls = unsir_of(16, 16, CORRECTED, **given)
    assert len(calls) == 12
    assert all(call.training for call in calls)
    found = unlikeness(calls[:10])
    assert all(np.diff(found) > 0)
    last, used = calls[8].shown, calls[10].shown
    assert used.min() == -2
    assert used.max() == 2
    assert (used - last.clamp(-2, 2)).abs().max() > 0.01
    # Adam's first step.
    np.testing.assert_allclose((calls[2].shown - calls[0].shown).abs(), 0.1, rtol=0.05)


def test_unsir_as_released_steps_away_too(unsir_of, monkeypatch):
    """With one pass, its rate large, and the clamp out of reach."""
    monkeypatch.setattr(unsir, "initial_noise", lambda shape, g: torch.full(shape, 0.5))
    given = {"rounds": 1, "repair_epochs": 0, "batch_size": 16, "noise_lr": 0.2, "noise_steps": 1}
    _, task, calls = unsir_of(16, 16, RELEASED, **given)
    net = task.original
    with torch.no_grad():
        start, used, known = (net(x) for x in (calls[0].shown, calls[2].shown, calls[1].shown))
    assert F.mse_loss(used, known) > F.mse_loss(start, known)


@pytest.mark.parametrize(
    ("protocol", "given", "sizes", "expected"),
    [
        # Retain batches 8·5; forget batches 8, 8, 4: the third is skipped.
        (RELEASED, {"rounds": 2}, (20, 40), 2 * (2 + 5)),
        (RELEASED, {"rounds": 1}, (7, 40), 5),
        # Forget batches of 7, 7 and 6.
        (CORRECTED, {}, (20, 40), 2 * 3 + 5),
        (CORRECTED, {"impair_epochs": 1, "repair_epochs": 2}, (7, 40), 1 + 2 * 5),
        (CORRECTED, {"rounds": 2}, (20, 40), 2 * (2 * 3 + 5)),
    ],
)
def test_unsir_number_of_steps(unsir_of, steps, protocol, given, sizes, expected):
    made = []
    with steps(lambda optimizer: made.append(type(optimizer).__name__)):
        unsir_of(*sizes, protocol, batch_size=8, **given)
    assert Counter(made)["SGD"] == expected


def test_unsir_as_released_does_not_impair_without_full_batches(unsir_of):
    unlearned, task, calls = unsir_of(7, 40, RELEASED, batch_size=8, rounds=2)
    before = dict(task.original.named_buffers())
    for key, value in unlearned.named_buffers():
        assert torch.equal(value, before[key])
    assert not unlearned.training
    assert not any(call.training for call in calls)
    assert sum(len(call.shown) for call in calls) == 2 * 40


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_unsir_as_released_keeps_one_crop(unsir_of, protocol):
    given = {"rounds": 2, "impair_epochs": 0, "repair_epochs": 1, "batch_size": 64}
    _, _, calls = unsir_of(8, 30, protocol, **given)
    first, second = ({image.numpy().tobytes() for image in c.shown.contiguous()} for c in calls)
    assert (first == second) == (protocol == RELEASED)


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_unsir_impairs_with_noise_and_retain_images_under_retain_labels(
    unsir_of, seeded, snapshot, same, protocol
):
    """Two losses, one step, by SGD with the momentum of the protocol, and then repairs."""
    given = {"impair_epochs": 1, "batch_size": 16, "rounds": 1}
    unlearned, task, calls = unsir_of(16, 16, protocol, **given)
    momentum = 0.9 if protocol == RELEASED else 0.0
    model = task.student().train(protocol == CORRECTED)
    sgd = torch.optim.SGD(model.parameters(), 1e-3, momentum)
    noise, retained, repair = (call.shown for call in calls[10:])
    labels = [labels_of(task, shown) for shown in (retained, repair)]
    with torch.no_grad():
        for call in calls[:10]:
            model(call.shown)
    model.train()
    loss = F.cross_entropy(model(noise), labels[0]) + F.cross_entropy(model(retained), labels[0])
    loss.backward()
    sgd.step()
    sgd.zero_grad()
    F.cross_entropy(model(repair), labels[1]).backward()
    sgd.step()
    for key, value in snapshot(unlearned).items():
        np.testing.assert_allclose(value, snapshot(model)[key], atol=1e-6, err_msg=key)


def labels_of(task, shown):
    """Labels of the retain images of which these are crops."""
    black, _ = task.retain.valid_range
    padded = F.pad(next(task.retain.in_order(100)).images, (2,) * 4, value=black.max().item())
    windows = padded.unfold(2, 6, 1).unfold(3, 6, 1)
    off = (windows[None] - shown[:, None, :, None, None]).abs().amax((2, -1, -2))
    hits = (off < 1e-4).flatten(2).any(2)
    assert (hits.sum(1) == 1).all()
    return task.retain.labels[hits.int().argmax(1)]


def test_unsir_reads_so_many_retain_images_of_each_class(unsir_of):
    given = {"impair_epochs": 0, "retain_per_class": 3, "batch_size": 64}
    _, _, (call,) = unsir_of(8, 40, CORRECTED, **given)
    assert len(call.shown) == 9


def test_opposed_by_hand(linear):
    model = linear([[1.0, 0], [0, 1.0]])
    noise = torch.tensor([[3.0, 4.0], [0.0, 0.0]])[:, None, None]
    found = unsir.opposed(model, noise, torch.tensor([0, 0]), 0.1).item()
    cross_entropy = (math.log(1 + math.e) + math.log(2)) / 2
    assert found == pytest.approx(0.1 * 25 / 2 - cross_entropy, rel=1e-6)


SMALL_CLASS_FORM = {"class_batch_size": 8, "class_copies": 3, "class_noise_steps": 6}


@pytest.fixture
def class_task(task_of, conv_net, noise, cut, watch):
    """All images of class 2 are to be forgotten."""

    def make(protocol=CORRECTED, **more):
        images = noise(42, crop_padding=2)
        labels = torch.arange(42) % 2
        labels[:12] = 2
        forget, retain = cut(images.relabelled(labels), 12, 30)
        given = {"num_classes": 3, "class_forgetting": True, "protocol": protocol, **more}
        task, reports = task_of(conv_net(), forget, retain, **given)
        return task, reports, watch(task.original)

    return make


def test_unsir_class_noise_opposes_the_class(class_task):
    task, reports, calls = class_task()
    student = unlearn("unsir", task, **SMALL_CLASS_FORM)
    noises = calls[:6]
    assert not any(call.training for call in noises)
    c = torch.full((8,), 2)
    losses = [F.cross_entropy(call.said, c).item() for call in noises]
    # Step by step, and 40 steps are more than 6.
    assert losses[-1] > losses[0]
    impair = calls[6:]
    # 30 retain images and 3 copies of 8 noise images: 7 batches; then 4 of retain images.
    assert [call.training for call in impair] == [True] * 11
    assert len(reports) == 1
    assert sum(len(call.shown) for call in impair[:7]) == 54
    assert sum(len(call.shown) for call in impair[7:]) == 30
    shown = Counter(image.numpy().tobytes() for call in impair[:7] for image in call.shown)
    assert sorted(shown.values())[-8:] == [3] * 8
    noise = torch.cat([call.shown for call in impair[:7]])
    noise = torch.stack([x for x in noise if shown[x.numpy().tobytes()] == 3])
    with torch.no_grad():
        said = task.original.eval()(noise), student.eval()(noise)
    assert not student.training
    before, after = (F.cross_entropy(z, torch.full((len(noise),), 2)).item() for z in said)
    assert before > losses[0]
    assert after < before


def test_unsir_class_noise_shrinks_under_a_large_penalty(class_task):
    sizes = []
    for penalty in (0, 1e6):
        task, _, calls = class_task()
        given = {**SMALL_CLASS_FORM, "class_noise_penalty": penalty, "class_noise_steps": 9}
        unlearn("unsir", task, **given)
        sizes.append([call.shown.square().mean().item() for call in calls[:9]])
    assert all(np.diff(sizes[1]) < 0)
    assert sizes[1][-1] < 0.5 * sizes[0][-1]


@pytest.mark.parametrize(("phase", "lr"), [("impair", 0.02), ("repair", 0.01)])
def test_unsir_class_rates(class_task, steps, phase, lr):
    task, _, _ = class_task()
    other = {"impair": "repair_epochs", "repair": "class_impair_epochs"}[phase]
    rates = []
    with steps(lambda optimizer: rates.append(optimizer.param_groups[0]["lr"])):
        unlearn("unsir", task, **SMALL_CLASS_FORM, **{other: 0})
    assert rates[:6] == [0.1] * 6
    assert set(rates[6:]) == {lr}
    assert len(rates[6:]) == {"impair": 7, "repair": 4}[phase]


def test_unsir_class_repair_is_plain_training(class_task, monkeypatch, seeded, snapshot, same):
    monkeypatch.setattr(unsir, "initial_noise", lambda shape, g: torch.zeros(shape))
    task, _, _ = class_task()
    generator, model = seeded(), task.student().train()
    adam = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(2):
        train_on(model, adam, task.retain.shuffled(8, generator))
    given = {**SMALL_CLASS_FORM, "class_impair_epochs": 0, "repair_epochs": 2}
    assert same(snapshot(unlearn("unsir", task, **given)), snapshot(model))


def test_unsir_class_form_has_noise_for_each_class(task_of, conv_net, noise, cut, watch):
    images = noise(30)
    labels = torch.arange(30) % 3
    order = torch.argsort(labels == 0, stable=True)
    forget, retain = cut(images.relabelled(labels).part(order), 20, 10)
    task, _ = task_of(conv_net(), forget, retain, num_classes=3, class_forgetting=True)
    calls = watch(task.original)
    unlearn("unsir", task, **SMALL_CLASS_FORM)
    ends = [
        [F.cross_entropy(calls[i].said, torch.full((8,), c)).item() for i in (first, first + 5)]
        for c, first in ((1, 0), (2, 6))
    ]
    assert all(end > start for start, end in ends)
    assert sum(len(call.shown) for call in calls[12:]) == 10 + 2 * 3 * 8 + 10


def test_unsir_as_released_has_no_class_form(class_task):
    task, _, calls = class_task(RELEASED)
    unlearn("unsir", task, rounds=1, batch_size=8)
    assert [call.training for call in calls[:12]] == [False] * 10 + [True] * 2


# SalUn


def test_largest_magnitudes_by_hand():
    values = {"a": torch.tensor([3.0, -1, 7]), "b": torch.tensor([[-9.0, 2, 8, 6], [4, 5, -10, 0]])}
    values = {"a": values["a"], "b": values["b"].flatten()[:7]}
    for share, expected in (
        (0.1, {10}),
        (0.5, {7, 9, 8, 6, 10}),
        (1.0, {3, 1, 7, 9, 2, 8, 6, 4, 5, 10}),
    ):
        mask = largest(values, share)
        assert {key: m.shape for key, m in mask.items()} == {k: v.shape for k, v in values.items()}
        kept = torch.cat([values[key][mask[key]] for key in values])
        assert {*kept.abs().tolist()} == expected


@pytest.mark.parametrize(("share", "count"), [(0.1, 536), (0.5, 2681), (1.0, 5362), (1e-9, 0)])
def test_largest_counts_down(seeded, share, count):
    values = {"a": torch.randn(5000, generator=seeded()), "b": torch.zeros(362)}
    assert sum(int(m.sum()) for m in largest(values, share).values()) == count


def test_ties_of_magnitude_go_to_the_first():
    values = {"a": torch.tensor([1.0, -1.0]).repeat(2500)}
    assert largest(values, 0.1)["a"].nonzero().flatten().tolist() == list(range(500))


def test_saliency_is_of_summed_gradients_of_the_forget_set(
    one_each, task_of, image_set, linear, cut
):
    # Columns: two images whose gradients cancel, one image with a small gradient.
    pixels = np.zeros((4, 1, 1, 3), np.uint8)
    pixels[[0, 1], 0, 0, 0], pixels[2, 0, 0, 1], pixels[3, 0, 0, 2] = 255, 100, 255
    both = cut(image_set(pixels, [0, 1, 0, 0]), 3, 1)
    task, _ = task_of(linear(np.zeros((2, 3))), *both)
    mask = saliency_mask(task, 1 / 3, 1)["1.weight"]
    assert mask.tolist() == [[False, True, False]] * 2


def test_saliency_is_found_in_eval_mode_and_ranks_unreached_weights_last(small_task, watch):
    task = small_task()
    calls = watch(task.original)
    task.original.unused = nn.Parameter(torch.ones(5))
    mask = saliency_mask(task, 0.5, 4)
    assert not mask["unused"].any()
    assert len(calls) == 3
    assert not any(call.training for call in calls)
    assert all(p.grad is None for p in task.original.parameters())


def masked(hold, *, lr=1e-3, momentum=0.9, weight_decay=0.0, mask=False):
    model = Parameters(1.0).double()
    sgd = torch.optim.SGD(model.parameters(), lr, momentum, weight_decay=weight_decay)
    optimizer = MaskedOptimizer(sgd, model, {"theta": torch.tensor([mask])}, hold)

    def step(gradient, **how):
        optimizer.zero_grad()
        assert model.theta.grad is None
        model.theta.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step(**how)
        return model.theta.item()

    return step, sgd.state[model.theta]


def test_leak_by_decay():
    step, _ = masked(False, weight_decay=5e-4)
    lost = [1 - step(1.0) for _ in range(2)]
    assert lost == pytest.approx([5.0e-7, 1.45e-6], rel=1e-4)


def test_leak_by_momentum():
    step, _ = masked(False)
    after = [step(1.0, masked=False), step(1.0)]
    assert after == pytest.approx([1 - 1e-3, 1 - 1.9e-3], abs=1e-12)


def test_held_weights_do_not_leak():
    step, state = masked(True, weight_decay=0.1)
    assert [step(1.0) for _ in range(3)] == [1.0] * 3
    assert state["momentum_buffer"].item() == 0
    step, state = masked(True, mask=True)
    assert step(1.0) == pytest.approx(1 - 1e-3)
    assert state["momentum_buffer"].item() == 1


def test_parameters_without_gradient_do_not_stop_a_masked_step():
    model = Parameters(1.0)
    sgd = torch.optim.SGD(model.parameters(), 0.1)
    MaskedOptimizer(sgd, model, {"theta": torch.tensor([False])}, True).step()
    assert model.theta.item() == 1


def off_mask_change(task, name, given, share):
    """Largest change outside and inside the mask."""
    again = replace(task, generator=torch.Generator().manual_seed(0))
    if name == "salun-lotus":
        again.retain.sample(0.3, again.generator)
    mask = saliency_mask(again, share, given["batch_size"])
    before = dict(task.original.named_parameters())
    unlearned = dict(unlearn(name, task, mask_share=share, **given).named_parameters())
    moved = [
        torch.cat([(unlearned[k] - before[k]).detach()[w].flatten() for k, w in which.items()])
        for which in ({k: ~m for k, m in mask.items()}, mask)
    ]
    return [part.abs().max().item() for part in moved]


@pytest.mark.parametrize("order", ["separate", "union"])
def test_salun_moves_only_what_the_mask_lets_it(small_task, order):
    given = {"epochs": 3, "batch_size": 8, "lr": 0.1, "weight_decay": 0.5, "order": order}
    outside, inside = off_mask_change(small_task(), "salun", given, 0.3)
    assert outside == 0
    assert inside > 0.01


def test_salun_lotus_moves_only_what_the_mask_lets_it(small_task):
    given = {"epochs": 3, "batch_size": 8, "lr": 0.1, "weight_decay": 0.5, "exit_tolerance": 1}
    outside, inside = off_mask_change(small_task(), "salun-lotus", given, 0.3)
    assert outside == 0
    assert inside > 0.01


def test_salun_as_released_masks_the_forget_pass_alone(apart):
    found = {}
    for protocol in (CORRECTED, RELEASED, parse("corrected+m5")):
        task = apart(np.zeros((2, 2)), protocol=protocol)
        given = {"mask_share": 0.5, "epochs": 1, "lr": 1e-3, "labels": "wrong"}
        found[protocol.name] = weights(unlearn("salun", task, **given))
    # Half of the weights are those that the forget image reaches, in the first column.
    half = 0.5e-3
    expected = [[-1.9 * half, 0], [1.9 * half, 0]]
    np.testing.assert_allclose(found["corrected"], expected, rtol=1e-5)
    expected = [[-1.9 * half, -half], [1.9 * half, half]]
    for name in ("released", "corrected+m5"):
        np.testing.assert_allclose(found[name], expected, rtol=1e-5)


def test_salun_as_released_does_not_mask_a_union(apart):
    task = apart(np.zeros((2, 2)), protocol=RELEASED)
    w = weights(unlearn("salun", task, mask_share=0.5, epochs=1, order="union"))
    # One step on both images, each with half the weight.
    np.testing.assert_allclose(w, np.array([[-1, -1], [1, 1]]) * 0.25e-3, rtol=1e-5)


@pytest.mark.parametrize("order", ["separate", "union"])
@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_salun_with_all_weights_is_random_labeling(
    small_task, seeded, snapshot, same, protocol, order
):
    task, generator = small_task(protocol=protocol), seeded()
    keep = protocol == RELEASED
    list(task.forget.shuffled(7, generator, keep))  # for the mask
    model = task.student().train()
    sgd = torch.optim.SGD(model.parameters(), 0.01, 0.9, weight_decay=5e-4)
    for _ in range(2):
        taught = random_labels(task.forget.labels, 3, keep, generator)
        relabelled = task.forget.relabelled(taught)
        parts = [relabelled + task.retain] if order == "union" else [relabelled, task.retain]
        for part in parts:
            train_on(model, sgd, part.shuffled(7, generator, keep))
    given = {"epochs": 2, "batch_size": 7, "lr": 0.01, "mask_share": 1, "order": order}
    assert same(snapshot(unlearn("salun", task, **given)), snapshot(model))


# LoTUS


def lotus(**hyperparameters):
    return configured.make("lotus", hyperparameters)


@pytest.fixture
def accurate(task_of, one_hot_images, linear, cut):
    """A task on which the original has the accuracies (right, of) on D_f and D_v."""

    def labels(right, of):
        return [0] * right + [1] * (of - right)

    def make(forget, val, **more):
        original = linear([[1.0, 0], [0, 1.0]])
        sizes = forget[1], 1, val[1]
        images = one_hot_images(
            np.repeat([0, 1, 0], sizes), [*labels(*forget), 1, *labels(*val)], 2
        )
        return task_of(original, *cut(images, *sizes), **more)

    return make


@pytest.mark.parametrize(
    ("forget", "alpha", "class_forgetting", "expected"),
    [
        ((10, 10), 2, False, math.exp(0.2)),
        ((199, 200), 2, False, math.exp(0.19)),
        ((10, 10), 0, False, 1.0),
        ((10, 10), 32, True, math.exp(32)),
    ],
)
def test_lotus_temperature(accurate, forget, alpha, class_forgetting, expected):
    task, reports = accurate(forget, (9, 10), class_forgetting=class_forgetting)
    lotus(alpha=alpha, epochs=1).unlearn(task)
    assert [r["temperature"] for r in reports] == [pytest.approx(expected, rel=1e-12)]


@pytest.mark.parametrize("protocol", ["released", "corrected+m8"])
@pytest.mark.parametrize(
    ("forget", "val", "expected"),
    [
        ((9949, 10_000), (9, 10), 0.18),
        ((199, 200), (9, 10), 0.18),
        ((1, 1), (904, 1000), 0.2),
    ],
)
def test_lotus_as_released_rounds_accuracies(accurate, protocol, forget, val, expected):
    task, reports = accurate(forget, val, protocol=parse(protocol))
    lotus(epochs=1, batch_size=20_000).unlearn(task)
    assert reports[0]["temperature"] == pytest.approx(math.exp(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("forget", "val", "tolerance", "epochs"),
    [
        ((9, 10), (91, 100), 0.01, 0),
        # .02 − .03 is above −.01 in binary fractions.
        ((2, 100), (3, 100), 0.01, 0),
        ((9, 10), (181, 200), 0.01, 1),
        ((9, 10), (91, 100), 0.02, 1),
        ((9, 10), (9, 10), 0, 0),
    ],
)
def test_lotus_exit(accurate, snapshot, same, forget, val, tolerance, epochs):
    task, reports = accurate(forget, val)
    student = lotus(epochs=1, exit_tolerance=tolerance).unlearn(task)
    assert len(reports) == epochs
    assert same(snapshot(student), snapshot(task.original)) == (epochs == 0)


@pytest.mark.parametrize(
    ("forget", "val", "tolerance", "epochs"),
    [
        ((2, 100), (3, 100), 0.01, 1),
        ((3, 100), (4, 100), 0.01, 0),
        # In binary .03 is less than 3/100.
        ((0, 100), (3, 100), 0.03, 0),
    ],
)
def test_lotus_exit_as_released_is_of_binary_fractions(accurate, forget, val, tolerance, epochs):
    assert (forget[0] / 100 - val[0] / 100 <= -tolerance) == (epochs == 0)
    task, reports = accurate(forget, val, protocol=RELEASED)
    lotus(epochs=1, exit_tolerance=tolerance).unlearn(task)
    assert len(reports) == epochs


@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED])
def test_lotus_as_released_measures_on_augmented_forget_images(small_task, watch, protocol):
    task = small_task(protocol=protocol)
    calls = watch(task.original)
    lotus(epochs=1, exit_tolerance=1).unlearn(task)
    plain = [torch.equal(call.shown, task.forget.pixels[:12] / 255) for call in calls]
    # The validation images, the forget set by the student, then the training batches.
    assert plain[1] == (protocol == CORRECTED)
    assert not any(plain[2:])
    assert len(calls[1].shown) == 12
    assert torch.equal(calls[0].shown, task.val.pixels[52:] / 255)


@pytest.mark.parametrize("transform", ["gumbel", "softmax"])
def test_lotus_loss_of_a_uniform_student(seeded, transform):
    z = 3 * torch.randn(64, 10, generator=seeded(1))
    for seed, temperature in enumerate((0.1, 1.0, math.exp(8))):
        is_forget = torch.arange(64) % 2 == 0
        t = targets(z, is_forget, temperature, transform, seeded(seed))
        assert F.cross_entropy(torch.zeros(64, 10), t).item() == pytest.approx(math.log(10))


def test_lotus_reports_the_loss(task_of, noise, linear, cut):
    task, reports = task_of(linear(np.zeros((10, 72))), *cut(noise(29), 9, 20), num_classes=10)
    lotus(epochs=1, exit_tolerance=1).unlearn(task)
    assert reports[0]["loss"] == pytest.approx(math.log(10), rel=1e-6)


def test_lotus_reports_accuracy_and_gap(accurate):
    task, reports = accurate((199, 200), (9, 10))
    lotus(epochs=1).unlearn(task)
    assert reports[0]["forget_accuracy"] == pytest.approx(0.995)
    assert reports[0]["gap"] == pytest.approx(0.095)


def test_lotus_retain_targets_are_drawn_from_the_teacher(seeded):
    n = 40_000
    p = torch.tensor([0.844, 0.114, 0.042], dtype=torch.float64)
    z = (p.log() + 5).expand(n, 3)
    t = targets(z, torch.zeros(n, dtype=torch.bool), 7.0, "gumbel", seeded())
    assert ((t == 0) | (t == 1)).all()
    assert (t.sum(1) == 1).all()
    assert ((t.mean(0) - p).abs() <= 4 * (p * (1 - p) / n).sqrt()).all()


def test_lotus_forget_targets_have_the_means_of_the_specification(seeded):
    n = 40_000
    z = torch.tensor([0.844, 0.114, 0.042], dtype=torch.float64).log().expand(n, 3)
    is_forget = torch.ones(n, dtype=torch.bool)
    for temperature, mean in (
        (0.1, [0.843, 0.116, 0.041]),
        (1.0, [0.726, 0.185, 0.089]),
        (math.exp(2), [0.411, 0.315, 0.275]),
    ):
        t = targets(z, is_forget, temperature, "gumbel", seeded())
        np.testing.assert_allclose(t.mean(0), mean, atol=6e-3)


def test_lotus_softmax_targets(seeded):
    z = torch.tensor([[1.0, 3, 2], [5, 4, 0], [1, 3, 2]], dtype=torch.float64)
    t = targets(z, torch.tensor([False, False, True]), 2.0, "softmax", seeded())
    assert t[:2].tolist() == [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_allclose(t[2], (z[2] / 2).softmax(0), rtol=1e-12)


@pytest.mark.parametrize("transform", ["gumbel", "softmax"])
def test_lotus_forget_targets_of_a_class_are_uniform(seeded, transform):
    z = 10 * torch.randn(200, 5, dtype=torch.float64, generator=seeded(1))
    t = targets(z, torch.ones(200, dtype=torch.bool), math.exp(32), transform, seeded())
    assert (t - 0.2).abs().max() < 1e-12


def test_lotus_softens_what_is_forgotten_and_distils_the_rest(apart):
    task = apart([[2.0, 0], [0, 2.0]], class_forgetting=True)
    method = lotus(epochs=1, alpha=50, lr=LR, weight_decay=0, transform="softmax", exit_tolerance=1)
    change = weights(method.unlearn(task)) - weights(task.original)
    # Column 0 shows the forgotten image, which loses confidence; column 1 the retained one.
    np.testing.assert_allclose(change, [[-LR, -LR], [LR, LR]], rtol=1e-2)


def test_lotus_decay_is_apart_from_the_gradient(apart):
    task = apart([[2.0, 0], [0, 2.0]], class_forgetting=True)
    given = {"epochs": 1, "alpha": 50, "lr": 0.01, "weight_decay": 10, "transform": "softmax"}
    w = weights(lotus(**given).unlearn(task))
    np.testing.assert_allclose(w, [[1.8 - 0.01, -0.01], [0.01, 1.8 + 0.01]], rtol=1e-3)


def test_lotus_reads_a_share_of_the_retain_set(one_each):
    task, _ = one_each(1, 20)
    method = lotus(epochs=3, retain_fraction=0.3, weight_decay=0)
    read = (weights(method.unlearn(task))[:, 1:] != 0).any(0)
    assert read.sum() == 6


# SalUn+LoTUS


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


# Preparation


@pytest.mark.parametrize("name", registry.available())
def test_preparation_is_told_apart_where_the_published_code_did(small_task, name):
    prepared = []

    @contextmanager
    def preparing():
        prepared.append(True)
        yield

    task = small_task(preparing=preparing)
    unlearn(name, task, **({"epochs": 1} if name not in ("ssd", "unsir") else {}))
    assert len(prepared) == ("R1" in registry.entry_of(name).released)
