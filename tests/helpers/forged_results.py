"""Forgeries of splits, predictions, metrics and stores, each by what docs/audit.md calls it."""

import json
import shutil
from pathlib import Path

import numpy as np
from forging import (
    deal_anew,
    declare_collapsed,
    edit_arrays,
    edit_json,
    edit_record,
    exchange,
    forgery,
    moved,
    name_predictions_anew,
    record_anew,
)
from safetensors.numpy import save_file
from tiny import CELL, FORGET_SET, HELD_OUT, METRICS, ROWS, STORE

from lotus import layout
from lotus.data import splits
from lotus.predictions import collapse
from lotus.records.ledger import seal

RUN, PREDICTIONS = f"{CELL}/lotus/run.json", f"{CELL}/lotus/predictions.npz"
OF_METRICS = METRICS.replace("results/", "results/records/")
OF_SPLIT = FORGET_SET.replace("results/", "results/records/")
MAPS = f"{CELL}/gradcam.npz"


@forgery("an artifact alone, or with its record, and nothing else")
def _():
    edit_record(RUN, lambda it: it["settings"]["hyperparameters"].update(alpha=3.0))
    return RUN, "not the record that"


@forgery("predictions, and the metrics not made anew")
def _():
    edit_arrays(PREDICTIONS, lambda it: it["test.logits"].__setitem__(0, 9.0))
    record_anew()
    return METRICS, f"computed from other bytes of {PREDICTIONS}"


@forgery("the labels of predictions")
def _():
    edit_arrays(PREDICTIONS, lambda it: it["test.labels"].__setitem__(slice(0, 2), 3))
    name_predictions_anew(METRICS)
    record_anew()
    return PREDICTIONS, "test set has 2 images (first: 100) with another label than toy has"


@forgery("which images are forgotten: some are exchanged, in split and predictions")
def _():
    split = json.loads(Path(FORGET_SET).read_text())
    forget, retain = split["forget"], split["retain"]
    forget[:12], retain[:12] = retain[:12], forget[:12]
    chosen = splits.ForgetSet(split["rule"], np.array(forget), np.array(retain), False)
    splits.save_forget_set(Path(FORGET_SET), chosen)
    edit_record(OF_SPLIT, lambda it: it["notes"].update(digest=chosen.digest))
    for row in ("gold", "lotus"):
        edit_arrays(f"{ROWS[row]}/predictions.npz", deal_anew({"forget": forget, "retain": retain}))
    name_predictions_anew(METRICS)
    record_anew()
    return FORGET_SET, "forget set differs by 24 images from what labels, settings and seed 3 give"


@forgery("the halves of the held-out images")
def _():
    def change(halves):
        val, test = halves["val"], halves["test"]
        halves.update(val=sorted([*val[:-1], test[0]]), test=sorted([val[-1], *test[1:]]))

    edit_json(HELD_OUT, change)
    halves = json.loads(Path(HELD_OUT).read_text())
    for folder in ROWS.values():
        edit_arrays(f"{folder}/predictions.npz", deal_anew(halves))
    name_predictions_anew(METRICS)
    record_anew()
    return HELD_OUT, "val set differs by 2 images"


@forgery("the seed of a split, in its record")
def _():
    edit_record(OF_SPLIT, lambda it: it["about"].update(seed=4))
    record_anew()
    return OF_SPLIT, "is about what belongs into results/toy/splits/seed4/instance-10.json"


@forgery("the rule of a split, in its record")
def _():
    edit_record(OF_SPLIT, lambda it: it["settings"].update(forget_per_class=6))
    record_anew()
    return FORGET_SET, "forget set differs by 4 images"


SAID = "retain accuracy 0.250 is near chance (at most 0.288)"


@forgery("a sound run, declared collapsed: in predictions, record and metrics")
def _():
    declare_collapsed(Path(PREDICTIONS), SAID)
    edit_record(RUN, lambda it: it["notes"].update(outcome=collapse.outcome(SAID)))
    edit_json(METRICS, lambda it: it["rows"]["lotus"].update(collapsed=SAID))
    name_predictions_anew(METRICS)
    record_anew()
    return (
        PREDICTIONS,
        "is declared collapsed (retain accuracy 0.250 is near chance (at most 0.288)), and",
    )


