"""A valid file of each kind that is read from outside, and what reads it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from attested import attest_by_hand
from hand_made import digest_of, write_by_hand
from metrics_files import GOLD, ORIGINAL, PLACE, experiment_of, scores
from tiny import CELL, FORGET_SET, HELD_OUT, ROWS, STORE

from lotus.audit import right_predictions
from lotus.certificate.form import read_certificate
from lotus.claims import verdicts
from lotus.claims.stated import load_claims
from lotus.data.forget_lists import read_list
from lotus.data.forget_rules import LOSSES, load_known
from lotus.data.forget_sheet import read_forget_sheet
from lotus.data.splits import load_forget_set, load_half, load_held_out
from lotus.data.store import open_store, read_names
from lotus.predictions import maps_file
from lotus.predictions.predictions_file import load, why_collapsed
from lotus.records import digests, kept_sources
from lotus.records.attestations import find_attestation
from lotus.records.reading import find_record, read_record
from lotus.records.seal import sealed
from lotus.results.attack_scores import load_scores
from lotus.results.attacks import load_attacks, load_klom, read_attacks
from lotus.results.entropies import load_entropies
from lotus.results.experiment import read_experiment
from lotus.results.lookalikes import audit_table
from lotus.results.metrics import load_metrics
from lotus.results.metrics_file import read_metrics
from lotus.results.power import ABOUT, GROUPS, read_power
from lotus.results.run_records import apart, judged, load_costs, load_courses, load_times
from lotus.tracking.dvc_files import dvc_entries_of, locked_stores


@dataclass(frozen=True)
class Valid:
    """A valid file.

    Attributes:
        path: where it lies, relative to the folder in which the readers run.
        content: its bytes; of JSON and YAML the tree.
        readers: each reads it.

    """

    path: str
    content: Any
    readers: tuple[Callable[[Path], Any], ...]

    @property
    def sort(self) -> str:
        return Path(self.path).suffix.removeprefix(".")


RUN = {"dataset": "toy", "architecture": "net", "seed": 3, "row": "lotus", "protocol": "corrected"}
HEX = "0" * 64


def run_record(folder: Path) -> dict[str, Any]:
    """A record as a run with LoTUS leaves it."""
    path = write_by_hand(
        folder / "results/toy/run.json",
        about={**RUN, "scenario": "instance-10"},
        settings={"method": "lotus", "hyperparameters": {"alpha": 2.0, "epochs": 1}},
        inputs={"data/stores/toy/images.npy": digest_of("x")},
        outputs={f"{CELL}/lotus/predictions.npz": digest_of("y")},
        records={"results/toy/store.json": digest_of("z")},
        time={"unlearn": 1.0, "prepare": 0.5},
        notes={
            "epochs": [{"temperature": 1.5, "forget_accuracy": 0.9, "gap": 0.2}],
            "collapsed": "",
        },
    )
    return json.loads(path.read_text())


def metrics() -> dict[str, Any]:
    rows = {"original": ORIGINAL, "gold": GOLD, "lotus": scores(0.9, 1.0, 0.8, 0.7, jsd=0.1)}
    said = {
        row: {"path": f"results/{row}/predictions.npz", "sha256": digest_of(row)} for row in rows
    }
    images = {"forget": 20, "retain": 60}
    return {
        **PLACE,
        "protocol": "corrected",
        "seed": 1,
        "images": images,
        "rows": rows,
        "objectives": {"gold": 0.1, "lotus": None},
        "predictions": said,
    }


def attacks() -> dict[str, Any]:
    found = {
        **{"auc": 0.54, "auc_low": 0.5, "auc_high": 0.59, "tpr_at_1_fpr": 0.01, "tpr_low": 0.0},
        **{"tpr_high": 0.05, "finest_fpr": 0.0025, "images": 193, "others": 399, "left_out": 0},
        **{"reference_models": 0, "seeds": {"3": 0.55, "13": 0.54}, "why": ""},
    }
    predictions = [{"row": "lotus", "seed": 3, "path": "results/p.npz", "sha256": HEX}]
    return {
        **PLACE,
        **{"protocol": "corrected", "fpr": 0.01, "forgets_a_class": False, "collapsed": {}},
        **{"rows": {"lotus": {"entropy": found, "loss": {"auc": None, "why": "none"}}}, "klom": {}},
        "predictions": predictions,
    }


def experiment() -> dict[str, Any]:
    cell = {
        **PLACE,
        "study": "",
        "protocol": "corrected",
        "measured": "corrected",
        "items": ["table1"],
    }
    cell |= {"published": None, "tuned": {}, "runs": {"1": {"lotus": f"{CELL}/lotus"}}}
    cell |= {
        "methods": {"lotus": {"method": "lotus", "calibration": None, "origins": {"alpha": ["x"]}}}
    }
    made = {"folder": "paper", "name": "table1", "kind": "table1", "about": {"dataset": "toy"}}
    whole = dict(experiment_of(cell).described)
    whole["settings"] |= {
        "title": "Toy",
        "datasets": {},
        "architectures": {"net": {}},
        "tuning": None,
    }
    return {**whole, "tables": [made], "figures": []}


def look_alikes() -> dict[str, Any]:
    part = {"images": 10, "pairs": 0, "dropped": 0, "class_counts": [5, 5]}
    parts = dict.fromkeys(("forget", "retain", "val", "test"), part)
    across = dict.fromkeys(
        ("forget-retain", "forget-val", "forget-test", "retain-val", "retain-test", "val-test"), 0
    )
    pictures = {"7": {"shape": [1, 3, 1], "pixels": "AAEC"}}
    similarity = {"histogram": [0, 1], "pairs": 100, "of": 100}
    return {
        **{
            "dataset": "toy",
            "scenario": "instance-10",
            "seed": 3,
            "distance": 0,
            "pictures": pictures,
        },
        **{"classes": ["a", "b"], "parts": parts, "across": across, "similarity": similarity},
        "groups": [],
    }


def power() -> dict[str, Any]:
    p = {name: [0.05, 1.0] for name in GROUPS}
    return {
        "about": {key: PLACE.get(key, "corrected") for key in ABOUT},
        **{"seed": 1, "level": 0.05, "measures": {"jsd": {"label": "JSD", "p": p}}},
    }


def certificate() -> dict[str, Any]:
    original, file = (
        {"path": f"{CELL}/{row}/model.safetensors", "sha256": HEX} for row in ("original", "lotus")
    )
    line = {"label": "Forget acc.", "before": 1.0, "after": 0.9, "gold": None, "floor": None}
    attack = {"label": "LiRA", "images": 10, "reference_models": 2, "before": 0.5, "after": None}
    seen = {"alarms": 1, "models": 20}
    groups = ("golds", "nothing", "half", "lookup", "temperature", "train_mode")
    pair = {"forgotten": 1, "kept": 2, "kept_name": "b.png", "bits": 3, "same_pixels": False}
    image = {"id": 1, "name": "a.png", "label": "cat", "sha256": HEX, "of": "file"}
    return {
        **{"format": 1, "kind": "certificate", "run": f"{CELL}/lotus"},
        "asked": {
            **{"dataset": "toy", "scenario": "instance-10", "rule": "some", "digest": HEX},
            **{"images": [image], "kept": 60},
        },
        "done": {
            **{
                "method": "lotus",
                "hyperparameters": {"alpha": 2.0},
                "protocol": "corrected",
                "seed": 3,
            },
            **{"started": "2026-01-01T00:00:00+00:00", "seconds": 1.5, "command": "lotus unlearn"},
            **{"original": original, "checkpoint": None, "unlearned": file, "tensors": HEX},
        },
        "measured": {
            **{"collapsed": "", "lines": [line], "absent": ["no gold"]},
            "attacks": [{**attack, "low": None, "high": None}],
        },
        "strength": {"unknown": "", "checks": [{"label": "JSD", **dict.fromkeys(groups, seen)}]},
        "look_alikes": {"within": 5, "found": 1, "pairs": [pair]},
        **{"proves": ["this"], "does_not_prove": ["that"], "files": [original, file]},
        "records": {f"{CELL}/lotus/run.json": HEX},
        "environment": {
            **{"code": "0" * 16, "commit": None, "dirty": None, "versions": {"numpy": "2.0"}},
            "hardware": {"device": "cpu"},
        },
        "made": {"command": "lotus certificate make", "started": "2026-01-01T00:00:00+00:00"},
    }


def sheet() -> dict[str, Any]:
    return {
        **{"digest": HEX, "images": 100, "positions": [17, 19], "classes": ["zero", "one"]},
        **{"columns": 10, "height": 8, "width": 8},
    }


def claims() -> list[Any]:
    stated = Path(__file__).parents[2] / "report/claims.yaml"
    return yaml.safe_load(stated.read_text())[:4]


def judged_claims() -> dict[str, Any]:
    return {
        "format": verdicts.FORMAT,
        "method": "sign",
        "claims": [{"id": "a", "says": "b", "rulings": []}],
    }


def read_losses(path: Path) -> None:
    load_known(path, open_store(STORE), LOSSES)


def read_store_of(path: Path) -> None:
    read_names(open_store(path.parent))


def arrays_of(path: str) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return dict(arrays)


def scores_arrays() -> dict[str, np.ndarray]:
    each = {
        "images": np.arange(3),
        "scores": np.ones(3, np.float32),
        "outdone": np.ones(3, np.float32),
    }
    return {
        "dataset": np.array("toy"),
        **{f"lotus/loss/3/{key}": value for key, value in each.items()},
    }


def entropies_arrays() -> dict[str, np.ndarray]:
    return {
        "rows": np.array(["original", "lotus"]),
        "collapsed": np.array([False, True]),
        **{f"original/{name}": np.ones(3, np.float32) for name in ("forget", "retain", "test")},
    }


def maps_arrays() -> dict[str, np.ndarray]:
    shapes = {"maps": (2, 3, 4, 4), "probabilities": (2, 3), "pixels": (3, 4, 4, 1)}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    arrays |= {name: np.arange(3) for name in ("indices", "labels")}
    return {
        **arrays,
        "pixels": np.zeros(shapes["pixels"], np.uint8),
        "rows": np.array(["original", "lotus"]),
        "collapsed": np.array(["", ""]),
        "classes": np.array(["a", "b", "c"]),
    }


def valid_files(folder: Path) -> list[Valid]:
    """The files that lie, or are to lie, in the present folder: the project of `tiny.write_project`."""
    record = run_record(folder)
    attestation = json.loads(attest_by_hand([f"{CELL}/lotus"], out=folder / "a.json").read_text())
    forget_set, held_out = (json.loads(Path(name).read_text()) for name in (FORGET_SET, HELD_OUT))
    source, classes = (
        json.loads((STORE / name).read_text()) for name in ("source.json", "classes.json")
    )
    train = source["parts"]["train"]
    labels = np.load(STORE / "labels.npy")[slice(*train)].tolist()
    losses = {"indices": [*range(*train)], "labels": labels, "losses": [0.5] * len(labels)}
    use = {"collapsed": "", "accuracy": 0.9, "largest": 0.1}
    outs = [{"path": f"{CELL}/lotus/predictions.npz", "md5": "0" * 32, "size": 5, "hash": "md5"}]
    stores = [{"path": str(STORE), "md5": f"{'0' * 32}.dir", "nfiles": 4, "hash": "md5"}]
    runs = (lambda p: load_times([p]), lambda p: load_costs([p]), lambda p: load_courses([p]))
    mixed = (lambda p: apart([p]), lambda p: judged([p]))
    return [
        Valid("results/toy/run.json", record, (read_record, find_record, *runs, *mixed)),
        Valid("results/toy/m.json", metrics(), (read_metrics, lambda p: load_metrics([p]), *mixed)),
        Valid(
            "results/toy/attacks.json",
            attacks(),
            (read_attacks, lambda p: load_attacks([p]), lambda p: load_klom([p])),
        ),
        Valid(
            "results/experiment.json",
            experiment(),
            (read_experiment, lambda p: read_experiment(p, for_page=True)),
        ),
        Valid("results/audit.json", look_alikes(), (audit_table,)),
        Valid("results/power.json", power(), (read_power,)),
        Valid("certificates/c.json", sealed(certificate()), (read_certificate,)),
        Valid("attestations/a.json", attestation, (find_attestation,)),
        Valid("results/sheet.json", sheet(), (read_forget_sheet,)),
        Valid("results/claims.json", judged_claims(), (verdicts.read_verdicts,)),
        Valid("claims.yaml", claims(), (load_claims,)),
        Valid("results.dvc", {"outs": outs}, (dvc_entries_of,)),
        Valid("data.dvc", {"outs": stores}, (locked_stores,)),
        Valid("splits/forget.json", forget_set, (load_forget_set,)),
        Valid("splits/held-out.json", held_out, (load_held_out,)),
        Valid("splits/half.json", {"half": [1, 2, 3], "train": [1, 2]}, (load_half,)),
        Valid("results/losses.json", losses, (read_losses,)),
        Valid(f"{STORE}/source.json", source, (read_store_of,)),
        Valid(f"{STORE}/classes.json", classes, (read_store_of,)),
        Valid("forget.txt", b'# some\na.png\n17\n"b, c.png"\n', (lambda p: read_list(p, True),)),
        Valid("ids.txt", b"1\n2\n3\n", (lambda p: read_list(p, False),)),
        Valid(".lotus/sources.json", {"rules": "x", "known": {}}, (kept_sources._load,)),
        Valid(".lotus/predictions.json", {"right": {HEX: use}}, (right_predictions.load,)),
        Valid(".lotus/digests.json", {"results/a": [1, 2, 3, 4, 5, HEX]}, (digests._load,)),
        Valid("p.npz", arrays_of(f"{ROWS['lotus']}/predictions.npz"), (load, why_collapsed)),
        Valid("scores.npz", scores_arrays(), (load_scores,)),
        Valid("entropies.npz", entropies_arrays(), (load_entropies,)),
        Valid("maps.npz", maps_arrays(), (maps_file.load,)),
    ]
