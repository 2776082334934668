"""A small finished project without a workflow's run: files of every sort, each with its record."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from lotus.config.scenarios import Scenario
from lotus.data import content, splits
from lotus.data.store import dvc_digest
from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split
from lotus.records import record
from lotus.records.files import sha256, write_json
from lotus.records.ledger import seal
from lotus.records.record import write_record
from lotus.runs.evaluation import evaluate_runs

RUNS = "results/toy/net/seed3"
CELL = f"{RUNS}/instance-10/corrected"
METRICS = f"{CELL}/metrics.json"
TABLE = "results/tables/summary.csv"
HELD_OUT = "results/toy/splits/seed3/held-out.json"
FORGET_SET = "results/toy/splits/seed3/instance-10.json"
STORE = Path("data/stores/toy")
SOURCE = f"{STORE}/source.json"
LABELLED = np.arange(120) % 4
SCENARIO = {"forget_per_class": 5}
ROWS = {
    "original": f"{RUNS}/original/corrected",
    "gold": f"{CELL}/gold",
    "lotus": f"{CELL}/lotus",
}
PLACE = {"dataset": "toy", "architecture": "net", "scenario": "instance-10"}
LABELS = {**PLACE, "protocol": "corrected"}
SPLITS = {"retain": (20, 80), "forget": (0, 20), "val": (80, 100), "test": (100, 120)}


def put(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def step(record, kind, inputs, outputs, about, settings=None, notes=None):
    write_record(
        Path(record),
        kind=kind,
        modules=["lotus.errors"],
        about=about,
        settings=settings or {},
        inputs=[Path(name) for name in inputs],
        outputs=[Path(name) for name in outputs],
        hardware={"device": "cpu"},
        notes=notes,
        seconds={"train": 1.0},
    )


def said(seed, splits=SPLITS, classes=4):
    """What some model says of images, by split."""
    rng = np.random.default_rng(seed)
    labels = LABELLED % classes
    logits = rng.standard_normal((120, classes)).astype(np.float32)
    logits[np.arange(120), labels] += 2
    whole = Split(logits, labels, np.arange(120))
    return {name: whole.at(np.arange(*ends)) for name, ends in splits.items()}


OF_ORIGINAL = {"train": (0, 80), "val": SPLITS["val"], "test": SPLITS["test"]}


def write_project():
    """Into the present folder."""
    with pytest.MonkeyPatch.context() as patch:
        # These are slow, and nothing rests on them.
        patch.setattr(record, "package_digest", lambda: "0" * 16)
        patch.setattr(record, "versions", lambda: {"python": "3.11", "numpy": "2.0"})
        patch.setattr(record, "git_state", lambda: {"commit": "0" * 40, "dirty": False})
        _write()


def _write():
    put("Snakefile", "rule all:\n")
    put("config/toy.yaml", "title: toy\n")
    put("CITATION.cff", "title: Toy\nlicense: MIT\nauthors: [{name: A}]\n")
    put("data/embedded/toy.gz", "pixels")
    raw = {"name": "toy.gz", "sha256": sha256(Path("data/embedded/toy.gz")), "published": True}
    listed = {**raw, "path": "data/embedded/toy.gz"}
    write_json(Path("data/raw/toy.json"), {"dataset": "toy", "files": [listed]})
    _store(raw)
    outs = (f"- path: {it}/predictions.npz\n  md5: '01'\n" for it in ROWS.values())
    put("predictions.dvc", "outs:\n" + "".join(outs))
    held_out, forget_set = (
        (Path(path), Path(path.replace("results/", "results/records/")))
        for path in (HELD_OUT, FORGET_SET)
    )
    splits.write_held_out(STORE, 3, *held_out)
    rule = Scenario(**SCENARIO)
    splits.write_forget_set(STORE, rule, 3, {"scenario": "instance-10"}, *forget_set)
    for seed, (row, folder) in enumerate(ROWS.items()):
        _run(row, folder, seed)
    files = {row: Path(folder, "predictions.npz") for row, folder in ROWS.items()}
    place = Path(METRICS.replace("results/", "results/records/"))
    evaluate_runs(files, 3, LABELS, Path(METRICS), place)
    lines = (f"toy,corrected,{row},1,0.1\n" for row in ROWS)
    put(TABLE, "dataset,protocol,row,n,avg_gap\n" + "".join(lines))
    record = "results/records/tables/summary.table.json"
    step(record, "table", [METRICS], [TABLE], {"table": "summary"})
    put("results/experiment.json", "{}")
    given = {"files": ["config/toy.yaml"], "given": {}}
    record = "results/records/experiment.json"
    step(record, "experiment", [], ["results/experiment.json"], {"title": "toy"}, given)
    seal(Path("results/records/ledger.json"))


def _store(raw):
    """Pixels of noise, with labels; the publisher's own validation part, so that no draw is needed."""
    images = np.random.default_rng(0).integers(256, size=(120, 2, 2, 1), dtype=np.uint8)
    parts = {"train": [0, 80], "val": [80, 100], "test": [100, 120]}
    source = {"dataset": "toy", "parts": parts, "files": [raw]}
    source["content"] = content.digest(images, LABELLED)
    put(SOURCE, "")
    np.save(STORE / "images.npy", images)
    np.save(STORE / "labels.npy", LABELLED)
    write_json(STORE / "classes.json", ["a", "b", "c", "d"])
    write_json(Path(SOURCE), source)
    notes = {"dvc": dvc_digest(STORE), "source": source}
    settings = {"locked": None, "options": {"source": "digits"}}
    files = sorted(str(path) for path in STORE.iterdir())
    record = "results/toy/store.json"
    step(record, "store", ["data/raw/toy.json"], files, {"dataset": "toy"}, settings, notes)
    put("data.dvc", f"outs:\n- path: {STORE}\n  md5: {notes['dvc']}\n")


def _run(row, folder, seed):
    Path(folder).mkdir(parents=True, exist_ok=True)
    save_file({"layer.weight": np.full(3, seed, np.float32)}, f"{folder}/model.safetensors")
    splits = OF_ORIGINAL if row == "original" else SPLITS
    predictions_file.save(Path(folder, "predictions.npz"), said(seed, splits))
    read = [SOURCE, HELD_OUT]
    if row != "original":
        read.append(FORGET_SET)
    if row == "lotus":
        read += [f"{ROWS['original']}/model.safetensors", f"{ROWS['original']}/run.json"]
    kind = row if row in ("original", "gold") else "unlearned"
    about = {**LABELS, "row": row, "seed": 3}
    settings = {"method": row, "hyperparameters": {"alpha": 2.0}, "protocol": "corrected"}
    outputs = [f"{folder}/{name}" for name in ("model.safetensors", "predictions.npz")]
    step(f"{folder}/run.json", kind, read, outputs, about, settings, {"outcome": "sound"})
