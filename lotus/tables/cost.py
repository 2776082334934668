"""The table of what each method costs: time and memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lotus.layout import GOLD
from lotus.results.collapsed import COLLAPSED_SEEDS, seeds_of, titled_by_seed
from lotus.results.metrics import by_base, reference_of
from lotus.results.metrics_file import KEYS, MODELS
from lotus.results.run_records import judged, load_costs
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import plus_minus
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec

PRINTED = {"prepare_seconds": 2, "ratio_to_gold": 2, "process_mib": 0, "device_mib": 0}
"""Column → decimals."""


def cost(sources: Sequence[Path]) -> Table:
    """Returns what each model took, over the seeds: seconds, preparation, ratio to gold, peaks of memory.

    `ratio_to_gold` is of the means, to the gold model of the same place; NaN where there is none. What
    the peaks mean: `lotus.results.run_records.load_costs`; `device_mib` is NaN on a processor.
    `collapsed` counts the seeds whose model is of no use, which had its cost all the same;
    `collapsed_seeds` names them.

    Args:
        sources: records of runs, and the metrics files that judge their models.

    """
    frame = load_costs(*judged(sources))
    golds = {
        place: reference_of(part, GOLD, "seconds")
        for place, part in by_base(frame).groupby(MODELS, sort=False)
    }
    grouped = frame.groupby([*KEYS, "row"], sort=False)
    numbers = grouped[["seconds", "prepare_seconds"]].mean()
    numbers.insert(1, "seconds_std", grouped["seconds"].std())
    numbers = numbers.join(grouped[["process_mib", "device_mib"]].mean())
    numbers.insert(0, "n", grouped["seed"].nunique())
    numbers.insert(1, "collapsed", grouped["collapsed"].sum())
    fallen = frame[frame["collapsed"]]
    numbers.insert(2, COLLAPSED_SEEDS, seeds_of(fallen, [*KEYS, "row"], numbers.index))
    numbers = numbers.reset_index()
    against = [golds[place] for place in numbers[MODELS].itertuples(index=False, name=None)]
    after = list(numbers).index("prepare_seconds") + 1
    numbers.insert(after, "ratio_to_gold", numbers["seconds"] / against)
    body = [
        [
            benchmark_title(
                line["dataset"],
                line["architecture"],
                line["scenario"] or "all scenarios",
                protocol=line["protocol"],
            ),
            titled_by_seed(line["row"], line["collapsed"], line["n"], line[COLLAPSED_SEEDS]),
            plus_minus(line["seconds"], line["seconds_std"], 2),
            *(plus_minus(line[name], np.nan, decimals) for name, decimals in PRINTED.items()),
        ]
        for line in numbers.to_dict("records")
    ]
    heads = ["Benchmark", "", "s", "of it preparation", "of gold's", "process MiB", "device MiB"]
    caption = "Seconds and peak memory of training or unlearning, means over the seeds."
    return numbers, latex_table(caption, heads, body)


SPEC = TableSpec(
    name="cost",
    make=cost,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    folder="timings",
    order=70,
    label="Time and memory of unlearning",
    summary="Seconds and peak memory of every method, and their ratios to retraining the gold "
    "model.",
    has_entry=False,
)
