"""What is asked of a model, in which order, and which models are of no use."""

import copy
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from image_by_image import one_at_a_time
from torch import nn

from lotus.config.images import Augmentation, Dataset
from lotus.config.protocol import parse
from lotus.data.batches import Images
from lotus.data.store import Store
from lotus.engine import inference
from lotus.predictions.predictions_file import Split
from lotus.runs import recording

# What is asked of a model, and in which order


@pytest.fixture
def images_with(make_store):
    """Images of a store, augmented as is said."""
    store = make_store(np.arange(30) % 3, np.arange(12) % 3)
    pixels = np.random.default_rng(0).integers(256, size=(42, 6, 6, 2), dtype=np.uint8)
    source = {**store.source, "mean": [0.0, 0.0], "std": [1.0, 1.0]}
    store = replace(store, images=pixels, source=source)

    def make(**augmentation):
        use = Dataset(augmentation=Augmentation(**augmentation))
        return Images(store, use, torch.device("cpu"))

    return make


@pytest.fixture
def asked(images_with):
    """Augmented images of a store, and its splits."""
    images = images_with(crop_padding=2)
    splits = {
        "forget": np.arange(6),
        "retain": np.arange(6, 30),
        "val": np.arange(30, 36),
        "test": np.arange(36, 42),
    }

    def ask(model, protocol, seed=0, names=tuple(splits)):
        generator = torch.Generator().manual_seed(seed)
        chosen = {name: splits[name] for name in names}
        return recording.ask(model, images, chosen, parse(protocol), generator)

    return ask, images, splits


def test_corrected_asks_each_split_once_and_changes_nothing(asked, conv_net, snapshot, same):
    ask, images, splits = asked
    model = conv_net().train()
    before = snapshot(model)
    first, second = ask(model, "corrected"), ask(model, "corrected", seed=1)
    assert list(first) == list(splits)
    for name, split in first.items():
        assert np.array_equal(split.logits, second[name].logits)
        assert np.array_equal(split.indices, splits[name])
        assert np.array_equal(split.labels, splits[name] % 3)
        assert np.array_equal(split.logits, inference.logits(model, images.take(splits[name])))
    assert same(before, snapshot(model))
    assert model.training


def test_e1_attacks_first_in_the_published_order(asked, conv_net, watch):
    ask, images, splits = asked
    model = conv_net().train()
    slow = copy.deepcopy(model)
    calls = watch(model)
    found = ask(model, "corrected+e1")
    order = ["retain", "forget", "test", "val"]
    assert list(found) == [*(f"mia.{name}" for name in order), *splits]
    assert [call.training for call in calls] == [True] * 4 + [False] * 4
    assert [len(call.shown) for call in calls[:4]] == [24, 6, 6, 6]
    for name in order:
        expected = one_at_a_time(slow, images.take(splits[name]))
        np.testing.assert_allclose(found[f"mia.{name}"].logits, expected, atol=1e-4)
    # Everything later is said with the statistics that the attack left.
    for name in splits:
        expected = inference.logits(slow, images.take(splits[name]))
        np.testing.assert_allclose(found[name].logits, expected, atol=1e-4)
    assert not np.allclose(found["val"].logits, ask(conv_net(), "corrected")["val"].logits)


def test_e1_attacks_a_calibration_set_after_all_others(asked, conv_net, noise):
    _, images, splits = asked
    store = Store(Path("there"), np.asarray(noise(5).pixels.permute(0, 2, 3, 1)), np.arange(5) % 3,
                  ("a", "b", "c"), {"mean": [0.0, 0.0], "std": [1.0, 1.0]})  # fmt: skip
    apart = {"calibration": Images(store, Dataset(), torch.device("cpu"))}
    splits = {**splits, "calibration": np.arange(5)}
    model = conv_net().train()
    slow = copy.deepcopy(model)
    found = recording.ask(model, images, splits, parse("corrected+e1"), apart=apart)
    order = ["retain", "forget", "test", "val", "calibration"]
    assert list(found) == [*(f"mia.{name}" for name in order), *splits]
    for name in order:
        of = apart.get(name, images).take(splits[name])
        np.testing.assert_allclose(found[f"mia.{name}"].logits, one_at_a_time(slow, of), atol=1e-4)
    assert np.array_equal(found["calibration"].labels, np.arange(5) % 3)


def test_e1_does_no_harm_to_a_model_in_eval_mode(asked, conv_net, snapshot, same):
    ask, _, splits = asked
    model = conv_net()
    before = snapshot(model)
    found, plain = ask(model, "corrected+e1"), ask(model, "corrected")
    assert same(before, snapshot(model))
    for name in splits:
        assert np.array_equal(found[name].logits, plain[name].logits)
        assert np.array_equal(found[f"mia.{name}"].logits, plain[name].logits)


def test_e1_concerns_models_of_methods_alone(asked, conv_net):
    ask, _, _ = asked
    assert list(ask(conv_net(), "released", names=("retain", "val"))) == ["retain", "val"]


@pytest.mark.parametrize(
    ("protocol", "augmented"), [("corrected+e2", True), ("released-e2", False)]
)
def test_e2_augments_training_images_alone(asked, conv_net, protocol, augmented):
    ask, _, _ = asked
    plain = ask(conv_net(), "corrected")
    found, again = ask(conv_net(), protocol), ask(conv_net(), protocol, seed=1)
    for name, split in found.items():
        of_training = name.removeprefix("mia.") in ("forget", "retain")
        as_stored = np.array_equal(split.logits, plain[name.removeprefix("mia.")].logits)
        assert as_stored != (augmented and of_training)
        assert np.array_equal(split.logits, again[name].logits) == as_stored


