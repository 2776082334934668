"""Synthetic images in place of validation images."""

import json
from dataclasses import replace

import numpy as np
import pytest
from runs_on_digits import record, run_in, said

from lotus.config.images import Dataset
from lotus.data.calibration import open_calibration
from lotus.data.content import Content
from lotus.data.splits import load_held_out
from lotus.data.store import open_store, write_store
from lotus.errors import LotusError
from lotus.runs.evaluation import evaluate_runs
from lotus.runs.unlearn import unlearn_run

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
        ({"classes": (*classes, "ten")}, ["11 classes", "must have 10"]),
        ({"pixels": np.zeros((4, 8, 8, 3), np.uint8)}, ["3×8×8", "but need 1×8×8"]),
        ({"pixels": np.zeros((4, 9, 8, 1), np.uint8)}, ["1×9×8", "but need 1×8×8"]),
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
    with pytest.raises(LotusError, match="1×16×16, but need 1×8×8"):
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
