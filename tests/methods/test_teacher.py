"""What teachers say, and how often they are asked."""

from dataclasses import replace

import pytest
import torch

from lotus.config.images import Augmentation
from lotus.methods.base import configured, task

DISTILLING = {
    "lotus": {"epochs": 3, "batch_size": 8, "exit_tolerance": 1.0},
    "bad-teacher": {"epochs": 3, "batch_size": 8},
    "scrub": {"epochs": 3, "max_epochs": 3, "batch_size": 8, "forget_batch_size": 8},
}


@pytest.fixture
def task_with(small_task):
    """A task whose training images are augmented, or come as they are."""

    def make(crop_padding):
        given = small_task()
        augmentation = Augmentation(crop_padding=crop_padding)
        of = {
            name: replace(getattr(given, name), augmentation=augmentation)
            for name in ("forget", "retain")
        }
        return replace(given, **of)

    return make


@pytest.mark.parametrize("crop_padding", [0, 2])
@pytest.mark.parametrize("of", ["forget", "retain"])
def test_a_teacher_says_what_its_network_says(task_with, seeded, crop_padding, of):
    given = task_with(crop_padding)
    images = getattr(given, of)
    teacher = given.teacher(images)
    for _ in range(2):
        for batch in images.shuffled(7, seeded()):
            with torch.no_grad():
                expected = given.original(batch.images)
            assert torch.allclose(teacher(batch), expected, atol=1e-6)
            assert not teacher(batch).requires_grad


def test_another_network_can_teach(small_task, conv_net, seeded):
    given, other = small_task(), conv_net(1)
    (batch,) = given.forget.shuffled(100, seeded())
    assert torch.allclose(given.teacher(given.forget, other)(batch), other(batch.images), atol=1e-6)


@pytest.mark.parametrize("method", DISTILLING)
@pytest.mark.parametrize(("crop_padding", "asked_once"), [(0, True), (2, False)])
def test_an_image_that_comes_as_it_is_is_asked_once(
    task_with, watch, method, crop_padding, asked_once
):
    given = task_with(crop_padding)
    calls = watch(given.original)
    configured.make(method, DISTILLING[method]).unlearn(given)
    taught = sum(len(call.shown) for call in calls if not call.training)
    learnt = sum(len(call.shown) for call in calls if call.training)
    # LoTUS measures accuracies of its own besides.
    measured = 3 * len(given.forget) + len(given.val) if method == "lotus" else 0
    assert taught - measured == (learnt / 3 if asked_once else learnt)


def test_answers_that_take_too_much_memory_are_asked_for_again(task_with, watch, monkeypatch):
    given = task_with(0)
    monkeypatch.setattr(task, "REMEMBERED", 4 * given.num_classes * len(given.forget) - 1)
    teacher = given.teacher(given.forget)
    calls = watch(given.original)
    (batch,) = given.forget.in_order(100)
    first, second = teacher(batch), teacher(batch)
    assert len(calls) == 2
    assert torch.equal(first, second)
