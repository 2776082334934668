"""The register of deviations, names of protocols, and evaluation under E1 and E2."""

import copy
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lotus.config.images import Augmentation, Dataset
from lotus.config.protocol import CORRECTED, RELEASED, SWITCHES, Protocol, of_stage, parse
from lotus.config.register import REGISTER
from lotus.data.batches import Images
from lotus.data.store import Store
from lotus.engine import inference
from lotus.errors import LotusError
from lotus.methods.base import configured, registry
from lotus.runs import recording

IDS = [
    *("E1", "E2", "E3", "E4", "E5", "E6", "T1", "T2"),
    *(f"M{number}" for number in range(1, 10)),
    *("R1", "R2"),
]


def test_register_has_every_switch_of_the_analysis():
    assert sorted(REGISTER) == sorted(IDS)
    assert list(REGISTER) == list(SWITCHES)
    assert all(switch.where and switch.released for switch in REGISTER.values())


def test_register_says_what_each_switch_changes():
    assert of_stage("training") == {"T1"}
    assert of_stage("method") == {"T2", "R2", *(f"M{number}" for number in range(1, 10))}
    assert of_stage("evaluation") == {"E1", "E2"}
    assert of_stage("metrics") == {"E3", "E4", "E5", "E6"}
    assert of_stage("time") == {"R1"}
    assert of_stage("training", "time") == {"T1", "R1"}


def test_released_turns_all_on_and_corrected_none():
    assert all(RELEASED.has(switch) for switch in IDS)
    assert not any(CORRECTED.has(switch) for switch in IDS)
    assert {*RELEASED.on} == {*IDS}
    assert Protocol() == CORRECTED


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("corrected", set()),
        ("corrected+m1", {"M1"}),
        ("corrected+m2+e1", {"E1", "M2"}),
        ("released", {*IDS}),
        ("released-e1", {*IDS} - {"E1"}),
        ("released-e1-e2", {*IDS} - {"E1", "E2"}),
    ],
)
def test_names(name, on):
    protocol = parse(name)
    assert protocol.on == on
    assert {switch for switch in IDS if protocol.has(switch)} == on
    assert protocol.name == name
    assert parse(protocol.name) == protocol


def test_one_protocol_has_one_name():
    assert parse("corrected+m2+e1").name == parse("corrected+e1+m2").name
    assert parse("corrected+M2+E1") == parse("corrected+e1+m2")
    together = "corrected" + "".join(f"+{switch.lower()}" for switch in IDS)
    assert parse(together).on == RELEASED.on
    assert parse(together) != RELEASED


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("correct", ["unknown protocol 'correct'", "did you mean 'corrected'"]),
        ("", ["unknown protocol ''", "corrected, released"]),
        ("corrected-e1", ["'-e1'", "corrected+SWITCH"]),
        ("released+e1", ["'+e1'", "released-SWITCH"]),
        ("corrected+e1-m2", ["'-m2'"]),
        ("corrected+m10", ["'+m10'", "did you mean 'm1'"]),
        ("corrected+", ["'+'"]),
        ("corrected+e1+e1", ["named twice"]),
        ("corrected e1", ["unknown protocol"]),
    ],
)
def test_other_names_are_refused(name, parts):
    with pytest.raises(LotusError) as caught:
        parse(name)
    (line,) = str(caught.value).splitlines()
    assert all(part in line for part in parts), line


def test_has_refuses_switches_that_there_are_not():
    for protocol in (CORRECTED, RELEASED):
        with pytest.raises(KeyError):
            protocol.has("M10")
        with pytest.raises(KeyError):
            protocol.has("e1")


@pytest.mark.parametrize(
    ("name", "switches", "limited"),
    [
        ("corrected+m1+e1", {"M1", "T2"}, "corrected+m1"),
        ("released-e1-m2", {"M2"}, "released-m2"),
        ("released-e1", set(), "released"),
        ("corrected", {"M1"}, "corrected"),
    ],
)
def test_limited_to(name, switches, limited):
    assert parse(name).limited_to(frozenset(switches)).name == limited


@pytest.mark.parametrize("name", registry.available())
def test_switches_that_a_method_does_not_name_do_not_change_it(small_task, snapshot, same, name):
    switches = registry.entry_of(name).switches
    limited = RELEASED.limited_to(switches)
    assert limited == RELEASED
    others = Protocol("corrected", of_stage("method", "metrics", "time", "evaluation") - switches)
    assert others.limited_to(switches) == CORRECTED
    given = {"epochs": 1, "passes": 1, "rounds": 1, "batch_size": 8, "forget_batch_size": 8}
    known = configured.hyperparameters(configured.make(name, {}))
    method = configured.make(name, {key: value for key, value in given.items() if key in known})
    found = [snapshot(method.unlearn(small_task(protocol=p))) for p in (CORRECTED, others)]
    assert same(*found)


@pytest.mark.parametrize("name", registry.available())
def test_every_switch_that_a_method_names_changes_it(small_task, snapshot, same, name):
    # Partial batches under T2; forget images that the original gets right for the temperature.
    given = {"epochs": 2, "rounds": 2, "batch_size": 7, "exit_tolerance": 1, "lr": 0.01}
    given |= {"forget_batch_size": 7, "class_batch_size": 7, "impair_epochs": 1, "alpha": 0.9}
    known = configured.hyperparameters(configured.make(name, {}))
    given = {key: value for key, value in given.items() if key in known}

    def run(protocol):
        chosen = registry.constants(name, protocol) | given
        task = small_task(protocol=protocol, class_forgetting=True)
        return snapshot(configured.make(name, chosen).unlearn(task))

    corrected = run(CORRECTED)
    for switch in sorted(registry.entry_of(name).switches):
        assert not same(corrected, run(Protocol("corrected", frozenset({switch})))), switch


