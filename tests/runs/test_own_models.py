"""A user's own model: taken as the original, unlearned, and handed back to their own code."""

import copy
import json
import sys

import numpy as np
import pytest
import timm
import torch
import torchvision
from commands import call
from own_models import CLASSES, SIDE, inputs_of_pictures, kept_in, used
from runs_on_digits import record, run_in, said
from safetensors.torch import load_file
from torch import nn

from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.figures.gradcam import gradcam
from lotus.predictions import maps_file
from lotus.runs.gradcam import explain
from lotus.runs.handing_back import hand_back
from lotus.runs.run import Inputs
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run

TRAINING = {"epochs": 1, "warmup_epochs": 0, "batch_size": 20}
BODY = """
from torch import nn


def build(image_shape, num_classes):
    layers = [nn.Conv2d(image_shape[0], 4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(3600, num_classes))
"""


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return inputs_of_pictures(tmp_path_factory.mktemp("pictures"))


def with_checkpoint(section, checkpoint):
    return ARCHITECTURE.validate_python({**section, "training": TRAINING, "checkpoint": checkpoint})


def take(images, folder, architecture):
    plain = Inputs(images.store, images.held_out)
    train_run("original", plain, run_in(folder), architecture, Dataset())


def logits_of(network, images):
    """What a network says of the test images, shown as runs show them."""
    store = open_store(images.store)
    indices = json.loads(images.held_out.read_text())["test"]
    mean, std = (torch.tensor(value).view(1, -1, 1, 1) for value in (store.mean, store.std))
    pixels = torch.from_numpy(np.asarray(store.images[indices])).movedim(-1, 1)
    with torch.no_grad():
        return network.eval()((pixels / 255 - mean) / std).numpy()


def timm_in_data_parallel(folder):
    network = used(timm.create_model("test_resnet", num_classes=len(CLASSES)))
    return (
        {"model": "timm", "name": "test_resnet"},
        network,
        kept_in(folder / "mine.pth", nn.DataParallel(network).state_dict()),
        lambda path: {
            key.removeprefix("module."): value for key, value in torch.load(path).items()
        },
    )


def torchvision_among_other_things(folder):
    network = used(torchvision.models.resnet18(num_classes=len(CLASSES)))
    state = network.state_dict()
    return (
        {"model": "torchvision", "name": "resnet18"},
        network,
        kept_in(folder / "mine.ckpt", state, wrap=lambda it: {"state_dict": it, "epoch": 3}),
        lambda path: torch.load(path)["state_dict"],
    )


def compiled_transformer(folder):
    given = {"num_classes": len(CLASSES), "img_size": SIDE}
    network = used(timm.create_model("test_vit", **given))
    return (
        {"model": "timm", "name": "test_vit"},
        network,
        kept_in(folder / "mine.safetensors", torch.compile(network).state_dict()),
        lambda path: {
            key.removeprefix("_orig_mod."): value for key, value in load_file(path).items()
        },
    )


@pytest.mark.parametrize(
    "case", [timm_in_data_parallel, torchvision_among_other_things, compiled_transformer]
)
def test_weights_in_weights_out(images, tmp_path, case):
    section, theirs, checkpoint, read = case(tmp_path)
    take(images, tmp_path / "original", with_checkpoint(section, checkpoint))
    np.testing.assert_allclose(
        said(tmp_path / "original"), logits_of(theirs, images), rtol=1e-4, atol=1e-4
    )
    unlearn_run(images, run_in(tmp_path / "run"), tmp_path / "original", "finetune", {"epochs": 1})
    ending = checkpoint["file"].rpartition(".")[2]
    out = tmp_path / f"forgot.{ending}"
    done = call("hand-back", tmp_path / "run", "--out", out)
    assert done.exit_code == 0, done.output
    assert f"{len(theirs.state_dict())} tensors in " in done.output
    assert ("left out, as said of the original's weights: epoch" in done.output) == (
        case is torchvision_among_other_things
    )
    # With the user's own library alone.
    forgot = copy.deepcopy(theirs)
    forgot.load_state_dict(read(out))
    found = logits_of(forgot, images)
    np.testing.assert_allclose(said(tmp_path / "run"), found, rtol=1e-4, atol=1e-4)
    assert not np.allclose(found, logits_of(theirs, images), atol=1e-3)


