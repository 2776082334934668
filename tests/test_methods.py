"""Methods against closed forms, and the contract that every one of them keeps."""

import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch.nn import functional as F

from lotus.data.batches import Batch
from lotus.errors import LotusError
from lotus.methods import base
from lotus.methods.lotus import targets
from lotus.methods.neggrad_plus import joint_loss
from lotus.methods.random_labeling import random_labels

LR = 1e-4


@pytest.fixture
def task_of(seeded):
    """A task with a list `reports` of what the method said of each epoch."""

    def make(original, forget, retain, val=None, seed=0, class_forgetting=False, num_classes=2):
        reports = []
        task = base.Task(
            original,
            forget,
            retain,
            val if val is not None else retain,
            num_classes,
            class_forgetting,
            seeded(seed),
            lambda epoch, of, report: reports.append({"epoch": epoch, "of": of, **report}),
        )
        return task, reports

    return make


@pytest.fixture
def toy(task_of, image_set, linear, cut):
    """Logits = x·(w0, w1), w = 0, D_r = {(1, class 0)}, D_f = {(1, class 1)}."""
    both = cut(image_set(np.full((2, 1, 1, 1), 255), [1, 0]), 1, 1)
    return lambda: task_of(linear([[0.0], [0.0]]), *both)[0]


@pytest.fixture
def apart(task_of, one_hot_images, linear, cut):
    """A forgotten and a retained image that share no weight; the original is right on both."""

    def make(weights):
        both = cut(one_hot_images([0, 1], [0, 1], 2), 1, 1)
        return task_of(linear(weights), *both)[0]

    return make


def weights(model):
    return model[-1].weight.detach()


def test_finetune_on_the_toy(toy):
    w = weights(base.make("finetune", {"epochs": 1, "lr": 1e-3}).unlearn(toy())).flatten()
    np.testing.assert_allclose(w, [5e-4, -5e-4], rtol=1e-5)


def test_finetune_never_reads_the_forget_set(task_of, conv_net, noise):
    task, reports = task_of(conv_net(), None, noise(20))
    base.make("finetune", {"epochs": 3}).unlearn(task)
    assert [r["epoch"] for r in reports] == [0, 1, 2]


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.95, 0.9999])
def test_neggrad_plus_on_the_toy(toy, alpha):
    method = base.make("neggrad-plus", {"epochs": 1, "lr": 1, "alpha": alpha})
    w = weights(method.unlearn(toy())).flatten()
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
        found.append(snapshot(base.make(name, {**shared, **more}).unlearn(task)))
    assert same(*found)


def test_neggrad_plus_cycles_the_forget_batches(task_of, one_hot_images, linear, cut):
    # One forgotten image for four retained ones, which show other pixels: pushed in each step.
    both = cut(one_hot_images([0, 1, 1, 1, 1], [0] * 5, 2), 1, 4)
    task, _ = task_of(linear(np.zeros((2, 2))), *both)
    hyperparameters = {"epochs": 1, "lr": 1e-3, "alpha": 0.5, "batch_size": 1}
    w = weights(base.make("neggrad-plus", hyperparameters).unlearn(task))
    step = 1e-3 * 0.5 * 0.5
    np.testing.assert_allclose(w, [[-4 * step, 4 * step], [4 * step, -4 * step]], rtol=1e-2)


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
    task = apart(np.zeros((2, 2)))
    w = weights(base.make("random-labeling", {"epochs": 1, "lr": LR}).unlearn(task))
    # Adam's first step is lr · sign; the forgotten image is class 0 and taught 1.
    np.testing.assert_allclose(w, [[-LR, -LR], [LR, LR]], rtol=1e-3)


def test_random_labeling_keeps_its_labels(task_of, one_hot_images, linear, cut):
    # Each image has a pixel of its own; labels drawn anew each epoch would pull both ways.
    count, classes = 12, 5
    both = cut(one_hot_images(np.arange(count + 1), [0] * (count + 1), count + 1), count, 1)
    task, _ = task_of(linear(np.zeros((classes, count + 1))), *both, num_classes=classes)
    w = weights(base.make("random-labeling", {"epochs": 6, "lr": 0.1}).unlearn(task))[:, :count]
    assert ((w > 0).sum(0) == 1).all()
    assert (w[0] < 0).all()


def lotus(**hyperparameters):
    return base.make("lotus", hyperparameters)


@pytest.fixture
def accurate(task_of, one_hot_images, linear, cut):
    """A LoTUS task on which the original has the accuracies (right, of) on D_f and D_v."""

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
    task = apart([[2.0, 0], [0, 2.0]])
    method = lotus(epochs=1, alpha=50, lr=LR, weight_decay=0, transform="softmax", exit_tolerance=1)
    task = base.Task(**{**vars(task), "class_forgetting": True})
    change = weights(method.unlearn(task)) - weights(task.original)
    # Column 0 shows the forgotten image, which loses confidence; column 1 the retained one.
    np.testing.assert_allclose(change, [[-LR, -LR], [LR, LR]], rtol=1e-2)


