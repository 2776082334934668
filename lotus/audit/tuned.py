"""Do records of tuning bear out the hyper-parameters that a configuration states as chosen?"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import fsum, isclose, isfinite
from typing import Any

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.resolved import chosen_for
from lotus.plan.candidates import candidates, tuned_cells, tuned_rows
from lotus.plan.plan import Plan
from lotus.records.index import Index
from lotus.records.reading import Record
from lotus.wording import first_of

ROUNDING = 6e-5
"""How far an objective as stated, with four decimals, can be from the one that was found."""
Trials = Sequence[tuple[Mapping[str, Any], float]]
"""What was tried on one model: hyper-parameters and objective."""


def remarks_on_tuning(plan: Plan, index: Index) -> list[str]:
    """Returns remarks on rows with a space whose values were not chosen by `snakemake tune`, as recorded.

    Chosen is the candidate with the lowest mean objective over the tuning seeds. Whether the objectives are
    right is not looked at.
    """
    if plan.settings.tuning is None:
        return []
    unrecorded, otherwise = [], []
    for cell in tuned_cells(plan):
        for row in tuned_rows(plan, cell):
            name = f"{row} in {cell.name}"
            reason = _why_not(plan, index, cell, row)
            if reason is None:
                unrecorded.append(name)
            elif reason:
                otherwise.append(f"tuning does not bear out the values of {name}: {reason}")
    if unrecorded:
        otherwise.append(
            "no record of tuning says that these values had the lowest mean objective: "
            f"{first_of(unrecorded, 2)} (`snakemake tune` makes such records)"
        )
    return otherwise


def _why_not(plan: Plan, index: Index, cell: Benchmark, row: str) -> str | None:
    """Returns why the values of a row are not those that tuning chose, '' if they are; None: unrecorded."""
    tuning = plan.settings.tuning
    if tuning is None:
        return ""
    space = tuning.spaces[row]
    places = [layout.trials_file(cell, seed, row).as_posix() for seed in tuning.seeds]
    records = [index.records[place] for place in places if place in index.records]
    if not records:
        return None
    if len(records) < len(places):
        return f"{places[0]} is there, other tuning seeds are not"
    tried = [_tried(record) for record in records]
    first = [_of_space(given, space) for given, _ in tried[0]]
    if any([_of_space(given, space) for given, _ in seed] != first for seed in tried):
        return "the seeds tried different candidates"
    if not _are_declared(plan, cell, row, first):
        return f"{places[0]} did not try the {tuning.budget} candidates of the declared space and budget"
    means = [fsum(objective for _, objective in of) / len(of) for of in zip(*tried, strict=True)]
    best = first[means.index(min(means))]
    stated = _of_space(plan.hyperparameters(cell, row), space)
    varied = [key for key in space if any(given[key] != best[key] for given in first)]
    if any(stated[key] != best[key] for key in varied):
        return f"chosen was {_in_words(best)}, stated is {_in_words(stated)}"
    chosen = chosen_for(plan.settings, cell, row)
    if chosen is not None and not isclose(chosen.objective, min(means), abs_tol=ROUNDING):
        return f"its mean objective was {min(means):.4f}, stated is {chosen.objective:.4f}"
    return ""


def _are_declared(
    plan: Plan, cell: Benchmark, row: str, tried: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether what was tried is what the configuration declares, in whichever order.

    What plays no part in a plug-in's method, which is not imported, is unknown, and so which of two
    combinations tuning took for both: then as many of the space are accepted.
    """
    tuning = plan.settings.tuning
    space = tuning.spaces[row] if tuning is not None else {}
    if plan.methods.is_imported(plan.method_of(row)):
        declared = [_of_space(given, space) for given in candidates(plan, cell, row)]
        return len(tried) == len(declared) and all(given in tried for given in declared)
    every = [
        _of_space(dict(zip(space, values, strict=True)), space)
        for values in product(*space.values())
    ]
    as_many = tuning is not None and len(tried) == tuning.budget
    return as_many and all(given in every and tried.count(given) == 1 for given in tried)


def _tried(record: Record) -> Trials:
    """Returns what a record of trials has; nothing of what is none."""
    trials = record.content["notes"].get("trials") if not record.problem else None
    return list(_read(trials if isinstance(trials, list) else []))


def _read(trials: Sequence[Any]) -> Iterator[tuple[Mapping[str, Any], float]]:
    for trial in trials:
        match trial:
            case {"given": dict() as given, "objective": int() | float() as objective}:
                if isfinite(objective):
                    yield given, float(objective)


def _of_space(given: Mapping[str, Any], space: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values that were varied, numbers as numbers: YAML reads `1e-3` as a text."""
    return {key: _as_number(given.get(key)) for key in space}


def _as_number(value: Any) -> Any:
    try:
        return value if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return value


def _in_words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())