@pytest.fixture(scope="module")
def taken(images, tmp_path_factory):
    """An original that is a checkpoint, gold and an unlearned model."""
    folder = tmp_path_factory.mktemp("taken")
    section, _, checkpoint, _ = torchvision_among_other_things(folder)
    architecture = with_checkpoint(section, checkpoint)
    take(images, folder / "original", architecture)
    train_run("gold", images, run_in(folder / "gold"), architecture, Dataset())
    unlearn_run(images, run_in(folder / "run"), folder / "original", "finetune", {"epochs": 1})
    return folder


def test_the_record_of_the_original_says_where_it_is_from(taken):
    found = record(taken / "original")
    checkpoint = found["settings"]["architecture"]["checkpoint"]
    assert found["inputs"][checkpoint["file"]] == checkpoint["sha256"]
    stated = found["notes"]["checkpoint"]
    assert (stated["file"], stated["sha256"]) == (checkpoint["file"], checkpoint["sha256"])
    assert stated["form"]["nesting"] == ["state_dict"]
    assert stated["form"]["others"] == ["epoch"]
    assert (found["notes"]["epochs"], found["notes"]["weights_of_epoch"]) == ([], None)
    assert found["time"]["train"] == 0


def test_gold_is_trained_from_fresh_weights_and_knows_no_checkpoint(taken):
    found = record(taken / "gold")
    assert found["settings"]["architecture"]["checkpoint"] is None
    assert len(found["notes"]["epochs"]) == 1
    assert "checkpoint" not in found["notes"]
    gold, original = (load_file(taken / it / "model.safetensors") for it in ("gold", "original"))
    assert not torch.allclose(gold["conv1.weight"], original["conv1.weight"], atol=0.05)


def test_a_run_with_other_predictions_of_the_checkpoint_knows_it_too(images, taken, tmp_path):
    section = record(taken / "original")["settings"]["architecture"]
    plain, run = Inputs(images.store, images.held_out), run_in(tmp_path, "corrected+e2")
    chosen = ARCHITECTURE.validate_python(section)
    train_run("original", plain, run, chosen, Dataset(), taken / "original")
    assert (
        record(tmp_path)["notes"]["checkpoint"] == record(taken / "original")["notes"]["checkpoint"]
    )


def refused(*arguments, **more):
    with pytest.raises(LotusError) as caught:
        hand_back(*arguments, **more)
    (line,) = str(caught.value).splitlines()
    return line


def test_what_cannot_be_handed_back(taken, tmp_path, finetuned):
    out = tmp_path / "out.pth"
    assert "was not made from an original; name the run" in refused(taken / "gold", out)
    assert hand_back(taken / "gold", out, taken / "original").nesting == ("state_dict",)
    assert "is there already; `--replace` writes over it" in refused(taken / "run", out)
    before = out.read_bytes()
    hand_back(taken / "run", out, replace=True)
    assert out.read_bytes() != before
    out.unlink()
    said = refused(finetuned / "run", out)
    assert "this original did not come from a checkpoint" in said
    assert "the record cannot be read" in refused(tmp_path, out)
    assert not list(tmp_path.iterdir())


def test_weights_or_an_original_that_are_others_by_now_are_not_handed_back(images, tmp_path):
    section, _, checkpoint, _ = timm_in_data_parallel(tmp_path)
    architecture = with_checkpoint(section, checkpoint)
    take(images, tmp_path / "original", architecture)
    unlearn_run(images, run_in(tmp_path / "run"), tmp_path / "original", "finetune", {"epochs": 1})
    out = tmp_path / "out.pth"
    take(images, tmp_path / "original", architecture)
    assert "is not the record that" in refused(tmp_path / "run", out)
    model = tmp_path / "run" / "model.safetensors"
    model.write_bytes((tmp_path / "original" / "model.safetensors").read_bytes())
    assert "are not the weights that run.json beside it states" in refused(tmp_path / "run", out)
    (tmp_path / "original" / "run.json").unlink()
    model.unlink()
    assert "model.safetensors: there is no such file" in refused(tmp_path / "run", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("classes", "channels", "said"),
    [(5, 3, "has 5 classes, but the images have 3"), (3, 1, "takes images of 1 channel")],
)
def test_a_checkpoint_of_other_images_leaves_nothing_behind(
    images, tmp_path, classes, channels, said
):
    network = used(timm.create_model("test_resnet", num_classes=classes, in_chans=channels))
    checkpoint = kept_in(tmp_path / "mine.pth", network.state_dict())
    architecture = with_checkpoint({"model": "timm", "name": "test_resnet"}, checkpoint)
    with pytest.raises(LotusError, match=said):
        take(images, tmp_path / "original", architecture)
    assert not list((tmp_path / "original").glob("*"))


