"""Networks that are frozen for many images answer as they did."""

import numpy as np
import pytest
import torch
from torch import nn

from lotus import models
from lotus.config.architectures import ResNet18, ViT
from lotus.engine import inference
from lotus.engine.frozen import frozen


@pytest.fixture
def shown(seeded):
    return torch.randn(16, 3, 16, 16, generator=seeded())


NETWORKS = [ResNet18(model="resnet18", width=8), ViT(model="vit", patch_size=4)]


def used(architecture, shown):
    """A network whose running statistics are not those of a fresh one."""
    network = models.build(architecture, (3, 16, 16), 5, 0)
    with torch.no_grad():
        network.train()(shown * 3 + 1)
    return network.eval()


@pytest.mark.parametrize("architecture", NETWORKS, ids=lambda it: it.model)
def test_a_frozen_network_answers_as_the_network(architecture, shown, seeded):
    network = used(architecture, shown)
    others = torch.randn(40, 3, 16, 16, generator=seeded(1))
    with torch.no_grad():
        quick = frozen(network, shown)
        assert quick is not network
        for images in (others, others[:7]):
            assert torch.allclose(quick(images), network(images), atol=1e-5)


class Deciding(nn.Module):
    """A network that looks at its images before it decides what to do; a trace would not."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 16)

    def forward(self, images):
        said = self.conv(images).flatten(1)
        return said if images[0, 0, 0, 0] > 0 else -said


class Untraceable(Deciding):
    """A network that cannot be traced."""

    def forward(self, images):
        return None if torch.jit.is_tracing() else super().forward(images)


@pytest.mark.parametrize("kind", [Deciding, Untraceable])
def test_a_network_that_cannot_be_frozen_is_asked_itself(kind, shown):
    shown[0, 0, 0, 0], shown[8, 0, 0, 0] = 1, -1
    network = kind().eval()
    with torch.no_grad():
        assert frozen(network, shown) is network


def test_a_network_is_frozen_where_there_are_many_images(conv_net, noise, seeded, monkeypatch):
    made = []
    monkeypatch.setattr(
        inference, "frozen", lambda model, some: made.append(len(some)) or frozen(model, some)
    )
    model, images = conv_net(), noise(100, crop_padding=2)
    plain = [inference.logits(model, images, chance) for chance in (None, seeded())]
    assert not made
    monkeypatch.setattr(inference, "MANY", 100)
    again = [inference.logits(model, images, chance) for chance in (None, seeded())]
    assert made == [16, 16]
    np.testing.assert_allclose(again, plain, atol=1e-5)
    inference.logits_one_by_one(model.train(), images)
    inference.logits(model, images.part(torch.arange(15)))
    assert len(made) == 2
