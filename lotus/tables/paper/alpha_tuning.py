"""The paper's choice of α."""

from lotus.tables.paper.spec import PaperTableSpec

SPEC = PaperTableSpec(
    name="alpha-tuning",
    heading="The choice of α",
    submission="not numbered",
    shows="LoTUS's α: how steeply its temperature follows the accuracy gap.",
    printed_in=["alpha-tuning"],
    metrics=["avg_gap", "jsd_e4", "rf_jsd_e4", "time_min"],
    order=90,
)
