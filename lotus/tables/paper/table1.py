"""Table 1 of the paper: Avg Gap, JSD and time, a tenth of the images forgotten."""

from lotus.tables.paper.spec import MAIN, PaperTableSpec

SPEC = PaperTableSpec(
    name="table1",
    heading="Table 1: ten per cent forgotten",
    submission="Table 1",
    shows="Avg Gap, JSD and time of every method, a tenth of the images forgotten (MUFAC: a fixed "
    "set).",
    printed_in=["table1"],
    metrics=MAIN,
    order=10,
)
