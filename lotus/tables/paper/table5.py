"""Table 5 of the paper: the accuracies behind Table 1."""

from lotus.tables.paper.spec import TERMS, PaperTableSpec

SPEC = PaperTableSpec(
    name="table5",
    heading="Table 5: the accuracies behind Table 1",
    submission="Table 4",
    shows="The accuracies behind the Avg Gap of Table 1.",
    printed_in=["table5"],
    metrics=[*TERMS, "gap_forget", "gap_retain", "gap_test", "gap_mia", "avg_gap"],
    order=50,
)
