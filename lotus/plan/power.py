"""What `snakemake power` comes to: models whose truth is known, and the groups in which they are judged."""

from collections.abc import Iterator, Mapping
from typing import Any

from lotus import layout
from lotus.config.cells import Benchmark
from lotus.config.power import Power
from lotus.config.protocol import parse
from lotus.layout import GOLD, KEPT_ALL, KEPT_HALF, ORIGINAL, TRAIN_MODE
from lotus.plan.plan import Plan
from lotus.results.power import has_train_mode, of_shadows


def number_of(row: str) -> int:
    """The number of a further gold, or of a model by which measures are tried, by its row; else 0."""
    known = layout.is_further_gold(row) or layout.is_of_power(row)
    return int(row.rpartition("-")[2]) if known else 0


def seed_of_power(plan: Plan, cell: Benchmark) -> int:
    """The seed whose splits, original and gold are taken."""
    given = _power(plan).seed
    return plan.seeds_of(cell)[0] if given is None else given


def models_of_power(plan: Plan, cell: Benchmark) -> list[tuple[int, str, Mapping[str, Any]]]:
    """All models but the seed's original and gold: seed, row, and how it differs from gold (see `Run`)."""
    seed = seed_of_power(plan, cell)
    return [
        *((seed, row, options) for row, options in _of_the_seed(plan, cell).items()),
        *(
            (shadow, row, options)
            for shadow in shadow_seeds_of_power(plan)
            for _, row, options in _of_a_shadow(cell)
        ),
    ]


def _of_the_seed(plan: Plan, cell: Benchmark) -> Mapping[str, dict[str, Any]]:
    """Row → how it differs from gold, of the models that are of the benchmark's own split.

    Those that kept all of the forget set have numbers of their own, behind the golds': no two models start
    from the same weights.
    """
    power = _power(plan)
    golds = range(1, 1 + power.references + power.golds + power.fresh)
    halves = range(1, 1 + power.models)
    whole = range(1, 1 + power.references + power.models)
    of_nothing = range(1 + power.references, 1 + power.references + power.models)
    after = len(golds)
    return {
        **{layout.further_gold(number): {"again": number} for number in golds},
        **{f"{KEPT_HALF}-{n}": {"again": after + n, "kept": 0.5} for n in halves},
        **{f"{KEPT_ALL}-{n}": {"again": 2 * after + n, "kept": 1.0} for n in whole},
        **{
            f"{TRAIN_MODE}-{n}": {"again": 2 * after + n, "kept": 1.0, "in_train_mode": True}
            for n in of_nothing
            if has_train_mode(parse(cell.protocol))
        },
    }


def groups_of_power(plan: Plan, cell: Benchmark) -> list[tuple[str, int, str]]:
    """(group, seed, row) of every model, as `lotus power` takes them; shadows in their order."""
    seed = seed_of_power(plan, cell)
    return [
        *((group, seed, row) for group, row in _groups_of_the_seed(plan, cell)),
        *(
            (group, shadow, row)
            for group, row, _ in _of_a_shadow(cell)
            for shadow in shadow_seeds_of_power(plan)
        ),
    ]


def _groups_of_the_seed(plan: Plan, cell: Benchmark) -> list[tuple[str, str]]:
    power = _power(plan)
    numbers = iter(range(1, 1 + power.references + power.golds + power.fresh))
    golds = [
        (group, layout.further_gold(next(numbers)))
        for group, count in (
            ("without", power.references),
            ("calibrating", power.golds),
            ("fresh", power.fresh),
        )
        for _ in range(count)
    ]
    last = power.references + power.models
    tried = range(1 + power.references, 1 + last)
    return [
        *((name, name) for name in (ORIGINAL, GOLD)),
        *golds,
        *(("with", f"{KEPT_ALL}-{n}") for n in range(1, 1 + power.references)),
        *(("nothing", f"{KEPT_ALL}-{n}") for n in tried),
        *(("half", f"{KEPT_HALF}-{n}") for n in range(1, 1 + power.models)),
        *(
            ("train_mode", f"{TRAIN_MODE}-{n}")
            for n in tried
            if has_train_mode(parse(cell.protocol))
        ),
    ]


def shadow_seeds_of_power(plan: Plan) -> tuple[int, ...]:
    """Seeds of the shadows by which measures are tried; none where no `power` asks for any."""
    power = plan.settings.power
    return () if power is None else power.shadow_seeds


def _of_a_shadow(cell: Benchmark) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Group, row and options of the models of a shadow, which start from different weights."""
    yield of_shadows(GOLD), GOLD, {}
    yield of_shadows("half"), f"{KEPT_HALF}-1", {"again": 1, "kept": 0.5}
    yield of_shadows("nothing"), f"{KEPT_ALL}-1", {"again": 2, "kept": 1.0}
    if has_train_mode(parse(cell.protocol)):
        options = {"again": 2, "kept": 1.0, "in_train_mode": True}
        yield of_shadows("train_mode"), f"{TRAIN_MODE}-1", options


def _power(plan: Plan) -> Power:
    power = plan.settings.power
    assert power is not None
    return power
