"""Where the hyper-parameters of a row are from: told from the configuration, by what gives each."""

from lotus.config import protocol
from lotus.config.cells import Benchmark
from lotus.plan.plan import Plan

TUNED, CONSTANTS, PUBLISHED, BY_HAND = (
    "tuned",
    "constants of its paper or its authors",
    "constants of the published code",
    "by hand",
)
"""Of `origins`, beside the `source` that an override states."""


def origins(plan: Plan, cell: Benchmark, row: str) -> dict[str, list[str]]:
    """Returns origin → hyper-parameters of a row that have it, each once.

    - `tuned`: given by an override that states what tuning found of it.
    - `constants of the published code`: brought by a switch of the protocol, or given for `released`.
    - `constants of its paper or its authors`: the method's own default, not given or given as it is.
    - what the override says where it states a `source`; `by hand`: given otherwise.

    Args:
        cell: under the protocol that the run is filed under.

    """
    settings, name = plan.settings, plan.method_of(row)
    wanted, values = protocol.parse(cell.protocol), plan.hyperparameters(cell, row)
    found = dict.fromkeys(values, CONSTANTS)
    for switch, constants in plan.methods.released(name).items():
        if wanted.has(switch):
            found |= dict.fromkeys(constants, PUBLISHED)
    found |= dict.fromkeys(settings.methods[row].hyperparameters, BY_HAND)
    column = plan.column_of(cell, row)
    for override in settings.overrides:
        where = override.where
        if where.covers(cell.dataset, cell.architecture, cell.scenario, column):
            usual = PUBLISHED if where.protocol == "released" else BY_HAND
            origin = TUNED if row in override.tuned else override.source or usual
            found |= dict.fromkeys(override.methods.get(row, {}), origin)
    defaults = plan.methods.defaults(name)
    kinds: dict[str, list[str]] = {}
    for key, origin in found.items():
        is_default = key in defaults and values.get(key) == defaults[key]
        kept = origin in (TUNED, PUBLISHED) or not is_default
        kinds.setdefault(origin if kept else CONSTANTS, []).append(key)
    return kinds
