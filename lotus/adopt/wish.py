"""What `lotus adopt` was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Wish:
    """A trained model, the images that it was trained on, and which of these it is to forget.

    Attributes:
        weights: the checkpoint.
        entry: of a checkpoint with several state dicts, the key of the one that is meant; None: it has one.
        network: `timm:NAME`, `torchvision:NAME`, a Python file, or the name of a network of this package.
        network_options: further keys of the section under `architectures`.
        images: a folder of class folders, a CSV file, or the name of a registered data set.
        held_out: share of each class that is held out; None where the images say themselves which are.
        size, mean, std: as the model was trained; None: as the network's library says, if it does.
        forget: the keys of the scenario that says what is forgotten.
        methods: rows of the tables.
        seeds: each gives one unlearned model for each row.
        gold: whether a model is retrained without the forgotten images as well.
        name: of the model, in paths and tables.

    """

    weights: Path
    network: str
    images: str
    forget: Mapping[str, Any]
    entry: str | None = None
    network_options: Mapping[str, Any] = field(default_factory=dict)
    held_out: float | None = None
    size: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    methods: Sequence[str] = ("lotus", "finetune", "random-labeling")
    seeds: Sequence[int] = (3407, 13, 12)
    gold: bool = False
    name: str = "my-model"
