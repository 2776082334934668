"""Runs on real digits: what switches change in them, and weights taken over from another run."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from digits import store_of_digits
from safetensors.torch import load_file, save_file
from torch import nn

from lotus.config import protocol
from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.config.scenarios import Scenario
from lotus.data.calibration import open_calibration
from lotus.data.content import Content
from lotus.data.splits import choose_forget_set, load_held_out, save_forget_set
from lotus.data.store import open_store, write_store
from lotus.engine.device import prepare
from lotus.errors import LotusError
from lotus.models import pretrained
from lotus.predictions import predictions_file
from lotus.records.files import sha256
from lotus.runs.bench import set_up
from lotus.runs.evaluation import evaluate_runs
from lotus.runs.run import Inputs, Run
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run

RESNET = {
    "model": "resnet18",
    "width": 8,
    "max_pool": False,
    "training": {"epochs": 2, "warmup_epochs": 0, "batch_size": 100},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with a digits store and its splits."""
    folder = tmp_path_factory.mktemp("digits")
    store = store_of_digits(folder)
    for name, fraction in (("forget", 0.1), ("other", 0.2)):
        chosen = choose_forget_set(store, Scenario(forget_fraction=fraction), 1)
        save_forget_set(folder / f"{name}.json", chosen)
    return folder


@pytest.fixture
def inputs(digits):
    return Inputs(digits / "store", digits / "held-out.json", digits / "forget.json")


def run_in(folder, name="corrected", seed=1):
    return Run(folder, seed=seed, device="cpu", threads=1, protocol=protocol.parse(name))


def pretrain(inputs, folder, name="corrected", use=None, **training):
    section = {**RESNET, "training": {**RESNET["training"], **training}}
    plain, architecture = (
        Inputs(inputs.store, inputs.held_out),
        ARCHITECTURE.validate_python(section),
    )
    train_run("original", plain, run_in(folder, name), architecture, use or Dataset())


def said(folder, split="test"):
    return predictions_file.load(folder / "predictions.npz")[split].logits


def record(folder):
    return json.loads((folder / "run.json").read_text())


def test_r2_blurs_the_images_of_methods_but_not_of_the_original(inputs, tmp_path):
    found = {}
    for name in ("corrected", "corrected+r2"):
        original, finetuned = tmp_path / name / "original", tmp_path / name / "finetune"
        pretrain(inputs, original, name, Dataset(resize=14, crop=10))
        unlearn_run(inputs, run_in(finetuned, name), original, "finetune", {"epochs": 0})
        found[name] = said(original), said(finetuned)
    assert np.array_equal(found["corrected"][0], found["corrected+r2"][0])
    assert np.array_equal(*found["corrected"])
    assert not np.allclose(*found["corrected+r2"], atol=1e-2)


def test_t1_keeps_the_weights_of_the_last_epoch(inputs, tmp_path):
    training = {"epochs": 12, "lr": 0.3, "patience": 1}
    for name in ("corrected", "corrected+t1"):
        pretrain(inputs, tmp_path / name, name, **training)
    best, last = (record(tmp_path / name)["notes"] for name in ("corrected", "corrected+t1"))
    losses = [epoch["val_loss"] for epoch in best["epochs"]]
    assert best["weights_of_epoch"] == int(np.argmin(losses)) < len(losses) - 1
    assert last["weights_of_epoch"] == len(losses) - 1
    for notes in (best, last):
        assert notes["seconds_to_it"] == notes["epochs"][notes["weights_of_epoch"]]["seconds"]
    assert not np.array_equal(said(tmp_path / "corrected"), said(tmp_path / "corrected+t1"))


def test_e2_reads_training_images_augmented_and_the_others_as_they_are(inputs, tmp_path):
    use = Dataset.model_validate({"augmentation": {"crop_padding": 2}})
    plain, augmented = tmp_path / "corrected", tmp_path / "corrected+e2"
    for folder in (plain, augmented):
        pretrain(inputs, folder, folder.name, use)
    assert np.array_equal(said(plain), said(augmented))
    assert not np.allclose(said(plain, "train"), said(augmented, "train"), atol=1e-2)


@pytest.fixture(scope="module")
def finetuned(digits, tmp_path_factory):
    """An original and a run of one epoch of finetuning."""
    folder = tmp_path_factory.mktemp("finetuned")
    inputs = Inputs(digits / "store", digits / "held-out.json", digits / "forget.json")
    pretrain(inputs, folder / "original")
    unlearn_run(inputs, run_in(folder / "run"), folder / "original", "finetune", {"epochs": 1})
    return folder


