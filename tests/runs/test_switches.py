"""What switches change in runs on real digits."""

import numpy as np
from runs_on_digits import pretrain, record, run_in, said

from lotus.config.images import Dataset
from lotus.predictions import predictions_file
from lotus.runs.unlearn import unlearn_run


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
