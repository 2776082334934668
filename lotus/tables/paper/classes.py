"""The paper's numbers where a whole class is forgotten."""

from lotus.tables.paper.spec import MAIN, TERMS, PaperTableSpec

SPEC = PaperTableSpec(
    name="classes",
    heading="Class unlearning",
    submission="not numbered",
    shows="A whole class forgotten.",
    printed_in=["classes"],
    metrics=[*MAIN, *TERMS],
    alias="class-unlearning",
    order=80,
)
