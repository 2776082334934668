"""Table 3 of the paper: half of the images forgotten, the strong baselines."""

from lotus.tables.paper.spec import BASIC, MAIN, PaperTableSpec

SPEC = PaperTableSpec(
    name="table3",
    heading="Table 3: half forgotten, strong baselines",
    submission="Table 2",
    shows="Half of the images forgotten: the strong baselines.",
    printed_in=["table3"],
    metrics=MAIN,
    without=BASIC,
    order=30,
)
