"""Weights as people have them: wrapped, nested, pickled whole, of other numbers, damaged."""

import logging
import random
import zipfile
from collections import OrderedDict
from contextlib import suppress

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_damage import EDITS, damaged
from safetensors.torch import load_file, save, save_file
from torch import nn
from torch_archives import with_stated_size

from lotus.config.architectures import WeightsFile
from lotus.errors import LotusError
from lotus.models import load_weights, pretrained, save_weights, weights_file
from lotus.records.files import sha256


class Network(nn.Module):
    """With all that a state dict can hold: parameters, running statistics, a counter."""

    def __init__(self, num_classes=3):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        self.head = nn.Linear(2, num_classes)


def state_of(network=None, value=0.5):
    state = (network or Network()).state_dict()
    return {k: torch.full_like(v, value) if v.is_floating_point() else v for k, v in state.items()}


KEYS = list(Network().state_dict())


@pytest.fixture
def fill(tmp_path):
    """Writes a file of torch, or as its name says, and fills a network from it."""

    def make(content, name="w.pth", new_heads=("head",)):
        path = tmp_path / name
        if path.suffix == ".safetensors":
            save_file(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            torch.save(content, path)
        network = Network()
        weights = weights_file.read_file(WeightsFile(file=str(path), sha256=sha256(path)))
        pretrained.fill(network, weights, str(path), new_heads)
        return network

    return make


def is_filled(network):
    return all(
        (v == 0.5).all()
        for k, v in network.state_dict().items()
        if v.is_floating_point() and "head" not in k
    )


def refusal(fill, content, *args, **more):
    with pytest.raises(LotusError) as caught:
        fill(content, *args, **more)
    (line,) = str(caught.value).splitlines()
    assert "w." in line
    return line


# Prefixes and keys


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "_orig_mod.",
        "model.",
        "backbone.",
        "net.",
        "module._orig_mod.",
        "a.b.c.",
        "body.",
    ],
)
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_prefix_of_the_whole_network_is_taken_off(fill, caplog, prefix, name):
    caplog.set_level(logging.INFO)
    network = fill({prefix + key: value for key, value in state_of().items()}, name)
    assert is_filled(network)
    assert f"the prefix '{prefix}' of all names is taken off" in caplog.text


def test_a_head_beside_the_wrapped_body_is_passed_over(fill):
    state = {f"backbone.{k}": v for k, v in state_of().items() if "head" not in k}
    assert is_filled(fill({**state, "head.weight": torch.zeros(9, 2)}))
    assert is_filled(fill({f"module.{k}": v for k, v in state_of().items() if "head" not in k}))


def test_names_that_fit_are_taken_as_they_are(fill, caplog):
    caplog.set_level(logging.INFO)
    assert is_filled(fill(state_of()))
    assert not caplog.text


def test_a_prefix_that_does_not_explain_everything_is_named(fill):
    wrapped = {f"module.{key}": value for key, value in state_of().items()}
    said = refusal(fill, {**wrapped, "n_averaged": torch.tensor(3)})
    assert "without the prefix 'module.'" in said
    said = refusal(fill, {**wrapped, "module.more": torch.zeros(1)})
    assert "without the prefix 'module.'" in said
    said = refusal(fill, {"enc.a": torch.zeros(1), "enc.b": torch.zeros(1)})
    assert "all its names begin with 'enc.'" in said


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "net", "ema of mine"])
def test_a_state_dict_among_other_things_is_found(fill, caplog, key):
    caplog.set_level(logging.INFO)
    optimizer = torch.optim.AdamW(Network().parameters()).state_dict()
    content = {
        "epoch": 3,
        key: OrderedDict(state_of()),
        "optimizer": optimizer,
        "rng": torch.ones(2),
    }
    assert is_filled(fill(content))
    assert f"the weights are those under its key '{key}'" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"model": state_of(), "ema": state_of()}, ["model, ema", "are state dicts each"]),
        ({"epoch": 3, "optimizer": {"state": {}}}, ["its keys are epoch, optimizer"]),
        ({}, ["its keys are (none)"]),
        ([torch.zeros(1)], ["a list"]),
        (torch.zeros(1), ["a Tensor"]),
        ({**state_of(), 3: torch.zeros(1)}, ["the key 3 is not text"]),
        ({"state_dict": {**state_of(), b"x": torch.zeros(1)}}, ["the key b'x' is not text"]),
    ],
    ids=range(7),
)
def test_what_is_no_state_dict_is_described(fill, content, said):
    line = refusal(fill, content)
    for part in ("is not a state dict", "mapping of names to tensors", *said):
        assert part in line