@forgery("a sound run, declared collapsed by its weights")
def _():
    declare_by_weights(collapse.not_finite("head.weight"))
    return PREDICTIONS, "and these weights are finite"


@forgery("a sound run, declared failed")
def _():
    declare_by_weights(f"{collapse.FAILED}method lotus raised ValueError: so it is")
    return PREDICTIONS, "and some of its weights are finite"


def declare_by_weights(said):
    save_file({"head.weight": np.ones(2, np.float32)}, f"{CELL}/lotus/model.safetensors")
    declare_collapsed(Path(PREDICTIONS), said)
    edit_record(RUN, lambda it: it["notes"].update(outcome=collapse.outcome(said)))
    edit_json(METRICS, lambda it: it["rows"]["lotus"].update(collapsed=said))
    name_predictions_anew(METRICS)
    record_anew()


@forgery("a sound run, declared collapsed: in metrics alone")
def _():
    edit_json(METRICS, lambda it: it["rows"]["lotus"].update(collapsed=SAID))
    record_anew()
    return METRICS, f"its row lotus is collapsed ({SAID}), by {PREDICTIONS} it is sound"


@forgery("a run that lost most of what the original knows, passed off as sound in metrics")
def _():
    def worse(metrics):
        for row, accuracy in (("original", 0.95), ("lotus", 0.5)):
            metrics["rows"][row]["accuracy_retain"] = accuracy

    edit_json(METRICS, worse)
    record_anew()
    return (
        METRICS,
        f"its row lotus is sound, by {PREDICTIONS} it is collapsed (retain accuracy 0.500: ",
    )


@forgery("a collapsed run, passed off as sound")
def _():
    edit_arrays(PREDICTIONS, answer_one_class)
    name_predictions_anew(METRICS)
    record_anew()
    return PREDICTIONS, "is not declared collapsed, and its predictions are right for 0.250"


def answer_one_class(arrays):
    for name in arrays:
        if name.endswith("logits"):
            arrays[name][:, 0] = 99


@forgery("the same under a protocol that asks other images (E2) or a changed network (E1)")
def _():
    def change(record):
        record["settings"]["protocol"] = record["about"]["protocol"] = "released"
        record["notes"].update(outcome=collapse.outcome(SAID), left_in_train_mode=True)
        record["path"] = released + "/run.json"
        record["outputs"] = {f"{released}/{Path(it).name}": "" for it in record["outputs"]}

    released = f"{CELL.replace('/corrected', '/released')}/lotus"
    shutil.copytree(f"{CELL}/lotus", released)
    declare_collapsed(Path(released, "predictions.npz"), SAID)
    edit_record(f"{released}/run.json", change)
    layout.LEDGER.unlink()
    seal(layout.LEDGER)
    record_anew()
    return (
        f"{released}/predictions.npz",
        "under its protocol others were asked than it was judged by",
    )


@forgery("images or labels of a store (of more than 256 MB of images: with `--full`)")
def _():
    images = np.load(STORE / "images.npy")
    images[0] = 255 - images[0]
    np.save(STORE / "images.npy", images)
    record_anew()
    return "results/toy/store.json", "its source.json states another"


@forgery("metrics of another row's predictions")
def _():
    def change(content):
        named = content["predictions"]
        named["lotus"], named["gold"] = named["gold"], named["lotus"]

    edit_json(METRICS, change)
    record_anew()
    return METRICS, "its row lotus is of row gold"


@forgery("metrics with the name of another protocol, seed or data set")
def _():
    edit_json(METRICS, lambda it: it.update(seed=4))
    record_anew()
    return METRICS, f"is of seed 4, {OF_METRICS} of 3"


@forgery("two runs that change places, each still about its own row")
def _():
    for name in ("model.safetensors", "predictions.npz", "run.json"):
        exchange(f"{CELL}/lotus/{name}", f"{CELL}/gold/{name}")
    for row in ("lotus", "gold"):
        edit_record(f"{CELL}/{row}/run.json", lambda it, row=row: moved(it, f"{CELL}/{row}"))
    record_anew()
    return RUN, f"is about what belongs into {CELL}/gold/run.json"


