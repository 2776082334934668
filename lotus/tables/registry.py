"""The tables of benchmarks and across them, and the paper's tables: found by the names of their files."""

from lotus import tables
from lotus.tables import paper
from lotus.tables.discovery import Registry
from lotus.tables.paper.spec import PaperTableSpec
from lotus.tables.spec import TableSpec

SHARED = frozenset(
    {
        *(
            "cell_texts",
            "discovery",
            "effects",
            "floor_sentences",
            "latex",
            "paper",
            "printed",
            "registry",
        ),
        *("spec", "trace", "write"),
    }
)
"""Modules of `lotus/tables` that are no tables."""

TABLES = Registry(tables.__name__, tables.__path__, TableSpec, "table", SHARED)
PAPER_TABLES = Registry(paper.__name__, paper.__path__, PaperTableSpec, "item", frozenset({"spec"}))
