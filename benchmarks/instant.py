"""What stands in a rehearsal for the work: no network computes, and all else runs as it is.

`rehearsal.py` puts this file into a clone as `lotus/instant.py`, its numbers beside it as `instant.json`,
and appends to the modules of HOOKS lines that take their functions from here. Images, answers and changes
of weights are made up; whatever lies around them (plans, jobs, files, records, metrics, attacks, figures,
the page) is the project's own.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

HOOKS = {
    "lotus/data/build.py": (
        "find_all = instant.without_files(find_all)",
        "source_of = instant.with_made_up_images(source_of)",
    ),
    "lotus/engine/inference.py": (
        "logits = logits_in_train_mode = logits_one_by_one = instant.answers",
        "accuracy = instant.accuracy",
    ),
    "lotus/engine/training.py": ("train = instant.train",),
    "lotus/methods/base/configured.py": ("make = instant.with_instant_methods(make)",),
    "lotus/models/weights_file.py": (
        "write_safetensors = instant.padded(write_safetensors)",
        "read_safetensors = instant.without_padding(read_safetensors)",
    ),
}
"""Module → what is appended to it, after `from lotus import instant`."""

PADDING = "padding"
RIGHT = Fraction(9, 10)
"""Share of images that a made-up model gets right."""
LEAD = 6
"""By how much the logit of a right answer leads, in standard deviations of the others."""


REPORTED = ("loss", "temperature", "forget_accuracy", "gap")
"""What a figure shows of a method's epochs."""


def numbers() -> Any:
    """Returns what `rehearsal.py` states: images by data set, bytes of a model by architecture."""
    return json.loads(Path(__file__).with_suffix(".json").read_text())


def without_files(find_all: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that finds no raw files of data sets whose images are made up."""

    def found(dataset: str, described: Any, *given: Any) -> list[Any]:
        is_made_up = described.name in numbers()["images"]
        return [] if is_made_up else find_all(dataset, described, *given)

    return found


def with_made_up_images(source_of: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that describes a data set whose images are noise, of the stated numbers."""

    def described(dataset: str, options: Any) -> Any:
        source = source_of(dataset, options)
        if source.name not in numbers()["images"]:
            # One that comes with the project, whose store every run locks.
            return source
        stated = numbers()["images"][source.name]
        classes = source.classes or tuple(f"class-{n}" for n in range(stated["classes"]))
        read = partial(_noise, classes, stated["side"], stated["parts"])
        return replace(source, files=(), sizes={}, read=read)

    return described


def _noise(classes: tuple[str, ...], side: int, parts: dict[str, int], _: Any) -> Any:
    from lotus.data.content import Content

    ends = np.cumsum([0, *(count * len(classes) for count in parts.values())]).tolist()
    rng = np.random.default_rng(side)
    pixels = rng.integers(0, 256, (ends[-1], side, side, 3), np.uint8)
    labels = np.arange(ends[-1]) % len(classes)
    places = dict(zip(parts, pairwise(ends), strict=True))
    return Content(pixels, labels, places, classes)


def answers(model: Any, images: Any, augmented: Any = None) -> np.ndarray:
    """Logits `[n, classes]`, most of them right, others for other weights."""
    head = list(model.parameters())[-1].detach().numpy()
    rng = np.random.default_rng(zlib.crc32(head.tobytes()))
    labels = images.labels.numpy()
    said = rng.standard_normal((len(labels), len(head)), np.float32)
    said[np.arange(len(labels)), labels] += LEAD * (rng.random(len(labels)) < RIGHT)
    return said


def accuracy(model: Any, images: Any, augmented: Any = None) -> Fraction:
    """Share of images that a made-up model gets right."""
    return RIGHT


def _changed(model: Any) -> Any:
    """The model with other weights, drawn by the seed of the job."""
    import torch

    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
    return model.eval()


def train(
    model: Any, images: Any, val: Any, recipe: Any, generator: Any, progress: Any, **_: Any
) -> Any:
    """Says of each epoch what a training says, and changes the weights once."""
    for epoch in range(recipe.epochs):
        progress(epoch, recipe.epochs, {"lr": recipe.lr, "loss": 1.0, "val_loss": 1.0})
    _changed(model)
    return recipe.epochs - 1 if recipe.epochs else None


def with_instant_methods(make: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that makes methods which say what they say of each epoch, and do no work."""

    def made(name: str, hyperparameters: Any) -> Any:
        method = make(name, hyperparameters)

        def unlearn(_: Any, task: Any) -> Any:
            epochs = getattr(method, "epochs", 1)
            for epoch in range(epochs):
                task.progress(epoch, epochs, dict.fromkeys(REPORTED, 1.0))
            return _changed(task.student())

        type(method).unlearn = unlearn
        return method

    return made


def padded(write: Callable[..., None]) -> Callable[..., None]:
    """Returns a function that writes weights in a file of the architecture's real size.

    What is missing is a tensor of zeros in a hole of the file: it has to be read and hashed, and takes no
    room on the disk.
    """

    def written(tensors: Any, path: Path, metadata: Any = None) -> None:
        write(tensors, path, metadata)
        wanted = numbers()["model_bytes"].get(path.parts[2], 0) if len(path.parts) > 2 else 0
        with path.open("r+b") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
            rest = file.read()
            if wanted <= len(rest):
                return
            header[PADDING] = {
                "dtype": "U8",
                "shape": [wanted - len(rest)],
                "data_offsets": [len(rest), wanted],
            }
            text = json.dumps(header, separators=(",", ":")).encode()
            text += b" " * (-len(text) % 8)
            file.seek(0)
            file.write(len(text).to_bytes(8, "little") + text + rest)
            os.truncate(path, 8 + len(text) + wanted)

    return written


def without_padding(read: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that reads weights without what `padded` added."""

    def found(path: Path) -> Any:
        return {name: value for name, value in read(path).items() if name != PADDING}

    return found
