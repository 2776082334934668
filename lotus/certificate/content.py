"""Puts a certificate together, from what records, metrics and splits state of a run and what lies here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lotus import layout
from lotus.certificate.certified_run import CertifiedRun, find_run, unlearned_runs
from lotus.certificate.form import FORMAT, KIND, Certificate
from lotus.certificate.look_alikes import find_look_alikes
from lotus.certificate.measured import measured, strength
from lotus.certificate.numbers import has_metrics
from lotus.certificate.sources import Trees, further_files, read_sources, trees_of
from lotus.certificate.worth import does_not_prove, proves
from lotus.config.scenarios import ALIKE_WITHIN
from lotus.data.hashes import hash_store
from lotus.data.named_images import named_images
from lotus.data.splits import load_forget_set
from lotus.data.store import open_store
from lotus.lineage.tree import Tree
from lotus.models import read_weights
from lotus.models.tensor_digest import tensor_digest
from lotus.records.environment import command_line
from lotus.records.index import Index
from lotus.records.places import on_this_machine
from lotus.records.reading import Record
from lotus.records.seal import identity, sealed

HashesOf = Callable[[str], np.ndarray]
"""Data set → hashes of its images."""


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
    # Once for all models on the same images, and of the same benchmark.
    hashes_of, trees = hashes_by(workers), trees_of(index)
    return {
        run: _certified(index, find_run(index, run), trees, hashes_of)
        for run in dict.fromkeys(runs)
    }


def hashes_by(workers: int) -> HashesOf:
    """Returns what hashes the images of a data set, once however often it is asked."""
    return cache(lambda dataset: hash_store(open_store(layout.STORES / dataset), workers))


def _certified(
    index: Index, run: CertifiedRun, trees: Trees, hashes_of: HashesOf
) -> dict[str, Any]:
    content = {
        "format": FORMAT,
        "kind": KIND,
        "run": run.folder.as_posix(),
        **stated(run, further_files(index, run), trees, hashes_of),
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


def stated(
    run: CertifiedRun, further: list[Path], trees: Trees, hashes_of: HashesOf
) -> dict[str, Any]:
    """Returns what a certificate states of a run and what it was made of, as it lies here.

    Args:
        further: see `read_sources`.

    Raises:
        LotusError: as `certify`.

    """
    cell = run.cell
    sources, numbers = read_sources(trees, run, further)
    chosen = load_forget_set(run.split)
    store = open_store(layout.STORES / cell.dataset)
    found, pairs = find_look_alikes(store, hashes_of(cell.dataset), chosen.forget, chosen.retain)
    return {
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
        "done": _done(run),
        "measured": measured(numbers, run.row),
        "strength": strength(numbers, cell, run.row),
        "look_alikes": {
            "within": ALIKE_WITHIN,
            "found": found,
            "pairs": [pair.model_dump() for pair in pairs],
        },
        "files": _files(sources),
        "records": _records(sources),
        "environment": _environment(run.record),
    }


def runs_to_certify(index: Index) -> list[Path]:
    """Returns the folders of all unlearned models of a project that were measured."""
    return [run.folder for run in unlearned_runs(index) if has_metrics(run)]


def _done(run: CertifiedRun) -> dict[str, Any]:
    record = run.record
    content, settings = record.content, record.settings
    checkpoint = run.made.content["notes"].get("checkpoint") if run.made is not None else None
    return {
        "method": settings["method"],
        "hyperparameters": settings["hyperparameters"],
        "protocol": settings["protocol"],
        "seed": run.seed,
        "started": record.started,
        "seconds": float(content["time"]["total"]),
        "command": content["command"],
        "original": {"path": run.original, "sha256": record.inputs[run.original]},
        "checkpoint": _checkpoint(checkpoint),
        "unlearned": {"path": run.model, "sha256": record.outputs[run.model]},
        "tensors": tensor_digest(read_weights(Path(run.model))),
    }


def _checkpoint(noted: Mapping[str, Any] | None) -> dict[str, str] | None:
    return None if noted is None else {"path": noted["file"], "sha256": noted["sha256"]}


def _files(sources: Tree) -> list[dict[str, str]]:
    """All that has bytes of its own; of a folder only its members have, which its store was checked by."""
    found = {path: of for node in sources.nodes.values() for path, of in node.found.items() if of}
    return [
        {"path": path, "sha256": found[path]}
        for path in sorted(found)
        if not on_this_machine(path).is_dir()
    ]


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