def test_of_many_keys_some_are_shown(fill):
    assert "key11, and 88 more" in refusal(fill, {f"key{k}": k for k in range(100)})


def test_another_architecture_is_counted(fill):
    state = {
        **state_of(),
        "body.0.bias": torch.zeros(5),
        "new": torch.zeros(2),
        "a\nb": torch.ones(1),
    }
    del state["body.0.weight"], state["body.1.weight"]
    line = refusal(fill, state)
    for part in (
        "of the network's 7 tensors, 4 fit, 2 are missing, 1 of another shape, and 2 tensors of the file",
        "body.0.weight is missing, body.1.weight is missing",
        "body.0.bias is [5] instead of [2]",
        r"new is unknown, 'a\nb' is unknown",
    ):
        assert part in line


# What is no weights at all


@pytest.mark.filterwarnings("ignore")
def test_a_whole_model_is_called_that(fill, tmp_path):
    model = nn.Linear(2, 2)
    scripted = tmp_path / "scripted.pth"
    torch.jit.save(torch.jit.trace(model, torch.zeros(1, 2)), scripted)
    legacy = tmp_path / "legacy.pth"
    torch.save(model, legacy, _use_new_zipfile_serialization=False)
    for content, named in (
        (model, "torch.nn.modules.linear.Linear"),
        ({"model": model}, "torch.nn.modules.linear.Linear"),
        ({"args": random.Random(0), "model": state_of()}, "random.Random"),
        (scripted.read_bytes(), "TorchScript"),
        (legacy.read_bytes(), "torch.nn.modules.linear.Linear"),
    ):
        line = refusal(fill, content)
        assert "holds a whole model or other pickled objects" in line
        assert 'torch.save(model.state_dict(), "weights.pt")' in line
        assert named in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n", "git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html>\xc3\xa9", "a web page"),
        (b"<?xml version='1.0'?><Error/>", "a web page"),
        (b'{"error": "no such file"}\n', 'text, which begins with \'{"error"'),
        (b"outs:\n- md5: 0\n", "text, which begins with 'outs:'"),
        (b"\x1f\x8b\x08rest", "a compressed file"),
        (b"", "the file is empty"),
    ],
)
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_file_of_another_kind_is_named(tmp_path, content, said, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LotusError, match=said):
        weights_file.read_file(WeightsFile(file=str(path), sha256=sha256(path)))
    with pytest.raises(LotusError, match=said):
        load_weights(path, Network())


def test_the_format_is_that_of_the_content(fill, tmp_path):
    assert is_filled(fill(save(state_of())))
    torch.save(state_of(), tmp_path / "other.pth")
    path = tmp_path / "w.safetensors"
    path.write_bytes((tmp_path / "other.pth").read_bytes())
    assert weights_file.read_file(WeightsFile(file=str(path), sha256=sha256(path))).keys() == {
        *KEYS
    }


def test_older_files_of_torch_are_read(fill, tmp_path):
    torch.save(state_of(), tmp_path / "old", _use_new_zipfile_serialization=False)
    assert is_filled(fill((tmp_path / "old").read_bytes()))


def test_a_changed_byte_in_the_numbers_is_damage(fill, tmp_path):
    torch.save(state_of(), tmp_path / "w")
    whole = bytearray((tmp_path / "w").read_bytes())
    place = whole.index(torch.full((2,), 0.5).numpy().tobytes())
    whole[place] ^= 1
    assert "the weights are damaged: the checksum of" in refusal(fill, bytes(whole))


def test_a_part_of_another_size_than_is_stated_is_damage(fill, tmp_path):
    """torch would fill the rest of the tensor with whatever lies in memory."""
    torch.save({key: torch.full((2,), 0.5) for key in KEYS}, tmp_path / "w")
    content = with_stated_size((tmp_path / "w").read_bytes(), "data/0", 16)
    assert "the weights are damaged: of w/data/0 the archive states 16 bytes" in refusal(
        fill, content
    )


def test_another_zip_archive_is_called_that(fill, tmp_path):
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("photos/1.jpg", b"1")
    line = refusal(fill, (tmp_path / "zip").read_bytes())
    assert "a zip archive that torch.save did not write; it has photos/1.jpg" in line


