"""The numbers that claims are judged by, cell by cell and model by model, in the protocol's conventions."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus import layout
from lotus.claims.stated import TIME, Place
from lotus.config.protocol import RELEASED, Protocol, parse
from lotus.layout import GOLD, GOLD_AGAIN
from lotus.metrics.base import registry
from lotus.predictions.collapse import is_failed
from lotus.results.conventions import StatedRuns
from lotus.results.experiment import Experiment
from lotus.results.lookalikes import read_audit
from lotus.results.metrics import load_metrics, needs_gold, sound
from lotus.results.metrics_file import PLACE
from lotus.results.resolution import fewest_images, resolution
from lotus.results.run_records import load_times
from lotus.results.titles import benchmark_title, dataset_title
from lotus.wording import all_of, counted


@dataclass(frozen=True)
class Evidence:
    """One cell.

    Attributes:
        items: what of the paper it is for.
        published: the paper's benchmark that it reproduces at full size, None for another one.
        data: its data set in words.
        frame: metrics of all seeds, as `load_metrics` gives them.
        times: of the same runs, as `load_times` gives them.
        images: how many images each split has, in the seed that has fewest; none where files do not say.
        failed: row → seeds in which the method made no model. They say nothing of it, so they are in
            neither `frame` nor `times`, as if they had not run.

    """

    items: frozenset[str]
    published: Place | None
    data: str
    frame: pd.DataFrame
    times: pd.DataFrame
    images: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @cached_property
    def protocol(self) -> Protocol:
        """Its protocol."""
        return parse(str(self.frame["protocol"].iloc[0]))

    @property
    def title(self) -> str:
        """The benchmark in words; a protocol is named if it deviates from its base."""
        first = self.frame.iloc[0]
        name = self.protocol.name if self.protocol.deviations else ""
        dataset, architecture, scenario, study = (str(first[key]) for key in PLACE)
        return benchmark_title(dataset, architecture, scenario, study, name)

    @cached_property
    def rows(self) -> frozenset[str]:
        """Original, gold if there is one, and the methods."""
        return frozenset(self.frame["row"])

    @property
    def tried(self) -> frozenset[str]:
        """The same, and methods that failed in every seed."""
        return self.rows | {*self.failed}

    @cached_property
    def _collapsed(self) -> Mapping[str, list[int]]:
        fallen = self.frame[self.frame["collapsed"] != ""]
        return {str(row): seeds.tolist() for row, seeds in fallen.groupby("row")["seed"]}

    def collapsed(self, row: str) -> int:
        """In how many seeds a row's model has collapsed."""
        return len(self.seeds_collapsed(row))

    def seeds_collapsed(self, row: str) -> list[int]:
        """The seeds in which a row's model has collapsed."""
        return self._collapsed.get(row, [])

    def fallen(self, row: str) -> str:
        """Returns in which seeds a row's model has collapsed, in words."""
        which = self.seeds_collapsed(row)
        named = all_of([str(seed) for seed in which])
        return f"collapsed in {len(which)} of {counted(self.seeds(row), 'seed')} ({named})"

    def seeds(self, row: str) -> int:
        """Number of a row's models."""
        return int((self.frame["row"] == row).sum())

    def lacks(self, metric: str) -> str:
        """Returns why no row can be measured; '' if rows can be."""
        if not needs_gold(metric):
            return ""
        if GOLD not in self.rows:
            return "no gold model was retrained"
        fallen = self.collapsed(GOLD)
        return f"the gold model {self.fallen(GOLD)}" if fallen else ""

    def are_the_same(self, row: str, other: str) -> bool:
        """Whether two rows are one and the same in every seed, by everything that is measured of them.

        Divergences are measured to the last bit, so models that differ anywhere differ there.
        """
        one, two = (
            self.frame.loc[self.frame["row"] == name, ["seed", *registry.columns()]]
            .set_index("seed")
            .sort_index()
            for name in (row, other)
        )
        return len(one) > 0 and one.equals(two) and bool(one.notna().any(axis=None))

    def resolution(self, metric: str) -> float:
        """In what steps a metric is read here, in the unit of `of`; 0 where none is known."""
        if metric == TIME:
            return 0.0
        form = self.stated.form(metric)
        is_rounded = form.rounded is not None or form.of_means
        return form.scale * resolution(metric, self.images, is_rounded)

    def floor(self, metric: str) -> float | None:
        """How far another gold is from gold, in the unit of `of`; None where it is unknown, or no matter.

        The mean over the seeds of the row `gold-again`, which is measured as a method is.
        """
        if metric == TIME or not needs_gold(metric):
            return None
        mean = float(self.of(GOLD_AGAIN, metric).mean(skipna=False))
        return None if math.isnan(mean) else mean

    def of(self, row: str, metric: str) -> pd.Series:
        """A row's values by seed.

        In the convention of the protocol: textbook under `corrected`; under `released` as the published
        code has them of each run (Avg Gap between rounded terms, divergences × 10⁴, times in minutes).
        Seconds, or those minutes, are of unlearning with its preparation, of gold of retraining. NaN
        where undefined.
        """
        return self._by_row(metric).get(row, pd.Series(dtype=float))

    @cached_property
    def _by_row(self) -> Callable[[str], Mapping[str, pd.Series]]:
        # Claims ask for the same numbers again and again.
        return cache(self._measured)

    def _measured(self, metric: str) -> Mapping[str, pd.Series]:
        """Each row's values by seed."""
        lines = self.times if metric == TIME else self.frame
        column = self._times() if metric == TIME else self._metric(metric)
        by_seed = column.astype(float).set_axis(lines["seed"])
        rows = by_seed.groupby(lines["row"].to_numpy())
        return {str(row): of_seeds.sort_index() for row, of_seeds in rows}

    def _times(self) -> pd.Series:
        is_released = self.protocol.base == RELEASED.base
        return self.times["minutes_released_r1" if is_released else "seconds"]

    def _metric(self, metric: str) -> pd.Series:
        return self.stated.form(metric).scale * self.stated.values(metric)

    @cached_property
    def stated(self) -> StatedRuns:
        """Its runs as the protocol states them, without the numbers of collapsed models."""
        return StatedRuns(sound(self.frame), self.protocol)


