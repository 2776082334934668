"""Pretrained weights for a network that has been built with fresh ones: from a local file or a hub."""

import logging
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from lotus.config.architectures import WeightsFile
from lotus.errors import LotusError
from lotus.names import on_disk, shown
from lotus.records.files import sha256

log = logging.getLogger(__name__)

SHOWN, MANY = 3, 12
FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGER = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def fill(
    network: nn.Module, weights: Mapping[str, Tensor], source: str, new_head: str | None
) -> None:
    """Puts pretrained weights into `network`.

    A prefix that all names share, as of a network that was wrapped when it was saved, is taken off if
    they are the network's without it. Floating types of 16 to 64 bits are converted.

    Args:
        weights: all of the network's state; the head's may be absent if it is new.
        source: where they come from, for the message.
        new_head: name of the module that keeps its own weights; None: no module does.

    Raises:
        LotusError: they are those of another architecture, or no finite numbers of a floating type.

    """
    own = network.state_dict()

    def without_new_head(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        kept = (key for key in state if new_head is None or not key.startswith(f"{new_head}."))
        return {key: state[key] for key in kept}

    wanted, found = without_new_head(own), without_new_head(weights)
    for prefix in _prefixes(found) if found.keys() != wanted.keys() else ():
        bare = without_new_head({key.removeprefix(prefix): v for key, v in found.items()})
        if bare.keys() == wanted.keys():
            log.info("%s: the prefix '%s' of all names is taken off", source, prefix)
            found = bare
            break
    check(found, wanted, source)
    converted = {key: _converted(found[key], wanted[key], key, source) for key in wanted}
    network.load_state_dict({**own, **converted})


def check(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str) -> None:
    """Raises a LotusError unless the names are those of `wanted`, with plain tensors of their shapes."""
    for key, value in found.items():
        if key in wanted and (odd := _without_values(value)):
            raise LotusError(f"{source}: {_told(key)} {odd}; it must be a plain tensor of numbers")
    fit = {key for key in wanted if key in found and found[key].shape == wanted[key].shape}
    missing = [f"{_told(key)} is missing" for key in wanted if key not in found]
    unknown = [f"{_told(key)} is unknown" for key in found if key not in wanted]
    unlike = [
        f"{_told(key)} is {list(found[key].shape)} instead of {list(value.shape)}"
        for key, value in wanted.items()
        if key in found and key not in fit
    ]
    if not missing + unknown + unlike:
        return
    counts = (
        f"of the network's {len(wanted)} tensors, {len(fit)} fit, {len(missing)} are missing, "
        f"{len(unlike)} of another shape, and {len(unknown)} tensors of the file are unknown"
    )
    raise LotusError(
        f"{source}: these are weights of another architecture: {counts}{_likely_prefix(found, wanted)}: "
        f"{', '.join(_first(group) for group in (missing, unknown, unlike) if group)}"
    )


def _first(problems: Sequence[str]) -> str:
    more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return ", ".join([*problems[:SHOWN], *more])


def _prefixes(names: Iterable[str]) -> Iterator[str]:
    """Beginnings that all names share, up to each of their dots, the shortest first."""
    first, *others = names or [""]
    for end in (place for place, character in enumerate(first, 1) if character == "."):
        if not all(name.startswith(first[:end]) for name in others):
            return
        yield first[:end]


def _likely_prefix(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """Names the prefix that keeps names from being the network's; '' if there is none."""
    tails = Counter(
        key[: place + 1]
        for key in found
        for place, character in enumerate(key)
        if character == "." and key[place + 1 :] in wanted
    )
    shared = list(_prefixes(found))
    if tails:
        prefix, count = tails.most_common(1)[0]
        if count > len(wanted.keys() & found.keys()):
            return (
                f"; without the prefix '{_told(prefix)}', which DataParallel puts before names, "
                f"{count} of them would fit the network: remove the prefix and save them again"
            )
    if shared and not wanted.keys() & found.keys():
        return f"; all its names begin with '{_told(shared[-1])}', which is a likely reason"
    return ""


def _without_values(value: Tensor) -> str:
    """Returns what keeps a tensor from being read as numbers; '' if nothing does."""
    if value.is_nested or value.layout is not torch.strided:
        return f"is a sparse tensor, or of another layout ({value.layout})"
    if value.is_meta:
        return "lies on the meta device: it has a shape but no values"
    if value.is_quantized:
        return f"is quantised ({_name(value.dtype)})"
    if type(value) not in (Tensor, nn.Parameter):
        return f"is a {type(value).__name__}"
    return ""


def _converted(value: Tensor, like: Tensor, key: str, source: str) -> Tensor:
    """The tensor in the type of the network's.

    Raises:
        LotusError: it is of another kind of numbers, or not all of them are finite.

    """
    accepted = FLOATING if like.is_floating_point() else INTEGER
    if value.dtype not in accepted:
        needed = "finite numbers of a floating type" if accepted is FLOATING else "whole numbers"
        raise LotusError(
            f"{source}: {_told(key)} is {_name(value.dtype)}, but must be {needed}: "
            f"{', '.join(map(_name, accepted))}"
        )
    converted = value.detach().to(like.dtype)
    bad = ~converted.isfinite()
    if bad.any():
        first = value.detach()[bad][0].item()
        raise LotusError(
            f"{source}: {_told(key)} has {int(bad.sum())} of {bad.numel()} values that are not finite in "
            f"{_name(like.dtype)} (the first is {first}); weights must be finite numbers"
        )
    return converted


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _told(key: object) -> str:
    """A name of a file's as it can be shown in a line."""
    text = key if isinstance(key, str) and key.isprintable() else ascii(key)
    return text if len(text) <= 120 else f"{text[:120]}…"


def read_file(weights: WeightsFile) -> dict[str, Tensor]:
    """The state dict in a local file, on the CPU; nothing in it is executed.

    Of a mapping that holds one state dict among other things, that one.

    Raises:
        LotusError: absent, another digest than configured, damaged, or no state dict.

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
    return _state_dict(_parse(path), shown(path))


def _state_dict(content: object, source: str) -> dict[str, Tensor]:
    needed = (
        "accepted: a mapping of names to tensors, as `torch.save(model.state_dict(), …)` writes"
    )
    if not isinstance(content, dict):
        raise LotusError(f"{source}: is not a state dict but a {type(content).__name__}: {needed}")
    if not _is_of_tensors(content):
        inside = [key for key, value in content.items() if _is_of_tensors(value)]
        if len(inside) != 1:
            keys = ", ".join(_told(key) for key in islice(content, MANY))
            more = f", and {len(content) - MANY} more" if len(content) > MANY else ""
            several = f"; {', '.join(map(_told, inside))} are state dicts each" if inside else ""
            raise LotusError(
                f"{source}: is not a state dict: its keys are {keys or '(none)'}{more}{several}; {needed}, "
                "or one that holds a single such mapping"
            )
        log.info("%s: the weights are those under its key '%s'", source, _told(inside[0]))
        return _state_dict(content[inside[0]], source)
    for key in content:
        if not isinstance(key, str):
            raise LotusError(
                f"{source}: is not a state dict: the key {_told(key)} is not text; {needed}"
            )
    return dict(content)


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
        found = f"text, which begins with '{_told(line[:60].strip())}'"
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
        "would run its code, so it is refused; give its state dict, as "
        "`torch.save(model.state_dict(), …)` writes"
    )


def _check_archive(path: Path, source: str) -> None:
    """Looks at what torch does not look at: checksums, sizes, and whose archive it is."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any("/code/" in name for name in names):
            raise LotusError(_whole(source, "a TorchScript archive"))
        if not any(name.endswith("/data.pkl") for name in names):
            raise LotusError(
                f"{source}: these are not weights but a zip archive that torch.save did not write; it has "
                f"{', '.join(map(_told, names[:SHOWN])) or 'nothing'}"
            )
        if sum(info.file_size for info in archive.infolist()) > path.stat().st_size:
            raise LotusError(
                f"{source}: the weights are damaged: the archive states more bytes than it has"
            )
        changed = archive.testzip()
    if changed is not None:
        raise LotusError(
            f"{source}: the weights are damaged: the checksum of {_told(changed)} is wrong"
        )


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


@contextmanager
def reaching(weights: str) -> Iterator[None]:
    """Says what can be done where a hub is not reached, or answers with something else than weights."""
    try:
        yield
    # Errors of the hub's and of torchvision's clients are OSErrors; RuntimeError: a wrong digest.
    except (OSError, RuntimeError) as error:
        raise LotusError(
            f"pretrained weights {weights} cannot be fetched ({str(error).partition('. ')[0]}); without "
            "internet, name a local file under `weights: {file: PATH, sha256: HEX}`"
        ) from error
