"""Table 2 of the paper: LoTUS calibrated on synthetic images."""

from lotus.tables.paper.spec import MAIN, PaperTableSpec

SPEC = PaperTableSpec(
    name="table2",
    heading="Table 2: synthetic calibration",
    submission="not in it",
    shows="LoTUS calibrated on synthetic images (CIFAKE) in place of validation images.",
    printed_in=["table1", "table2"],
    metrics=MAIN,
    only=["gold", "lotus", "lotus-cifake"],
    where="lotus-cifake",
    alias="synthetic-calibration",
    order=20,
)
