"""Table 4 of the paper: ImageNet-1k."""

from lotus.tables.paper.spec import PaperTableSpec

SPEC = PaperTableSpec(
    name="table4",
    heading="Table 4: ImageNet-1k",
    submission="Table 3",
    shows="ImageNet-1k, few images of each class at hand, no gold model.",
    printed_in=["table4"],
    metrics=["rf_jsd_e4", "time_min", "accuracy_retain", "accuracy_test", "accuracy_forget", "mia"],
    order=40,
)
