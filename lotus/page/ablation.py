"""The report's part on the ablation: what each published behaviour changes, and the register of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lotus.config.architectures import ARCHITECTURE
from lotus.config.protocol import parse
from lotus.config.register import REGISTER
from lotus.metrics.membership import SYNTHETIC
from lotus.page.change_ways import ChangeWays
from lotus.page.sections import TableCell, number
from lotus.page.ways import Way
from lotus.results.ablation import ablate, is_of_numbers
from lotus.results.conventions import SCALE
from lotus.results.metrics_file import PLACE
from lotus.results.titles import benchmark_title, row_title
from lotus.tables.cell_texts import plus_minus, signed
from lotus.wording import all_of, counted

NOTABLE = 0.01
"""Changes of this size are marked."""


@dataclass(frozen=True)
class ChangeMatrix:
    """Changes by row and switch.

    Attributes:
        heads: (switch, what the published code does).

    """

    title: str
    heads: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, Sequence[TableCell]]]


@dataclass(frozen=True)
class AblationPart:
    """The section."""

    places: Sequence[str]
    sentences: Sequence[str]
    gaps: Sequence[ChangeMatrix]
    retained: Sequence[ChangeMatrix]
    divergences: Sequence[tuple[str, Sequence[tuple[str, Sequence[TableCell]]]]]


def ablation_part(ways: ChangeWays) -> AblationPart | None:
    """The section, None where no switch was tried.

    Args:
        ways: of the numbers of the table `ablation`.

    """
    numbers = ablate(ways.sources)
    if numbers.empty:
        return None
    parts = [(benchmark_title(*place), part) for place, part in numbers.groupby(PLACE, sort=False)]
    return AblationPart(
        places=[title for title, _ in parts],
        sentences=[_largest_changes(title, part) for title, part in parts],
        gaps=[
            _matrix(title, part, "avg_gap", 1, ways)
            for title, part in parts
            if part["avg_gap_corrected"].notna().any()
        ],
        retained=[
            _matrix(title, part[~part["switch"].map(is_of_numbers)], "accuracy_retain", -1, ways)
            for title, part in parts
        ],
        divergences=[
            (title, lines) for title, part in parts if (lines := _divergences(part, ways))
        ],
    )


def _largest_changes(title: str, part: pd.DataFrame) -> str:
    """The changes that stand out."""
    named = {"avg_gap_change": "Avg Gap", "accuracy_retain_change": "retain accuracy"}
    found = []
    for column, name in named.items():
        changes = part[column].dropna()
        if len(changes):
            line = part.loc[changes.abs().idxmax()]
            where = f"{row_title(line['row'])} under {line['switch']}"
            found.append(f"of {name}: {where} ({signed(line[column])})")
    return f"{title}: largest change {', '.join(found)}." if found else f"{title}: no change."


def _matrix(
    title: str, part: pd.DataFrame, metric: str, worse: int, ways: ChangeWays
) -> ChangeMatrix:
    """One matrix.

    Args:
        worse: sign of a change for the worse.

    """
    part = part[part["switch"] != "E4"]
    switches = list(dict.fromkeys(part["switch"]))
    lines = {(line["row"], line["switch"]): line for line in part.to_dict("records")}
    rows = [
        (
            row_title(row),
            [_cell(lines.get((row, switch)), metric, worse, ways) for switch in switches],
        )
        for row in _rows_in_order(part)
    ]
    heads = [(switch, _published_behaviour(switch)) for switch in switches]
    return ChangeMatrix(title, heads, rows)


def _rows_in_order(part: pd.DataFrame) -> list[str]:
    """Rows in the order of the fullest switch, the others after them."""
    most = part["switch"].value_counts().idxmax() if len(part) else ""
    return list(dict.fromkeys([*part.loc[part["switch"] == most, "row"], *part["row"]]))


def _published_behaviour(switch: str) -> str:
    names = switch.split("+")
    return "; ".join(f"{REGISTER[name].where}: {REGISTER[name].released}" for name in names)


def _cell(line: Mapping[Any, Any] | None, metric: str, worse: int, ways: ChangeWays) -> TableCell:
    if line is None:
        return TableCell("")
    if line["collapsed"]:
        told = f"in {counted(line['collapsed'], 'seed')}, without or with the switch"
        return TableCell("collapsed", "", told, way=ways.of_change(line, metric))
    change, spread = line.get(f"{metric}_change", np.nan), line.get(f"{metric}_change_std", np.nan)
    if pd.isna(change):
        return TableCell("–", "", "undefined")
    before, after = line[f"{metric}_corrected"], line[f"{metric}_switched"]
    kind = ""
    if abs(change) >= NOTABLE:
        kind = "worse" if change * worse > 0 else "better"
    text = (
        f"{signed(change, spread)}: from {before:.3f} to {after:.3f}, {counted(line['n'], 'seed')}"
    )
    return TableCell(signed(change), kind, text, float(change), way=ways.of_change(line, metric))


DIVERGENCES = {
    "jsd_corrected": (1.0, 3),
    "jsd_switched": (SCALE, 2),
    "jsd_switched_mean_ag": (1.0, 3),
}
"""Column → scale in print, decimals."""


def _divergences(part: pd.DataFrame, ways: ChangeWays) -> list[tuple[str, Sequence[TableCell]]]:
    """Per row: JSD in nats, the released value as printed, the mean AG that it stands for in nats."""
    return [
        (
            row_title(line["row"]),
            [
                _divergence(
                    line.get(column, np.nan) * scale, decimals, ways.of_divergence(line, column)
                )
                for column, (scale, decimals) in DIVERGENCES.items()
            ],
        )
        for line in part[part["switch"] == "E4"].to_dict("records")
    ]


def _divergence(value: float, decimals: int, way: Way) -> TableCell:
    return TableCell(plus_minus(value, np.nan, decimals), value=number(value), way=way)


def register(described: Mapping[str, Any], frame: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """The switches: (id, where, what the published code does, its part in this report).

    Args:
        described: what `lotus describe` wrote.
        frame: all metrics.

    """
    tried = {
        switch for cell in described["ablations"] for switch in parse(cell["protocol"]).deviations
    }
    if described["ablations"]:
        tried |= {"E3", "E4", "E6"}
    places = {tuple(cell[key] for key in PLACE) for cell in described["ablations"]}
    calibrated = frame[frame[SYNTHETIC].notna()]
    if places & set(calibrated[PLACE].itertuples(index=False, name=None)):
        tried.add("E5")
    idle = _without_effect(described, frame)
    protocols = list(dict.fromkeys(str(cell["protocol"]) for cell in described["benchmarks"]))
    return [
        (
            name,
            switch.where,
            switch.released,
            idle.get(name, "tried alone" if name in tried else _part_of(protocols, name)),
        )
        for name, switch in REGISTER.items()
    ]


def _part_of(protocols: Sequence[str], switch: str) -> str:
    """In words, which of the protocols of whole benchmarks have a switch on."""
    having = [name for name in protocols if parse(name).has(switch)]
    return f"part of {all_of(having)} only" if having else "off in this report"


def _without_effect(described: Mapping[str, Any], frame: pd.DataFrame) -> dict[str, str]:
    """Switches that can change nothing here, or not models and metrics, and why."""
    settings, cells = described["settings"], described["benchmarks"]
    why = {"R1": "concerns stated times only"}
    if all(cell["training"]["patience"] is None for cell in cells):
        why["T1"] = "no effect here: no recipe has a patience"
    if not any(_is_augmented(dataset) for dataset in settings["datasets"].values()):
        why["E2"] = "no effect here: no data set is augmented"
    if frame[SYNTHETIC].isna().all():
        why["E5"] = "no effect here: no synthetic calibration set"
    if not any(dataset.get("resize") for dataset in settings["datasets"].values()):
        why["R2"] = "no effect here: no images are resized"
    if not any(_has_batch_norm(part) for part in settings["architectures"].values()):
        why["E1"] = "no effect here: no architecture has BatchNorm"
    methods = {row_title(entry["method"]) for cell in cells for entry in cell["methods"].values()}
    for name, switch in REGISTER.items():
        if name.startswith("M") and switch.where not in methods:
            why[name] = "no effect here: no such method"
    return why


def _is_augmented(dataset: Mapping[str, Any]) -> bool:
    return any(bool(value) for value in dataset["augmentation"].values())


def _has_batch_norm(architecture: Mapping[str, Any]) -> bool:
    return bool(ARCHITECTURE.validate_python(dict(architecture)).batch_norm)
