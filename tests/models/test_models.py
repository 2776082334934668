"""Models: shape and size as specified, weights by seed, and their files."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from lotus.config.architectures import ARCHITECTURE, ResNet18, ViT
from lotus.errors import LotusError
from lotus.models import build, load_weights, save_weights

SMALL = ResNet18(model="resnet18", width=8)
VIT = ViT(model="vit", patch_size=2, embed_dim=16, depth=2, num_heads=2)


def batch_norms(model):
    return {name: m for name, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}


@pytest.mark.parametrize("classes", [8, 10, 100, 200])
def test_resnet18_has_the_parameters_of_the_paper(classes):
    model = build(ResNet18(model="resnet18"), (3, 32, 32), classes, seed=0)
    assert sum(p.numel() for p in model.parameters()) == 11_519_296 + 513 * classes


def test_resnet18_has_the_buffers_of_the_paper():
    model = build(ResNet18(model="resnet18"), (3, 32, 32), 10, seed=0)
    norms = batch_norms(model)
    assert len(norms) == 17
    assert not any("identity" in name for name in norms)
    # Of each channel a mean and a variance, of each layer a counter.
    assert sum(b.numel() for b in model.buffers()) == 7_825


def test_resnet18_has_the_state_keys_of_the_released_weights():
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"conv1.weight", "fc.weight", "fc.bias", *(f"bn1.{part}" for part in norm)}
    for block in (f"layer{k}.{j}" for k in (1, 2, 3, 4) for j in (0, 1)):
        convolutions = ("conv1", "conv2", "identity_conv")
        expected |= {f"{block}.{name}.weight" for name in convolutions}
        expected |= {f"{block}.{name}.{part}" for name in ("bn1", "bn2") for part in norm}
    model = build(SMALL, (3, 32, 32), 10, seed=0)
    assert {*model.state_dict()} == expected
    shortcuts = [m for name, m in model.named_modules() if name.endswith("identity_conv")]
    assert all(m.kernel_size == (1, 1) and m.bias is None for m in shortcuts)


def test_shortcut_is_added_after_the_norm_and_before_the_relu():
    block = build(SMALL, (3, 8, 8), 10, seed=0).eval().layer2[0]
    block.bn2.weight.data.zero_()
    block.bn2.bias.data.zero_()
    x = torch.randn(2, 8, 4, 4)
    torch.testing.assert_close(block(x), block.identity_conv(x).relu())


@pytest.mark.parametrize(
    ("shape", "max_pool", "last"),
    [((1, 8, 8), False, 1), ((1, 28, 28), True, 2), ((3, 32, 32), True, 2), ((3, 8, 8), True, 1)],
)
def test_resnet18_shapes(shape, max_pool, last):
    architecture = ResNet18(model="resnet18", width=8, max_pool=max_pool)
    model = build(architecture, shape, 7, seed=0)
    maps = []
    model.layer4.register_forward_hook(lambda module, given, out: maps.append(out.shape))
    assert model(torch.randn(4, *shape)).shape == (4, 7)
    assert maps == [(4, 64, last, last)]


def test_narrow_resnet18_is_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 8"):
        ARCHITECTURE.validate_python({"model": "resnet18", "width": 4})


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 6)])
def test_vit_shapes(shape):
    assert build(VIT, shape, 5, seed=0).eval()(torch.randn(3, *shape)).shape == (3, 5)


def test_vit_has_no_buffers_that_evaluation_could_change():
    model, x = build(VIT, (1, 8, 8), 5, seed=0), torch.randn(3, 1, 8, 8)
    assert not list(model.buffers())
    torch.testing.assert_close(model.train()(x), model.eval()(x))


@pytest.mark.parametrize("shape", [(1, 9, 8), (1, 8, 9)])
def test_vit_patches_must_tile_the_image(shape):
    with pytest.raises(LotusError, match="patch_size = 2: must divide height and width"):
        build(VIT, shape, 5, seed=0)


@pytest.mark.parametrize("architecture", [SMALL, VIT], ids=["resnet18", "vit"])
def test_weights_depend_on_the_seed_alone(architecture, snapshot, same):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = build(architecture, (1, 8, 8), 3, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert first.training
    torch.manual_seed(6)
    again, other = (build(architecture, (1, 8, 8), 3, seed=seed) for seed in (1, 2))
    assert same(snapshot(first), snapshot(again))
    assert not same(snapshot(first), snapshot(other))


@pytest.mark.parametrize("architecture", [SMALL, VIT], ids=["resnet18", "vit"])
def test_weights_survive_their_file(tmp_path, architecture, snapshot, same):
    model = build(architecture, (1, 8, 8), 3, seed=1)
    model(torch.randn(8, 1, 8, 8))
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    save_weights(one, model)
    other = build(architecture, (1, 8, 8), 3, seed=2)
    load_weights(one, other)
    assert same(snapshot(model), snapshot(other))
    save_weights(two, other)
    assert one.read_bytes() == two.read_bytes()
    assert sorted(tmp_path.iterdir()) == [one, two]


def test_unusable_weights_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    model = build(SMALL, (1, 8, 8), 3, seed=0)
    with pytest.raises(LotusError, match="cannot be read"):
        load_weights(path, model)
    save_weights(path, model)
    for classes, architecture in ((4, SMALL), (3, VIT)):
        with pytest.raises(LotusError, match="another architecture"):
            load_weights(path, build(architecture, (1, 8, 8), classes, seed=0))
    whole = path.read_bytes()
    for damaged in (b"", whole[:20], whole[:-1], b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(LotusError, match="damaged"):
            load_weights(path, model)


def test_weights_can_be_read_by_whoever_may_read_new_files(tmp_path):
    other = tmp_path / "other"
    other.touch()
    save_weights(tmp_path / "model.safetensors", nn.Linear(2, 2))
    assert (tmp_path / "model.safetensors").stat().st_mode == other.stat().st_mode
