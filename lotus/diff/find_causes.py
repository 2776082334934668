"""Finds, for a number that differs, the steps whose changes can have changed it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.diff.changed_numbers import ComparedModel
from lotus.diff.loading import Side
from lotus.diff.steps import (
    DATA,
    ComparedStep,
    Difference,
    Key,
    compare_steps,
    place_of,
    steps_behind,
)
from lotus.layout import GOLD_AGAIN, ORIGINAL
from lotus.results.metrics import measured_against
from lotus.results.metrics_file import KEYS

SECONDS = "seconds"
"""Duration of a run's training or unlearning: the run itself measures it, predictions say nothing of it."""


@dataclass(frozen=True)
class ComparedFile:
    """A metrics file that both sides have.

    Attributes:
        paths: of the file on both sides.
        metrics: the step that computed it.
        rows: the runs that it is of.
        changed_rows: rows whose predictions differ.
        golds: of the rows those that are further golds, of which `gold-again` is made.

    """

    paths: tuple[str, str]
    metrics: Key
    rows: Mapping[str, Key]
    changed_rows: frozenset[str]
    golds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Causes:
    """The steps of both sides, and the way from a number to those that can have changed it.

    Attributes:
        files: metrics files, by benchmark and seed.
        steps: all that the numbers of both sides were made by.
        origins: of each run, itself and the steps from which other bytes came to it.

    """

    files: Mapping[tuple[Benchmark, int], ComparedFile]
    steps: Mapping[Key, ComparedStep]
    origins: Mapping[Key, set[Key]]

    def of(self, model: ComparedModel, metric: str) -> set[Key]:
        """Returns the steps that can have changed a model's metric.

        These are the computation of the metrics, and what lies behind predictions that differ: its own (of
        `gold-again` the further golds'), for Avg Gap and JSD gold's, for RF-JSD the original's. The
        original's numbers depend on the splits as well, of which its run knows nothing.
        """
        if metric == SECONDS:
            return {run_key(model)}
        file = self.files[model.benchmark, model.seed]
        found = {file.metrics}
        golds = file.golds if model.row == GOLD_AGAIN else ()
        for row in {model.row, *golds, *measured_against(metric)} & file.changed_rows:
            found |= self.origins[file.rows[row]]
        if model.row == ORIGINAL:
            others = (self.origins[file.rows[row]] for row in file.changed_rows)
            found |= {key for keys in others for key in keys if self.steps[key].kind in DATA}
        return found


def find_causes(a: Side, b: Side) -> Causes:
    """Returns the steps behind all numbers that both sides have."""
    files = dict(_compared_files(a, b))
    runs = {key for file in files.values() for key in file.rows.values()}
    steps = compare_steps(
        a.index, b.index, [*(file.metrics for file in files.values()), *sorted(runs)]
    )
    for file in files.values():
        agree = [_agrees(side, path) for side, path in zip((a, b), file.paths, strict=True)]
        if "disagree" in agree:
            wrong = Difference("record", "metrics file and its record", *agree)
            step = steps[file.metrics]
            steps[file.metrics] = replace(step, differences=(*step.differences, wrong))
    return Causes(files, steps, {key: steps_behind(steps, key) for key in runs})


def run_key(model: ComparedModel) -> Key:
    """The step that made a model, of a model that is named after its run."""
    folder = layout.run_folder(model.benchmark, model.seed, model.row)
    place = (folder / layout.RUN_RECORD).as_posix()
    return Key(place, place)


def _compared_files(a: Side, b: Side) -> Iterator[tuple[tuple[Benchmark, int], ComparedFile]]:
    mine, theirs = _paths(a), _paths(b)
    for place, path in mine.items():
        if place not in theirs:
            continue
        other = theirs[place]
        old, new = (side.metrics[of].content["predictions"] for side, of in ((a, path), (b, other)))
        rows = [row for row in old if row in new]
        file = ComparedFile(
            paths=(path, other),
            metrics=Key(place_of(path), place_of(other)),
            rows={row: Key(place_of(old[row]["path"]), place_of(new[row]["path"])) for row in rows},
            changed_rows=frozenset(row for row in rows if old[row]["sha256"] != new[row]["sha256"]),
            golds=frozenset(rows) & {*a.metrics[path].content.get("golds", {})},
        )
        yield place, file


def _paths(side: Side) -> dict[tuple[Benchmark, int], str]:
    """Benchmark and seed → metrics file."""
    return {
        (Benchmark(**{key: file.content[key] for key in KEYS}), file.content["seed"]): path
        for path, file in side.metrics.items()
    }


def _agrees(side: Side, path: str) -> str:
    """Whether a metrics file has the bytes that its record states."""
    record = side.index.records.get(place_of(path))
    if record is None or record.problem:
        return "unknown"
    return "agree" if record.outputs.get(path) == side.metrics[path].sha256 else "disagree"
