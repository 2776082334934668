"""The data sets. Each module of this folder describes one: its `SOURCE` is found by the module's name.

A new data set is a new file here, `my_data.py` for `my-data`, and an entry in the configuration.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lotus.data.store import Images
from lotus.errors import LotusError, choices


@dataclass(frozen=True)
class RawFile:
    """A file as its publisher provides it.

    Attributes:
        name: file name.
        md5: checksum that its publisher (or reader) states.
        locate: says where the file lies on this machine.
        origin: the same in words that hold on any machine.

    """

    name: str
    md5: str
    locate: Callable[[], Path]
    origin: str


@dataclass(frozen=True)
class Source:
    """A data set: what it is, where it comes from and how it is read.

    Attributes:
        classes: names in order of label.
        mean, std: per channel on the 0–1 scale, for normalisation.
        files: everything `read` needs.
        read: from the located files, in the order of `files`, to the images.
        in_repository: its files need no download, so every run builds and locks it.

    """

    name: str
    title: str
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    licence: str
    homepage: str
    selection: str
    files: tuple[RawFile, ...]
    read: Callable[[tuple[Path, ...]], Images]
    in_repository: bool


def available() -> tuple[str, ...]:
    """Names of all data sets."""
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__)))


def module_of(name: str) -> str:
    """Module that describes data set `name`."""
    return f"{__name__}.{name.replace('-', '_')}"


def source(name: str) -> Source:
    """The description of data set `name`.

    Raises:
        LotusError: there is none.

    """
    if name not in available():
        raise LotusError(f"unknown data set '{name}'; {choices(name, available())}")
    described: Source = importlib.import_module(module_of(name)).SOURCE
    return described
