"""Finds the benchmark of the paper that a cell of the grid reproduces at full size, if any.

Told by what a configuration says, not by its names: a part of CIFAR-10 or a narrow network is none of the
paper's benchmarks, whatever it is called.
"""

from lotus.config.architectures import Architecture
from lotus.config.cells import Benchmark
from lotus.config.images import Dataset
from lotus.config.scenarios import Scenario
from lotus.config.settings import Settings
from lotus.names import path_form

DATASETS = ("cifar10", "cifar100", "tiny-imagenet", "mufac-clean", "imagenet1k")
"""Data sets of the paper, by the names of their sources."""
WIDTH = 64
"""Channels of the first stage of the paper's ResNet18."""
MUFAC_FORGET_SET = 1_062


def counterpart(settings: Settings, cell: Benchmark) -> dict[str, str] | None:
    """The paper's benchmark as `report/published` names it: data set, architecture, scenario."""
    place = {
        "dataset": _dataset(cell.dataset, settings.datasets[cell.dataset]),
        "architecture": _architecture(settings.architectures[cell.architecture]),
        "scenario": _scenario(settings.scenarios[cell.scenario]),
    }
    return (
        {axis: name for axis, name in place.items() if name is not None}
        if all(place.values())
        else None
    )


def _dataset(name: str, dataset: Dataset) -> str | None:
    source, store = dataset.store.source or name, dataset.store
    is_whole = store.limit is None and store.side is None
    return source if source in DATASETS and is_whole else None


def _architecture(architecture: Architecture) -> str | None:
    if architecture.checkpoint is not None:
        return None
    match architecture.model:
        case "resnet18":
            is_wide = architecture.width == WIDTH and architecture.max_pool
            return "resnet18" if is_wide else None
        case "vit-b16" | "torchvision-vit-b16":
            return "vit"
    return None


def _scenario(scenario: Scenario) -> str | None:
    if scenario.forget_class is not None:
        return f"class-{path_form(scenario.forget_class)}"
    if scenario.forget_first == MUFAC_FORGET_SET:
        return "mufac-fixed"
    if scenario.forget_rule != "first":
        return None
    if scenario.forget_per_class == 5:
        return "imagenet-5-per-class"
    return {0.1: "instance-10", 0.5: "instance-50"}.get(scenario.forget_fraction or 0.0)
