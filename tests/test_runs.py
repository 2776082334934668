"""Runs on real digits: what switches change in them, and weights taken over from another run."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lotus import predictions, protocol
from lotus.data.build import build_store, fetch_raw
from lotus.data.calibration import open_calibration
from lotus.data.splits import (
    choose_forget_set,
    halve_held_out,
    load_held_out,
    save_forget_set,
    save_held_out,
)
from lotus.data.store import Images, open_store, write_store
from lotus.errors import LotusError
from lotus.evaluation import evaluate_runs
from lotus.runs import Inputs, Run, train_run, unlearn_run
from lotus.settings import ARCHITECTURE, Dataset, Scenario

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
    fetch_raw("digits", folder / "raw.json")
    build_store("digits", folder / "raw.json", folder / "store", None)
    store = open_store(folder / "store")
    save_held_out(folder / "held-out.json", halve_held_out(store, 1))
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
    return predictions.load(folder / "predictions.npz")[split].logits


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
        assert why in predictions.why_collapsed(run.out / "predictions.npz")
    assert record(finetuned / "run")["notes"]["outcome"] == "sound"


# Synthetic images in place of validation images

LOTUS = {"epochs": 2, "batch_size": 100}


@pytest.fixture
def synthetic(digits, tmp_path):
    """Store indices → a store of these digits, with another mean; keys change what else is in it."""
    store = open_store(digits / "store")

    def make(indices, part="test", classes=store.classes, pixels=None):
        pixels = store.images[indices] if pixels is None else pixels
        source = {"dataset": "synthetic", "mean": [0.5], "std": [0.1]}
        images = Images(pixels, store.labels[indices], {part: (0, len(indices))})
        write_store(tmp_path / "synthetic", images, classes, source, None)
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
    evaluate_runs(files, 1, {}, tmp_path / "metrics.json")
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
