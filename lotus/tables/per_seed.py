"""The table of every metric of every model, which the other tables are means of."""

from collections.abc import Sequence
from pathlib import Path

from lotus.metrics.base import registry
from lotus.results.metrics import load_metrics, told_keys
from lotus.results.metrics_file import KEYS
from lotus.tables.cell_texts import plus_minus
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def per_seed(sources: Sequence[Path]) -> Table:
    """Returns every metric of every model, one line each: what the other tables are means of.

    In all forms; numbers of collapsed models are kept, with the reason.
    """
    columns = [*KEYS, "row", "seed", *registry.columns(), "same_as_original", "collapsed"]
    frame = load_metrics(sources)[columns]
    names = [*told_keys(frame), "row", "seed"]
    body = [
        [str(line[key]) for key in names]
        + [plus_minus(line[metric], float("nan")) for metric in registry.labels()]
        + ["yes" if line["collapsed"] else ""]
        for line in frame.to_dict("records")
    ]
    heads = [{"dataset": "Data set"}.get(name, name.capitalize()) for name in names]
    return frame, latex_table(
        "Every model, textbook metrics.", [*heads, *registry.labels().values(), "Collapsed"], body
    )


SPEC = TableSpec(
    name="per-seed",
    make=per_seed,
    each="experiment",
    cells=lambda planned: planned.measured,
    order=20,
    label="Every metric, seed by seed",
    summary="Every metric of every model, one line each: what the other tables are means of. "
    "Collapsed models are kept, with the reason.",
    has_entry=False,
)
