"""The table of what each kind of randomness contributes to the spread over seeds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lotus.metrics.base import registry
from lotus.results.collapsed import COLLAPSED_SEEDS, titled_without
from lotus.results.components import MEASURED, REST, load_components
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec

PRINTED = MEASURED[:2]


def components(sources: Sequence[Path]) -> Table:
    """Returns variance components of Avg Gap, JSD and accuracies; see `results.components`.

    LaTeX has Avg Gap and JSD alone.
    """
    numbers = load_components(sources)
    body = [
        [
            benchmark_title(*(line[key] for key in KEYS)),
            titled_without(str(line["row"]), str(line[COLLAPSED_SEEDS])),
            registry.specs()[str(line["metric"])].label,
            str(line["source"]),
            str(line["df"]) if line["source"] != REST else "",
            _deviation(line["variance"]),
            f"{_deviation(line['variance_low'])} to {_deviation(line['variance_high'])}",
        ]
        for line in numbers[numbers["metric"].isin(PRINTED)].to_dict("records")
    ]
    caption = (
        "What each kind of randomness contributes: standard deviation with the others fixed, and its 95 % "
        "interval. The rest is what the kinds together lack of all together: interactions; where it is "
        "negative, the kinds alone explain all that can be told. Collapsed models are left out."
    )
    heads = ["Benchmark", "", "", "Source", "df", "Deviation", "interval"]
    return numbers, latex_table(caption, heads, body)


def _deviation(variance: float) -> str:
    """The root of a variance; of a negative estimate the root of its amount, with its sign."""
    return f"{np.sign(variance) * np.sqrt(abs(variance)):.4f}"


SPEC = TableSpec(
    name="components",
    make=components,
    cells=lambda planned: planned.apart,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.records(cells)],
    order=60,
    label="What each kind of randomness contributes",
    summary="Variance components of Avg Gap, JSD and accuracies: split, initialisation, order of batches "
    "and the method's own noise, one varied at a time, beside all together; what these leave is how they "
    "interact, and cannot be told where the estimate is negative.",
    absent="Not run here: config/fashion-variance.yaml varies one kind of randomness at a time.",
)
