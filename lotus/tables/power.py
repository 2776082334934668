"""The table of how often each measure and attack raises alarm, on models whose truth is known."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

import pandas as pd

from lotus.errors import LotusError
from lotus.results.power import FRESH, TRIED, Rate, read_power
from lotus.results.titles import benchmark_title
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec

COLUMNS = {"golds_flagged": FRESH, **{group: group for group in TRIED}}
"""Column → group of models."""
HEADS = {
    "golds_flagged": "Golds flagged",
    "nothing": "Nothing done",
    "half": "Half kept",
    "lookup": "Fake: lookup",
    "temperature": "Fake: temperature",
    "train_mode": "Fake: train mode",
}


def power(sources: Sequence[Path]) -> Table:
    """Returns the share of models on which each measure and attack raises alarm, a line for each.

    `measure`, `level` (the share of golds that may raise one), `golds_flagged` (of fresh golds), `nothing`
    (to which nothing was done), `half` (which kept half of the forget set), and the faked forgettings
    `lookup`, `temperature` and `train_mode`; beside each share its exact 95 % interval, `…_low` and
    `…_high`.

    Raises:
        LotusError: there are several sources, or one that `lotus power` did not write.

    """
    if len(sources) != 1:
        raise LotusError("table power: is made of one file, which `lotus power` writes")
    tried = read_power(sources[0])
    lines, body = [], []
    for measure in tried.measures():
        rates = {name: tried.rate(measure, group) for name, group in COLUMNS.items()}
        lines.append(
            {
                "measure": measure,
                "level": tried.level,
                **{key: value for name, rate in rates.items() for key, value in _cells(name, rate)},
            }
        )
        body.append([tried.labels[measure], *map(_text, rates.values())])
    caption = (
        f"{benchmark_title(**tried.about)}: share of models on which each measure raises alarm at a level "
        f"of {tried.level:g}, with exact 95 % intervals."
    )
    return pd.DataFrame(lines), latex_table(caption, ["", *HEADS.values()], body)


SPEC = TableSpec(
    name="power",
    make=power,
    each="experiment",
    # Made when it is asked for: `snakemake power`.
    cells=lambda planned: (),
    label="How often measures and attacks raise alarm",
    summary="How often each measure and attack raises alarm on fresh golds (goal: its level), and how "
    "often it notices doing nothing, half of the forget set kept, and three faked forgettings.",
    has_entry=False,
)


def _cells(name: str, rate: Rate) -> list[tuple[str, float]]:
    return [(name, rate.value), (f"{name}_low", rate.low), (f"{name}_high", rate.high)]


def _text(rate: Rate) -> str:
    return "–" if isnan(rate.value) else f"{rate.value:.2f} ({rate.low:.2f} to {rate.high:.2f})"
