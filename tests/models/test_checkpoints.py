"""Checkpoints of users: read out of what wraps them, refused by name, written again as they came."""

import copy
from collections import OrderedDict

import pytest
import timm
import torch
from own_models import kept_in, used
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from lotus.config.architectures import CheckpointFile
from lotus.errors import LotusError
from lotus.models.checkpoints import form_of, load_checkpoint, write_like
from lotus.records.files import sha256

NAME, SHAPE, CLASSES = "test_resnet", (3, 32, 32), 3


def network_of(name=NAME, classes=CLASSES, channels=3):
    return timm.create_model(name, num_classes=classes, in_chans=channels)


@pytest.fixture(scope="module")
def trained():
    return used(network_of())


def load(checkpoint, network=None, shape=SHAPE, classes=CLASSES):
    network = network or network_of(classes=classes, channels=shape[0])
    return network, load_checkpoint(network, CheckpointFile(**checkpoint), shape, classes)


def refusal(checkpoint, **about):
    """The one line of the error; the network stays as it was."""
    network = about.pop("network", None) or network_of(
        classes=about.get("classes", CLASSES), channels=about.get("shape", SHAPE)[0]
    )
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(LotusError) as caught:
        load(checkpoint, network=network, **about)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    (line,) = str(caught.value).splitlines()
    assert line.startswith(checkpoint["file"])
    return line


def order_of(path):
    with safe_open(path, "pt") as file:
        return list(file.keys())


WRAPPINGS = {
    "bare": lambda state: state,
    "lightning": lambda state: {"epoch": 3, "state_dict": state, "hparams": {"lr": 0.1}},
    "model": lambda state: {"model": state, "optimizer": {"state": {0: {"step": torch.ones(1)}}}},
    "deep": lambda state: {"checkpoint": {"model_state_dict": state, "step": 9}, "epoch": 3},
}


@pytest.mark.parametrize(
    "prefix", ["", "module.", "_orig_mod.", "model.", "module._orig_mod.model."]
)
@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_checkpoint_is_read_and_written_as_it_came(tmp_path, trained, same, prefix, wrap):
    checkpoint = kept_in(tmp_path / "mine.pth", trained.state_dict(), prefix, wrap)
    network, form = load(checkpoint)
    assert same(network.state_dict(), trained.state_dict())
    assert form_of(form.to_json(), "here") == form
    write_like(form, network.state_dict(), tmp_path / "back.pth")
    theirs, ours = (torch.load(tmp_path / name) for name in ("mine.pth", "back.pth"))
    for key in form.nesting:
        theirs, ours = theirs[key], ours[key]
    assert list(theirs) == list(ours)
    assert same(theirs, ours)
    assert isinstance(ours, OrderedDict)


def test_what_else_a_checkpoint_holds_is_named_and_not_written(tmp_path, trained):
    wrapped = WRAPPINGS["deep"]
    network, form = load(kept_in(tmp_path / "mine.pt", trained.state_dict(), "module.", wrapped))
    assert form.nesting == ("checkpoint", "model_state_dict")
    assert form.others == ("epoch", "checkpoint.step")
    assert str(form) == (
        f"{len(form.tensors)} tensors in a file of torch.save, under checkpoint.model_state_dict, "
        "with the prefix module."
    )
    write_like(form, network.state_dict(), tmp_path / "back.pt")
    written = torch.load(tmp_path / "back.pt")
    assert written.keys() == {"checkpoint"}
    assert written["checkpoint"].keys() == {"model_state_dict"}


def test_safetensors_come_back_as_safetensors_with_what_they_say_of_themselves(
    tmp_path, trained, same
):
    said = {"format": "pt", "made by": "me"}
    path, back = tmp_path / "mine.safetensors", tmp_path / "new" / "back.safetensors"
    network, form = load(kept_in(path, trained.state_dict(), "model.", metadata=said))
    write_like(form, network.state_dict(), back)
    assert order_of(back) == order_of(path)
    assert same(load_file(back), load_file(path))
    with safe_open(back, "pt") as file:
        assert file.metadata() == said


def test_an_old_file_of_torch_comes_back_as_one(tmp_path, trained, same):
    path = tmp_path / "old.pth"
    torch.save(trained.state_dict(), path, _use_new_zipfile_serialization=False)
    _, form = load(kept_in(tmp_path / "new.pth", trained.state_dict()))
    assert form.container == "torch"
    network, form = load({"file": str(path), "sha256": sha256(path)})
    assert form.container == "torch-legacy"
    write_like(form, network.state_dict(), tmp_path / "back.pth")
    assert not (tmp_path / "back.pth").read_bytes().startswith(b"PK")
    assert same(torch.load(tmp_path / "back.pth"), trained.state_dict())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_of_numbers_come_back(tmp_path, trained, dtype):
    state = {
        k: v.to(dtype) if v.is_floating_point() else v for k, v in trained.state_dict().items()
    }
    network, form = load(kept_in(tmp_path / "mine.pth", state))
    assert network.fc.weight.dtype == torch.float32
    write_like(form, network.state_dict(), tmp_path / "back.pth")
    back = torch.load(tmp_path / "back.pth")
    assert {key: value.dtype for key, value in back.items()} == {
        key: value.dtype for key, value in state.items()
    }
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_of_several_state_dicts_one_is_named(tmp_path, trained, same):
    other = used(network_of(), seed=1)
    both = {"state_dict": trained.state_dict(), "state_dict_ema": other.state_dict()}
    checkpoint = kept_in(tmp_path / "mine.pth", {}, wrap=lambda _: both)
    line = refusal(checkpoint)
    assert (
        "state_dict, state_dict_ema are state dicts each; `entry` of the checkpoint names" in line
    )
    network, form = load({**checkpoint, "entry": "state_dict_ema"})
    assert same(network.state_dict(), other.state_dict())
    assert form.nesting == ("state_dict_ema",)
    assert form.others == ("state_dict",)
    line = refusal({**checkpoint, "entry": "ema"})
    assert "entry 'ema' is not there; the file has state_dict, state_dict_ema" in line


