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
from lotus.runs import recording

# What is asked of a model, and in which order


@pytest.fixture
def asked(make_store, conv_net):
    """Images of a store, and its splits."""
    store = make_store(np.arange(30) % 3, np.arange(12) % 3)
    pixels = np.random.default_rng(0).integers(256, size=(42, 6, 6, 2), dtype=np.uint8)
    source = {**store.source, "mean": [0.0, 0.0], "std": [1.0, 1.0]}
    store = replace(store, images=pixels, source=source)
    use = Dataset(augmentation=Augmentation(crop_padding=2))
    images = Images(store, use, torch.device("cpu"))
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


@pytest.mark.parametrize(("right", "sound"), [(300, True), (206, True), (205, False), (0, False)])
def test_near_chance_is_a_collapse(image_set, linear, right, sound):
    # The largest class has two thirds of the images: the limit is .66667 + .05 · .33333 = .68333.
    reads = nn.Sequential(linear([[0.0], [1.0]]), nn.Linear(2, 2))
    reads[1].weight.data, reads[1].bias.data = torch.eye(2), torch.tensor([0.5, 0.0])
    found = recording.collapse_of(reads.eval(), of_accuracy(right, 300, image_set))
    assert (found == "") == sound
    if not sound:
        assert re.fullmatch(r"retain accuracy 0\.\d{3} is near chance \(at most 0\.683\)", found)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["4.weight", "1.running_var"])
def test_weights_that_are_not_finite_are_a_collapse(conv_net, noise, key, value):
    model = conv_net()
    model.state_dict()[key].view(-1)[0] = value
    assert recording.collapse_of(model, noise(20)) == f"{key} has values that are not finite"


def test_one_class_alone_is_no_collapse(image_set, linear):
    images = image_set(np.zeros((4, 1, 1, 1)), [0] * 4)
    assert recording.collapse_of(linear([[0.0], [1.0]]), images) == ""


def test_asking_for_a_collapse_changes_nothing(conv_net, noise, snapshot, same):
    model = conv_net().train()
    before = snapshot(model)
    recording.collapse_of(model, noise(20))
    assert same(before, snapshot(model))
    assert model.training
