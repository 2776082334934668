"""The report's part on the images: data sets, images that are alike, figures, the ways of the counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus import layout
from lotus.page import chain, formulas
from lotus.page.items import PageFigure, figure_on_page, figures_of_section
from lotus.page.sections import TableCell
from lotus.page.ways import Cell, Formula, Way
from lotus.results.experiment import Experiment
from lotus.results.lookalikes import AuditTable
from lotus.results.stores import StoreRow
from lotus.results.titles import benchmark_title


@dataclass(frozen=True)
class ShownAudit:
    """Images that are alike, in one scenario.

    Attributes:
        parts: names of its parts.
        rows: (part, the counts).

    """

    title: str
    images: int
    is_clean: bool
    parts: Sequence[str]
    rows: Sequence[tuple[str, Sequence[TableCell]]]


def data_part(read: Experiment) -> dict[str, Any]:
    """Returns the part: stores' counts, audits and figures by data set, figures of all under ''."""
    figures: dict[str, list[PageFigure]] = {dataset: [] for dataset in (*read.audits, "")}
    for made in figures_of_section(read, "data"):
        dataset = made["about"].get("dataset", "")
        figures[dataset].append(figure_on_page(read, made, f": {dataset}" if dataset else ""))
    return {
        "store_cells": {store.name: _store_cells(read, store) for store in read.stores},
        "audits": _audits(read),
        "data_figures": figures,
    }


def _store_cells(read: Experiment, store: StoreRow) -> tuple[TableCell, TableCell]:
    """Numbers of images and of classes."""
    basis = chain.of_images(read, store.name)
    named = [f"{part} {count:,}" for part, count in store.images.items()]
    cell = Cell(layout.store_record(store.name).as_posix())
    images, classes = (
        Way(formula, store.title, "", basis, cell=cell)
        for formula in (formulas.IMAGES, formulas.CLASSES)
    )
    return (
        TableCell(", ".join(named), value=sum(store.images.values()), way=images),
        TableCell(str(store.classes), value=store.classes, way=classes),
    )


def _audits(read: Experiment) -> Mapping[str, Sequence[ShownAudit]]:
    scenarios: dict[str, list[str]] = {}
    for dataset, scenario in read.audited:
        scenarios.setdefault(dataset, []).append(scenario)
    return {
        dataset: [
            _audit(read, audit, dataset, scenario)
            for audit, scenario in zip(audits, scenarios[dataset], strict=True)
        ]
        for dataset, audits in read.audits.items()
    }


def _audit(read: Experiment, audit: AuditTable, dataset: str, scenario: str) -> ShownAudit:
    basis = chain.of_images(read, dataset, scenario)
    where = benchmark_title(dataset=dataset, scenario=scenario)
    cell = Cell(layout.audit_file(dataset, scenario).as_posix())

    def count(number: int, formula: Formula, part: str) -> TableCell:
        return TableCell(
            str(number), value=number, way=Way(formula, f"part {part}", where, basis, cell=cell)
        )

    parts = [row.name for row in audit.rows]
    return ShownAudit(
        title=audit.title,
        images=audit.images,
        is_clean=audit.is_clean,
        parts=parts,
        rows=[
            (
                row.name,
                [
                    count(row.images, formulas.IN_PART, row.name),
                    *(
                        count(pairs, formulas.of_pairs(other), row.name)
                        for other, pairs in zip(parts, row.pairs, strict=True)
                    ),
                    count(row.dropped, formulas.DROPPED, row.name),
                ],
            )
            for row in audit.rows
        ],
    )
