"""Networks of libraries and of users in a configuration, and models to begin with."""

import pytest
from small_configuration import change, plan_of

from lotus.errors import LotusError

FILE = {"file": "mine.pth", "sha256": "a" * 64}


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"model": "timm"}, [".name: is required: As `timm.list_models()` has it"]),
        ({"model": "timm", "name": "hf-hub:a/b"}, [".name = 'hf-hub:a/b'", "like resnet18"]),
        ({"model": "timm", "name": "resnet18", "width": 8}, [".width: unknown key", "name"]),
        ({"model": "timm", "name": "a", "weights": "a/b.pth"}, ["{file: PATH, sha256: HEX}"]),
        ({"model": "torchvision", "name": "r", "weights": 3}, [".weights = 3", "null, a name or"]),
        (
            {"model": "torchvision", "name": "../r"},
            [".name = '../r'", "is not the name of a network"],
        ),
        ({"model": "plugin"}, [".file: is required: Python file with a function"]),
        ({"model": "plugin", "file": "net"}, [".file = 'net'", "must end in .py"]),
        ({"model": "plugin", "file": "n.py", "weights": "A"}, [".weights = 'A'"]),
        ({"model": "plugin", "file": "n.py", "weights": {"file": "a.pt"}}, [".weights.sha256: is"]),
        ({"model": "resnet18", "checkpoint": "mine.pth"}, [".checkpoint = 'mine.pth'"]),
        (
            {"model": "resnet18", "checkpoint": {"file": "a.pt"}},
            [".checkpoint.sha256: is required"],
        ),
        (
            {"model": "resnet18", "checkpoint": {**FILE, "key": "ema"}},
            [".checkpoint.key: unknown key", "entry, file, sha256"],
        ),
        (
            {"model": "vit", "patch_size": 4, "checkpoint": {**FILE, "file": "mine.npz"}},
            [
                ".checkpoint.file = 'mine.npz'",
                "must end in .safetensors, .pth, .pt, .bin, .ckpt, .tar",
            ],
        ),
        ({"model": "resnet18", "checkpoint": {**FILE, "entry": ""}}, [".checkpoint.entry = ''"]),
        (
            {"model": "resnet18", "checkpoint": FILE, "training": {"epochs": 0}},
            ["training.epochs = 0 needs pretrained `weights`"],
        ),
    ],
)
def test_a_mistake_names_the_key_and_what_is_accepted(content, given, parts):
    with pytest.raises(LotusError) as caught:
        plan_of(change(content, ["architectures", "vit"], given))
    (line,) = str(caught.value).splitlines()
    assert line.startswith("config/mine.yaml: architectures.vit")
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    "given",
    [
        {"model": "timm", "name": "resnet50.a1_in1k", "weights": "a1_in1k"},
        {"model": "torchvision", "name": "resnet18", "weights": "IMAGENET1K_V1"},
        {"model": "plugin", "file": "net.py", "weights": FILE},
        {"model": "resnet18", "width": 8},
        {"model": "vit", "patch_size": 4},
        {"model": "vit-b16", "training": {}},
        {"model": "torchvision-vit-b16", "training": {}},
    ],
    ids=lambda given: given["model"],
)
def test_any_network_can_begin_with_a_checkpoint(content, given):
    changed = change(content, ["architectures", "vit"], {**given, "checkpoint": FILE})
    found = plan_of(changed).settings.architectures["vit"]
    assert found.checkpoint.model_dump() == {**FILE, "entry": None}
    assert (
        plan_of(change(content, ["architectures", "vit"], given))
        .settings.architectures["vit"]
        .checkpoint
        is None
    )
