"""Sentences on the tables, in words that the numbers choose."""

from collections.abc import Mapping, Sequence

import pandas as pd

from lotus.config.protocol import parse
from lotus.layout import GOLD, ORIGINAL, REFERENCES
from lotus.metrics.base import registry
from lotus.predictions.collapse import is_failed
from lotus.results.conventions import form_of, protocol_of
from lotus.results.floor import inside_floor
from lotus.results.metrics import sound
from lotus.results.titles import row_title
from lotus.tables.floor_sentences import floor_sentences
from lotus.wording import all_of, counted

NOTABLE_LOSS = 0.05
"""Loss of retain accuracy that is worth a sentence."""


def sentences(frames: Mapping[str, pd.DataFrame], numbers: Mapping[str, pd.DataFrame]) -> list[str]:
    """Says who comes nearest to gold (without one: who has the smallest RF-JSD), if the floor leaves
    anything of that, and whether LoTUS does better than doing nothing; one section.

    Args:
        frames: metrics by protocol.
        numbers: their summaries, in the protocols' own conventions.

    """
    lines = []
    for name, frame in frames.items():
        lines.append(_winner(name, frame, numbers[name]))
        forms = [form_of(metric, protocol_of(frame), frame) for metric in ("avg_gap", "jsd")]
        said = floor_sentences(numbers[name], forms)
        lines += [f"{name.capitalize()}: {sentence}" for sentence in said]
    if "corrected" in frames:
        lines += _lotus_against_nothing(frames["corrected"], numbers["corrected"])
    for name, frame in frames.items():
        lines += _collapsed(name, frame)
    return lines


def _winner(name: str, frame: pd.DataFrame, numbers: pd.DataFrame) -> str:
    """Returns the row of smallest Avg Gap (without gold: RF-JSD), in the protocol's own convention.

    Where the floor lies above it, there is no such row: it returns which methods cannot be ranked.
    """
    metric = "avg_gap" if (frame["row"] == GOLD).any() else "rf_jsd"
    form = form_of(metric, protocol_of(frame), frame)
    found = numbers[form.name] * form.scale
    gaps = found.drop(index=[*REFERENCES], errors="ignore").dropna()
    title = registry.labels()[metric]
    if gaps.empty:
        return f"{name.capitalize()}: {title} is defined for no method."
    rule = " by the published rule" if form.is_released else ""
    nothing = f"doing nothing: {_of_original(found[ORIGINAL], form.decimals)}"
    inside = inside_floor(numbers, metric)
    if len(inside) == len(gaps):
        return (
            f"{name.capitalize()}: {title}{rule} cannot rank here: no method is farther from gold than "
            f"another gold ({nothing})."
        )
    if inside:
        said = [f"{row_title(row)} ({gaps[row]:.{form.decimals}f})" for row in inside]
        verb = "is" if len(inside) == 1 else "are"
        return (
            f"{name.capitalize()}: {title}{rule} cannot rank the best here: {all_of(said)} {verb} no "
            f"farther from gold than another gold ({nothing})."
        )
    least = f"{gaps.min():.{form.decimals}f}"
    winners = [str(row) for row, gap in gaps.items() if f"{gap:.{form.decimals}f}" == least]
    return f"{name.capitalize()}: smallest {title}{rule}: {_listed(winners)} ({least}; {nothing})."


def _of_original(value: float, decimals: int) -> str:
    return "unknown, the original has collapsed" if pd.isna(value) else f"{value:.{decimals}f}"


def _lotus_against_nothing(frame: pd.DataFrame, numbers: pd.DataFrame) -> list[str]:
    """LoTUS against doing nothing, under `corrected`."""
    if "lotus" not in numbers.index or pd.isna(numbers.loc["lotus", "avg_gap"]):
        return []
    gaps = sound(frame).pivot(index="seed", columns="row", values="avg_gap")
    both = gaps[["lotus", ORIGINAL]].dropna()
    won = int((both["lotus"] < both[ORIGINAL]).sum())
    order = (
        f"smaller than doing nothing in {won} of {counted(len(both), 'seed')}"
        if len(both)
        else "no seed has a sound model of it and of doing nothing"
    )
    gap, divergence = numbers.loc["lotus", ["avg_gap", "jsd"]]
    return [
        f"LoTUS, corrected: Avg Gap {gap:.3f}, {order}; JSD to gold {divergence:.3f} (doing nothing: "
        f"{_of_original(numbers.loc[ORIGINAL, 'jsd'], 3)})."
    ]


def differences(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """Returns what `released` changes against `corrected`, in textbook numbers; nothing if one did not run.

    Args:
        frames: metrics by protocol; one that deviates from `released` stands for it.

    """
    by_base = {parse(name).base: frame for name, frame in frames.items()}
    if len(by_base) < 2:
        return []
    corrected, released = by_base["corrected"], by_base["released"]
    before, after = _retain_accuracy(corrected), _retain_accuracy(released)
    methods = [row for row in after.index if row not in REFERENCES and row in before.index]
    lost = (before - after).reindex(methods).dropna()
    losers = [str(row) for row in lost.index[lost > NOTABLE_LOSS]]
    same = _equal_to_original(released)
    lines = [
        f"Released, {len(losers)} of {len(lost)} methods lose more than {100 * NOTABLE_LOSS:.0f} points of "
        f"retain accuracy against corrected{': ' + _listed(losers) if losers else ''}."
    ]
    if same:
        verb = "equals" if len(same) == 1 else "equal"
        lines.append(f"Released, {_listed(same)} {verb} the original, prediction for prediction.")
    return lines


def _retain_accuracy(frame: pd.DataFrame) -> pd.Series:
    """Mean retain accuracy of each row; NaN where a model has collapsed."""
    by_row = sound(frame).groupby("row", sort=False)["accuracy_retain"]
    return by_row.agg(lambda of_seeds: of_seeds.mean(skipna=False))


def _equal_to_original(frame: pd.DataFrame) -> list[str]:
    """Methods whose predictions are the original's for every seed."""
    by_row = frame.groupby("row", sort=False)["same_as_original"].agg(lambda same: bool(same.all()))
    return [str(row) for row in by_row.index[by_row] if row not in REFERENCES]


def _collapsed(name: str, frame: pd.DataFrame) -> list[str]:
    fallen = frame[frame["collapsed"] != ""]
    how = fallen["collapsed"].map(lambda why: "failed" if is_failed(why) else "collapsed")
    seeds = frame["seed"].nunique()
    return [
        f"{name.capitalize()}: {row_title(str(row))} {verb} in {len(which)} of {counted(seeds, 'seed')} "
        f"({all_of(list(map(str, which)))}) and is left out."
        for (row, verb), which in fallen.groupby(["row", how], sort=False)["seed"].unique().items()
    ]


def _listed(rows: Sequence[str]) -> str:
    return ", ".join(row_title(row) for row in rows)
