"""Files of weights, read without running anything in them: of safetensors, and of torch."""

import logging
import re
import zipfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, TypeGuard

import torch
from torch import Tensor

from lotus.config.architectures import WeightsFile
from lotus.errors import LotusError
from lotus.formats.torch_archive import why_damaged
from lotus.names import on_disk, shown, told
from lotus.records.files import sha256

log = logging.getLogger(__name__)

MANY = 12
"""Names of a file that a message shows."""


def read_file(weights: WeightsFile) -> dict[str, Tensor]:
    """The state dict in a local file, on the CPU; nothing in it is executed.

    Of a mapping that holds one state dict among other things, that one.

    Raises:
        LotusError: absent, another digest than configured, damaged, or no state dict.

    """
    content, source = read_content(weights)
    return state_dict_in(content, source)[1]


def read_content(weights: WeightsFile) -> tuple[object, str]:
    """Everything in a local file of torch's or of safetensors, and the file's name for messages.

    Raises:
        LotusError: absent, another digest than configured, or damaged.

    """
    path = on_disk(Path(weights.file))
    try:
        digest = sha256(path)
    except OSError as error:
        raise LotusError(
            f"{shown(path)}: file of pretrained weights cannot be read: {error.strerror}; looked in "
            f"{shown(path.absolute().parent)}"
        ) from error
    if digest != weights.sha256:
        raise LotusError(
            f"{shown(path)}: sha256 is {digest}, but the configuration says "
            f"{weights.sha256}: these are other "
            "weights"
        )
    return _parse(path), shown(path)


def state_dict_in(
    content: object, source: str, asks_for: str = ""
) -> tuple[tuple[str, ...], dict[str, Tensor]]:
    """The one state dict in what a file holds: the keys that lead to it, and the state dict itself.

    Args:
        source: name of the file, for messages.
        asks_for: how the configuration names one of several; '' where it cannot.

    Raises:
        LotusError: there is none, or there are several.

    """
    needed = (
        "accepted: a mapping of names to tensors, as `torch.save(model.state_dict(), …)` writes"
    )
    if not isinstance(content, dict):
        raise LotusError(f"{source}: is not a state dict but a {type(content).__name__}: {needed}")
    if not _is_of_tensors(content):
        inside = _state_dicts(content, 1)
        if len(inside) != 1:
            keys = ", ".join(told(key) for key in islice(content, MANY))
            more = f", and {len(content) - MANY} more" if len(content) > MANY else ""
            names = ", ".join(told(".".join(path)) for path in inside)
            several = f"; {names} are state dicts each{asks_for}" if inside else ""
            raise LotusError(
                f"{source}: is not a state dict: its keys are {keys or '(none)'}{more}{several}; {needed}, "
                "or one that holds a single such mapping"
            )
        ((path, found),) = inside.items()
        log.info("%s: the weights are those under its key '%s'", source, told(".".join(path)))
        return path, state_dict_in(found, source)[1]
    for key in content:
        if not isinstance(key, str):
            raise LotusError(
                f"{source}: is not a state dict: the key {told(key)} is not text; {needed}"
            )
    return (), dict(content)


def _state_dicts(content: Mapping[Any, Any], deeper: int) -> dict[tuple[str, ...], Any]:
    """Keys that lead to mappings of tensors → these; of those at different depths the outermost."""
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    found: dict[tuple[str, ...], Any] = {
        (key,): value for key, value in named.items() if _is_of_tensors(value)
    }
    if found or not deeper:
        return found
    return {
        (key, *path): value
        for key, inner in named.items()
        if isinstance(inner, dict)
        for path, value in _state_dicts(inner, deeper - 1).items()
    }


def _is_of_tensors(content: object) -> TypeGuard[dict[Any, Tensor]]:
    return (
        isinstance(content, dict)
        and len(content) > 0
        and all(isinstance(value, Tensor) for value in content.values())
    )


