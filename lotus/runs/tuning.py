"""Tuning: every row's candidates on models that the report does not use, by one declared objective."""

import copy
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lotus import models
from lotus.config.protocol import CORRECTED
from lotus.engine.failures import explained_failures
from lotus.errors import LotusError
from lotus.methods.base import checks, configured, registry
from lotus.names import shown
from lotus.predictions.predictions_file import Split
from lotus.records.files import write_text
from lotus.records.reading import read_record
from lotus.records.record import write_record
from lotus.runs.bench import Bench, set_up
from lotus.runs.objective import READ, objective
from lotus.runs.recording import ask
from lotus.runs.run import MODEL, RECORD, Inputs, Run, seed_layers, start

log = logging.getLogger(__name__)

KEYS = ("dataset", "architecture", "scenario", "row")
DECIMALS = 4
"""Of an objective as the configuration states it."""


def try_candidates(
    inputs: Inputs,
    run: Run,
    original: Path,
    method_name: str,
    candidates: Sequence[Mapping[str, Any]],
    plugins: Sequence[str] = (),
    network_file: str | None = None,
) -> None:
    """Applies a method once for each candidate and writes the objective of each, as a record.

    Args:
        run: `out` is the record's file.
        candidates: hyper-parameters; defaults of the method for the rest.
        plugins, network_file: see `unlearn_run`.

    Raises:
        LotusError: a candidate is not accepted, or an input is absent or damaged.

    """
    constants = registry.constants(method_name, run.protocol)
    methods = [configured.make(method_name, constants | dict(given)) for given in candidates]
    clock, device = start(run, "tune")
    with clock.phase("prepare"):
        bench = set_up(inputs, original, device, run.protocol, network_file)
        untouched = _said(bench, bench.original)
    trials = []
    for given, method in zip(candidates, methods, strict=True):
        # A copy, since what one candidate does to it must not reach the next.
        own = replace(bench, original=copy.deepcopy(bench.original))
        task = own.task(run, checks.CheckedProgress(method_name, lambda *_: None))
        seed_layers(run, "unlearn")
        with clock.phase("unlearn"), explained_failures(f"method {method_name}"):
            unlearned = method.unlearn(task)
        checks.check_returned(method_name, unlearned, task)
        checks.check_original(method_name, own.original, bench.original.state_dict())
        found = objective(_said(bench, unlearned), untouched)
        trials.append({"given": dict(given), **found})
        log.info("%s", json.dumps(trials[-1]))
    entered = [__name__, registry.module_of(method_name), *models.modules_of(bench.architecture)]
    device.note_memory()
    write_record(
        run.out,
        kind="trials",
        modules=[*dict.fromkeys([*entered, *plugins])],
        about={**run.labels, "protocol": run.protocol.name, "seed": run.seed},
        settings={"method": method_name, "candidates": [dict(given) for given in candidates]},
        inputs=[*inputs.files(), original / MODEL, original / RECORD],
        outputs=[],
        seconds=clock.seconds,
        hardware=device.hardware,
        device_memory=device.peak_memory,
        notes={"trials": trials},
    )


def _said(bench: Bench, model: Any) -> dict[str, Split]:
    """Returns what a model says of the images that the objective reads."""
    read = (bench.chosen.forget, bench.chosen.retain, bench.held_out.val)
    return ask(model, bench.images, dict(zip(READ, read, strict=True)), CORRECTED)


def choose_best(trials: Sequence[Path], out: Path, record: Path) -> None:
    """Writes, for each row and benchmark, the candidate with the lowest mean objective over the seeds.

    The file is a list of `overrides` for the configuration; each says of the values that it gives with
    which mean and spread of the objective they were chosen, on how many seeds and of how many candidates.

    Args:
        trials: what `try_candidates` wrote.
        record: file of the record.

    Raises:
        LotusError: a file is not one of `lotus tune`, or seeds of a row tried different candidates.

    """
    grouped: dict[tuple[str, ...], list[list[dict[str, Any]]]] = {}
    for path in trials:
        try:
            tried_by = read_record(path)
        except LotusError as error:
            why = str(error).removeprefix(f"{shown(path)}: ")
            raise LotusError(f"{shown(path)}: is not a file of `lotus tune`: {why}") from error
        try:
            key = tuple(tried_by.about[part] for part in KEYS)
            found = [
                {"given": dict(trial["given"]), "objective": float(trial["objective"])}
                for trial in tried_by.content["notes"]["trials"]
            ]
            if not found:
                raise KeyError("trials")
            grouped.setdefault(key, []).append(found)
        except (KeyError, TypeError, ValueError) as error:
            raise LotusError(
                f"{shown(path)}: is not a file of `lotus tune`: it lacks {error}"
            ) from error
    blocks: dict[tuple[str, ...], dict[str, tuple[str, str]]] = {}
    for key, seeds in grouped.items():
        tried = [[trial["given"] for trial in seed] for seed in seeds]
        if any(given != tried[0] for given in tried):
            raise LotusError(f"{', '.join(key)}: the seeds tried different candidates; tune again")
        scores = np.array([[trial["objective"] for trial in seed] for seed in seeds])
        means = scores.mean(axis=0)
        best = int(np.argmin(means))
        spread = float(scores[:, best].std(ddof=1)) if len(seeds) > 1 else None
        blocks.setdefault(key[:3], {})[key[3]] = (
            f"{_flow(_varied(tried[0])[best])} # worst of {len(means)}: {means.max():.3f}",
            _flow(_stated(float(means[best]), spread, len(seeds), len(means))),
        )
    lines = ["# Written by `snakemake tune`; belongs under `overrides` of the configuration."]
    for (dataset, architecture, scenario), rows in blocks.items():
        where = {"dataset": dataset, "architecture": architecture, "scenario": scenario}
        where["protocol"] = "corrected"
        lines += [f"  - where: {_flow(where)}"]
        for section, part in (("methods", 0), ("tuned", 1)):
            lines += [f"    {section}:", *(f"      {row}: {rows[row][part]}" for row in rows)]
    write_text(out, "\n".join(lines) + "\n")
    write_record(
        record,
        kind="overrides",
        modules=[__name__],
        about={},
        settings={},
        inputs=list(trials),
        outputs=[out],
    )


def _stated(objective: float, spread: float | None, seeds: int, candidates: int) -> dict[str, Any]:
    """Returns what the configuration says of a choice: a `Chosen`."""
    rounded = {"objective": round(objective, DECIMALS)}
    if spread is not None:
        rounded["spread"] = round(spread, DECIMALS)
    return {**rounded, "seeds": seeds, "candidates": candidates}


def _varied(candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The candidates without what they all share."""
    keys = [key for key in candidates[0] if len({repr(c[key]) for c in candidates}) > 1]
    return [{key: candidate[key] for key in keys} for candidate in candidates]


def _flow(values: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(values), default_flow_style=True, sort_keys=False, width=1000)
    return text.strip()
