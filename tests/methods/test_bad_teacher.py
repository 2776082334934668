"""Bad Teacher against closed forms and a plain loop, under both protocols."""

import numpy as np
import pytest
import torch
from unlearning import LR, unlearn, weights

from lotus.config.protocol import CORRECTED, RELEASED, parse
from lotus.methods.bad_teacher import distillation


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
    task, _ = one_each(20, 40, untrained=lambda: untrained, protocol=protocol)
    calls = watch(task.original)
    unlearn("bad-teacher", task, epochs=2, batch_size=8, retain_fraction=0.3)
    batches = [call.positions for call in calls if call.training]
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
