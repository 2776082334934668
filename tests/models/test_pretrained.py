"""Pretrained ViT-B/16: size, which weights come from where, and what is said if they cannot be had."""

import pickle
from urllib.error import URLError

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from lotus.config.architectures import ARCHITECTURE, WeightsFile
from lotus.errors import LotusError
from lotus.models import build, torchvision_vit_b16, weights_file, weights_files, without_weights
from lotus.records.files import sha256

BODY = 85_798_656
IMAGE = (3, 224, 224)
MODELS = ["vit-b16", "torchvision-vit-b16"]


def architecture(model, weights=None):
    section = {"model": model, "training": {"epochs": 1, "warmup_epochs": 0}, "weights": weights}
    return ARCHITECTURE.validate_python(section)


class Small(nn.Module):
    """Stands for both libraries' networks."""

    def __init__(self, num_classes):
        super().__init__()
        self.body = nn.Linear(4, 3)
        self.head = nn.Linear(3, num_classes) if num_classes else nn.Identity()
        self.heads = nn.Sequential(nn.Linear(3, num_classes or 1))


@pytest.fixture
def small(monkeypatch):
    """Both libraries build small networks; the list of what timm was asked for."""
    asked = []

    def create_model(name, num_classes, pretrained=False):
        asked.append((name, num_classes, pretrained))
        network = Small(num_classes)
        del network.heads
        return filled(network, 0.25) if pretrained else network

    def vit_b_16(num_classes):
        network = Small(num_classes)
        del network.head
        return network

    monkeypatch.setattr(timm, "create_model", create_model)
    monkeypatch.setattr(torchvision_vit_b16, "vit_b_16", vit_b_16)
    return asked


def filled(network, value):
    network.load_state_dict({k: torch.full_like(v, value) for k, v in network.state_dict().items()})
    return network


def write(path, state):
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return {"file": str(path), "sha256": sha256(path)}


def state_of(body=0.5, **heads):
    return {
        "body.weight": torch.full((3, 4), body),
        "body.bias": torch.full((3,), body),
        **{key.replace("_", "."): value for key, value in heads.items()},
    }


@pytest.mark.parametrize(
    ("model", "classes", "head", "new_head"),
    [("vit-b16", 10, "head", True), ("torchvision-vit-b16", 1000, "heads.head", False)],
)
def test_real_network_takes_its_body_from_a_file(tmp_path, model, classes, head, new_head):
    fresh = build(architecture(model), IMAGE, classes, seed=1)
    assert sum(p.numel() for p in fresh.parameters()) == BODY + 769 * classes
    assert not list(fresh.buffers())
    state = {key: torch.full_like(value, 0.5) for key, value in fresh.state_dict().items()}
    state[f"{head}.weight"] = torch.full((1000, 768), 0.5)
    state[f"{head}.bias"] = torch.full((1000,), 0.5)
    path = tmp_path / "vit.safetensors"
    weights = write(path, state)
    found = build(architecture(model, weights), IMAGE, classes, seed=1)
    path.unlink()
    assert found.training
    for key, value in found.state_dict().items():
        if new_head and key.startswith(head):
            assert torch.equal(value, fresh.state_dict()[key]), key
        else:
            assert (value == 0.5).all(), key
    said = found.eval()(torch.zeros(1, *IMAGE))
    assert said.shape == (1, classes)


@pytest.mark.parametrize("ending", [".safetensors", ".pth", ".bin"])
@pytest.mark.parametrize("with_head", [True, False])
def test_timm_head_is_always_new(tmp_path, small, same, ending, with_head):
    head = {"head_weight": torch.zeros(1000, 3), "head_bias": torch.zeros(1000)}
    weights = write(tmp_path / f"w{ending}", state_of(**(head if with_head else {})))
    for classes in (10, 1000):
        first, again, other = (
            build(architecture("vit-b16", weights), IMAGE, classes, seed).state_dict()
            for seed in (1, 1, 2)
        )
        assert same(first, again)
        assert not torch.equal(first["head.weight"], other["head.weight"])
        for state in (first, other):
            assert (state["body.weight"] == 0.5).all()
            assert state["head.weight"].shape == (classes, 3)
            assert state["head.weight"].any()


def test_torchvision_head_is_kept_for_1000_classes_only(tmp_path, small):
    head = {"heads_0_weight": torch.zeros(1000, 3), "heads_0_bias": torch.zeros(1000)}
    chosen = architecture("torchvision-vit-b16", write(tmp_path / "w.pth", state_of(**head)))
    kept, new = (build(chosen, IMAGE, classes, seed=1) for classes in (1000, 10))
    assert not kept.heads[0].weight.any()
    assert new.heads[0].weight.any()
    assert new.heads[0].weight.shape == (10, 3)
    assert (kept.body.weight == 0.5).all()
    assert (new.body.weight == 0.5).all()