def test_weights_of_another_run_are_evaluated_anew_only(inputs, finetuned, tmp_path):
    run = run_in(tmp_path / "again", "corrected+e2")
    original = finetuned / "original"
    unlearn_run(inputs, run, original, "finetune", {"epochs": 1}, finetuned / "run")
    weights = [folder / "model.safetensors" for folder in (finetuned / "run", run.out)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    mine, theirs = record(run.out), record(finetuned / "run")
    assert mine["time"]["unlearn"] == theirs["time"]["unlearn"]
    assert mine["notes"]["left_in_train_mode"] is True
    assert mine["notes"]["weights_of"].endswith("run")


@pytest.mark.parametrize(
    ("change", "said_of_it"),
    [
        ({"hyperparameters": {"epochs": 2}}, "hyperparameters = "),
        ({"method": "lotus"}, "method = 'finetune', here 'lotus'"),
        ({"seed": 2}, "seed = 1, here 2"),
        ({"protocol": "corrected+t2"}, "switches = []"),
        ({"forget_set": "other.json"}, "was not made from"),
    ],
)
def test_weights_of_a_run_that_differs_are_refused(
    inputs, digits, finetuned, tmp_path, change, said_of_it
):
    run = run_in(tmp_path / "again", change.get("protocol", "corrected"), change.get("seed", 1))
    wanted = Inputs(inputs.store, inputs.held_out, digits / change.get("forget_set", "forget.json"))
    given = change.get("hyperparameters", {"epochs": 1})
    with pytest.raises(LotusError, match="not those of this run") as caught:
        unlearn_run(
            wanted,
            run,
            finetuned / "original",
            change.get("method", "finetune"),
            given,
            finetuned / "run",
        )
    assert said_of_it in str(caught.value)
    assert not run.out.exists()


def test_a_method_that_ends_in_nonsense_is_recorded_as_collapsed(inputs, finetuned, tmp_path):
    for name, given, why in (
        ("diverged", {"epochs": 1, "lr": 1e20}, "not finite"),
        ("confused", {"epochs": 1, "lr": 2.0}, "near chance"),
    ):
        run = run_in(tmp_path / name)
        unlearn_run(inputs, run, finetuned / "original", "finetune", given)
        assert record(run.out)["notes"]["outcome"].startswith("collapsed: ")
        assert why in predictions_file.why_collapsed(run.out / "predictions.npz")
    assert record(finetuned / "run")["notes"]["outcome"] == "sound"


ROOT = Path(__file__).parents[2]


def command(digits, out, *options):
    """`lotus pretrain` in a process of its own, with its log beside the run."""
    training = {"epochs": 12, "warmup_epochs": 2, "batch_size": 200, "patience": 9}
    architecture = {**RESNET, "training": training}
    call = [sys.executable, "-m", "lotus", "--log", out.with_suffix(".log"), "pretrain"]
    call += ["--store", digits / "store", "--held-out", digits / "held-out.json", "--seed", 1]
    call += ["--device", "cpu", "--out", out, "--architecture", json.dumps(architecture)]
    call += ["--images", "{augmentation: {crop_padding: 1}}", *options]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*map(str, call)], env=variables)


def test_a_killed_command_goes_on_where_it_was(digits, tmp_path):
    out, log = tmp_path / "killed", tmp_path / "killed.log"
    undisturbed = command(digits, tmp_path / "undisturbed")
    process, deadline = command(digits, out, "--checkpoint-every", 0), time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if log.exists() and "epoch 4/12" in log.read_text():
            process.send_signal(signal.SIGKILL)
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL
    assert (out / "checkpoint.pt").is_file()
    assert not (out / "run.json").exists()
    assert command(digits, out).wait() == 0
    assert undisturbed.wait() == 0

    (after,) = record(out)["notes"]["resumed_after_epochs"]
    assert 3 <= after < 12
    assert f"resumed after epoch {after}\n" in log.read_text()
    assert f"epoch {after}/12" not in log.read_text()
    assert record(tmp_path / "undisturbed")["notes"]["resumed_after_epochs"] == []
    for name in ("model.safetensors", "predictions.npz"):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    mine, theirs = (record(folder)["notes"]["epochs"] for folder in (out, tmp_path / "undisturbed"))
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    seconds = [epoch["seconds"] for epoch in mine]
    assert seconds == sorted(seconds)
    assert record(out)["time"]["train"] >= seconds[-1] > seconds[after]
    left = {"model.safetensors", "predictions.npz", "run.json"}
    assert {path.name for path in out.iterdir()} == left


def test_another_recipe_does_not_take_the_checkpoint(inputs, tmp_path, monkeypatch):
    plain = Inputs(inputs.store, inputs.held_out)
    for lr, expected in ((0.05, []), (0.1, []), (0.1, [2])):
        run = Run(tmp_path / "run", seed=1, device="cpu", threads=1, checkpoint_every=0)
        section = {**RESNET, "training": {**RESNET["training"], "lr": lr}}
        with monkeypatch.context() as patched:
            # What is left of a process that was killed before its record was written.
            patched.setattr("lotus.engine.checkpoint.Checkpoint.remove", lambda _: None)
            train_run("original", plain, run, ARCHITECTURE.validate_python(section), Dataset())
        assert record(run.out)["notes"]["resumed_after_epochs"] == expected


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
    monkeypatch.setattr(pretrained, "SHAPE", (1, 8, 8))
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


# Synthetic images in place of validation images

LOTUS = {"epochs": 2, "batch_size": 100}


