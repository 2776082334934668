"""What was measured of one unlearned model, and how strong these checks are on its benchmark."""

from collections.abc import Iterator
from typing import Any

from lotus.attacks.base import registry as attacks
from lotus.certificate.numbers import Numbers, Rows
from lotus.config.cells import Benchmark
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.metrics.base import registry
from lotus.results.power import FRESH, TRIED, Tried
from lotus.results.titles import benchmark_title
from lotus.wording import all_of


def measured(numbers: Numbers, row: str) -> dict[str, Any]:
    """Returns the numbers of a model, before and after, as `lotus.certificate.form.Measured` has them."""
    rows = numbers.rows
    lines = [*_lines(rows, row)]
    found = [*_attacks(numbers.attacked, row)]
    return {
        "collapsed": rows[row]["collapsed"],
        "lines": lines,
        "attacks": found,
        "absent": [*_absent(rows, found)],
    }


def _lines(rows: Rows, row: str) -> Iterator[dict[str, Any]]:
    for name, spec in registry.specs().items():
        line = {
            "label": spec.label,
            "before": _number(rows, ORIGINAL, name),
            "after": _number(rows, row, name),
            "gold": _number(rows, GOLD, name),
            "floor": _number(rows, GOLD_AGAIN, name),
        }
        if line["after"] is not None:
            yield line


def _number(rows: Rows, row: str, name: str) -> float | None:
    value = rows.get(row, {}).get(name)
    return None if value is None else float(value)


def _attacks(of_rows: Rows, row: str) -> Iterator[dict[str, Any]]:
    for name, found in of_rows.get(row, {}).items():
        before = of_rows.get(ORIGINAL, {}).get(name, {}).get("auc")
        yield {
            "label": attacks.specs()[name].label if name in attacks.specs() else name,
            "images": found["images"],
            "reference_models": found["reference_models"],
            "before": before,
            "after": found["auc"],
            "low": found["auc_low"],
            "high": found["auc_high"],
        }


def _absent(rows: Rows, found: list[dict[str, Any]]) -> Iterator[str]:
    """Yields what was not measured, and why."""
    if GOLD not in rows:
        unknown = [spec.label for name, spec in registry.specs().items() if "gold" in spec.needs]
        yield (
            f"No gold model was retrained, so {all_of(unknown)} are not known: whether this model is like "
            "one that never saw the images cannot be said."
        )
    elif GOLD_AGAIN not in rows:
        yield "This seed has one gold model, so how far two of them lie apart (the floor) is not known."
    if not found:
        yield "No membership attack was made."
    elif not any(line["reference_models"] for line in found):
        yield (
            "No attack could compare with models that never saw the images, and those that do are the "
            "stronger ones."
        )


def strength(numbers: Numbers, cell: Benchmark, row: str) -> dict[str, Any]:
    """Returns how often each check of a model noticed what it is to notice, if that was tried here.

    Those that say nothing of this model (U-LiRA, say, which takes shadow models) are no checks of it.
    """
    tried = numbers.tried
    if tried is None:
        return _unknown(
            "no check was tried on models whose truth is known, as `snakemake power` does under "
            f"'{cell.protocol}'"
        )
    if not numbers.is_tried_on(cell):
        where = benchmark_title(**tried.about)
        return _unknown(f"the checks were tried on another benchmark ({where}) alone")
    metrics = {name for name in registry.specs() if _number(numbers.rows, row, name) is not None}
    used = metrics | numbers.attacked.get(row, {}).keys()
    return {
        "unknown": "",
        "checks": [_of_check(tried, name) for name in tried.measures() if name in used],
    }


def _unknown(why: str) -> dict[str, Any]:
    return {"unknown": why, "checks": []}


def _of_check(tried: Tried, name: str) -> dict[str, Any]:
    rates = {group: tried.rate(name, group) for group in (FRESH, *TRIED)}
    alarms = {
        group: {"alarms": round(rate.value * rate.n) if rate.n else 0, "models": rate.n}
        for group, rate in rates.items()
    }
    return {"label": tried.labels[name], "golds": alarms.pop(FRESH), **alarms}
