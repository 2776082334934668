"""The supervised loop, evaluation, and the files of predictions."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lotus.config.architectures import Training
from lotus.engine import inference
from lotus.engine.training import lr_factor, train
from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split


def recipe(**given):
    return Training(**{"epochs": 4, "warmup_epochs": 0, "lr": 0.05, "batch_size": 16, **given})


@pytest.mark.parametrize(("epochs", "warmup"), [(150, 30), (10, 1), (5, 4)])
def test_learning_rate_rises_and_falls_linearly(epochs, warmup):
    factors = [lr_factor(e, recipe(epochs=epochs, warmup_epochs=warmup)) for e in range(epochs)]
    assert factors[0] == pytest.approx(1 / warmup)
    assert factors[warmup - 1] == 1 == max(factors)
    assert factors[-1] == 0
    np.testing.assert_allclose(np.diff(factors[:warmup]), 1 / warmup)
    np.testing.assert_allclose(np.diff(factors[warmup - 1 :]), -1 / (epochs - warmup))


def test_learning_rate_without_warmup_only_falls():
    factors = [lr_factor(e, recipe(epochs=4)) for e in range(4)]
    assert factors == pytest.approx([0.75, 0.5, 0.25, 0])


def test_constant_rate_stays_at_its_peak_after_the_warmup():
    told = recipe(epochs=6, warmup_epochs=3, schedule="constant")
    assert [lr_factor(e, told) for e in range(6)] == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1])
    assert lr_factor(0, recipe(schedule="constant")) == 1


def test_without_epochs_the_weights_stay_as_they_are(seeded, noise, conv_net, snapshot, same):
    model = conv_net().train()
    before, told = snapshot(model), recipe(epochs=0, patience=2)
    assert train(model, noise(9), noise(9), told, seeded(), lambda *_: None) is None
    assert same(before, snapshot(model))
    assert not model.training


@pytest.mark.parametrize(("optimizer", "step"), [("sgd", 0.25), ("adamw", 0.5)])
def test_one_step_by_hand(seeded, image_set, linear, optimizer, step):
    # Logits x·(w0, w1), w = 0: gradient (−½, ½); AdamW goes by its sign. The rate is half its peak
    # in the first of two epochs, 0 in the second.
    model, images = linear([[0.0], [0.0]]), image_set([[[[255]]]], [0])
    reports = []
    told = recipe(optimizer=optimizer, lr=1.0, epochs=2, weight_decay=0)
    best = train(model, images, images, told, seeded(), lambda *report: reports.append(report))
    np.testing.assert_allclose(model[1].weight.detach().flatten(), [step, -step], rtol=1e-5)
    assert best == 1
    assert [(epoch, of) for epoch, of, _ in reports] == [(0, 2), (1, 2)]
    assert [r["lr"] for *_, r in reports] == [0.5, 0]
    losses = [r["loss"] for *_, r in reports]
    assert losses == pytest.approx([math.log(2), math.log(1 + math.exp(-2 * step))], rel=1e-5)


def test_reported_loss_is_the_mean_over_images(seeded, image_set):
    # Batches of 3 and 2 images; a rate of nearly 0 leaves the model as it is.
    images = image_set(np.arange(5).reshape(5, 1, 1, 1) * 60, [0, 1, 1, 0, 1])
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)).eval()
    reports = []
    train(
        model,
        images,
        images,
        recipe(lr=1e-12, batch_size=3),
        seeded(),
        lambda *r: reports.append(r),
    )
    with torch.no_grad():
        expected = F.cross_entropy(model(images.pixels / 255), images.labels).item()
    assert reports[0][2]["loss"] == pytest.approx(expected, rel=1e-5)
    assert inference.mean_loss(model, images) == pytest.approx(expected, rel=1e-5)


def test_training_is_repeatable_and_shuffled_by_seed(seeded, noise, conv_net, snapshot, same):
    states = []
    for seed in (0, 0, 1):
        model = conv_net()
        train(model, noise(40), noise(9), recipe(), seeded(seed), lambda *_: None)
        assert not any(module.training for module in model.modules())
        states.append(snapshot(model))
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def test_patience_puts_the_best_epoch_back(seeded, noise, conv_net, snapshot, same):
    # Random labels: validation loss soon rises.
    model, states, losses = conv_net(), [], []

    def keep(epoch, of, report):
        states.append(snapshot(model))
        losses.append(report["val_loss"])

    told = recipe(epochs=40, patience=3, lr=0.2)
    best = train(model, noise(40), noise(60, seed=1), told, seeded(), keep)
    assert best == np.argmin(losses)
    assert len(states) == best + 1 + 3 < 40
    assert same(snapshot(model), states[best])
    assert not same(states[best], states[-1])
    assert inference.mean_loss(model, noise(60, seed=1)) == losses[best]


def test_t1_keeps_the_last_epochs_weights(seeded, noise, conv_net, snapshot, same):
    kept = {}
    for keep_last in (False, True):
        model, states = conv_net(), []
        keep = lambda *_, of=model, to=states: to.append(snapshot(of))  # noqa: E731
        told = recipe(epochs=40, patience=3, lr=0.2)
        val = noise(60, seed=1)
        epoch = train(model, noise(40), val, told, seeded(), keep, keep_last=keep_last)
        assert same(snapshot(model), states[epoch])
        assert not model.training
        kept[keep_last] = epoch, len(states)
    assert kept[True][1] == kept[False][1]
    assert kept[True][0] == kept[True][1] - 1 == kept[False][0] + 3


def test_without_patience_the_last_epoch_stays(seeded, noise, conv_net, snapshot, same):
    model, states = conv_net(), []
    keep = lambda *_: states.append(snapshot(model))  # noqa: E731
    assert train(model, noise(40), noise(60, seed=1), recipe(lr=0.2), seeded(), keep) == 3
    assert same(snapshot(model), states[-1])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("evaluate", [inference.logits, inference.accuracy, inference.mean_loss])
def test_evaluation_changes_nothing(noise, conv_net, snapshot, same, evaluate, training):
    model, images = conv_net().train(training), noise(40, crop_padding=2, horizontal_flip=True)
    before, rng = snapshot(model), torch.get_rng_state()
    first, second = evaluate(model, images), evaluate(model, images)
    assert np.array_equal(first, second)
    assert same(before, snapshot(model))
    assert model.training is training
    assert torch.equal(rng, torch.get_rng_state())
    assert np.array_equal(first, evaluate(model.eval(), noise(40)))


def test_evaluation_is_that_of_the_whole_set(image_set, linear):
    # More images than one batch holds.
    count = inference.DRAWN_AT_ONCE + 3
    pixels = np.random.default_rng(0).integers(256, size=(count, 1, 1, 1))
    images, model = image_set(pixels, np.arange(count) % 2), linear([[1.0], [0.0]])
    found = inference.logits(model, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0], pixels.ravel() / 255, rtol=1e-6)
    right = (found.argmax(1) == images.labels.numpy()).sum()
    assert inference.accuracy(model, images) * count == right


@pytest.mark.parametrize("augmented", [False, True])
def test_few_at_once_say_what_all_at_once_say(
    conv_net, noise, seeded, watch, monkeypatch, augmented
):
    model, images = conv_net(), noise(100, crop_padding=2)
    chance = seeded if augmented else lambda: None
    whole = inference.logits(model, images, chance())
    right, loss = inference.accuracy(model, images, chance()), inference.mean_loss(model, images)
    monkeypatch.setattr(inference, "CACHED", 0)
    calls = watch(model)
    parts = inference.logits(model, images, chance())
    assert [len(call.shown) for call in calls] == [16] * 6 + [4]
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    assert inference.accuracy(model, images, chance()) == right
    assert inference.mean_loss(model, images) == pytest.approx(loss)


@pytest.mark.parametrize(
    ("width", "side", "at_once"), [(64, 32, 64), (32, 32, 128), (8, 28, 512), (768, 224, 16)]
)
def test_as_many_images_at_once_as_the_cache_holds(width, side, at_once):
    images = torch.zeros(512, 1, side, side)
    found = inference._asked_at_once(nn.Sequential(nn.Conv2d(1, width, 3)), images)
    assert min(found, len(images)) == at_once


@pytest.fixture
def said():
    rng = np.random.default_rng(0)
    return {
        name: Split(
            rng.normal(size=(n, 3)).astype(np.float32), rng.integers(3, size=n), rng.permutation(n)
        )
        for name, n in (("train", 9), ("val", 4))
    }


def test_predictions_survive_their_file(tmp_path, said):
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    predictions_file.save(one, said)
    found = predictions_file.load(one)
    assert list(found) == list(said)
    for name, split in said.items():
        for part in ("logits", "labels", "indices"):
            mine, theirs = getattr(split, part), getattr(found[name], part)
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)
    predictions_file.save(two, found)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_refused(tmp_path, said, value):
    said["val"].logits[2, 1] = value
    predictions_file.save(tmp_path / "p.npz", said)
    with pytest.raises(LotusError, match="split 'val', row 2: logits are not finite"):
        predictions_file.load(tmp_path / "p.npz")


def test_logits_of_a_collapsed_model_need_not_be_finite(tmp_path, said):
    said["val"].logits[2, 1] = np.nan
    path = tmp_path / "p.npz"
    predictions_file.save(path, said, "4.weight has values that are not finite")
    found = predictions_file.load(path)
    assert list(found) == list(said)
    assert np.isnan(found["val"].logits[2, 1])
    assert predictions_file.why_collapsed(path) == "4.weight has values that are not finite"


def test_a_sound_model_has_no_reason(tmp_path, said):
    predictions_file.save(tmp_path / "p.npz", said)
    assert predictions_file.why_collapsed(tmp_path / "p.npz") == ""
    with pytest.raises(LotusError, match="cannot be read"):
        predictions_file.why_collapsed(tmp_path / "q.npz")


@pytest.mark.parametrize("evaluate", [inference.logits, inference.accuracy])
def test_augmented_evaluation_depends_on_its_generator(noise, conv_net, seeded, evaluate):
    model, images = conv_net(), noise(40, crop_padding=3)
    found = [evaluate(model, images, seeded(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], evaluate(model, images))


def test_unusable_predictions_are_refused(tmp_path, said):
    path = tmp_path / "p.npz"
    with pytest.raises(LotusError, match="cannot be read"):
        predictions_file.load(path)
    predictions_file.save(path, said)
    whole = path.read_bytes()
    for damaged in (whole[:-30], whole[: len(whole) // 2], b"no predictions", b""):
        path.write_bytes(damaged)
        with pytest.raises(LotusError, match="damaged"):
            predictions_file.load(path)
    np.savez(path, **{"train.logits": said["train"].logits})
    with pytest.raises(LotusError, match="damaged"):
        predictions_file.load(path)


def test_split_at_takes_rows_by_image(said):
    split = said["train"]
    wanted = np.array([7, 0, 3])
    found = split.at(wanted)
    assert np.array_equal(found.indices, wanted)
    for row, image in enumerate(wanted):
        (place,) = np.flatnonzero(split.indices == image)
        assert np.array_equal(found.logits[row], split.logits[place])
        assert found.labels[row] == split.labels[place]


def test_split_without_rows_lacks_every_image(said):
    nothing = said["train"].at(np.array([], dtype=np.int64))
    with pytest.raises(LotusError, match="lack"):
        nothing.at(np.array([0]))


@pytest.mark.parametrize("missing", [9, -1])
def test_split_at_refuses_images_it_lacks(said, missing):
    with pytest.raises(LotusError, match="lack"):
        said["train"].at(np.array([0, missing]))
