"""What rests on something: runs, numbers, figures, verdicts, and everything else that was made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus import layout
from lotus.impact.asked import find_start
from lotus.impact.numbers import TouchedLine, touched_lines
from lotus.impact.reach import ForwardReach
from lotus.impact.start import Start
from lotus.impact.verdicts import TouchedVerdict, touched_verdicts
from lotus.records.forms import MODELS
from lotus.records.index import read_index
from lotus.records.places import refuse_links_out
from lotus.records.reading import Record


@dataclass(frozen=True)
class TouchedRun:
    """A run that rests on the start.

    Attributes:
        says: whether only what its model says of some images rests on it, and not the model.

    """

    record: Record
    says: bool


@dataclass(frozen=True)
class Impact:
    """Everything that rests on a start.

    Attributes:
        figures: their first files.
        others: other files that steps wrote.
        untold: records that cannot be trusted, so that what rests on them is not known.

    """

    start: Start
    runs: Sequence[TouchedRun]
    lines: Sequence[TouchedLine]
    figures: Sequence[str]
    verdicts: Sequence[TouchedVerdict]
    others: Sequence[str]
    untold: Sequence[str]

    @property
    def numbers(self) -> int:
        """How many numbers of tables there are."""
        return sum(len(line.columns) for line in self.lines)

    @property
    def tables(self) -> int:
        """How many tables they are in."""
        return len({line.path for line in self.lines})


def find_impact(given: str) -> Impact:
    """Returns what rests on an image, a file, a module or a key of the configuration.

    Args:
        given: see `lotus.impact.asked.find_start`.

    Raises:
        LotusError: nothing of that name, a link leads out of the project, or a file that has to be read is
            absent or damaged.

    """
    refuse_links_out(layout.RESULTS, layout.STORES)
    index = read_index()
    start = find_start(given, index)
    reach = ForwardReach(index, start)
    made = {"original", "gold", "unlearned", "figure", "table"}
    return Impact(
        start=start,
        runs=[
            TouchedRun(record, says=record.path not in reach.files)
            for record in reach.records
            if record.kind in MODELS
        ],
        lines=touched_lines(reach),
        figures=[next(iter(it.outputs)) for it in reach.records if it.kind == "figure"],
        verdicts=touched_verdicts(reach),
        others=[
            path
            for record in reach.records
            if record.kind not in made
            for path in record.outputs
            if path in reach.files
        ],
        untold=[record.path for record in index.records.values() if record.problem],
    )


def as_json(impact: Impact) -> dict[str, Any]:
    """Returns everything as plain values; each number by the name that `lotus lineage` takes."""
    return {
        "asked": impact.start.title,
        "said": list(impact.start.said),
        "runs": [
            {"path": run.record.path, **_about(run.record), "rests": _rests(run)}
            for run in impact.runs
        ],
        "numbers": [cell for line in impact.lines for cell in line.cells()],
        "figures": list(impact.figures),
        "verdicts": [
            {
                "claim": it.claim,
                "scope": it.scope,
                "protocol": it.protocol,
                "verdict": it.verdict,
                "benchmarks": list(it.benchmarks),
            }
            for it in impact.verdicts
        ],
        "others": list(impact.others),
        "untold": list(impact.untold),
    }


def _about(record: Record) -> Mapping[str, Any]:
    return dict(record.about)


def _rests(run: TouchedRun) -> str:
    return "predictions" if run.says else "model"
