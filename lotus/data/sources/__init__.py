"""The data sets. Each module of this folder describes one: its `SOURCE` is found by the module's name.

A new data set is a new file here, `my_data.py` for `my-data`, and an entry in the configuration.
Images in folders or behind a CSV need none: see `image_folder.py`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lotus.data.content import Reader
from lotus.errors import BrokenCodeError, LotusError, choices


@dataclass(frozen=True)
class RawFile:
    """A file as its publisher provides it.

    Attributes:
        name: file name.
        md5: checksum that its publisher (or reader) states; '' if none is known.
        url: where it can be downloaded; '' if a licence means that the user fetches it.
        unpacks: for an archive, the folder that is read, by its name inside; taken instead where found.
        members: md5 of the files of that folder, as far as they are known.
        unpack: from archive and empty folder: unpacks it in its own way; None: whole.
        needed: from the places of the files before it: whether it is needed; None: always.
        locate: where the file lies on this machine, for those that come with the project.
        origin: that place in words that hold on any machine.

    """

    name: str
    md5: str
    url: str = ""
    unpacks: str = ""
    members: Mapping[str, str] = field(default_factory=dict)
    unpack: Callable[[Path, Path], None] | None = None
    needed: Callable[[tuple[Path, ...]], bool] | None = None
    locate: Callable[[], Path] | None = None
    origin: str = ""


@dataclass(frozen=True)
class Source:
    """A data set: what it is, where it comes from and how it is read.

    Attributes:
        version: which publication of the data.
        classes: names in order of label; None: known only from the files.
        mean, std: per channel on the 0–1 scale, for normalisation; None: those of the training images.
        selection: which of the publisher's images are taken, in words.
        obtain: what a user has to do where a file cannot be downloaded; in one sentence.
        files: everything `read` needs; empty: the user names a folder (`store.raw`).
        sizes: images by part, as published; {} if not fixed.
        read: from the located files, in the order of `files`, to labels and images; those not needed
            are left out.
        folders: names of folders under which mirrors may hold it, beside its own name.
        in_repository: its files need no download, so every run builds and locks it.
        read_unsplit: reads a place whose images are in no parts, all of them as the training part; None:
            the data set has parts of its own.
        has_names: its images have names of their own, by which they can be asked for (`Content.names`).

    """

    name: str
    title: str
    version: str
    classes: tuple[str, ...] | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    licence: str
    homepage: str
    selection: str
    files: tuple[RawFile, ...]
    read: Reader
    obtain: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    in_repository: bool = False
    read_unsplit: Reader | None = None
    has_names: bool = False


def available() -> tuple[str, ...]:
    """Names of all data sets."""
    return tuple(
        sorted(
            m.name.replace("_", "-")
            for m in pkgutil.iter_modules(__path__)
            if not m.name.startswith("_")
        )
    )


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
    module = module_of(name)
    try:
        described: Source = importlib.import_module(module).SOURCE
    except (SyntaxError, TypeError, NameError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise BrokenCodeError(
            f"data set '{name}': {module} cannot be loaded: {said}", module
        ) from error
    return described


def is_in_repository(name: str) -> bool:
    """Whether `name` is a data set whose files come with the project, so that every run locks its store."""
    return name in available() and source(name).in_repository
