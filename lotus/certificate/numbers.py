"""The files that state what was measured of a model, read, and held against the model's answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.certificate.certified_run import CertifiedRun
from lotus.config.cells import Benchmark
from lotus.errors import LotusError
from lotus.layout import ORIGINAL
from lotus.names import shown
from lotus.results.attacks import read_attacks
from lotus.results.metrics_file import read_metrics
from lotus.results.power import Tried, power_file, read_tried

Rows = Mapping[str, Mapping[str, Any]]
"""Row → metric → number, or attack → what it found."""


@dataclass(frozen=True)
class Numbers:
    """What was measured in a benchmark and seed.

    Attributes:
        rows: metrics.
        attacked: what attacks found; nothing of those that could not be made.
        tried: how measures fare on models whose truth is known; None where that was not tried.

    """

    rows: Rows
    attacked: Rows
    tried: Tried | None

    def is_tried_on(self, cell: Benchmark) -> bool:
        """Whether measures were tried on this benchmark."""
        about = {} if self.tried is None else self.tried.about
        return bool(about) and all(getattr(cell, key) == name for key, name in about.items())


def has_metrics(run: CertifiedRun) -> bool:
    """Whether metrics have a row of a model."""
    return run.metrics.is_file() and run.row in read_metrics(run.metrics)["rows"]


def read_numbers(run: CertifiedRun, further: Iterable[Path]) -> Numbers:
    """Reads what was measured of a model.

    Args:
        further: files of attacks and of what measures notice, if they are to be read.

    Raises:
        LotusError: a file is damaged, or what it states was measured of another model.

    """
    metrics = read_metrics(run.metrics)
    if not all(run.row in metrics[key] for key in ("rows", "predictions")):
        raise LotusError(
            f"{run.metrics}: has no row '{shown(run.row)}', so nothing was measured of "
            f"{shown(run.folder)}; it has those of {shown(', '.join(metrics['rows']))}"
        )
    _refuse_others(run, run.metrics, metrics["predictions"])
    attacks, wanted = layout.attacks_file(run.cell), {*further}
    return Numbers(
        rows=metrics["rows"],
        attacked=_attacked(run, attacks) if attacks in wanted else {},
        tried=read_tried(run.cell.protocol) if power_file(run.cell.protocol) in wanted else None,
    )


def _attacked(run: CertifiedRun, path: Path) -> Rows:
    found = read_attacks(path)
    named = {of["row"]: of for of in found["predictions"] if of["seed"] == run.seed}
    _refuse_others(run, path, named)
    # Attacks on models of other seeds alone say nothing of this one.
    return {
        row: {name: of for name, of in found["rows"].get(row, {}).items() if of["auc"] is not None}
        for row in (ORIGINAL, run.row)
        if row in named
    }


def _refuse_others(run: CertifiedRun, path: Path, named: Rows) -> None:
    """Refuses numbers that were computed from the answers of other models."""
    for row, (answers, digest) in run.answers().items():
        of = named.get(row)
        if of is not None and (of["path"], of["sha256"]) != (answers, digest):
            raise LotusError(
                f"{path}: its row '{shown(row)}' was measured on {shown(of['path'])} "
                f"({of['sha256'][:12]}…), not on {shown(answers)} ({digest[:12]}…), so "
                f"{shown(run.folder)} is not certified by it"
            )
