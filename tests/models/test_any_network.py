"""Networks of timm, of torchvision and of users: built, refused, filled, looked into."""

import json
import subprocess
import sys

import pytest
import timm
import torch
import torchvision
from own_models import kept_in, used
from torch import nn

from lotus import models
from lotus.config.architectures import ARCHITECTURE
from lotus.errors import LotusError
from lotus.models import any_network
from lotus.models.any_network import Preprocessing
from lotus.records.code_identity import reach

RGB = (3, 32, 32)


def section(model, **more):
    return ARCHITECTURE.validate_python({"model": model, **more})


def refusal(architecture, shape=RGB, classes=3):
    with pytest.raises(LotusError) as caught:
        models.build(architecture, shape, classes, seed=1)
    (line,) = str(caught.value).splitlines()
    return line


# timm


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet.r160_in1k"])
@pytest.mark.parametrize("shape", [RGB, (1, 32, 48)])
def test_a_network_of_timm_takes_any_images(name, shape, same, snapshot):
    first, again, other = (
        models.build(section("timm", name=name), shape, 5, seed) for seed in (1, 1, 2)
    )
    assert first.training
    assert first.eval()(torch.zeros(2, *shape)).shape == (2, 5)
    assert type(first) is type(timm.create_model(name.partition(".")[0]))
    assert same(snapshot(first), snapshot(again))
    assert not same(snapshot(first), snapshot(other))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "resnet5O"}, ["name 'resnet5O': timm ", "did you mean 'resnet50'?"]),
        ({"name": "qqqqqqqq"}, ["nothing is called alike; `timm.list_models()` lists all"]),
        ({"name": "resnet50.a1_in2k"}, ["timm's resnet50 has no tag 'a1_in2k'", "'a1_in1k'"]),
        ({"name": "resnet50", "weights": "a9"}, ["timm's resnet50 has no tag 'a9'", "a1_in1k"]),
    ],
)
def test_what_timm_does_not_have(given, said):
    architecture = section("timm", **given)
    line = refusal(architecture)
    assert all(part in line for part in said), line
    with pytest.raises(LotusError):
        models.check_known(architecture)


def test_images_that_a_network_of_timm_does_not_take():
    line = refusal(section("timm", name="test_vit"), (3, 30, 30))
    assert line.startswith("timm's test_vit: ")
    assert "for 3×30×30 images and 3 classes" in line or "take 3×30×30 images and 3 classes" in line


def test_the_size_and_normalisation_of_timm():
    found = models.own_preprocessing(section("timm", name="resnet50.a1_in1k"))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    assert found == Preprocessing((224, 224), mean, std)
    found = models.own_preprocessing(section("timm", name="vit_base_patch16_224.augreg_in21k"))
    assert found.mean == (0.5, 0.5, 0.5)
    assert models.own_preprocessing(section("resnet18")) is None
    with pytest.raises(LotusError, match="has no network 'resnet5O'"):
        models.own_preprocessing(section("timm", name="resnet5O"))


# torchvision


def test_a_network_of_torchvision(same, snapshot):
    chosen = section("torchvision", name="squeezenet1_1")
    first, again = (models.build(chosen, (3, 64, 64), 5, seed=1) for _ in range(2))
    assert isinstance(first, torchvision.models.SqueezeNet)
    assert first.training
    assert first.eval()(torch.zeros(2, 3, 64, 64)).shape == (2, 5)
    assert same(snapshot(first), snapshot(again))


def test_a_transformer_of_torchvision_is_built_for_the_size_of_the_images():
    built = models.build(section("torchvision", name="vit_b_32"), (3, 64, 64), 5, seed=1)
    assert built.image_size == 64
    line = refusal(section("torchvision", name="vit_b_32"), (3, 64, 32))
    assert "takes square images, not 64×32" in line


@pytest.mark.parametrize(
    ("given", "shape", "said"),
    [
        ({"name": "resnet81"}, RGB, ["no classifier of this name", "did you mean 'resnet18'?"]),
        ({"name": "fcn_resnet50"}, RGB, ["no classifier of this name"]),
        (
            {"name": "resnet18", "weights": "IMAGENET"},
            RGB,
            ["no weights 'IMAGENET'", "IMAGENET1K_V1"],
        ),
        (
            {"name": "resnet18"},
            (1, 32, 32),
            ["images of 3 channels, and these have 1", "`model: timm`"],
        ),
        ({"name": "alexnet"}, (3, 8, 8), ["torchvision's alexnet: does not take 3×8×8 images"]),
    ],
)
def test_what_torchvision_does_not_have_or_take(given, shape, said):
    line = refusal(section("torchvision", **given), shape)
    assert all(part in line for part in said), line


