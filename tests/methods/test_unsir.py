"""UNSIR against closed forms and plain loops, in both its forms and protocols."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from unlearning import train_on, unlearn

from lotus.config.protocol import CORRECTED, RELEASED
from lotus.methods import unsir


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
    model = task.student()
    sgd = torch.optim.SGD(model.parameters(), 1e-3, momentum)
    noise, retained, repair = (call.shown for call in calls[10:])
    labels = [labels_of(task, shown) for shown in (retained, repair)]
    with torch.no_grad():
        for call in calls[:10]:
            model(call.shown)
    model.train(protocol == RELEASED)
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


@pytest.mark.parametrize(("protocol", "read"), [(CORRECTED, 40), (RELEASED, 9)])
def test_unsir_repairs_on_all_retain_images_and_as_released_on_some_of_each_class(
    unsir_of, protocol, read
):
    given = {"rounds": 1, "impair_epochs": 0, "retain_per_class": 3, "batch_size": 64}
    _, _, (call,) = unsir_of(8, 40, protocol, **given)
    assert len(call.shown) == read


def test_unsir_keeps_the_statistics_of_batch_norm_as_its_authors_notebook_does(unsir_of):
    """There `evaluate`, which sets the network to eval mode, is called before both phases."""
    unlearned, task, calls = unsir_of(16, 40, CORRECTED, batch_size=16, lr=0.1)
    assert not any(call.training for call in calls)
    assert not unlearned.training
    before = dict(task.original.named_buffers())
    assert before
    assert all(torch.equal(value, before[key]) for key, value in unlearned.named_buffers())
    assert any(
        not torch.equal(new, old)
        for new, old in zip(unlearned.parameters(), task.original.parameters(), strict=True)
    )


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
    # The authors' notebook learns the noise on a network that was never set to eval mode.
    assert all(call.training for call in noises)
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
    given["class_noise_steps"] = 0
    assert same(snapshot(unlearn("unsir", task, **given)), snapshot(model))


def test_unsir_class_noise_is_learned_on_the_network_that_is_impaired(class_task, snapshot):
    """Its BatchNorm follows the noise, by one momentum step for each step of the noise."""
    task, _, calls = class_task()
    given = {**SMALL_CLASS_FORM, "class_impair_epochs": 0, "repair_epochs": 0}
    unlearned = unlearn("unsir", task, **given)
    model = task.student().train()
    with torch.no_grad():
        for call in calls[:6]:
            model(call.shown)
    for key, value in snapshot(unlearned).items():
        np.testing.assert_allclose(value, snapshot(model)[key], atol=1e-6, err_msg=key)
    changed = [
        key
        for key, value in task.original.named_buffers()
        if not torch.equal(value, dict(unlearned.named_buffers())[key])
    ]
    assert changed


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
