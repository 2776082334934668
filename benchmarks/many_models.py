"""Many small models at once: which way pays on this processor, and how many seeds cost how much.

A step is one forward, backward and SGD step of the default experiment's ResNet18 (width 8) on a batch of
28×28 pixels. The ways: one model after the other; the same operations over stacked weights (`torch.func`);
one network with as many groups as there are models, whose convolutions are grouped; and several processes.
"""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from paired import Figures, in_turn, rounded
from problem import resnet18
from torch import Tensor, nn
from torch.nn import functional as F

from lotus import models
from lotus.config.images import Dataset
from lotus.data.batches import Images
from lotus.data.store import open_store
from lotus.engine.device import prepare
from lotus.engine.training import train

WIDTH, SIDE, CLASSES, BATCH = 8, 28, 10, 125
OPTIMIZER = {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4}
FEW, MANY = 8, 32

Batch = tuple[Tensor, Tensor]


def measure_ways(counts: Sequence[int], rounds: int, processes: int) -> Figures:
    """Returns milliseconds of a step per model, by way and number of models, and how far results differ."""
    ways: dict[str, Callable[[], None]] = {"alone, 1": _alone(1)}
    sizes = {"alone, 1": 1}
    for count in counts:
        for name, make in {"grouped": _grouped, "stacked": _stacked}.items():
            ways[f"{name}, {count}"], sizes[f"{name}, {count}"] = make(count), count
    found = in_turn(ways, rounds)
    milliseconds = {name: rounded(found.median(name) * 1000 / sizes[name]) for name in ways}
    with _pool(processes) as pool:
        steps = 4
        by_processes = in_turn(
            {"processes": lambda: list(pool.map(_steps_alone, [steps] * processes))}, rounds
        )
    each = by_processes.median("processes") * 1000 / (steps * processes)
    milliseconds[f"{processes} processes"] = rounded(each)
    alone = milliseconds["alone, 1"]
    return {
        "milliseconds_of_a_step_per_model": milliseconds,
        "gain": {name: rounded(alone / value) for name, value in milliseconds.items()},
        "largest_difference_after_a_step": {
            "grouped": _difference(_grouped_network),
        },
    }


def measure_seeds(store: Path, images: int, epochs: int, rounds: int, processes: int) -> Figures:
    """Returns seconds of training few and many seeds as the workflow does: a job each, on all processors.

    Args:
        store: the images of the default experiment.
        images: so many of its training images.

    """
    job = partial(_train_seed, store, images, epochs)
    with _pool(processes) as pool:
        ways = {
            str(count): partial(lambda count: list(pool.map(job, range(count))), count)
            for count in (FEW, MANY)
        }
        list(pool.map(job, range(processes)))
        found = in_turn(ways, rounds, warm=False)
    return {
        **found.figures(),
        "images": images,
        "epochs": epochs,
        "processes": processes,
        "ratios": {"seeds_32_over_8": found.ratio(str(MANY), str(FEW))},
    }


def _pool(processes: int) -> ProcessPoolExecutor:
    """Processes with torch loaded, as the workflow's warm process makes them: one thread each."""
    pool = ProcessPoolExecutor(processes, get_context("spawn"), partial(prepare, "cpu", 1))
    list(pool.map(_steps_alone, [1] * processes))
    return pool


def _train_seed(store: Path, count: int, epochs: int, seed: int) -> float:
    opened, architecture = open_store(store), resnet18(WIDTH)
    recipe = architecture.training.model_copy(
        update={"epochs": epochs, "warmup_epochs": 0, "batch_size": BATCH}
    )
    images = Images(opened, Dataset(), torch.device("cpu"))
    network = models.build(architecture, (1, SIDE, SIDE), CLASSES, seed)
    sets = (images.take(opened.part("train")[:count]), images.take(opened.part("test")))
    last = [0.0]

    def note(_: int, __: int, report: dict[str, float]) -> None:
        last[0] = report["loss"]

    train(network, *sets, recipe, torch.Generator().manual_seed(seed), note)  # type: ignore[arg-type]
    return last[0]


def _steps_alone(steps: int) -> None:
    step = _alone(1)
    for _ in range(steps):
        step()


def _networks(count: int) -> list[nn.Module]:
    return [models.build(resnet18(WIDTH), (1, SIDE, SIDE), CLASSES, seed) for seed in range(count)]