@forgery("the forget set that a run notes")
def _():
    edit_record(
        RUN, lambda it: it["notes"].update(forget_set={"rule": "x", "digest": "y", "images": 20})
    )
    record_anew()
    return RUN, f"notes another forget set than {OF_SPLIT}"


@forgery("Grad-CAM maps: their rows, images, or which model has collapsed")
def _():
    edit_arrays(MAPS, lambda it: it.update(collapsed=np.array(["", "", SAID])))
    record_anew()
    return MAPS, f"its row lotus is collapsed ({SAID}), its run is sound"


def exchange_at_random(path, one, other, rng):
    """Exchanges some images of two parts of a split, in its record and in all predictions too."""
    split = json.loads(Path(path).read_text())
    count = rng.randint(1, min(len(split[one]), len(split[other])))
    mine, theirs = rng.sample(split[one], count), rng.sample(split[other], count)
    parts = {
        one: [*(it for it in split[one] if it not in mine), *theirs],
        other: [*(it for it in split[other] if it not in theirs), *mine],
    }
    edit_json(path, lambda it: it.update(parts))
    for row, folder in ROWS.items():
        if row != "original" or one == "val":
            edit_arrays(f"{folder}/predictions.npz", deal_anew(parts))
    name_predictions_anew(METRICS)
    return path


def images_of_a_split(rng):
    """Others are forgotten, or others held out for the test."""
    chosen = rng.choice([(FORGET_SET, "forget", "retain"), (HELD_OUT, "val", "test")])
    return exchange_at_random(*chosen, rng)


def label_of_a_prediction(rng):
    """One image gets another label."""

    def change(arrays):
        labels = arrays[rng.choice([name for name in arrays if name.endswith("labels")])]
        place = rng.randrange(len(labels))
        labels[place] = (labels[place] + rng.randint(1, 3)) % 4

    path = f"{rng.choice([*ROWS.values()])}/predictions.npz"
    edit_arrays(path, change)
    name_predictions_anew(METRICS)
    return path


def byte_of_a_store(rng):
    """One pixel, or one label."""
    path = STORE / rng.choice(["images.npy", "labels.npy"])
    values = np.load(path)
    place = tuple(rng.randrange(size) for size in values.shape)
    values[place] = (values[place] + 1) % 4
    np.save(path, values)
    return "results/toy/store.json"


def answer_of_a_model(rng):
    """One logit, and metrics that are not made anew."""

    def change(arrays):
        logits = arrays[rng.choice([name for name in arrays if name.endswith("logits")])]
        logits[rng.randrange(len(logits)), rng.randrange(4)] += rng.uniform(0.1, 9)

    edit_arrays(f"{rng.choice([*ROWS.values()])}/predictions.npz", change)
    return METRICS


def use_of_a_model(rng):
    """Declared collapsed, with some number."""
    said = f"retain accuracy {rng.random():.3f} is near chance (at most 0.288)"
    folder = rng.choice([*ROWS.values()])
    path = f"{folder}/predictions.npz"
    declare_collapsed(Path(path), said)
    edit_record(f"{folder}/run.json", lambda it: it["notes"].update(outcome=f"collapsed: {said}"))
    row = next(row for row, of in ROWS.items() if of == folder)
    edit_json(METRICS, lambda it: it["rows"][row].update(collapsed=said))
    name_predictions_anew(METRICS)
    return path


def name_of_a_record(rng):
    """It is about something else."""
    record, keys = rng.choice(
        [
            (RUN, ("architecture", "scenario", "row", "seed")),
            (OF_METRICS, ("dataset", "protocol", "seed")),
            (OF_SPLIT, ("dataset", "scenario", "seed")),
        ]
    )
    key = rng.choice(keys)
    edit_record(record, lambda it: it["about"].update({key: 77 if key == "seed" else "other"}))
    return record


RANDOM = (
    images_of_a_split,
    label_of_a_prediction,
    byte_of_a_store,
    answer_of_a_model,
    use_of_a_model,
    name_of_a_record,
)
"""Damages at random that are consistent but for one thing; each returns where it is found."""