def test_an_archive_that_unpacks_to_more_than_it_is_is_damage(fill, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", b"\0" * 10_000_000)
    assert "the weights are damaged: the archive states more" in refusal(
        fill, (tmp_path / "bomb").read_bytes()
    )


# Numbers


def changed(key, value):
    return {**state_of(), key: value}


WEIGHT = torch.full((2, 1, 3, 3), 0.5)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("key", ["body.0.weight", "body.1.running_var"])
def test_values_that_are_not_finite_are_refused(fill, key, value):
    spoilt = state_of()[key].clone()
    spoilt.view(-1)[1] = value
    line = refusal(fill, changed(key, spoilt))
    assert f"{key} has 1 of {spoilt.numel()} values that are not finite" in line
    assert f"the first is {value}" in line


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_other_floating_types_are_converted(fill, dtype, name):
    network = fill({k: v.to(dtype) for k, v in state_of().items()} | counter(), name)
    assert is_filled(network)
    assert network.body[0].weight.dtype == torch.float32


def counter(value=7):
    return {"body.1.num_batches_tracked": torch.tensor(value)}


def test_a_value_that_overflows_is_refused(fill):
    line = refusal(fill, changed("body.0.weight", WEIGHT.double() * 1e300))
    assert "not finite in float32 (the first is 5e+299)" in line


def test_the_counter_is_a_whole_number(fill):
    for kept in (torch.tensor(7), torch.tensor(7, dtype=torch.int32)):
        assert (
            fill(state_of() | {"body.1.num_batches_tracked": kept}).body[1].num_batches_tracked == 7
        )
    line = refusal(fill, state_of() | {"body.1.num_batches_tracked": torch.tensor(7.0)})
    assert "body.1.num_batches_tracked is float32, but must be whole numbers" in line


def quantised():
    return torch.quantize_per_tensor(WEIGHT, 0.1, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (WEIGHT.to(torch.int8), "is int8, but must be finite numbers of a floating type"),
        (WEIGHT.bool(), "is bool"),
        (WEIGHT.to(torch.complex64), "is complex64"),
        (WEIGHT.to(torch.float8_e4m3fn), "is float8_e4m3fn"),
        (quantised, "is quantised"),
        (WEIGHT.to_sparse(), "sparse"),
        (WEIGHT.to("meta"), "meta device"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_tensors_without_plain_floating_values_are_refused(fill, value, said):
    value = value() if callable(value) else value
    line = refusal(fill, changed("body.0.weight", value))
    assert "body.0.weight" in line
    assert said in line


def test_the_head_that_is_not_used_may_hold_anything(fill):
    assert is_filled(fill(changed("head.weight", torch.full((9, 2), float("nan")))))
    refusal(fill, changed("head.bias", torch.full((3,), float("nan"))), new_heads=())


# Weights of an earlier run


def test_weights_of_a_run_may_be_not_finite_but_of_no_other_type(tmp_path):
    path = tmp_path / "model.safetensors"
    network = Network()
    network.head.bias.data.fill_(float("nan"))
    save_weights(path, network)
    other = Network()
    load_weights(path, other)
    assert other.head.bias.isnan().all()
    for key, dtype in (("head.bias", torch.float64), ("body.1.num_batches_tracked", torch.int32)):
        state = load_file(path)
        save_file({**state, key: state[key].to(dtype)}, tmp_path / "other.safetensors")
        with pytest.raises(LotusError, match=rf"{key} is torch.\w+ instead of torch.\w+"):
            load_weights(tmp_path / "other.safetensors", Network())


# Damage at random


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    torch.save({"epoch": 1, "model": state_of()}, folder / "new.pth")
    torch.save(state_of(), folder / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state_of(), folder / "w.safetensors")
    return [(path.suffix, path.read_bytes()) for path in sorted(folder.iterdir())]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(number=st.integers(0, 2), edits=EDITS)
def test_damaged_weights_are_refused_or_finite(tmp_path, whole_files, number, edits):
    ending, whole = whole_files[number]
    path = tmp_path / f"w{ending}"
    path.write_bytes(damaged(whole, edits))
    network = Network()
    with suppress(LotusError):
        weights = weights_file.read_file(WeightsFile(file=str(path), sha256=sha256(path)))
        pretrained.fill(network, weights, str(path), ["head"])
    assert all(value.isfinite().all() for value in network.state_dict().values())
    with suppress(LotusError):
        load_weights(path, network)
