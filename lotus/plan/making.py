"""A plan made of a configuration, every cell of it checked before a job starts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lotus.config.mistakes import complain
from lotus.config.origins import Origin
from lotus.config.reading import load
from lotus.config.resolved import benchmarks
from lotus.config.settings import Settings
from lotus.data import sources
from lotus.data.calibration import class_problem
from lotus.data.splits import class_label
from lotus.errors import LotusError, choices
from lotus.layout import GOLD, KEPT_ALL, KEPT_HALF, REFERENCES, TRAIN_MODE
from lotus.methods.base.catalogue import IMPORTED, Catalogue, NotImported
from lotus.methods.base.plugins import load_plugins
from lotus.metrics.base import registry as metric_registry
from lotus.names import composed
from lotus.plan.candidates import too_small_spaces
from lotus.plan.plan import Plan


def make_plan(
    content: Mapping[str, Any], origins: Sequence[Origin], import_plugins: bool = True
) -> Plan:
    """Checks a configuration completely.

    Args:
        content: as merged from all origins.
        origins: for the messages only.
        import_plugins: whether the code of plug-ins may be run; else their sources are read, and what
            these do not say is not checked.

    Raises:
        LotusError: one line per mistake: file, key path, value, what is accepted. Or a file of
            `lotus/metrics` is not one of metrics.

    """
    settings = load(content, origins)
    # A metric that is not complete would be found when all models are made.
    metric_registry.families()
    methods: Catalogue = IMPORTED
    if settings.plugins and not import_plugins:
        methods = NotImported.of(settings.plugins)
    # Before the checks: a row may name a method that a plug-in registers.
    try:
        load_plugins(settings.plugins if import_plugins else ())
    except LotusError as error:
        raise LotusError(complain(origins, ["plugins"], None, str(error))) from None
    problems = [
        complain(origins, path, value, what)
        for found in (_datasets(settings), _methods(settings, methods), _calibrations(settings))
        for path, value, what in found
    ]
    plan = Plan(settings, methods)
    if not problems:
        problems = [complain(origins, *problem) for problem in too_small_spaces(plan)]
    if problems:
        # Several cells can have the same mistake.
        raise LotusError("\n".join(dict.fromkeys(problems)))
    return plan


def source_name(settings: Settings, dataset: str) -> str:
    """Registered name of a data set of the configuration."""
    return settings.datasets[dataset].store.source or dataset


Problem = tuple[list[str | int], Any, str]


def _datasets(settings: Settings) -> Iterator[Problem]:
    """Data sets that do not exist, classes that a data set of the grid lacks."""
    known = sources.available()
    for name, dataset in settings.datasets.items():
        given = dataset.store.source
        if (given or name) not in known:
            place: list[str | int] = ["datasets", name, *(["store", "source"] if given else [])]
            yield place, given, f"unknown data set; {choices(given or name, known)}"
    for cell in dict.fromkeys(cell.under("") for cell in benchmarks(settings)):
        wanted = settings.scenarios[cell.scenario].forget_class
        classes = _classes(settings, cell.dataset)
        if wanted is None or classes is None:
            continue
        try:
            class_label(classes, wanted)
        except LotusError as error:
            what = f"data set {cell.dataset}: {error}"
            yield ["scenarios", cell.scenario, "forget_class"], wanted, what


def _methods(settings: Settings, methods: Catalogue) -> Iterator[Problem]:
    """Methods that do not exist, hyper-parameters that they refuse."""
    for row, entry in settings.methods.items():
        name = composed(entry.method or row)
        if what := methods.refusal(name):
            named = ["method"] if entry.method else []
            yield ["methods", row, *named], entry.method, what
            continue
        fixed = (f"{GOLD}-again-", f"{GOLD}-of-", KEPT_HALF, KEPT_ALL, TRAIN_MODE)
        if row in REFERENCES or row.startswith(fixed):
            yield ["methods", row], None, "this name has a fixed meaning; give the row another"
        for place, values in _given(settings, row):
            for key, value, what in methods.problems(name, values):
                yield [*place, key], value, what


def _calibrations(settings: Settings) -> Iterator[Problem]:
    """Calibration sets of other classes than the data sets that their rows are run on."""
    for cell, extent in benchmarks(settings).items():
        for row in extent.rows:
            name = settings.methods[row].calibration
            if name is None:
                continue
            theirs, ours = (_classes(settings, dataset) for dataset in (name, cell.dataset))
            problem = class_problem(theirs, ours) if theirs and ours else ""
            if problem:
                what = f"for data set {cell.dataset}: {problem}"
                yield ["methods", row, "calibration"], name, what


def _classes(settings: Settings, dataset: str) -> tuple[str, ...] | None:
    """Classes of a data set of the configuration, where they are known before it is read."""
    source = source_name(settings, dataset)
    return sources.source(source).classes if source in sources.available() else None


def _given(settings: Settings, row: str) -> Iterator[tuple[list[str | int], Mapping[str, Any]]]:
    """Every place of a configuration that gives hyper-parameters of a row."""
    yield ["methods", row], settings.methods[row].hyperparameters
    for position, override in enumerate(settings.overrides):
        yield ["overrides", position, "methods", row], override.methods.get(row, {})
    space = settings.tuning.spaces.get(row, {}) if settings.tuning is not None else {}
    for key, values in space.items():
        for value in values:
            yield ["tuning", "spaces", row], {key: value}
