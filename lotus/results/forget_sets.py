"""The same methods on forget sets that were chosen by different rules."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lotus.data.splits import load_forget_set
from lotus.errors import LotusError
from lotus.layout import GOLD_AGAIN
from lotus.results.collapsed import COLLAPSED_SEEDS, in_words
from lotus.results.floor import IN_FLOORS
from lotus.results.metrics import load_metrics, sound
from lotus.results.metrics_file import KEYS

MEASURED = ("avg_gap", "jsd", "accuracy_forget")
TO_GOLD = MEASURED[:2]
"""Those that are distances to gold."""
OF_SET = ["images", "chosen"]
COLUMNS = [*KEYS, "row", "n", "collapsed", COLLAPSED_SEEDS, *OF_SET]
NUMBERS = [name for metric in MEASURED for name in (metric, f"{metric}_std")]
CHANGES = [f"{metric}_change" for metric in MEASURED]


def load_forget_sets(sources: Sequence[Path]) -> pd.DataFrame:
    """A line for each row of each scenario: means over the seeds, and how its forget set was chosen.

    `…_std` is the deviation over the seeds, NaN of one; `…_change` is the difference to the first scenario
    of the same benchmark, NaN of a row that it lacks; `…_in_floors` is a distance to gold in units of the
    floor, the mean distance of another gold of the same scenario, NaN where that is not known, or is 0.
    Collapsed models are counted, named by their seeds and in no mean: a mean that lacks a seed is NaN.

    Args:
        sources: metrics files, and one forget set of each scenario.

    Raises:
        LotusError: a file is neither, or a scenario has no forget set.

    """
    metrics, splits = told_apart(sources)
    raw = load_metrics(metrics)
    frame = sound(raw)
    fallen = raw["collapsed"] != ""
    chosen = {(path.parts[-4], path.stem): (load_forget_set(path), path) for path in splits}
    lines: list[dict[str, Any]] = []
    for key, part in frame.groupby([*KEYS, "row"], sort=False):
        about = dict(zip([*KEYS, "row"], map(str, key), strict=True))
        found = chosen.get((about["dataset"], about["scenario"]))
        if found is None:
            raise LotusError(
                f"no forget set of {about['scenario']}, data set {about['dataset']}, is given"
            )
        forgotten, path = found
        line: dict[str, Any] = {
            **about,
            "n": len(part),
            "collapsed": int(fallen[part.index].sum()),
            COLLAPSED_SEEDS: in_words(part.loc[fallen[part.index], "seed"]),
            "images": len(forgotten.forget),
            "chosen": _of_all_seeds(forgotten.rule, path),
        }
        for metric in MEASURED:
            line[metric] = part[metric].mean(skipna=False)
            line[f"{metric}_std"] = part[metric].std(skipna=False)
        lines.append(line)
    table = pd.DataFrame(lines, columns=[*COLUMNS, *NUMBERS])
    place = [key for key in KEYS if key != "scenario"]
    for metric in TO_GOLD:
        table[f"{metric}{IN_FLOORS}"] = table[metric] / _floors(table, metric)
    earliest = table.groupby(place, sort=False)["scenario"].transform("first")
    is_first = table["scenario"] == earliest
    for metric in MEASURED:
        of_first = table[metric].where(is_first)
        first = of_first.groupby([table[key] for key in (*place, "row")], sort=False)
        table[f"{metric}_change"] = table[metric] - first.transform("max")
    return table


def _floors(table: pd.DataFrame, metric: str) -> pd.Series:
    """The floor of each line's scenario."""
    of_golds = table[metric].where(table["row"] == GOLD_AGAIN)
    found = of_golds.groupby([table[key] for key in KEYS], sort=False).transform("max")
    return found.where(found > 0)


def _of_all_seeds(rule: str, path: Path) -> str:
    """The rule of one seed's forget set as it is for all: each draws by its own seed."""
    own = path.parts[-2].removeprefix("seed")
    return rule.replace(f"with seed {own}", "with the seed of each run")


def told_apart(sources: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Returns metrics files, and forget sets, which lie in `DATASET/splits/SEED/SCENARIO.json`."""
    splits = [path for path in sources if path.parts[-3:-2] == ("splits",)]
    return [path for path in sources if path not in splits], splits
