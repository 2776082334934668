"""A merged configuration, validated."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import (
    ValidationError,
)

from lotus.config.consistency import inconsistencies
from lotus.config.images import Dataset
from lotus.config.methods import MethodEntry
from lotus.config.mistakes import complain, explain, mistakes_in
from lotus.config.origins import Origin
from lotus.config.overrides import Override
from lotus.config.settings import Settings
from lotus.errors import LotusError


def load(content: Mapping[str, Any], origins: Sequence[Origin]) -> Settings:
    """Validates a merged configuration.

    Args:
        content: the configuration as the workflow sees it.
        origins: where its parts came from, later ones win; for the messages only.

    Raises:
        LotusError: one line per mistake, each with file, key path, value and what is accepted.

    """
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        lines = [explain(details, content, origins) for details in mistakes_in(error)]
        raise LotusError("\n".join(lines)) from None
    problems = [complain(origins, *problem) for problem in inconsistencies(settings)]
    if problems:
        raise LotusError("\n".join(problems))
    return settings if settings.limit is None else _limited(settings, settings.limit)


def _limited(settings: Settings, limit: int) -> Settings:
    """The same experiment on the first images of each class, under names of its own."""

    def name(dataset: str) -> str:
        return f"{dataset}-limit{limit}"

    def cut(known: str, dataset: Dataset) -> Dataset:
        fewer = min(limit, dataset.store.limit or limit)
        source = dataset.store.source or known
        store = dataset.store.model_copy(update={"source": source, "limit": fewer})
        return dataset.model_copy(update={"store": store})

    def moved(override: Override) -> Override:
        if override.where.dataset is None:
            return override
        where = override.where.model_copy(update={"dataset": name(override.where.dataset)})
        return override.model_copy(update={"where": where})

    def calibrated(row: MethodEntry) -> MethodEntry:
        other = name(row.calibration) if row.calibration is not None else None
        return row.model_copy(update={"calibration": other})

    return settings.model_copy(
        update={
            # Applied; the result is a configuration of its own, which may be read again.
            "limit": None,
            "methods": {row: calibrated(it) for row, it in settings.methods.items()},
            "datasets": {name(known): cut(known, it) for known, it in settings.datasets.items()},
            "grid": tuple(
                block.model_copy(update={"datasets": tuple(map(name, block.datasets))})
                for block in settings.grid
            ),
            "overrides": tuple(map(moved, settings.overrides)),
            "power": None
            if settings.power is None
            else settings.power.model_copy(update={"dataset": name(settings.power.dataset)}),
        }
    )
