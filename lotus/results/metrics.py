"""Metrics files as tables of numbers."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.config.protocol import CORRECTED, Protocol, parse
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL, REFERENCES
from lotus.metrics.base import registry
from lotus.results.conventions import DISTANCE, StatedRuns, protocol_of
from lotus.results.further_golds import FURTHER, as_cell
from lotus.results.metrics_file import KEYS, read_metrics

COLLAPSED = "collapsed"
"""Column that says which models are of no use, or how many: by retain accuracy, beside the original's."""


def needs_gold(metric: str) -> bool:
    """Whether a metric, in whichever convention, is one against the gold model."""
    return registry.needs(metric, "gold")


def measured_against(metric: str) -> list[str]:
    """Rows whose predictions a metric needs beside a row's own, in whichever convention."""
    gold = [GOLD] if needs_gold(metric) or metric.endswith(DISTANCE) else []
    to_original = metric in ("same_as_original", COLLAPSED) or registry.needs(metric, "original")
    return [*gold, *([ORIGINAL] if to_original else [])]


def load_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """One line per model: `KEYS`, seed, row, and every metric.

    A metric is NaN where there is none; `collapsed` is a reason, or ''. `FURTHER` has the single golds of
    `gold-again`.

    Raises:
        LotusError: a file is absent or not a metrics file.

    """
    lines: list[dict[str, Any]] = []
    for path in files:
        content = read_metrics(path)
        about = {key: content[key] for key in [*KEYS, "seed"]}
        golds = {GOLD_AGAIN: as_cell(content.get("golds", {}))}
        lines += [
            {**about, "row": row, FURTHER: golds.get(row, ()), **scores}
            for row, scores in content["rows"].items()
        ]
    frame = pd.DataFrame(lines)
    return frame.astype(dict.fromkeys(registry.columns(), float))


def rows_in_order(frame: pd.DataFrame) -> list[str]:
    """Row names: original, gold, then the methods as configured (in the order of the files)."""
    first = {row: place for place, row in enumerate(REFERENCES)}
    return sorted(dict.fromkeys(frame["row"]), key=lambda row: first.get(row, len(first)))


def with_gold(frame: pd.DataFrame) -> pd.DataFrame:
    """The part of a frame that is of cells with a gold model."""
    has = frame.groupby(KEYS)["row"].transform(lambda rows: (rows == GOLD).any())
    return frame[has.astype(bool)]


def by_base(frame: pd.DataFrame) -> pd.DataFrame:
    """A protocol that deviates from its base stands for it."""
    return frame.assign(protocol=frame["protocol"].map(lambda name: parse(str(name)).base))


def lines_by_row(frame: pd.DataFrame) -> defaultdict[tuple[str, str], pd.DataFrame]:
    """(Row, protocol) → its lines of the frame, which may be none."""
    grouped = frame.groupby(["row", "protocol"], sort=False)
    found = {(row, protocol): lines for (row, protocol), lines in grouped}
    return defaultdict(lambda: frame[:0], found)


def reference_of(part: pd.DataFrame, row: str, value: str) -> float:
    """Mean of a row's value at one place, under `corrected` if it is there; NaN if there is none."""
    found = part[part["row"] == row]
    corrected = found[found["protocol"] == CORRECTED.name]
    return float((corrected if len(corrected) else found)[value].mean())


def told_keys(frame: pd.DataFrame) -> list[str]:
    """`KEYS` that say something: no study where nothing belongs to one."""
    return [key for key in KEYS if key != "study" or (frame["study"] != "").any()]


def sound(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame without the numbers of collapsed models, and those measured against them (NaN)."""
    fallen = frame["collapsed"] != ""
    found = frame.copy()
    if not fallen.any():
        return found
    found.loc[fallen, list(registry.columns())] = np.nan
    if FURTHER in found:
        found[FURTHER] = found[FURTHER].where(~fallen, [()] * len(found))
    cell = [*KEYS, "seed"]
    golds = frame.loc[fallen & (frame["row"] == GOLD), cell].apply(tuple, axis=1)
    against_gold = [name for name in registry.columns() if needs_gold(name)]
    if len(golds):
        found.loc[frame[cell].apply(tuple, axis=1).isin(golds), against_gold] = np.nan
    return found


def summarise(frame: pd.DataFrame, conventions: Protocol | None = None) -> pd.DataFrame:
    """Per row of one protocol's frame: `n` seeds, and of each metric the mean and (`…_std`) deviation.

    Columns are named by their convention (`column`). The deviation is that of a sample (n−1); it is NaN
    for a single seed and for the published Avg Gap. A value that is undefined for one seed makes the
    mean undefined: a mean over fewer seeds would not be comparable. So do collapsed models; they are
    counted in `collapsed`, and `why` says why. Where there is gold, `…_distance` is the mean distance to
    it, seed by seed, of a metric that is best near to gold.

    Args:
        conventions: in which to state metrics; by default those of the frame's protocol.

    """
    protocol = conventions or protocol_of(frame)
    runs = StatedRuns(sound(frame), protocol)
    grouped = frame.groupby("row", sort=False)
    n = grouped["seed"].nunique()
    lines = frame[frame["collapsed"] != ""]
    said = [
        f"seed {seed}: {why}" for seed, why in zip(lines["seed"], lines["collapsed"], strict=True)
    ]
    fallen = lines.assign(collapsed=said).astype({"collapsed": object}).groupby("row")["collapsed"]
    why = fallen.agg("; ".join)
    summary: dict[str, Any] = {
        "n": n,
        "collapsed": fallen.size().reindex(n.index, fill_value=0),
        "why": why.reindex(n.index, fill_value=""),
    }
    places, has_gold = [grouped.indices[row] for row in n.index], GOLD in n.index
    for metric in registry.specs():
        form, found = runs.form(metric), runs.values(metric).to_numpy(dtype=float)
        name, of_rows = form.name, [found[place] for place in places]
        summary[name] = [of_seeds.mean() for of_seeds in of_rows]
        summary[f"{name}_std"] = [_deviation(of_seeds) for of_seeds in of_rows]
        if registry.specs()[metric].best == GOLD and has_gold:
            apart = runs.distances(metric).to_numpy(dtype=float)
            summary[f"{name}{DISTANCE}"] = [apart[place].mean() for place in places]
        if form.of_means:
            summary[name] = runs.released_gaps()
            summary[f"{name}_std"] = np.nan
    return pd.DataFrame(summary)


def _deviation(sample: np.ndarray) -> float:
    return float(sample.std(ddof=1)) if len(sample) > 1 else np.nan
