"""Table 7 of the paper: the correlation of RF-JSD with JSD."""

from lotus.tables.paper.spec import PaperTableSpec

SPEC = PaperTableSpec(
    name="table7",
    heading="RF-JSD and JSD",
    submission="Table 6",
    shows="Does RF-JSD tell what JSD tells? Their correlation over the methods of each benchmark.",
    printed_in=["table7"],
    metrics=["pearson_r"],
    alias="correlation",
    order=70,
)