def _batches(count: int) -> list[Batch]:
    made = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(BATCH, 1, SIDE, SIDE, generator=made),
            torch.randint(CLASSES, (BATCH,), generator=made),
        )
        for _ in range(count)
    ]


def _alone(count: int) -> Callable[[], None]:
    """Steps of several models, one after the other."""
    networks, batches = _networks(count), _batches(count)
    optimizers = [torch.optim.SGD(network.parameters(), **OPTIMIZER) for network in networks]

    def step() -> None:
        for network, optimizer, (images, labels) in zip(networks, optimizers, batches, strict=True):
            optimizer.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()

    return step


class EachLinear(nn.Module):
    """The last layers of several networks: `[b, S·n]` to `[b, S, classes]`."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]))

    def forward(self, x: Tensor) -> Tensor:
        parts = x.unflatten(1, (len(self.weight), -1))
        return torch.einsum("bsn,scn->bsc", parts, self.weight) + self.bias


def grouped(networks: Sequence[nn.Module]) -> nn.Module:
    """One network that does what several of one shape do, each in channels of its own."""
    whole, count = copy.deepcopy(networks[0]), len(networks)
    for name, layer in list(whole.named_modules()):
        parts = [network.get_submodule(name) for network in networks]
        if isinstance(layer, nn.Conv2d):
            made: nn.Module = nn.Conv2d(
                count * layer.in_channels,
                count * layer.out_channels,
                layer.kernel_size,  # type: ignore[arg-type]
                layer.stride,  # type: ignore[arg-type]
                layer.padding,  # type: ignore[arg-type]
                groups=count,
                bias=False,
            )
        elif isinstance(layer, nn.BatchNorm2d):
            made = nn.BatchNorm2d(count * layer.num_features)
        elif isinstance(layer, nn.Linear):
            whole.set_submodule(name, EachLinear(parts))  # type: ignore[arg-type]
            continue
        else:
            continue
        own = made.state_dict()
        for key in own:
            if own[key].dim():
                own[key] = torch.cat([part.state_dict()[key] for part in parts])
        made.load_state_dict(own)
        whole.set_submodule(name, made)
    return whole.to(memory_format=torch.channels_last)


def _grouped_network(count: int) -> tuple[nn.Module, Callable[[], None]]:
    network, batches = grouped(_networks(count)), _batches(count)
    optimizer = torch.optim.SGD(network.parameters(), **OPTIMIZER)
    images = torch.cat([images for images, _ in batches], 1)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.stack([labels for _, labels in batches], 1)

    def step() -> None:
        optimizer.zero_grad()
        said = network(images)
        # Each model's loss is the mean of its own batch.
        (F.cross_entropy(said.flatten(0, 1), labels.flatten()) * count).backward()
        optimizer.step()

    return network, step


def _grouped(count: int) -> Callable[[], None]:
    return _grouped_network(count)[1]


def _stacked(count: int) -> Callable[[], None]:
    """`torch.func` over stacked weights and running statistics."""
    networks, batches = _networks(count), _batches(count)
    weights, state = torch.func.stack_module_state(networks)  # type: ignore[arg-type]
    optimizer = torch.optim.SGD(weights.values(), **OPTIMIZER)
    base = networks[0]
    images = torch.stack([images for images, _ in batches])
    labels = torch.stack([labels for _, labels in batches])

    def loss(own: dict[str, Tensor], kept: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(torch.func.functional_call(base, {**own, **kept}, (x,)), y)

    every = torch.func.vmap(loss, in_dims=(0, 0, 0, 0))

    def step() -> None:
        optimizer.zero_grad()
        every(weights, state, images, labels).sum().backward()
        optimizer.step()

    return step


def _difference(
    build: Callable[[int], tuple[nn.Module, Callable[[], None]]], count: int = 4
) -> float:
    """Largest difference of a weight after one step: several models together, and each alone."""
    together, step = build(count)
    step()
    networks, batches = _networks(count), _batches(count)
    for network, (images, labels) in zip(networks, batches, strict=True):
        optimizer = torch.optim.SGD(network.parameters(), **OPTIMIZER)
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()
    pairs = zip(grouped(networks).parameters(), together.parameters(), strict=True)
    return rounded(max(float((first - second).detach().abs().max()) for first, second in pairs))
