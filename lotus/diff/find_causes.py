"""From a number that moved to the steps whose changes can have moved it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.diff.changed_numbers import Model
from lotus.diff.loading import Side
from lotus.diff.steps import DATA, Difference, Key, Step, behind, place_of, walk
from lotus.layout import ORIGINAL
from lotus.results.metrics import KEYS, measured_against

SECONDS = "seconds"
"""What the training or unlearning of a run took: measured by the run itself, not from predictions."""


@dataclass(frozen=True)
class Cell:
    """A metrics file that both sides have.

    Attributes:
        paths: of the file on both sides.
        metrics: the step that computed it.
        rows: the runs that it is of.
        passed: rows whose predictions differ.

    """

    paths: tuple[str, str]
    metrics: Key
    rows: Mapping[str, Key]
    passed: frozenset[str]


@dataclass(frozen=True)
class Ties:
    """The steps of both sides, and how numbers hang on them.

    Attributes:
        cells: by benchmark and seed.
        steps: all that the numbers of both sides rest on.
        reach: of each run, itself and the steps from which other bytes came to it.

    """

    cells: Mapping[tuple[Benchmark, int], Cell]
    steps: Mapping[Key, Step]
    reach: Mapping[Key, set[Key]]

    def of(self, model: Model, metric: str) -> set[Key]:
        """The steps through which a model's metric can have moved.

        These are the computation of the metrics, and what lies behind predictions that differ: its own,
        for Avg Gap and JSD gold's, for RF-JSD the original's. The original's numbers hang on the splits
        as well, of which its run knows nothing.
        """
        if metric == SECONDS:
            return {run_key(model)}
        cell = self.cells[model.benchmark, model.seed]
        found = {cell.metrics}
        for row in {model.row, *measured_against(metric)} & cell.passed:
            found |= self.reach[cell.rows[row]]
        if model.row == ORIGINAL:
            others = (self.reach[cell.rows[row]] for row in cell.passed)
            found |= {key for keys in others for key in keys if self.steps[key].kind in DATA}
        return found


def tie(a: Side, b: Side) -> Ties:
    """Looks for the steps behind all numbers that both sides have."""
    cells = dict(_cells(a, b))
    runs = {key for cell in cells.values() for key in cell.rows.values()}
    steps = walk(a.index, b.index, [*(cell.metrics for cell in cells.values()), *sorted(runs)])
    for cell in cells.values():
        agree = [_agrees(side, path) for side, path in zip((a, b), cell.paths, strict=True)]
        if "disagree" in agree:
            wrong = Difference("record", "metrics file and its record", *agree)
            step = steps[cell.metrics]
            steps[cell.metrics] = replace(step, differences=(*step.differences, wrong))
    return Ties(cells, steps, {key: behind(steps, key) for key in runs})


def run_key(model: Model) -> Key:
    """The step that made a model, of a model that is named after its run."""
    folder = layout.run_folder(model.benchmark, model.seed, model.row)
    place = (folder / "run.json").as_posix()
    return Key(place, place)


def _cells(a: Side, b: Side) -> Iterator[tuple[tuple[Benchmark, int], Cell]]:
    mine, theirs = _paths(a), _paths(b)
    for place, path in mine.items():
        if place not in theirs:
            continue
        other = theirs[place]
        old, new = (side.metrics[of].content["predictions"] for side, of in ((a, path), (b, other)))
        rows = [row for row in old if row in new]
        cell = Cell(
            paths=(path, other),
            metrics=Key(place_of(path), place_of(other)),
            rows={row: Key(place_of(old[row]["path"]), place_of(new[row]["path"])) for row in rows},
            passed=frozenset(row for row in rows if old[row]["sha256"] != new[row]["sha256"]),
        )
        yield place, cell


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