def test_lotus_reads_a_share_of_the_retain_set(task_of, one_hot_images, linear, cut):
    count = 20
    both = cut(one_hot_images(np.arange(count + 1), [0] * (count + 1), count + 1), 1, count)
    original = linear(np.zeros((2, count + 1)))
    task, _ = task_of(original, *both)
    method = lotus(epochs=3, retain_fraction=0.3, weight_decay=0)
    read = (weights(method.unlearn(task))[:, 1:] != 0).any(0)
    assert read.sum() == 6


# The contract


def of_method(name, **more):
    """Small hyper-parameters, as far as the method has them."""
    known = {field.name for field in fields(base.method_class(name))}
    wanted = {"epochs": 2, "batch_size": 16, **more}
    return base.make(name, {key: value for key, value in wanted.items() if key in known})


@pytest.fixture
def small_task(task_of, conv_net, noise, cut):
    """A task on which every method has something to do: the original is wrong on all of D_v."""

    def make(seed=0):
        original = conv_net()
        images = noise(62, crop_padding=1, horizontal_flip=True)
        forget, retain, val = cut(images, 12, 40, 10)
        with torch.no_grad():
            said = original(next(val.in_order(10)).images).argmax(1)
        val = val.relabelled((said + 1) % 3)
        return task_of(original, forget, retain, val, seed=seed, num_classes=3)[0]

    return make


every_method = pytest.mark.parametrize("name", base.available())


def test_all_methods_are_found():
    assert {"finetune", "lotus", "neggrad-plus", "random-labeling"} <= {*base.available()}


@every_method
def test_weights_depend_on_the_seed_alone(small_task, snapshot, same, name):
    runs = []
    for seed, elsewhere in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(elsewhere)
        np.random.seed(elsewhere)
        runs.append(snapshot(of_method(name).unlearn(small_task(seed))))
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


@every_method
def test_original_and_global_state_stay_as_they_were(small_task, snapshot, same, name):
    task, rng = small_task(), torch.get_rng_state()
    before = snapshot(task.original)
    unlearned = of_method(name).unlearn(task)
    assert same(before, snapshot(task.original))
    assert not any(module.training for module in task.original.modules())
    assert all(p.grad is None and p.requires_grad for p in task.original.parameters())
    assert torch.equal(rng, torch.get_rng_state())
    assert torch.equal(task.forget.pixels, small_task().forget.pixels)
    assert not same(before, snapshot(unlearned))


@every_method
def test_returned_model_is_in_eval_mode(small_task, name):
    unlearned = of_method(name).unlearn(small_task())
    assert not any(module.training for module in unlearned.modules())


@every_method
def test_students_learn_in_train_mode(small_task, name):
    """Dropping `.train()` from a method freezes BatchNorm's running statistics."""
    task = small_task()
    before = {key: value.clone() for key, value in task.original.named_buffers()}
    for key, value in of_method(name).unlearn(task).named_buffers():
        if key.endswith("running_mean"):
            assert not torch.equal(value, before[key])


@every_method
def test_no_epochs_return_a_copy_of_the_original(small_task, snapshot, same, name):
    task = small_task()
    unlearned = of_method(name, epochs=0).unlearn(task)
    assert unlearned is not task.original
    assert same(snapshot(unlearned), snapshot(task.original))
    assert not unlearned.training


@every_method
def test_unknown_hyperparameter_is_refused(name):
    with pytest.raises(LotusError, match=rf"method {name}: epoch = 3: .*did you mean 'epochs'"):
        base.make(name, {"epoch": 3})


@every_method
@pytest.mark.parametrize(
    ("key", "value"),
    [("epochs", "three"), ("epochs", 1.5), ("epochs", -1), ("lr", "fast"), ("lr", 0), ("lr", True)],
)
def test_ill_typed_hyperparameter_is_refused(name, key, value):
    with pytest.raises(LotusError, match=rf"method {name}: {key} = {value!r}: must be") as caught:
        base.make(name, {key: value})
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "given", "accepted"),
    [
        ("neggrad-plus", {"alpha": 1.01}, "less than or equal to 1"),
        ("neggrad-plus", {"alpha": 0}, "greater than 0"),
        ("random-labeling", {"labels": "some"}, "'wrong' or 'any'"),
        ("lotus", {"transform": "hard"}, "'gumbel' or 'softmax'"),
        ("lotus", {"alpha": -1}, "greater than or equal to 0"),
        ("lotus", {"retain_fraction": 1.5}, "less than or equal to 1"),
        ("finetune", {"lr": float("nan")}, "number"),
    ],
)
def test_refusal_says_what_is_accepted(name, given, accepted):
    with pytest.raises(LotusError) as caught:
        base.make(name, given)
    message = str(caught.value)
    assert message.startswith(f"method {name}: {next(iter(given))} = ")
    assert accepted in message


def test_every_mistake_has_a_line():
    with pytest.raises(LotusError) as caught:
        base.make("finetune", {"lr": -1, "epochs": "x", "speed": 2})
    lines = str(caught.value).splitlines()
    assert {line.split()[2] for line in lines} == {"lr", "epochs", "speed"}


@every_method
def test_scientific_text_is_a_number(name):
    method = base.make(name, {"lr": "1e-3"})
    assert base.hyperparameters(method)["lr"] == 1e-3
    assert base.make(name, base.hyperparameters(method)) == method


def test_unknown_method_is_answered_with_the_known():
    with pytest.raises(LotusError, match="unknown method 'finetun'; did you mean 'finetune'"):
        base.make("finetun", {})