def evidence(read: Experiment) -> list[Evidence]:
    """Every cell of an experiment that was run; a cell of which a result is absent was not.

    Raises:
        LotusError: a result is damaged.

    """
    return [_of_cell(read, cell) for cell in _finished(read)]


def _of_cell(read: Experiment, cell: Mapping[str, Any]) -> Evidence:
    frame = load_metrics(read.metrics(cell))
    times = load_times(list(dict.fromkeys(read.records(cell))))
    lost = frame[frame["collapsed"].map(is_failed).astype(bool)]
    failed = {str(row): seeds.tolist() for row, seeds in lost.groupby("row", sort=False)["seed"]}
    of_failed = [
        seed in failed.get(row, ()) for row, seed in zip(times["row"], times["seed"], strict=True)
    ]
    return Evidence(
        items=frozenset(cell["items"]),
        published=_place(cell["published"]),
        data=dataset_title(str(cell["dataset"])),
        frame=frame.drop(index=lost.index),
        times=times[~np.array(of_failed, bool)],
        images=fewest_images(read.metrics(cell)),
        failed=failed,
    )


def _finished(read: Experiment) -> list[Mapping[str, Any]]:
    return [cell for cell in read.cells if all(path.is_file() for path in read.results_of([cell]))]


def _place(published: Mapping[str, str] | None) -> Place | None:
    return (
        (published["dataset"], published["architecture"], published["scenario"])
        if published
        else None
    )


@dataclass(frozen=True)
class Distances:
    """The distances between the hashes of forget and retain images of one data set.

    Attributes:
        dataset: by its name in the published reference.
        counts: pairs by distance of their hashes, 0 … 64 bits.

    """

    dataset: str
    counts: Sequence[int]


def distances(read: Experiment) -> list[Distances]:
    """Returns them for each whole data set of the paper that was run, in its first scenario of images."""
    return [
        Distances(dataset, read_audit(path)["similarity"]["histogram"])
        for dataset, path in _audited(read).items()
    ]


def _audited(read: Experiment) -> dict[str, Path]:
    """The audit of each whole data set of the paper that was audited."""
    found: dict[str, Path] = {}
    for cell in read.cells:
        published = cell["published"]
        if published is not None and not read.forgets_a_class(cell):
            audit = layout.audit_file(cell["dataset"], cell["scenario"])
            if audit.is_file():
                found.setdefault(published["dataset"], audit)
    return found


def files_read(read: Experiment) -> list[Path]:
    """Returns the files that `evidence` and `distances` read, each once."""
    return [*read.results_of(_finished(read)), *_audited(read).values()]
