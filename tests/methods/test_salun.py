"""SalUn: the mask, what it lets through, and Random Labeling where it lets all through."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from unlearning import Parameters, train_on, unlearn, weights

from lotus.config.protocol import CORRECTED, RELEASED, parse
from lotus.methods.random_labeling import random_labels
from lotus.methods.salun import MaskedOptimizer, largest, saliency_mask


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


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_largest_are_those_that_a_stable_sort_puts_first(seeded, share):
    # Few values, so that many are equal.
    drawn = torch.randint(-3, 4, (1000,), generator=seeded()).float()
    drawn[:3] = torch.tensor([float("nan"), -float("inf"), float("nan")])
    order = drawn.abs().nan_to_num(nan=torch.inf).argsort(descending=True, stable=True)
    marked = largest({"a": drawn}, share)["a"].nonzero().flatten().tolist()
    assert marked == sorted(order[: int(share * 1000)].tolist())


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


def test_salun_as_released_masks_the_gradients_of_a_union_and_lets_decay_move_the_rest(apart):
    start = np.array([[0.0, 2.0], [0.0, 2.0]])
    task = apart(start, protocol=RELEASED)
    given = {"mask_share": 0.5, "epochs": 1, "order": "union", "weight_decay": 0.1}
    w = weights(unlearn("salun", task, **given))
    # One step on both images, each with half the weight; the second column is outside the mask.
    np.testing.assert_allclose(w[:, 0], np.array([-1, 1]) * 0.25e-3, rtol=1e-5)
    np.testing.assert_allclose(w[:, 1], start[:, 1] * (1 - 0.1 * 1e-3), rtol=1e-6)


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
