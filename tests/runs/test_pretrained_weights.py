"""Originals that start from pretrained weights or are nothing else."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from runs_on_digits import record, run_in, said
from safetensors.torch import load_file, save_file
from torch import nn

from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.engine.device import prepare
from lotus.models import image_shapes
from lotus.records.files import sha256
from lotus.runs.bench import set_up
from lotus.runs.run import Inputs
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run


class Small(nn.Sequential):
    """Stands for timm's and torchvision's ViT-B/16."""

    def __init__(self, head, num_classes):
        super().__init__()
        self.add_module("flatten", nn.Flatten())
        self.add_module("body", nn.Linear(64, 16))
        self.add_module(head, nn.Linear(16, num_classes))


@pytest.fixture
def vit(monkeypatch, tmp_path):
    """Section of a ViT-B/16 for digits that takes its body from a file and is not trained."""
    monkeypatch.setattr(timm, "create_model", lambda name, num_classes: Small("head", num_classes))
    in_torchvision = "lotus.models.torchvision_vit_b16.vit_b_16"
    monkeypatch.setattr(in_torchvision, lambda num_classes: Small("heads", num_classes))
    monkeypatch.setattr(image_shapes, "PRETRAINED_ON", (1, 8, 8))
    path = tmp_path / "vit.safetensors"
    save_file({"body.weight": torch.full((16, 64), 0.5), "body.bias": torch.zeros(16)}, path)
    return {
        "model": "vit-b16",
        "weights": {"file": str(path), "sha256": sha256(path)},
        "training": {"epochs": 0},
    }


def train_vit(inputs, folder, section):
    plain = Inputs(inputs.store, inputs.held_out)
    train_run("original", plain, run_in(folder), ARCHITECTURE.validate_python(section), Dataset())


def has_pretrained_body(network):
    return bool((network.body.weight == 0.5).all())


def test_without_epochs_the_original_is_the_pretrained_weights(inputs, tmp_path, vit):
    train_vit(inputs, tmp_path / "original", vit)
    written = load_file(tmp_path / "original" / "model.safetensors")
    assert (written["body.weight"] == 0.5).all()
    assert written["head.weight"].shape == (10, 16)
    found = record(tmp_path / "original")
    assert found["settings"]["architecture"]["weights"] == vit["weights"]
    assert found["inputs"][vit["weights"]["file"]] == vit["weights"]["sha256"]
    notes = found["notes"]
    assert (notes["epochs"], notes["weights_of_epoch"], notes["seconds_to_it"]) == ([], None, 0)


def test_a_pretrained_original_is_trained_as_a_whole(inputs, tmp_path, vit):
    training = {"epochs": 1, "warmup_epochs": 0, "schedule": "constant", "lr": 0.01}
    train_vit(inputs, tmp_path / "original", {**vit, "training": training})
    written = load_file(tmp_path / "original" / "model.safetensors")
    assert not (written["body.weight"] == 0.5).all()
    assert record(tmp_path / "original")["notes"]["epochs"][0]["lr"] == 0.01


@pytest.mark.parametrize("model", ["vit-b16", "torchvision-vit-b16"])
def test_m7_gives_timms_incompetent_teacher_a_pretrained_body(inputs, tmp_path, vit, model):
    train_vit(inputs, tmp_path / "original", {**vit, "model": model})
    file = Path(vit["weights"]["file"])
    for name, kept in (("corrected+m7", True), ("released", True), ("corrected", False)):
        if not kept:
            file.unlink()  # neither the original nor a fresh teacher needs it
        run = run_in(tmp_path / name, name)
        bench = set_up(inputs, tmp_path / "original", prepare("cpu", 1), run.protocol)
        teacher = bench.task(run, lambda *_: None).untrained()
        assert has_pretrained_body(bench.original)
        assert has_pretrained_body(teacher) is (kept and model == "vit-b16")
        assert not torch.equal(teacher[-1].weight, bench.original[-1].weight)


def test_an_original_that_is_evaluated_anew_needs_no_pretrained_weights(inputs, tmp_path, vit):
    train_vit(inputs, tmp_path / "original", vit)
    Path(vit["weights"]["file"]).unlink()
    run, plain = run_in(tmp_path / "again", "corrected+e2"), Inputs(inputs.store, inputs.held_out)
    section = ARCHITECTURE.validate_python(vit)
    train_run("original", plain, run, section, Dataset(), tmp_path / "original")
    assert np.array_equal(said(run.out), said(tmp_path / "original"))
    assert vit["weights"]["file"] not in record(run.out)["inputs"]


def test_the_record_names_the_weights_that_a_method_reads(inputs, tmp_path, vit):
    train_vit(inputs, tmp_path / "original", vit)
    for method, name, reads in (
        ("bad-teacher", "corrected+m7", True),
        ("bad-teacher", "corrected", False),
        ("finetune", "corrected+m7", False),
    ):
        run = run_in(tmp_path / f"{method}-{name}", name)
        unlearn_run(inputs, run, tmp_path / "original", method, {"epochs": 1})
        assert (vit["weights"]["file"] in record(run.out)["inputs"]) is reads
