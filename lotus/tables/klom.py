"""The table of KLoM: how differently unlearned and retrained models are sure of forgotten images."""

from collections.abc import Sequence
from pathlib import Path

from lotus.results.attack_lines import klom_lines
from lotus.results.collapsed import COLLAPSED_SEEDS, titled_without
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def klom(sources: Sequence[Path]) -> Table:
    """Returns KLoM of each row with many models: what the columns mean, `lotus.attacks.base.klom` says.

    Collapsed models are left out, counted and named: see `lotus.results.attack_lines`.
    """
    frame = klom_lines(sources)
    body = [
        [
            benchmark_title(*(line[key] for key in KEYS)),
            titled_without(line["row"], line[COLLAPSED_SEEDS]),
            *(f"{line[name]:.2f}" for name in ("median", "high", "floor")),
            str(line["models"]),
        ]
        for line in frame.to_dict("records")
    ]
    heads = ["Benchmark", "", "KLoM, median image", "95th percentile", "by chance", "models"]
    return frame, latex_table(
        "KLoM over the forgotten images, in nats, without collapsed models.", heads, body
    )


SPEC = TableSpec(
    name="klom",
    make=klom,
    each="experiment",
    cells=lambda planned: planned.of_many_models,
    sources=lambda planned, cells: planned.attacks(cells),
    order=65,
    label="Margins of many models (KLoM)",
    summary="For each forgotten image, how far the confidence of unlearned models is spread otherwise "
    "than that of models that were never trained on it: the Kullback–Leibler divergence of their "
    "histograms, in nats. Median and 95th percentile over images; `floor` is the 95th percentile where "
    "models of both kinds are dealt at random, so what so few models show of no difference.",
    has_entry=False,
)