def test_the_size_and_normalisation_of_torchvision():
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for given, side in (({}, 224), ({"weights": "IMAGENET1K_V1"}, 224)):
        found = models.own_preprocessing(section("torchvision", name="resnet50", **given))
        assert found == Preprocessing((side, side), mean, std)
    found = models.own_preprocessing(section("torchvision", name="efficientnet_b3"))
    assert found.size == (300, 300)


# Files of users

NETWORK = '''
from torch import nn

from my_layers import body


def build(image_shape, num_classes):
    """A small network."""
    width = 4
    return nn.Sequential(body(image_shape[0], width), nn.Flatten(), nn.LazyLinear(num_classes))
'''
LAYERS = """
from torch import nn


def body(channels, width):
    return nn.Sequential(nn.Conv2d(channels, width, 3), nn.BatchNorm2d(width), nn.ReLU())
"""


@pytest.fixture
def own(tmp_path, monkeypatch, request):
    """Writes a file of the user's with a name of its own, and gives its section."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    number = iter(range(9))

    def make(text, **more):
        name = f"net_{request.node.name.partition('[')[0]}_{next(number)}"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return section("plugin", file=f"{name}.py", **more)

    return make


def test_a_network_of_ones_own_and_its_code(own, tmp_path, monkeypatch):
    (tmp_path / "my_layers.py").write_text(LAYERS)
    monkeypatch.delitem(sys.modules, "my_layers", raising=False)
    chosen = own(
        NETWORK.replace("nn.LazyLinear(num_classes)", "nn.Linear(900 * width, num_classes)")
    )
    built = models.build(chosen, RGB, 5, seed=1)
    assert built.eval()(torch.zeros(2, *RGB)).shape == (2, 5)
    first, second = models.modules_of(chosen)
    assert first == "lotus.models.from_plugin"
    reached = reach(second, folders=(tmp_path,)).texts
    assert reached.keys() == {second, "my_layers"}


def test_to_name_a_file_runs_nothing_of_it(own):
    chosen = own("raise SystemExit('was run')")
    models.check_known(chosen)
    models.modules_of(chosen)
    line = refusal(chosen)
    assert "cannot be imported: SystemExit: it ended the process" in line
    assert "accepted: the path of a Python file" in line
    missing = section("plugin", file="nowhere.py")
    with pytest.raises(LotusError, match=r"file 'nowhere\.py': there is no such file; looked in"):
        models.check_known(missing)
    assert "nowhere.py': there is no such file" in refusal(missing)


BODY = "from torch import nn\ndef build(image_shape, num_classes):\n    "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "has no function `build(image_shape, num_classes)`"),
        (BODY + "return 3", "gives a int; it must give a torch.nn.Module"),
        (BODY + "1 / 0", "build: ZeroDivisionError: division by zero (line 3)"),
        (BODY + "raise SystemExit(3)", "build: SystemExit: it ended the process (exit code 3)"),
        (BODY + "return nn.Flatten()", "gives [2, 3072] numbers (torch.float32) of 2 images"),
        (BODY + "return nn.Linear(5, num_classes)", "does not take 3×32×32 images and 3 classes"),
        (BODY + "return nn.LSTM(32, num_classes)", "does not take"),
    ],
)
def test_what_a_file_of_the_users_does_wrong(own, text, said):
    line = refusal(own(text))
    assert said in line
    assert line.startswith("plugin 'net_")


def test_a_network_that_answers_with_something_else_than_logits(own):
    text = "class Two(nn.Module):\n    def forward(self, x):\n        return x, x\n"
    line = refusal(own(f"from torch import nn\n{text}{BODY}return Two()"))
    assert "gives a tuple of images, but must give logits" in line


# First weights


@pytest.mark.parametrize("classes", [7, 3])
def test_a_head_is_kept_where_it_has_an_output_for_each_class(tmp_path, classes):
    state = {
        k: torch.full_like(v, 1)
        for k, v in timm.create_model("test_vit", num_classes=7).state_dict().items()
    }
    weights = kept_in(tmp_path / "w.safetensors", state, "module.")
    sized = (3, 160, 160)
    chosen = section("timm", name="test_vit", weights=weights)
    found = models.build(chosen, sized, classes, seed=1).state_dict()
    fresh = models.build(models.without_weights(chosen), sized, classes, seed=1).state_dict()
    for key, value in found.items():
        is_new = classes == 3 and key.startswith("head.")
        assert torch.equal(value, fresh[key] if is_new else torch.full_like(value, 1)), key
    assert models.weights_files(chosen) == [tmp_path / "w.safetensors"]


def test_weights_of_torchvision_networks_and_of_ones_own_come_from_files(tmp_path, own):
    network = used(torchvision.models.squeezenet1_1(num_classes=9))
    weights = kept_in(tmp_path / "w.pth", network.state_dict())
    chosen = section("torchvision", name="squeezenet1_1", weights=weights)
    found = models.build(chosen, (3, 64, 64), 4, seed=1)
    assert torch.equal(found.features[0].weight, network.features[0].weight)
    assert found.classifier[1].weight.shape[0] == 4
    text = BODY + "return nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.Linear(5, num_classes))"
    bodies = used(nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.Linear(5, 9)))
    weights = kept_in(tmp_path / "own.pth", bodies.state_dict())
    found = models.build(own(text, weights=weights), (3, 4, 4), 3, seed=1)
    assert torch.equal(found[1].weight, bodies[1].weight)
    assert found[2].weight.shape[0] == 3


# Maps


@pytest.mark.parametrize(
    ("chosen", "side", "place"),
    [
        (("timm", "test_resnet"), 64, "layer4"),
        (("timm", "test_vit"), 64, "a map of tokens"),
        (("timm", "test_convnext"), 64, "norm_pre"),
        (("torchvision", "squeezenet1_1"), 64, "classifier.2"),
        (("torchvision", "vit_b_32"), 64, "a map of tokens"),
        (("timm", "swin_tiny_patch4_window7_224"), 224, None),
        (("timm", "mixer_s32_224"), 224, None),
    ],
)
def test_the_last_map_of_a_network_or_none(chosen, side, place):
    architecture = section(chosen[0], name=chosen[1])
    network = models.build(architecture, (3, side, side), 3, seed=1)
    images, kept = torch.zeros(2, 3, side, side), []
    found = models.last_map(architecture, network, images[:1])
    assert network.training
    if place is None:
        assert found is None
        return
    with found as layer:
        layer.register_forward_hook(lambda *args: kept.append(args[-1].shape))
        network.eval()(images)
    (shape,) = kept
    assert len(shape) == 4
    assert shape[2] * shape[3] > 1
    names = {id(module): name for name, module in network.named_modules()}
    assert names.get(id(layer), "a map of tokens") == place
    assert not any(module._forward_hooks for module in network.modules() if module is not layer)


def test_a_network_of_ones_own_can_say_where_its_map_is(own):
    layers = "nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3600, num_classes)"
    text = f"{BODY}net = nn.Sequential({layers})\n    net.last_map = '0'\n    return net"
    for given, place in ((text, 0), (text.replace("net.last_map = '0'", ""), 1)):
        chosen = own(given)
        network, images = models.build(chosen, RGB, 3, seed=1), torch.zeros(1, *RGB)
        with models.last_map(chosen, network, images) as layer:
            assert layer is network[place]
    network.last_map = "body"
    with pytest.raises(LotusError, match="last_map = 'body': the network has no such module"):
        models.last_map(chosen, network, images)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(3072, 3))
    assert any_network.last_map(plain, images) is None


def test_sections_of_such_networks_are_read_without_torch():
    sections = [
        {"model": "timm", "name": "resnet50.a1_in1k"},
        {"model": "torchvision", "name": "resnet18"},
        {"model": "plugin", "file": "net.py"},
    ]
    code = (
        "import sys, json; from lotus import models; "
        "from lotus.config.architectures import ARCHITECTURE; "
        "[models.modules_of(ARCHITECTURE.validate_python(it)) for it in json.loads(sys.argv[1])]; "
        "sys.exit(any(it in sys.modules for it in ('torch', 'timm', 'torchvision')))"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(sections)], check=True)
