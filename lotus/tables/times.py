"""The table of seconds: of unlearning, and of training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lotus.results.collapsed import COLLAPSED_SEEDS, seeds_of, titled_by_seed
from lotus.results.metrics_file import KEYS
from lotus.results.run_records import judged, load_times
from lotus.results.titles import benchmark_title
from lotus.tables.cell_texts import plus_minus
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def times(sources: Sequence[Path]) -> Table:
    """Returns the seconds of training or unlearning, per benchmark and row; original and gold: of training.

    `seconds` includes `prepare_seconds`, the method's own preparation. `minutes_released_r1` is what
    the published code would state. `collapsed` counts the seeds whose model is of no use, which took its
    time all the same; `collapsed_seeds` names them.

    Args:
        sources: records of runs, and the metrics files that judge their models.

    """
    frame = load_times(*judged(sources))
    grouped = frame.groupby([*KEYS, "row"], sort=False)
    numbers = grouped["seconds"].agg(["mean", "std", "count"])
    numbers.columns = pd.Index(["seconds", "seconds_std", "n"])
    numbers["collapsed"] = grouped["collapsed"].sum()
    fallen = frame[frame["collapsed"]]
    numbers[COLLAPSED_SEEDS] = seeds_of(fallen, [*KEYS, "row"], numbers.index)
    for name in ("prepare_seconds", "minutes_released_r1"):
        numbers[name] = grouped[name].mean()
    numbers = numbers.reset_index()
    body = [
        [
            benchmark_title(
                line.dataset,
                line.architecture,
                line.scenario or "all scenarios",
                protocol=line.protocol,
            ),
            titled_by_seed(line.row, line.collapsed, line.n, line.collapsed_seeds),
            plus_minus(line.seconds, line.seconds_std, 2),
            f"{line.prepare_seconds:.2f}",
            f"{line.minutes_released_r1:.2f}",
        ]
        for line in numbers.itertuples()
    ]
    heads = ["Benchmark", "", "s", "of it preparation", "minutes as released"]
    return numbers, latex_table("Seconds of training or unlearning.", heads, body)


SPEC = TableSpec(
    name="times",
    make=times,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    folder="timings",
    order=60,
    label="Seconds of unlearning and of retraining",
    summary="Seconds of training or unlearning, with the method's own preparation; wall time of "
    "this machine.",
    has_entry=False,
)
