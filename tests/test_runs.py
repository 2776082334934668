"""Runs on real digits: what switches change in them, and weights taken over from another run."""

import json

import numpy as np
import pytest

from lotus import predictions, protocol
from lotus.data.build import build_store, fetch_raw
from lotus.data.splits import choose_forget_set, halve_held_out, save_forget_set, save_held_out
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.runs import Inputs, Run, train_run, unlearn_run
from lotus.settings import ARCHITECTURE, Dataset, Scenario, StoreOptions

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
    fetch_raw("digits", StoreOptions(), (), folder / "raw.json")
    build_store("digits", StoreOptions(), folder / "raw.json", folder / "store", None)
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