def look_at(path: Path) -> None:
    """Raises a LotusError if a file is something else in place of weights, and says what.

    Raises:
        OSError: it cannot be read.

    """
    with path.open("rb") as file:
        start = file.read(512)
    begins = start.lstrip().lower()
    found = ""
    if not start:
        raise LotusError(f"{shown(path)}: the weights are damaged: the file is empty")
    if begins.startswith(b"version https://git-lfs.github.com/spec/"):
        found = "a pointer of Git LFS, not the file itself: fetch it with `git lfs pull`"
    elif begins.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body")):
        found = "a web page (HTML or XML), as a server sends instead of a file: download it again"
    elif start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd")):
        found = "a compressed file: unpack it first"
    elif start and start.isascii() and all(byte >= 32 or byte in b"\t\n\r" for byte in start):
        line = start.decode("ascii").strip().partition("\n")[0]
        found = f"text, which begins with '{told(line[:60].strip())}'"
    if found:
        raise LotusError(f"{shown(path)}: these are not weights but {found}")


def _parse(path: Path) -> object:
    source = shown(path)
    look_at(path)
    if _is_safetensors(path):
        return read_safetensors(path)
    try:
        _check_archive(path, source)
        # Of a path torch would go by the ending.
        with path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except LotusError:
        raise
    # Damaged pickles raise whatever their bytes happen to mean.
    except Exception as error:
        foreign = re.search(r"Unsupported global: GLOBAL ([\w.]+)", str(error))
        if foreign or (isinstance(error, UnpicklingError) and zipfile.is_zipfile(path)):
            raise LotusError(_whole(source, foreign[1] if foreign else _line(error))) from error
        raise LotusError(f"{source}: the weights are damaged: {_line(error)}") from error


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors in a safetensors file, on the CPU.

    Raises:
        LotusError: it is damaged.
        OSError: it cannot be read.

    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, Tensor] = load_file(path)
        return found
    # The last three: types of numbers and sizes that torch does not have.
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise LotusError(f"{shown(path)}: the weights are damaged: {_line(error)}") from error


def metadata_of(path: Path) -> dict[str, str]:
    """Returns what a safetensors file says beside its tensors."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


def write_safetensors(
    tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None
) -> None:
    """Writes tensors that share no memory; whoever may read new files may read this one."""
    from safetensors.torch import save_file

    # The library makes files that nobody else can read; results are for others, too.
    path.touch()
    mode = path.stat().st_mode
    save_file(tensors, path, metadata or None)
    path.chmod(mode)


def container_of(path: Path) -> Literal["safetensors", "torch", "torch-legacy"]:
    """Returns what a file of weights is: of safetensors, of torch, or of torch before 1.6."""
    if _is_safetensors(path):
        return "safetensors"
    return "torch" if zipfile.is_zipfile(path) else "torch-legacy"


def _is_safetensors(path: Path) -> bool:
    """Returns whether a file is safetensors: by its content, and where that does not say, by its name."""
    with path.open("rb") as file:
        start = file.read(9)
    if start.startswith(b"PK"):
        return False
    length = int.from_bytes(start[:8], "little")
    is_one = start[8:] == b"{" and length + 8 <= path.stat().st_size
    return is_one or path.suffix == ".safetensors"


def _whole(source: str, what: str) -> str:
    return (
        f"{source}: holds a whole model or other pickled objects ({what}); loading it "
        "would run its code, so it is refused; where that code is, save its state dict: "
        '`torch.save(model.state_dict(), "weights.pt")`'
    )


def _check_archive(path: Path, source: str) -> None:
    """Looks at what torch does not look at: whose archive it is, sizes, and checksums."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any("/code/" in name for name in names):
            raise LotusError(_whole(source, "a TorchScript archive"))
        if not any(name.endswith("/data.pkl") for name in names):
            raise LotusError(
                f"{source}: these are not weights but a zip archive that torch.save did not write; it has "
                f"{', '.join(map(told, names[:3])) or 'nothing'}"
            )
    if damage := why_damaged(path):
        raise LotusError(f"{source}: the weights are damaged: {damage}")


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
