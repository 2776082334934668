"""Describes what a plan comes to: for the report, and for a person."""

from typing import Any

from lotus.config.cells import Benchmark
from lotus.config.resolved import chosen_for
from lotus.plan.plan import Plan
from lotus.plan.shadows import cost
from lotus.plan.value_origins import origins
from lotus.published.counterparts import counterpart


def description(plan: Plan) -> dict[str, Any]:
    """Returns what the report is about: the settings, and each cell with its runs and resolved rows."""
    return {
        "settings": plan.settings.model_dump(mode="json"),
        "rows": list(plan.rows),
        "benchmarks": [_described(plan, cell) for cell in plan.benchmarks],
        "ablations": [_described(plan, cell) for cell in plan.ablations],
    }


def _described(plan: Plan, cell: Benchmark) -> dict[str, Any]:
    measured = plan.measured(cell)
    return {
        "dataset": cell.dataset,
        "architecture": cell.architecture,
        "scenario": cell.scenario,
        "protocol": cell.protocol,
        "study": cell.study,
        "measured": measured.protocol,
        "items": [label for label, cells in plan.labelled.items() if cell in cells],
        "published": counterpart(plan.settings, cell),
        "tuned": _tuned(plan, cell),
        "training": plan.architecture(cell.dataset, cell.architecture)["training"],
        "runs": {seed: plan.run_folders(measured, seed) for seed in plan.seeds_of(measured)},
        "methods": {
            row: {
                "method": plan.method_of(row),
                "calibration": plan.calibration_of(row),
                "hyperparameters": plan.hyperparameters(plan.home(cell, row), row),
                "origins": origins(plan, plan.home(cell, row), row),
            }
            for row in plan.rows_of(measured)
        },
    }


def _tuned(plan: Plan, cell: Benchmark) -> dict[str, Any]:
    """Row → what tuning found of its values; nothing of rows as the published code has them."""
    found = {row: chosen_for(plan.settings, cell, row) for row in plan.rows_of(cell)}
    corrected = {row for row in found if plan.column_of(cell, row) == "corrected"}
    return {
        row: chosen.model_dump(mode="json")
        for row, chosen in found.items()
        if chosen is not None and row in corrected
    }


def part_counts(plan: Plan) -> str:
    """Models of each part, for a person."""
    width = max(len(name) for name in plan.parts)
    counted = {name: plan.count_runs(cells) for name, cells in plan.parts.items()}
    lines = [f"  {name:<{width}}  {count:>5}" for name, count in counted.items()]
    return "\n".join(
        [
            f"Models of each part ({plan.count_runs()} in all; parts share some):",
            *lines,
            *cost(plan),
        ]
    )


def summary(plan: Plan) -> str:
    """Returns in words what would be run."""
    seeds = ", ".join(str(seed) for seed in plan.settings.seeds)
    concerned = {cell: plan.rows_of(cell) for cell in plan.ablations}
    return "\n".join(
        [
            plan.settings.title,
            *(f"  {cell.name}{_special(plan, cell)}" for cell in plan.benchmarks),
            *(
                f"  {cell.name}: {', '.join(rows) or 'no other runs'}"
                for cell, rows in concerned.items()
            ),
            f"  rows: {', '.join(plan.rows)}",
            f"  seeds: {seeds}",
            f"  models: {plan.count_runs()}",
            *(f"  {line}" for line in cost(plan)),
        ]
    )


def _special(plan: Plan, cell: Benchmark) -> str:
    """Returns how a cell differs from the others."""
    rows = plan.rows_of(cell)
    some = ", ".join(rows) if rows != tuple(plan.settings.methods) else ""
    said = [part for part in (some, "" if plan.has_gold(cell) else "no gold model") if part]
    return f": {'; '.join(said)}" if said else ""
