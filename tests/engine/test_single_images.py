"""Batches of a single image where the last maps are 1×1: who makes them, and what is said of them."""

from contextlib import suppress
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_methods import SMALL, every_method, of_method
from torch import nn

from lotus.config.architectures import ARCHITECTURE, ResNet18
from lotus.config.protocol import CORRECTED, RELEASED, parse
from lotus.data.batches import deal
from lotus.errors import LotusError
from lotus.methods.base import configured, registry, single_images
from lotus.models import build
from lotus.models.image_shapes import smallest_map


@given(
    st.integers(0, 60),
    st.integers(1, 70),
    st.booleans(),
)
def test_dealing_makes_a_batch_of_one_image_where_it_is_said_to(count, batch_size, keep_partial):
    dealt = deal(count, batch_size, torch.Generator(), keep_partial)
    assert single_images.has_single(count, batch_size, keep_partial) == (1 in map(len, dealt))


def test_of_an_unknown_batch_size_only_one_image_is_a_batch_of_one():
    assert [single_images.has_single(count, None, False) for count in (0, 1, 2)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("max_pool", [False, True])
@pytest.mark.parametrize("sides", [(8, 8), (9, 8), (17, 9), (33, 16), (1, 2), (32, 32), (7, 40)])
def test_smallest_map_is_that_of_the_network(sides, max_pool):
    architecture, shape = ResNet18(model="resnet18", width=8, max_pool=max_pool), (1, *sides)
    network, seen = build(architecture, shape, 3, seed=0).eval(), []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[2:])))
    network(torch.zeros(1, *shape))
    assert smallest_map(architecture, shape) == min(seen)


def test_networks_without_batch_norm_have_no_smallest_map():
    vit = {"model": "vit", "patch_size": 4}
    assert smallest_map(ARCHITECTURE.validate_python(vit), (1, 8, 8)) is None


@pytest.fixture
def tight_net(conv_net):
    """A network whose BatchNorm sees one value per image and channel, for the images of `noise`."""
    return partial(conv_net, kernel=6)


@pytest.fixture
def tight_task(task_of, tight_net, noise, cut):
    """Sizes of forget and retain set → a task with such a network."""

    def make(forget=12, retain=40, **more):
        parts = cut(noise(forget + retain + 10), forget, retain, 10)
        more = {"untrained": lambda: tight_net(1).train(), "num_classes": 3, **more}
        return task_of(tight_net(), *parts, **more)[0]

    return make


def is_refused(method, task):
    with suppress(ValueError):
        method.unlearn(task)
        return False
    return True


@every_method
@pytest.mark.parametrize("protocol", [CORRECTED, RELEASED], ids=lambda p: p.name)
@pytest.mark.parametrize("class_forgetting", [False, True])
@pytest.mark.parametrize("single", ["forget", "retain"])
def test_methods_deal_alone_what_they_say(tight_task, name, protocol, class_forgetting, single):
    task = tight_task(**{single: 1}, protocol=protocol, class_forgetting=class_forgetting)
    method, entry = (
        of_method(name, protocol, SMALL | {"exit_tolerance": 1}),
        registry.entry_of(name),
    )
    declared = entry.deals_alone(method, protocol, class_forgetting)
    assert is_refused(method, task) == (single in declared)
    counts = {"forget": len(task.forget), "retain": len(task.retain)}
    found = single_images.lone_image(name, method, counts, protocol, class_forgetting)
    assert found == (single if single in declared else None)


@pytest.mark.parametrize(
    ("name", "given", "protocol"),
    [
        ("salun", {"order": "union"}, "corrected"),
        ("scrub", {"max_epochs": 0}, "corrected"),
        ("neggrad-plus", {"alpha": 1}, "corrected"),
        ("neggrad-plus", {"alpha": 1}, "corrected+m2"),
        ("random-labeling", {}, "corrected+m9"),
        ("unsir", {}, "corrected+m4"),
        ("finetune", {}, "corrected"),
    ],
)
def test_what_is_dealt_alone_depends_on_hyperparameters_and_switches(
    tight_task, name, given, protocol
):
    protocol = parse(protocol)
    method = of_method(name, protocol, SMALL | given)
    declared = "forget" in registry.entry_of(name).deals_alone(method, protocol)
    assert is_refused(method, tight_task(forget=1, protocol=protocol)) == declared
    nothing = of_method(name, protocol, SMALL | given | {"epochs": 0, "rounds": 0})
    assert single_images.lone_image(name, nothing, {"forget": 1, "retain": 1}, protocol) is None


def test_defaults_are_what_is_declared():
    declared = {name: registry.entry_of(name).alone for name in registry.available()}
    both = {"forget", "retain"}
    assert declared == {
        "bad-teacher": set(),
        "finetune": {"retain"},
        "lotus": set(),
        "neggrad-plus": both,
        "random-labeling": set(),
        "salun": both,
        "salun-lotus": set(),
        "scrub": both,
        "ssd": set(),
        "unsir": set(),
    }


def test_the_batch_size_of_a_set_is_its_own():
    scrub = configured.make("scrub", {"forget_batch_size": 2, "batch_size": 64})
    assert single_images.lone_image("scrub", scrub, {"forget": 65, "retain": 64}) == "forget"
    assert single_images.lone_image("scrub", scrub, {"forget": 64, "retain": 65}) is None
    assert single_images.lone_image("scrub", scrub, {"retain": 65}, RELEASED) == "retain"


@pytest.mark.parametrize("alone", [("test",), "forget", lambda *_: ("forget", "test")])
def test_another_set_is_not_accepted(alone):
    with pytest.raises(LotusError, match=r"alone = .*: accepted: forget, retain, val"):
        registry.register("mine", alone=alone)(registry.method_class("finetune"))