def test_greyscale_images_and_a_network_of_timm(inputs, tmp_path):
    network = used(timm.create_model("test_resnet", num_classes=10, in_chans=1))
    checkpoint = kept_in(tmp_path / "mine.pth", network.state_dict())
    chosen = with_checkpoint({"model": "timm", "name": "test_resnet"}, checkpoint)
    plain = Inputs(inputs.store, inputs.held_out)
    train_run("original", plain, run_in(tmp_path / "original"), chosen, Dataset(resize=32))
    written = load_file(tmp_path / "original" / "model.safetensors")
    assert all(torch.equal(written[key], value) for key, value in network.state_dict().items())
    assert said(tmp_path / "original").shape[1] == 10


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "net_with_dropout", raising=False)
    (tmp_path / "net_with_dropout.py").write_text(BODY)
    return {"model": "plugin", "file": str(tmp_path / "net_with_dropout.py")}


def test_what_layers_draw_follows_from_the_seed(images, tmp_path, own_file):
    """Dropout draws from torch's own generator, which is as the process left it."""
    chosen = ARCHITECTURE.validate_python({**own_file, "training": TRAINING})
    for number, name in enumerate(("one", "two")):
        torch.manual_seed(number)
        take(images, tmp_path / name, chosen)
        torch.manual_seed(number)
        told = (run_in(tmp_path / f"{name}-run"), tmp_path / name, "finetune", {"epochs": 1})
        unlearn_run(images, *told, network_file=own_file["file"])
    for pair in (("one", "two"), ("one-run", "two-run")):
        first, second = ((tmp_path / it / "model.safetensors").read_bytes() for it in pair)
        assert first == second
    entry = record(tmp_path / "one")["code"]["entry"]
    assert entry == ["lotus.runs.train", "lotus.models.from_plugin", "net_with_dropout"]
    assert "net_with_dropout" in record(tmp_path / "one-run")["code"]["entry"]


def test_a_record_alone_has_no_code_run(images, tmp_path, own_file, monkeypatch):
    """Results may be a stranger's: their records name whatever file they like."""
    chosen = ARCHITECTURE.validate_python({**own_file, "training": TRAINING})
    take(images, tmp_path / "original", chosen)
    monkeypatch.delitem(sys.modules, "net_with_dropout")
    run = run_in(tmp_path / "run")
    for named, what in ((None, "which is missing"), ("other.py", "which is other.py")):
        with pytest.raises(LotusError, match=rf"is built by .*net_with_dropout\.py, .*{what}"):
            unlearn_run(images, run, tmp_path / "original", "finetune", {}, network_file=named)
    assert "net_with_dropout" not in sys.modules
    assert not run.out.exists()


def test_a_network_without_maps_is_explained_without_them(images, tmp_path, monkeypatch):
    (tmp_path / "net_of_lines.py").write_text(
        "from torch import nn\ndef build(image_shape, num_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3072, num_classes))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    file = str(tmp_path / "net_of_lines.py")
    take(images, tmp_path / "original", with_checkpoint({"model": "plugin", "file": file}, None))
    run, out = run_in(tmp_path), tmp_path / "maps.npz"
    explain(
        *(images.store, images.forget_set, {"original": tmp_path / "original"}, run.protocol),
        *("cpu", 1, 3, {}, out),
        network_file=file,
    )
    found = maps_file.load(out)
    assert found.maps.shape == (1, 3, 0, 0)
    assert ((found.probabilities > 0) & (found.probabilities < 1)).all()
    stated = json.loads(out.with_suffix(".json").read_text())["notes"]["maps"]
    assert stated == "none: the network has no map of an image"
    figure = gradcam([out])
    assert "the network has no map of an image" in figure._suptitle.get_text()
