"""The cost of each published behaviour: single switches against `corrected`, paired over seeds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lotus.config.protocol import CORRECTED, SWITCHES, Protocol, of_stage, parse
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.metrics.base import registry
from lotus.metrics.base.released import mean_ag
from lotus.metrics.membership import SYNTHETIC
from lotus.results.collapsed import COLLAPSED_SEEDS, in_words
from lotus.results.conventions import StatedRuns
from lotus.results.metrics import load_metrics, needs_gold, sound, with_gold
from lotus.results.metrics_file import PLACE, read_metrics

CHANGES = (
    "avg_gap",
    "accuracy_retain",
    "accuracy_forget",
    "accuracy_test",
    "mia",
    "jsd",
)
"""Metrics whose change is stated."""
OF_NUMBERS: tuple[tuple[str, ...], ...] = (("E3",), ("E4",), ("E6",), ("E5", "E6"))
"""Switches of metrics alone: computed from the corrected runs. E5 has no form without E6."""

ABSENT = pd.Series(dtype=float)
"""Values of a row that was not run."""


def ablate(sources: Sequence[Path]) -> pd.DataFrame:
    """One line per place, switch and row concerned: values under `corrected` and switched, the change.

    Columns: `PLACE`, switch, row, n (seeds that both have), collapsed (seeds in which either model
    has collapsed; then no change is stated; `collapsed_seeds` names them), and for each metric of
    `CHANGES` the means `…_corrected` and `…_switched`, `…_change` and `…_change_std` (mean and deviation
    of the paired differences).
    Metrics are in textbook form, but for lines of switches of metrics alone: there `…_switched` is the
    released form of the corrected runs. Under E4 the two JSD have no common unit: no change is stated,
    and `jsd_switched_mean_ag` is the released value in nats, where the predictions tell how many
    forget images there are.

    Args:
        sources: metrics files of `corrected` and of protocols `corrected+SWITCH…`; others are left out.

    """
    frame = load_metrics(sources)
    counts = {
        tuple(read_metrics(path)[key] for key in PLACE): _forget_images(path) for path in sources
    }
    lines = []
    for place, part in frame.groupby(PLACE, sort=False):
        by_protocol = {parse(str(name)): of for name, of in part.groupby("protocol", sort=False)}
        if CORRECTED not in by_protocol:
            continue
        base = by_protocol.pop(CORRECTED)
        found = [*_of_runs(base, by_protocol), *_of_numbers(base, counts[place])]
        lines += [{**dict(zip(PLACE, place, strict=True)), **line} for line in found]
    columns = [*PLACE, "switch", "row", "n", "collapsed", COLLAPSED_SEEDS]
    return pd.DataFrame(lines, columns=None if lines else columns)


Line = dict[str, str | float]


def _of_runs(base: pd.DataFrame, others: dict[Protocol, pd.DataFrame]) -> Iterator[Line]:
    """Lines of switches that change models or predictions."""
    order = {switch: place for place, switch in enumerate(SWITCHES)}
    before = _by_row(StatedRuns(sound(base), CORRECTED), CHANGES)
    for protocol in sorted(others, key=lambda of: [order[s] for s in _sorted(of)]):
        if protocol.base != CORRECTED.base:
            continue
        switched = others[protocol]
        after = _by_row(StatedRuns(sound(switched), CORRECTED), CHANGES)
        for row in dict.fromkeys(switched["row"]):
            if row in (GOLD, GOLD_AGAIN) or (row == ORIGINAL and _is_same(base, switched, row)):
                continue
            pairs = {m: (before[m].get(row, ABSENT), after[m][row]) for m in CHANGES}
            yield _line(_label(_sorted(protocol)), row, _fallen(row, base, switched), pairs)


def _of_numbers(base: pd.DataFrame, forget_images: int | None) -> Iterator[Line]:
    """Lines of switches of metrics alone: E5 of rows with a calibration set, E4 where there is gold."""
    calibrated = set(base.loc[base[SYNTHETIC].notna(), "row"])
    plain = StatedRuns(sound(base), CORRECTED)
    for switches in OF_NUMBERS:
        label, protocol = _label(switches), Protocol("corrected", frozenset(switches))
        concerned = [metric for metric in CHANGES if _is_concerned(metric, switches)]
        if with_gold(base).empty and all(map(needs_gold, concerned)):
            continue
        switched = StatedRuns(plain.frame, protocol)
        before, after = _by_row(plain, concerned), _by_row(switched, concerned)
        gaps = switched.released_gaps() if label == "E3" else ABSENT
        for row in dict.fromkeys(base["row"]):
            if row not in (GOLD, GOLD_AGAIN) and ("E5" not in switches or row in calibrated):
                pairs = {metric: (before[metric][row], after[metric][row]) for metric in before}
                line = _line(label, row, _fallen(row, base), pairs)
                yield line | _apart(label, line, float(gaps.get(row, np.nan)), forget_images)


def _is_concerned(metric: str, switches: Sequence[str]) -> bool:
    return {*switches} <= {*registry.specs()[metric].released.switches}


def _apart(label: str, line: Line, gap: float, forget_images: int | None) -> Line:
    """Returns the parts of a line that are no paired means.

    Args:
        gap: the row's Avg Gap of means, under E3.

    """
    if label == "E3":
        change = gap - float(line["avg_gap_corrected"])
        return {
            "avg_gap_switched": gap,
            "avg_gap_change": change,
            "avg_gap_change_std": np.nan,
        }
    if label == "E4":
        known = mean_ag(float(line["jsd_switched"]), forget_images) if forget_images else np.nan
        return {
            "jsd_change": np.nan,
            "jsd_change_std": np.nan,
            "jsd_switched_mean_ag": known,
        }
    return {}


def _line(
    label: str, row: str, fallen: Sequence[int], pairs: dict[str, tuple[pd.Series, pd.Series]]
) -> Line:
    """One line from the values by seed, without and with the switch."""
    shared = set.intersection(
        *({*before.index} & {*after.index} for before, after in pairs.values())
    )
    seeds = sorted(shared)
    line: Line = {"switch": label, "row": row, "n": len(seeds), "collapsed": len(fallen)}
    line[COLLAPSED_SEEDS] = in_words(fallen)
    for metric, (before, after) in pairs.items():
        before, after = before.loc[seeds], after.loc[seeds]
        changes = after - before
        line[f"{metric}_corrected"] = before.mean(skipna=False)
        line[f"{metric}_switched"] = after.mean(skipna=False)
        line[f"{metric}_change"] = changes.mean(skipna=False)
        line[f"{metric}_change_std"] = changes.std(skipna=False)
    return line


def _by_row(runs: StatedRuns, metrics: Sequence[str]) -> dict[str, dict[str, pd.Series]]:
    """Returns metric → row → values by seed."""
    rows = runs.frame["row"].to_numpy()
    numbers = {metric: runs.values(metric).set_axis(runs.frame["seed"]) for metric in metrics}
    return {
        metric: {str(row): of_seeds for row, of_seeds in of_metric.groupby(rows)}
        for metric, of_metric in numbers.items()
    }


def _fallen(row: str, *frames: pd.DataFrame) -> list[int]:
    """The seeds that all frames have of a row, and in which its model has collapsed in any of them."""
    by_seed = [frame[frame["row"] == row].set_index("seed")["collapsed"] for frame in frames]
    shared = set.intersection(*({*states.index} for states in by_seed))
    return sorted(seed for seed in shared if any(states[seed] != "" for states in by_seed))


def _is_same(base: pd.DataFrame, switched: pd.DataFrame, row: str) -> bool:
    """Whether a row's numbers are equal for every seed of `switched`, which may be fewer."""
    one, other = (
        frame[frame["row"] == row].set_index("seed")[list(registry.columns())]
        for frame in (base, switched)
    )
    return bool(one.reindex(other.index).equals(other))


def _sorted(protocol: Protocol) -> list[str]:
    return [switch for switch in SWITCHES if switch in protocol.deviations]


def _label(switches: Sequence[str]) -> str:
    return "+".join(switches)


def _forget_images(metrics: Path) -> int | None:
    """Number of forget images; None where metrics of older code do not state it."""
    stated: int | None = read_metrics(metrics).get("images", {}).get("forget")
    return stated


def is_of_numbers(switch: str) -> bool:
    """Whether a switch's line is computed from the corrected runs."""
    return set(switch.split("+")) <= of_stage("metrics")