@pytest.fixture
def synthetic(digits, tmp_path):
    """Store indices → a store of these digits, with another mean; keys change what else is in it."""
    store = open_store(digits / "store")

    def make(indices, part="test", classes=store.classes, pixels=None):
        pixels = store.images[indices] if pixels is None else pixels
        source = {"dataset": "synthetic", "mean": [0.5], "std": [0.1]}
        parts = {part: (0, len(indices))}
        content = Content(pixels, store.labels[indices], parts, classes)
        write_store(tmp_path / "synthetic", pixels, content, source, None)
        return tmp_path / "synthetic"

    return make


def calibrated(inputs, store):
    return replace(inputs, calibration=store)


def test_calibration_images_take_the_place_of_validation_images(
    inputs, digits, finetuned, synthetic, tmp_path
):
    original, val = finetuned / "original", load_held_out(digits / "held-out.json").val
    usual, same, few = (run_in(tmp_path / name, "corrected") for name in ("usual", "same", "few"))
    unlearn_run(inputs, usual, original, "lotus", LOTUS)
    # Of the validation images' own pixels, their stand-ins differ in nothing.
    unlearn_run(calibrated(inputs, synthetic(val)), same, original, "lotus", LOTUS)
    weights = [(run.out / "model.safetensors").read_bytes() for run in (usual, same)]
    assert weights[0] == weights[1]
    assert np.array_equal(said(same.out, "calibration"), said(same.out, "val"))
    unlearn_run(calibrated(inputs, synthetic(val[:3])), few, original, "lotus", LOTUS)
    assert (few.out / "model.safetensors").read_bytes() != weights[0]
    assert len(said(few.out, "calibration")) == 3

    content = record(same.out)
    assert content["settings"]["calibration"] == "synthetic"
    assert any("synthetic/source.json" in name for name in content["inputs"])
    assert "calibration" not in record(usual.out)["settings"]

    files = {"original": original, "usual": usual.out, "same": same.out, "few": few.out}
    files = {row: folder / "predictions.npz" for row, folder in files.items()}
    evaluate_runs(files, 1, {}, tmp_path / "metrics.json", tmp_path / "record.json")
    rows = json.loads((tmp_path / "metrics.json").read_text())["rows"]
    assert rows["usual"]["mia_released_e5_e6"] is None
    assert rows["same"]["mia_released_e5_e6"] == rows["same"]["mia_released_e6"]
    assert rows["few"]["mia_released_e5_e6"] is not None
    assert rows["few"]["avg_gap"] is None
    assert rows["few"]["rf_jsd"] is not None


def test_calibration_images_of_a_training_part(inputs, finetuned, synthetic, tmp_path):
    store = synthetic(np.arange(20), part="train")
    run = run_in(tmp_path / "run")
    unlearn_run(calibrated(inputs, store), run, finetuned / "original", "lotus", LOTUS)
    assert len(said(run.out, "calibration")) == 20


def test_calibration_images_that_are_not_like_the_others_are_refused(
    inputs, digits, finetuned, synthetic, tmp_path
):
    classes = open_store(digits / "store").classes
    some = np.arange(4)
    for keys, parts in (
        ({"classes": ("zero", "uno", *classes[2:])}, ["calibration class 1 is 'uno'", "'one'"]),
        ({"classes": (*classes, "ten")}, ["11 classes", "must be 10"]),
        ({"pixels": np.zeros((4, 8, 8, 3), np.uint8)}, ["3×8×8", "must be 1×8×8"]),
        ({"pixels": np.zeros((4, 9, 8, 1), np.uint8)}, ["1×9×8", "must be 1×8×8"]),
        ({"part": "other"}, ["neither test nor training images"]),
    ):
        store = synthetic(some, **keys)
        with pytest.raises(LotusError) as caught:
            unlearn_run(
                calibrated(inputs, store),
                run_in(tmp_path / "run"),
                finetuned / "original",
                "lotus",
                LOTUS,
            )
        (line,) = str(caught.value).splitlines()
        assert all(part in line for part in ("synthetic: ", *parts)), line
        assert not (tmp_path / "run").exists()


def test_calibration_images_may_have_another_size_if_they_are_seen_alike(digits, synthetic):
    store = open_store(digits / "store")
    found = synthetic(np.arange(4), pixels=np.zeros((4, 16, 16, 1), np.uint8))
    with pytest.raises(LotusError, match="1×16×16; must be 1×8×8"):
        open_calibration(found, store, Dataset())
    assert len(open_calibration(found, store, Dataset(resize=8)).indices) == 4


def test_weights_of_a_run_with_another_calibration_set_are_refused(
    inputs, finetuned, synthetic, tmp_path
):
    given, original = {"epochs": 1}, finetuned / "original"
    with_set = calibrated(inputs, synthetic(np.arange(20)))
    unlearn_run(with_set, run_in(tmp_path / "first"), original, "finetune", given)
    for wanted, there in (
        (with_set, finetuned / "run"),
        (inputs, tmp_path / "first"),
    ):
        with pytest.raises(LotusError, match="calibration = "):
            run = run_in(tmp_path / "again")
            unlearn_run(wanted, run, original, "finetune", given, there)
