"""Table 6 of the paper: half of the images forgotten, the basic methods."""

from lotus.tables.paper.spec import BASIC, MAIN, PaperTableSpec

SPEC = PaperTableSpec(
    name="table6",
    heading="Table 6: half forgotten, basic methods",
    submission="Table 5",
    shows="Half of the images forgotten: the basic methods.",
    printed_in=["table6"],
    metrics=MAIN,
    only=["original", "gold", *BASIC, "lotus"],
    order=60,
)
