"""The table of the same methods on forget sets that were chosen by different rules."""

from collections.abc import Sequence
from pathlib import Path

from lotus.results.collapsed import COLLAPSED_SEEDS, titled_by_seed
from lotus.results.forget_sets import MEASURED, load_forget_sets
from lotus.results.titles import benchmark_title, scenario_title
from lotus.tables.cell_texts import plus_minus
from lotus.tables.latex import latex_table
from lotus.tables.spec import Table, TableSpec


def forget_sets(sources: Sequence[Path]) -> Table:
    """Returns Avg Gap, JSD and forget accuracy of every row for each way to choose the forget set.

    See `results.forget_sets`; LaTeX has no differences.
    """
    numbers = load_forget_sets(sources)
    body = [
        [
            benchmark_title(
                str(line["dataset"]),
                str(line["architecture"]),
                study=str(line["study"]),
                protocol=str(line["protocol"]),
            ),
            titled_by_seed(
                str(line["row"]), int(line["collapsed"]), int(line["n"]), str(line[COLLAPSED_SEEDS])
            ),
            scenario_title(str(line["scenario"])),
            *(plus_minus(line[metric], line[f"{metric}_std"]) for metric in MEASURED),
        ]
        for line in numbers.sort_values(["row"], kind="stable").to_dict("records")
    ]
    caption = (
        "The same methods on forget sets that were chosen by different rules: means over the seeds and "
        "deviations. Gold and the original tell how hard the images are; gold again is the floor."
    )
    heads = ["Benchmark", "", "Forgotten", "Avg Gap", "JSD", "Forget accuracy"]
    return numbers, latex_table(caption, heads, body)


SPEC = TableSpec(
    name="forget-sets",
    make=forget_sets,
    each="experiment",
    cells=lambda planned: planned.of_several_rules,
    sources=lambda planned, cells: [*planned.metrics(cells), *planned.forget_sets(cells)],
    order=62,
    label="Which images are forgotten",
    summary="Avg Gap, JSD and forget accuracy of every row where as many images are forgotten by several "
    "rules: the first, drawn ones, the hardest, the easiest, clusters of look-alikes; and the difference "
    "to the first of these scenarios. How each set was chosen is told as its file says it.",
    absent="Not run here: config/fashion-forget-sets.yaml forgets first, random, hardest, easiest and "
    "look-alike images.",
)
