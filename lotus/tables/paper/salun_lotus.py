"""SalUn's mask with LoTUS, beside both."""

from lotus.tables.paper.spec import MAIN, PaperTableSpec

SPEC = PaperTableSpec(
    name="salun-lotus",
    heading="SalUn with LoTUS",
    submission="not in it",
    shows="SalUn's mask with LoTUS in place of random labels.",
    printed_in=["table1"],
    metrics=MAIN,
    only=["original", "gold", "lotus", "salun", "salun-lotus"],
    where="salun-lotus",
    order=110,
)
