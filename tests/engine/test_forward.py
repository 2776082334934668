"""A network's forward as the runtime declares it: in bf16, compiled, in another memory format."""

import copy
import shutil

import numpy as np
import pytest
import torch
from compiling import built_by, compiled_eagerly
from torch import nn

from lotus.config.architectures import ARCHITECTURE
from lotus.engine import inference
from lotus.engine.forward import as_declared
from lotus.engine.runtime import parse
from lotus.engine.training import make_optimizer
from lotus.errors import LotusError
from lotus.methods.ssd import per_sample_squares
from lotus.models import build, last_map
from lotus.runs.gradcam import grad_cam

RESNET = ARCHITECTURE.validate_python({"model": "resnet18", "width": 8, "max_pool": False})


@pytest.fixture
def compilations():
    """The graphs that are compiled, by nobody."""
    with compiled_eagerly() as graphs:
        yield graphs


def declared(network, text):
    return as_declared(network, parse(text), "cpu")


def test_the_default_leaves_a_network_as_it_is(conv_net):
    for text in ("default", "deterministic=off", "precision=tf32"):
        network = conv_net()
        assert type(declared(network, text)) is nn.Sequential


def test_bf16_stays_within_the_network(conv_net, snapshot, same):
    plain, network = conv_net(), declared(conv_net(), "precision=bf16")
    seen = []
    network[0].register_forward_hook(lambda *it: seen.append(it[-1].dtype))
    images = torch.randn(5, 2, 6, 6, requires_grad=True)
    logits = network(images)
    assert seen == [torch.bfloat16]
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, plain(images))
    torch.testing.assert_close(logits, plain(images), rtol=0.05, atol=0.05)
    (slope,) = torch.autograd.grad(logits.sum(), [images])
    assert slope.dtype == torch.float32
    assert slope.abs().sum() > 0
    assert same(snapshot(network), snapshot(plain))
    assert isinstance(network, type(plain))
    assert type(network).__name__ == type(plain).__name__


def test_students_compute_as_the_original_with_weights_of_their_own(conv_net, snapshot, same):
    network = declared(conv_net(), "precision=bf16")
    before, student = snapshot(network), copy.deepcopy(network).train()
    images = torch.randn(8, 2, 6, 6)
    optimizer = torch.optim.SGD(student.parameters(), lr=1.0)
    losses = []
    for _ in range(2):
        loss = student(images).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # The second step sees the weights of the first, not a copy in bf16 from before it.
    assert losses[0] != losses[1]
    assert {p.dtype for p in student.parameters()} == {torch.float32}
    assert same(before, snapshot(network))
    assert type(student) is type(network)
    state = copy.deepcopy(student.state_dict())
    network.load_state_dict(state)
    assert torch.equal(network.eval()(images), student.eval()(images))


@pytest.mark.parametrize("text", ["precision=bf16", "compile=on", "precision=bf16 compile=on"])
def test_squared_gradients_by_image_are_those_of_the_plain_network(
    conv_net, noise, text, compilations
):
    (batch,) = noise(6).in_order(6)
    plain, _ = per_sample_squares(conv_net(), batch)
    found, count = per_sample_squares(declared(conv_net(), text), batch)
    assert count == 6
    assert not compilations
    for name, value in plain.items():
        torch.testing.assert_close(found[name], value)


@pytest.mark.parametrize("text", ["precision=bf16", "compile=on"])
def test_grad_cam_looks_into_it(noise, text, compilations):
    (batch,) = noise(3).in_order(3)
    maps = []
    for network in (build(RESNET, (2, 6, 6), 3, 1), declared(build(RESNET, (2, 6, 6), 3, 1), text)):
        network.eval()
        network(batch.images)
        with last_map(RESNET, network, batch.images) as layer:
            found, said = grad_cam(network, layer, batch)
        assert said.shape == (3,)
        maps.append(torch.from_numpy(found))
    torch.testing.assert_close(maps[0], maps[1], rtol=0.2, atol=0.02)


def test_memory_format_is_a_choice():
    plain = build(RESNET, (3, 8, 8), 3, 1)
    network = declared(build(RESNET, (3, 8, 8), 3, 1), "channels_last=off")
    layer, images = network.layer1[0].conv1, torch.randn(4, 3, 8, 8)
    assert layer.weight.is_contiguous()
    seen = []
    layer.register_forward_hook(lambda *it: seen.append(it[-1].is_contiguous()))
    logits = network.eval()(images.contiguous(memory_format=torch.channels_last))
    assert seen == [True]
    torch.testing.assert_close(logits, plain.eval()(images))


def step(network, images):
    loss = network.train()(images).square().mean()
    loss.backward()
    with torch.no_grad():
        network.eval()(images)


def test_batches_of_any_size_and_students_share_what_is_compiled(conv_net, compilations):
    network = declared(conv_net(), "compile=on")
    for count in (5, 4, 5):
        step(network, torch.randn(count, 2, 6, 6))
    once = len(compilations)
    # One in train mode with gradients, one in eval mode without.
    assert once == 2
    for count in range(2, 12):
        step(copy.deepcopy(network), torch.randn(count, 2, 6, 6))
        step(declared(conv_net(1), "compile=on"), torch.randn(count, 2, 6, 6))
    assert len(compilations) == once


def test_what_is_compiled_sees_other_weights_and_exchanged_layers(conv_net, noise, compilations):
    plain, network = conv_net(), declared(conv_net(), "compile=on")
    images = noise(7)
    for seed in (0, 1):
        state = conv_net(seed).state_dict()
        for it in (plain, network):
            it.load_state_dict(state)
        said = [inference.logits(it, images) for it in (plain, network)]
        np.testing.assert_allclose(said[0], said[1], rtol=1e-5)
        # E1 exchanges the forward of BatchNorm layers.
        alone = [inference.logits_one_by_one(it.train(), images) for it in (plain, network)]
        np.testing.assert_allclose(alone[0], alone[1], rtol=1e-5)
        assert not np.allclose(alone[0], said[0], rtol=1e-2)
    assert compilations


def test_a_failing_compiler_is_told_in_a_line(conv_net):
    def broken(graph, _):
        raise RuntimeError("the disk is full")

    with built_by(broken):
        network = declared(conv_net(), "compile=on")
        with pytest.raises(LotusError, match=r"compile=on: torch.compile failed on Sequential: .*"):
            network(torch.randn(3, 2, 6, 6))


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++")
def test_torch_itself_compiles_a_tiny_network():
    torch._dynamo.reset()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    network = declared(copy.deepcopy(plain), "compile=on")
    for count in (3, 4):
        images = torch.randn(count, 1, 2, 2)
        with torch.no_grad():
            torch.testing.assert_close(network(images), plain(images))


def test_a_fused_step_is_the_same_step(conv_net):
    recipe = ARCHITECTURE.validate_python({"model": "resnet18"}).training
    images, stepped = torch.randn(8, 2, 6, 6), []
    for optimizer in ("sgd", "adamw"):
        for fused in (False, True):
            network = conv_net().train()
            told = recipe.model_copy(update={"optimizer": optimizer, "lr": 0.1})
            made = make_optimizer(network, told, fused)
            assert bool(made.defaults["fused"]) is fused
            network(images).square().mean().backward()
            made.step()
            stepped.append(nn.utils.parameters_to_vector(network.parameters()))
    torch.testing.assert_close(stepped[0], stepped[1])
    torch.testing.assert_close(stepped[2], stepped[3])
