"""The paper's share of the retain set that LoTUS is given."""

from lotus.tables.paper.spec import MAIN, PaperTableSpec

SPEC = PaperTableSpec(
    name="retain-fraction",
    heading="Share of the retain set",
    submission="not numbered",
    shows="How much of the retain set LoTUS needs; the numbers that the paper shows could not be "
    "read.",
    printed_in=[],
    metrics=MAIN,
    order=100,
)
