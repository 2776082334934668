"""Lines for the terminal on what single switches change; docs/reproduction-notes.md quotes them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lotus.config.register import REGISTER
from lotus.errors import LotusError, choices
from lotus.formats.csv_text import read_csv
from lotus.metrics.base import registry
from lotus.results.ablation import CHANGES
from lotus.results.conventions import SCALE
from lotus.results.metrics_file import PLACE
from lotus.results.titles import legible, place_name, row_title
from lotus.tables.cell_texts import signed


def effects(table: Path, switches: Sequence[str] = ()) -> list[str]:
    """Per place and switch: what it is, and a line for each row that it concerns.

    A line has the number of seeds and, for each metric concerned, the mean and the sample deviation of the
    paired differences to `corrected`; under E4 the textbook JSD, the released value ×10⁴ and the mean AG
    that it stands for, in nats.

    Args:
        table: the table `ablation`, as CSV.
        switches: which to show, as `M1` or `E5+E6`; all if there are none.

    Raises:
        LotusError: the file is not this table, or does not have a switch.

    """
    numbers = _read(table)
    known = list(dict.fromkeys(numbers["switch"]))
    for switch in switches:
        if switch not in known:
            raise LotusError(
                f"{table}: the switch '{switch}' was not tried; {choices(switch, known)}"
            )
    shown = numbers[numbers["switch"].isin(switches or known)]
    return [
        line
        for place, part in shown.groupby(PLACE, sort=False)
        for line in (place_name(*place), *_of_place(part))
    ]


COUNTS = ("n", "collapsed")
NUMBERS = (
    *(f"{metric}_{of}" for metric in CHANGES for of in ("corrected", "switched", "change")),
    *(f"{metric}_change_std" for metric in CHANGES),
    "jsd_switched_mean_ag",
)


def _read(table: Path) -> pd.DataFrame:
    found = read_csv(table, []).frame_by_line()
    missing = {*PLACE[:-1], "switch", "row", *COUNTS} - {*found}
    if missing:
        raise LotusError(
            f"{table}: is not the table 'ablation': it lacks {', '.join(sorted(missing))}"
        )
    found = found.reindex(columns=[*PLACE, "switch", "row", *COUNTS, *NUMBERS], fill_value="")
    for line, label in found["switch"].items():
        for name in label.split("+"):
            if name not in REGISTER:
                raise LotusError(
                    f"{table}: line {line}: switch '{legible(label)}' is unknown; {choices(name, REGISTER)}"
                )
    numbers = {name: _numbers(table, found[name]) for name in (*COUNTS, *NUMBERS)}
    return found.assign(**numbers).astype(dict.fromkeys(COUNTS, int))


def _numbers(table: Path, column: pd.Series) -> pd.Series:
    """A column as numbers, NaN where it says nothing; counts are whole and say something."""
    found = pd.to_numeric(column.replace("", "nan"), errors="coerce").astype(float)
    empty, accepted = column.str.strip().str.lower().isin(["", "nan"]), "a number"
    bad = ~(np.isfinite(found) | empty)
    if column.name in COUNTS:
        bad, accepted = ~((found >= 0) & (found % 1 == 0)), "a whole number"
    if bad.any():
        line = bad.idxmax()
        told = legible(column[line])
        raise LotusError(f"{table}: line {line}: {column.name} = '{told}'; accepted: {accepted}")
    return found


def _of_place(part: pd.DataFrame) -> Iterator[str]:
    for switch, of_switch in part.groupby("switch", sort=False):
        for name in str(switch).split("+"):
            yield f"  {name}  {REGISTER[name].where}: {REGISTER[name].released}"
        lines = of_switch.to_dict("records")
        body = _divergences(lines) if switch == "E4" else _changes(lines)
        yield from (f"    {line}" for line in aligned(body))


def _changes(lines: Sequence[Mapping[Any, Any]]) -> Iterator[list[str]]:
    concerned = [m for m in CHANGES if any(pd.notna(line.get(f"{m}_corrected")) for line in lines)]
    # Where all rows have collapsed no metric is, and one column says so.
    yield ["", "seeds", *([registry.labels()[metric] for metric in concerned] or [""])]
    for line in lines:
        texts = [signed(line[f"{m}_change"], line[f"{m}_change_std"]) for m in concerned]
        fallen = [f"collapsed in {line['collapsed']}", *["–"] * (len(concerned) - 1)]
        yield [row_title(line["row"]), str(line["n"]), *(fallen if line["collapsed"] else texts)]


def _divergences(lines: Sequence[Mapping[Any, Any]]) -> Iterator[list[str]]:
    jsd = registry.specs()["jsd"]
    yield ["", "seeds", f"{jsd.label}, {jsd.unit}", "as released, ×10⁴", "mean AG, nats"]
    for line in lines:
        numbers = (
            line["jsd_corrected"],
            SCALE * line["jsd_switched"],
            line["jsd_switched_mean_ag"],
        )
        texts = (
            "–" if pd.isna(number) else f"{number:.{decimals}f}"
            for number, decimals in zip(numbers, (3, 2, 3), strict=True)
        )
        yield [row_title(line["row"]), str(line["n"]), *texts]


def aligned(body: Iterator[list[str]]) -> list[str]:
    """Cells, equally many in each line, as columns of text."""
    lines = list(body)
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