def test_timm_is_asked_for_the_body_of_the_papers_weights(small, same):
    section = {"model": "vit-b16", "training": {"epochs": 1, "warmup_epochs": 0}}
    found = build(ARCHITECTURE.validate_python(section), IMAGE, 10, seed=1)
    assert (found.body.weight == 0.25).all()
    name = "vit_base_patch16_224"
    assert small == [(name, 10, False), (f"{name}.orig_in21k_ft_in1k", 0, True)]
    fresh = build(architecture("vit-b16"), IMAGE, 10, seed=1)
    assert torch.equal(found.head.weight, fresh.head.weight)


def test_a_tag_that_timm_lacks(small):
    with pytest.raises(
        LotusError, match=r"weights 'orig_in21k_ft_in1'.*did you mean 'orig_in21k_ft_in1k'"
    ):
        build(architecture("vit-b16", "orig_in21k_ft_in1"), IMAGE, 10, seed=1)


def test_weights_of_a_hub_that_is_not_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def no_internet(*_, **__):
        raise URLError("Name or service not known")

    monkeypatch.setattr("torch.hub.urlopen", no_internet)
    for model, weights in zip(MODELS, ("orig_in21k_ft_in1k", "IMAGENET1K_V1"), strict=True):
        with pytest.raises(LotusError, match="cannot be fetched") as caught:
            build(architecture(model, weights), IMAGE, 10, seed=1)
        assert weights in str(caught.value)
        assert "{file: PATH, sha256: HEX}" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("shape", "shown"), [((1, 224, 224), "1×224×224"), ((3, 32, 32), "3×32×32")]
)
def test_images_of_another_shape_are_refused(model, shape, shown):
    with pytest.raises(LotusError, match=rf"images are {shown} here.*3×224×224.*resize: 224"):
        build(architecture(model), shape, 10, seed=1)


def test_weights_of_another_architecture_name_a_few_keys(tmp_path, small):
    state = {**state_of(), "body.bias": torch.zeros(5), "layer1.weight": torch.zeros(2)}
    del state["body.weight"]
    weights = write(tmp_path / "w.safetensors", state)
    with pytest.raises(LotusError) as caught:
        build(architecture("vit-b16", weights), IMAGE, 10, seed=1)
    for part in (
        "w.safetensors",
        "body.weight is missing",
        "layer1.weight is unknown",
        "[5] instead of [3]",
    ):
        assert part in str(caught.value)
    many = {f"layer{k}.weight": torch.zeros(2) for k in range(9)}
    weights = write(tmp_path / "w.safetensors", {**state_of(), **many})
    with pytest.raises(LotusError, match=r"layer2.weight is unknown, and 6 more$"):
        build(architecture("vit-b16", weights), IMAGE, 10, seed=1)


def test_files_that_cannot_be_used(tmp_path):
    path = tmp_path / "w.pth"
    with pytest.raises(LotusError, match=r"w.pth: .*No such file"):
        weights_file.read_file(WeightsFile(file=str(path), sha256="0" * 64))
    digest = write(path, state_of())["sha256"]
    with pytest.raises(LotusError, match=f"sha256 is {digest}, but the configuration says 0000"):
        weights_file.read_file(WeightsFile(file=str(path), sha256="0" * 64))
    for content in ([torch.zeros(1)], {"a": state_of(), "b": state_of()}, {"epoch": 3}):
        with pytest.raises(LotusError, match="is not a state dict"):
            weights_file.read_file(WeightsFile(**write(path, content)))


@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
def test_damaged_files(tmp_path, ending):
    path = tmp_path / f"w{ending}"
    write(path, state_of())
    whole = path.read_bytes()
    for damaged in (b"", whole[:20], whole[:-1], b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(LotusError, match="the weights are damaged"):
            weights_file.read_file(WeightsFile(file=str(path), sha256=sha256(path)))


class Trap:
    def __reduce__(self):
        return exec, ("raise SystemExit('executed')",)


def test_nothing_in_a_file_is_executed(tmp_path):
    path = tmp_path / "w.pth"
    for save in (
        lambda: torch.save({"w": Trap()}, path),
        lambda: path.write_bytes(pickle.dumps(Trap(), 2)),
    ):
        save()
        with pytest.raises(LotusError, match=r"pickled objects .*exec.* save its state dict"):
            weights_file.read_file(WeightsFile(file=str(path), sha256=sha256(path)))


def test_a_relative_file_is_looked_for_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = write(tmp_path / "w.safetensors", state_of())
    assert weights_file.read_file(WeightsFile(file="w.safetensors", sha256=weights["sha256"]))


def test_architectures_without_their_weights(tmp_path):
    weights = write(tmp_path / "w.safetensors", state_of())
    for model in MODELS:
        chosen = architecture(model, weights)
        assert weights_files(chosen) == [tmp_path / "w.safetensors"]
        assert without_weights(chosen) == architecture(model)
        assert weights_files(architecture(model)) == []
    resnet = ARCHITECTURE.validate_python({"model": "resnet18"})
    assert without_weights(resnet) is resnet
