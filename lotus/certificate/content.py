"""Puts a certificate together, from what records, metrics and splits state of a run and what lies here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.certificate.form import FORMAT, KIND, Certificate
from lotus.certificate.look_alikes import find_look_alikes
from lotus.certificate.measured import measured, strength
from lotus.certificate.worth import does_not_prove, proves
from lotus.config.cells import Benchmark
from lotus.config.scenarios import ALIKE_WITHIN
from lotus.data.hashes import hash_store
from lotus.data.named_images import named_images
from lotus.data.splits import load_forget_set
from lotus.data.store import open_store
from lotus.errors import LotusError
from lotus.layout import MODEL_FILE
from lotus.lineage.build_tree import build_tree
from lotus.lineage.tree import Tree
from lotus.models import read_weights
from lotus.models.tensor_digest import tensor_digest
from lotus.names import shown
from lotus.records.environment import command_line
from lotus.records.index import Index
from lotus.records.reading import Record
from lotus.records.seal import identity, sealed
from lotus.results.metrics_file import read_metrics
from lotus.wording import first_of

PLACE = ("dataset", "architecture", "scenario", "protocol")
DESCRIBED = (*PLACE, "row", "seed")


def certify(index: Index, runs: Sequence[Path], workers: int) -> dict[Path, dict[str, Any]]:
    """Returns the contents of the certificates of unlearned models, by the folders of the models.

    Args:
        index: of the project in the present folder.
        runs: folders of the models.
        workers: processes that look for look-alikes.

    Raises:
        LotusError: there is no such model, it was not measured, or something that it was made of is
            absent or has other bytes than its record states: what does not verify is not certified.

    """
    # Once for all models on the same images.
    hashes_of = cache(lambda dataset: hash_store(open_store(layout.STORES / dataset), workers))
    return {run: _certified(index, run, hashes_of) for run in runs}


def _certified(index: Index, run: Path, hashes_of: Callable[[str], np.ndarray]) -> dict[str, Any]:
    record = _record(index, run)
    about = record.about
    cell = Benchmark(**{key: str(about[key]) for key in PLACE})
    seed, row = int(about["seed"]), str(about["row"])
    sources = _sources(index, cell, seed, record)
    split = layout.split_file(cell.dataset, seed, cell.scenario)
    chosen = load_forget_set(split)
    store = open_store(layout.STORES / cell.dataset)
    hashes = hashes_of(cell.dataset)
    found, pairs = find_look_alikes(store, hashes, chosen.forget, chosen.retain)
    rows = read_metrics(layout.metrics_file(cell, seed))["rows"]
    content = {
        "format": FORMAT,
        "kind": KIND,
        "run": run.as_posix(),
        "asked": {
            "dataset": cell.dataset,
            "scenario": cell.scenario,
            "rule": chosen.rule,
            "digest": chosen.digest,
            "images": [
                {
                    "id": image.id,
                    "name": image.name,
                    "label": image.label,
                    "sha256": image.sha256,
                    "of": "file" if image.name else "pixels",
                }
                for image in named_images(store, chosen.forget)
            ],
            "kept": len(chosen.retain),
        },
        "done": _done(index, record),
        "measured": measured(rows, cell, row),
        "strength": strength(rows, cell, row),
        "look_alikes": {
            "within": ALIKE_WITHIN,
            "found": found,
            "pairs": [pair.model_dump() for pair in pairs],
        },
        "files": _files(sources),
        "records": _records(sources),
        "environment": _environment(record),
        "made": {
            "command": command_line(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    worth = {"proves": proves(content), "does_not_prove": does_not_prove(content)}
    whole = sealed({**content, **worth})
    # What is written can be read: a number that the form does not take is found here, not by the reader.
    Certificate.model_validate(whole)
    return whole


def runs_to_certify(index: Index) -> list[Path]:
    """Returns the folders of all unlearned models of a project that were measured."""
    found = []
    for record in index.records.values():
        if record.kind == "unlearned" and not record.problem and {*DESCRIBED} <= {*record.about}:
            cell = Benchmark(**{key: str(record.about[key]) for key in PLACE})
            if layout.metrics_file(cell, record.about["seed"]).is_file():
                found.append(Path(record.path).parent)
    return found


def _record(index: Index, run: Path) -> Record:
    path = (run / layout.RUN_RECORD).as_posix()
    record = index.records.get(path)
    if record is None:
        others = [
            Path(it.path).parent.as_posix()
            for it in index.records.values()
            if it.kind == "unlearned"
        ]
        there = (
            f"; there are {first_of(others, 3)}"
            if others
            else "; `snakemake --cores all` makes them"
        )
        raise LotusError(f"{shown(run)}: is not the folder of an unlearned model{there}")
    if record.problem:
        raise LotusError(f"{path}: {record.problem}, so its model is not certified")
    if record.kind != "unlearned":
        raise LotusError(
            f"{shown(run)}: holds the {record.kind} model; accepted: the folder of an unlearned model"
        )
    if not all(key in record.about for key in DESCRIBED):
        raise LotusError(
            f"{path}: does not say of which benchmark, row and seed the model is; accepted: a model "
            "that the workflow made"
        )
    return record


def _sources(index: Index, cell: Benchmark, seed: int, record: Record) -> Tree:
    """Returns the tree of the model and of its metrics, all of whose bytes are as recorded."""
    metrics = layout.metrics_file(cell, seed)
    if not metrics.is_file():
        raise LotusError(
            f"{metrics}: is absent, so nothing was measured of {shown(Path(record.path).parent)}; "
            "`snakemake --cores all` measures it"
        )
    trees = [build_tree(index, path) for path in (_model(record), metrics.as_posix())]
    problems = list(dict.fromkeys(problem for tree in trees for problem in tree.problems))
    if problems:
        raise LotusError(
            f"{shown(Path(record.path).parent)}: is not certified, since not all that it was made of is as "
            f"recorded: {first_of(problems, 3)} (`lotus audit` lists it all)"
        )
    return Tree(trees[0].artifact, {**trees[1].nodes, **trees[0].nodes})


def _model(record: Record) -> str:
    return next(path for path in record.outputs if Path(path).name == MODEL_FILE)


def _done(index: Index, record: Record) -> dict[str, Any]:
    content, settings = record.content, record.settings
    model = _model(record)
    original = next(path for path in record.inputs if Path(path).name == MODEL_FILE)
    made = index.producer(original)
    checkpoint = made.content["notes"].get("checkpoint") if made is not None else None
    return {
        "method": settings["method"],
        "hyperparameters": settings["hyperparameters"],
        "protocol": settings["protocol"],
        "seed": record.about["seed"],
        "started": record.started,
        "seconds": float(content["time"]["total"]),
        "command": content["command"],
        "original": {"path": original, "sha256": record.inputs[original]},
        "checkpoint": _checkpoint(checkpoint),
        "unlearned": {"path": model, "sha256": record.outputs[model]},
        "tensors": tensor_digest(read_weights(Path(model))),
    }


def _checkpoint(noted: Mapping[str, Any] | None) -> dict[str, str] | None:
    return None if noted is None else {"path": noted["file"], "sha256": noted["sha256"]}


def _files(sources: Tree) -> list[dict[str, str]]:
    stated: dict[str, str] = {}
    for node in sources.nodes.values():
        stated |= {path: found for path, found in node.found.items() if found}
    return [{"path": path, "sha256": stated[path]} for path in sorted(stated)]


def _records(sources: Tree) -> dict[str, str]:
    records = {node.record.path: node.record for node in sources.nodes.values() if node.record}
    return {path: identity(records[path].content) for path in sorted(records)}


def _environment(record: Record) -> dict[str, Any]:
    content = record.content
    return {
        "code": content["code"]["step"],
        "commit": content["code"]["commit"],
        "dirty": content["code"]["dirty"],
        "versions": content["versions"],
        "hardware": content["hardware"],
    }