def test_e2_augments_what_an_original_was_trained_on(asked, conv_net):
    _, images, splits = asked
    generator = torch.Generator().manual_seed(0)
    parts = {"train": splits["retain"], "val": splits["val"]}
    found = recording.ask(conv_net(), images, parts, parse("corrected+e2"), generator)
    for name, augmented in (("train", True), ("val", False)):
        as_stored = inference.logits(conv_net(), images.take(parts[name]))
        assert np.array_equal(found[name].logits, as_stored) != augmented


# Models of no use


def of_accuracy(right, of, image_set):
    """Images, two thirds of class 0, of which a model that always says 0 or reads the pixel is right."""
    labels = np.arange(of) % 3 // 2
    shown = np.where(np.arange(of) < right, labels, 1 - labels)
    return image_set((255 * shown).reshape(-1, 1, 1, 1), labels)


@pytest.fixture
def reads(linear):
    """A model that says what the pixel shows."""
    model = nn.Sequential(linear([[0.0], [1.0]]), nn.Linear(2, 2))
    model[1].weight.data, model[1].bias.data = torch.eye(2), torch.tensor([0.5, 0.0])
    return model.eval()


def by_asking(model, images):
    return recording.answers_badly(model, images)


def by_its_answers(model, images):
    labels = images.labels.numpy()
    return recording.answered_badly(Split(inference.logits(model, images), labels, labels))


@pytest.mark.parametrize("judge", [by_asking, by_its_answers])
@pytest.mark.parametrize("of", [300, 3000])
@pytest.mark.parametrize(("right", "sound"), [(1.0, True), (0.69, True), (0.68, False), (0, False)])
def test_near_chance_is_a_collapse(image_set, reads, judge, of, right, sound):
    # The largest class has two thirds of the images: the limit is .66667 + .05 · .33333 = .68333.
    found = judge(reads, of_accuracy(right * of, of, image_set))
    assert (found == "") == sound
    if not sound:
        assert re.fullmatch(r"retain accuracy 0\.\d{3} is near chance \(at most 0\.683\)", found)


@pytest.mark.parametrize(("right", "asked"), [(1.0, 273), (0.75, 273 + 3000)])
def test_some_images_tell_a_model_that_is_far_from_chance(image_set, reads, watch, right, asked):
    images = of_accuracy(right * 3000, 3000, image_set)
    calls = watch(reads)
    assert recording.answers_badly(reads, images) == ""
    assert sum(len(call.shown) for call in calls) == asked


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["4.weight", "1.running_var"])
def test_weights_that_are_not_finite_are_a_collapse(conv_net, key, value):
    model = conv_net()
    model.state_dict()[key].view(-1)[0] = value
    assert recording.weights_not_finite(model) == f"{key} has values that are not finite"


@pytest.mark.parametrize("judge", [by_asking, by_its_answers])
def test_one_class_alone_is_no_collapse(image_set, linear, judge):
    images = image_set(np.zeros((4, 1, 1, 1)), [0] * 4)
    assert judge(linear([[0.0], [1.0]]), images) == ""


@pytest.fixture
def judged(asked, images_with, watch):
    """How a model is judged, and how many images it was asked for that."""
    splits = asked[2]

    def judge(model, protocol, augmentation=None):
        class Of:
            chosen = True
            use = Dataset(augmentation=augmentation or {})
            in_train_mode = False

            def splits(self):
                return splits

        calls, images = watch(model), images_with(**(augmentation or {}))
        generator = torch.Generator().manual_seed(0)
        found = recording.ask_and_judge(model, images, Of(), parse(protocol), generator, {})
        return *found, sum(len(call.shown) for call in calls)

    return judge


@pytest.mark.parametrize(
    ("protocol", "training", "augmentation", "asked_for"),
    [
        ("corrected", False, {"crop_padding": 2}, 42),
        ("corrected", True, {"crop_padding": 2}, 42),
        # Augmented forget and retain images are others than it is judged by.
        ("corrected+e2", True, {"crop_padding": 2}, 42 + 24),
        ("corrected+e2", True, None, 42),
        # The attack's pass over 42 images changes a network in train mode; else it is the plain one.
        ("corrected+e1", True, None, 42 + 42 + 24),
        ("corrected+e1", False, None, 42),
        # Each pass draws crops of its own of 30 training images.
        ("corrected+e1+e2", False, {"crop_padding": 2}, 42 + 30 + 24),
        ("corrected+e1+e2", False, None, 42),
    ],
)
def test_no_image_is_asked_twice_without_need(
    conv_net, judged, protocol, training, augmentation, asked_for
):
    said, _, count = judged(conv_net().train(training), protocol, augmentation)
    assert count == asked_for
    assert {"forget", "retain", "val", "test"} <= said.keys()


def test_a_model_is_judged_as_it_is_saved(asked, conv_net, judged):
    _, images, splits = asked
    expected = recording.answers_badly(conv_net(), images.take(splits["retain"]))
    for protocol in ("corrected", "corrected+e1", "corrected+e2", "released"):
        for training in (True, False):
            _, collapsed, _ = judged(conv_net().train(training), protocol, {"crop_padding": 2})
            assert collapsed == expected


def test_judging_changes_nothing(asked, conv_net, judged, snapshot, same):
    model = conv_net().train()
    before = snapshot(model)
    judged(model, "corrected")
    judged(model, "corrected+e2", {"crop_padding": 2})
    assert same(before, snapshot(model))
    assert model.training