# E1: image by image, in the mode that the model was left in


def one_at_a_time(model, images, augmented=None):
    """The published evaluation: batches of one."""
    with torch.no_grad():
        rows = [
            model(image[None])
            for batch in images.in_order(inference.BATCH, augmented)
            for image in batch.images
        ]
    return torch.cat(rows).numpy()


def batch_norm_net(affine=True, **more):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(8, affine=affine, **more)
        if affine:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        net = nn.Sequential(
            *(nn.Conv2d(2, 8, 3), norm, nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8)),
            *(nn.Flatten(), nn.Linear(32, 3)),
        )
        net(torch.randn(32, 2, 6, 6))
    return net


@pytest.mark.parametrize("more", [{}, {"affine": False}, {"momentum": 0.3, "eps": 0.1}])
@pytest.mark.parametrize("size", [7, 512])
def test_one_by_one_is_a_loop_over_batches_of_one(noise, monkeypatch, more, size):
    monkeypatch.setattr(inference, "BATCH", size)
    images, model = noise(40), batch_norm_net(**more)
    slow, start = copy.deepcopy(model), copy.deepcopy(model.state_dict())
    expected = one_at_a_time(slow, images)
    found = inference.logits_one_by_one(model, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)
    for key, value in model.state_dict().items():
        np.testing.assert_allclose(value, slow.state_dict()[key], atol=1e-5, err_msg=key)
    assert model[1].num_batches_tracked == start["1.num_batches_tracked"] + 40
    assert not torch.equal(model[1].running_mean, start["1.running_mean"])
    assert not torch.equal(model[4].running_var, start["4.running_var"])
    assert model.training


def test_one_by_one_through_the_augmentation(noise, seeded):
    images, model = noise(20, crop_padding=2), batch_norm_net()
    slow = copy.deepcopy(model)
    found = inference.logits_one_by_one(model, images, seeded())
    np.testing.assert_allclose(found, one_at_a_time(slow, images, seeded()), atol=1e-4)
    assert not np.allclose(found, inference.logits_one_by_one(model, images), atol=1e-2)


def test_one_by_one_differs_from_batches_in_train_mode_alone(noise, snapshot, same):
    images, model = noise(40), batch_norm_net()
    assert not np.allclose(
        inference.logits_one_by_one(copy.deepcopy(model), images), inference.logits(model, images)
    )
    before = snapshot(model.eval())
    found = inference.logits_one_by_one(model, images)
    assert np.array_equal(found, inference.logits(model, images))
    assert same(before, snapshot(model))
    assert not model.training


def test_one_by_one_respects_single_layers_in_eval_mode(noise):
    model = batch_norm_net()
    model[4].eval()
    slow = copy.deepcopy(model)
    expected = one_at_a_time(slow, noise(10))
    np.testing.assert_allclose(inference.logits_one_by_one(model, noise(10)), expected, atol=1e-4)
    assert torch.equal(model[4].running_mean, slow[4].running_mean)


def test_one_by_one_without_running_statistics(noise):
    model = nn.Sequential(nn.BatchNorm2d(2, track_running_stats=False), nn.Flatten())
    with pytest.raises(LotusError, match="running statistics"):
        inference.logits_one_by_one(model, noise(5))


def test_two_values_per_channel_have_a_variance(noise):
    model = nn.Sequential(nn.AdaptiveAvgPool2d((1, 2)), nn.BatchNorm2d(2), nn.Flatten())
    slow = copy.deepcopy(model)
    expected = one_at_a_time(slow, noise(9))
    np.testing.assert_allclose(inference.logits_one_by_one(model, noise(9)), expected, atol=1e-3)
    np.testing.assert_allclose(model[1].running_var, slow[1].running_var, rtol=1e-4)


def one_value_per_channel():
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(2), nn.Flatten())


@pytest.mark.parametrize(
    "model",
    [one_value_per_channel(), nn.Sequential(nn.Flatten(), nn.BatchNorm1d(72))],
    ids=["maps", "vectors"],
)
def test_one_value_per_channel_is_refused_as_by_torch(noise, model):
    with pytest.raises(LotusError, match=r"E1.*released-e1") as caught:
        inference.logits_one_by_one(model.train(), noise(5))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        one_at_a_time(model, noise(5))
    assert inference.logits_one_by_one(model.eval(), noise(5)).shape == (
        5,
        len(model(noise(1).pixels / 255)[0]),
    )


def test_batch_norm_without_momentum_is_refused(noise):
    with pytest.raises(LotusError, match="momentum"):
        inference.logits_one_by_one(batch_norm_net(momentum=None), noise(5))


@pytest.mark.parametrize("model", [batch_norm_net(), one_value_per_channel().train()])
def test_one_by_one_leaves_no_patched_forward(noise, model):
    with suppress(LotusError):
        inference.logits_one_by_one(model, noise(5))
    assert not any("forward" in vars(module) for module in model.modules())


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