# What is refused


def test_another_number_of_classes(tmp_path, trained):
    checkpoint = kept_in(tmp_path / "mine.pth", trained.state_dict(), "module.")
    line = refusal(checkpoint, classes=10)
    width = trained.fc.weight.shape[1]
    assert "the checkpoint has 3 classes, but the images have 10: " in line
    assert f"fc.weight is [3, {width}] instead of [10, {width}]" in line


def test_greyscale_against_rgb_and_the_reverse(tmp_path, trained):
    first = next(key for key, value in trained.state_dict().items() if value.dim() == 4)
    grey = used(network_of(channels=1))
    line = refusal(kept_in(tmp_path / "rgb.pth", trained.state_dict()), shape=(1, 32, 32))
    assert "takes images of 3 channels (RGB), but the images have 1 channel (greyscale)" in line
    assert f"{first} is [" in line
    line = refusal(kept_in(tmp_path / "grey.pth", grey.state_dict()))
    assert "takes images of 1 channel (greyscale), but the images have 3 channels (RGB)" in line
    line = refusal(kept_in(tmp_path / "grey.pth", grey.state_dict()), classes=2)
    assert "(RGB): " in line
    assert "; and the checkpoint has 3 classes, but the images have 2" in line


def test_another_network(tmp_path, trained):
    line = refusal(kept_in(tmp_path / "mine.pth", network_of("test_vit").state_dict()))
    assert "these are weights of another architecture" in line
    state = trained.state_dict()
    line = refusal(
        kept_in(tmp_path / "mine.pth", {k: v for k, v in state.items() if k != "fc.bias"})
    )
    assert "fc.bias is missing" in line
    line = refusal(kept_in(tmp_path / "mine.pth", {**state, "loss.weight": torch.ones(3)}))
    assert "loss.weight is unknown" in line
    state = {**state, "fc.weight": torch.ones(3, 7), "fc.bias": torch.ones(4)}
    line = refusal(kept_in(tmp_path / "mine.pth", state))
    assert "fc.weight is [3, 7] instead of" in line
    assert "fc.bias is [4] instead of [3]" in line


def test_numbers_that_are_none_are_named_key_by_key(tmp_path, trained):
    state = {key: value.clone() for key, value in trained.state_dict().items()}
    state["fc.weight"][0, 0] = float("nan")
    state["fc.bias"] = torch.ones(3, dtype=torch.int64)
    line = refusal(kept_in(tmp_path / "mine.pth", state))
    assert "fc.weight has 1 of" in line
    assert "not finite in float32 (the first is nan)" in line
    assert "fc.bias is int64, but must be finite numbers of a floating type" in line


@pytest.mark.filterwarnings("ignore")
def test_a_whole_model_is_refused_with_the_line_that_converts_it(tmp_path, trained):
    for content in (trained, {"model": trained}, nn.DataParallel(trained)):
        checkpoint = kept_in(tmp_path / "mine.pth", {}, wrap=lambda _, content=content: content)
        line = refusal(checkpoint)
        assert "holds a whole model" in line
        assert '`torch.save(model.state_dict(), "weights.pt")`' in line


def test_another_file_than_the_one_that_is_meant(tmp_path, trained):
    checkpoint = kept_in(tmp_path / "mine.pth", trained.state_dict())
    line = refusal({**checkpoint, "sha256": "0" * 64})
    assert f"sha256 is {checkpoint['sha256']}, but the configuration says 0000" in line
    (tmp_path / "mine.pth").unlink()
    assert "cannot be read: No such file" in refusal(checkpoint)


# What is not written


def test_a_file_that_is_there_stays(tmp_path, trained):
    _, form = load(kept_in(tmp_path / "mine.pth", trained.state_dict()))
    out = tmp_path / "out.pth"
    out.write_text("mine")
    with pytest.raises(LotusError, match=r"out\.pth: is there already; `--replace` writes over it"):
        write_like(form, trained.state_dict(), out)
    assert out.read_text() == "mine"
    write_like(form, trained.state_dict(), out, replace=True)
    assert torch.load(out).keys() == trained.state_dict().keys()


def test_weights_that_do_not_fit_the_form_are_not_written(tmp_path, trained):
    half = {key: value.half() for key, value in trained.state_dict().items() if "fc" in key}
    state = {**trained.state_dict(), **half}
    _, form = load(kept_in(tmp_path / "mine.pth", state))
    found = dict(trained.state_dict())
    spoilt = {**found, "fc.bias": torch.full((3,), 1e6)}
    with pytest.raises(
        LotusError, match=r"fc\.bias is not finite in float16, the checkpoint's type"
    ):
        write_like(form, spoilt, tmp_path / "out.pth")
    del found["fc.bias"]
    with pytest.raises(LotusError, match="are not of the network whose checkpoint is stated"):
        write_like(form, found, tmp_path / "out.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.pth"]


@pytest.mark.parametrize(
    "change", [{"container": "zip"}, {"tensors": [["a"]]}, {"more": 1}, {"prefix": None}]
)
def test_a_form_out_of_a_record_is_checked(tmp_path, trained, change):
    _, form = load(kept_in(tmp_path / "mine.pth", trained.state_dict()))
    for content in ({**form.to_json(), **change}, None):
        with pytest.raises(LotusError, match=r"run\.json: states no form of a checkpoint"):
            form_of(content, "run.json")
