"""A digest of weights by their tensors, whatever file they lie in."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from lotus.config.architectures import WeightsFile
from lotus.config.mistakes import check
from lotus.models.pretrained import shared_prefixes
from lotus.models.weights_file import read_file
from lotus.records.files import sha256


def tensor_digest(weights: Mapping[str, Tensor]) -> str:
    """Returns the sha256 of names, types, shapes and numbers, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{value.dtype}\0{list(value.shape)}\0".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def digests_of_file(path: Path, option: str) -> Iterator[str]:
    """Yields the digest of a file's weights, as they are called there and without each prefix they share.

    Args:
        option: that names the file, for messages.

    Raises:
        LotusError: it is no file of weights.

    """
    named = {"file": path.as_posix(), "sha256": sha256(path)}
    weights = read_file(check(WeightsFile, named, option))
    yield tensor_digest(weights)
    for prefix in shared_prefixes(weights):
        yield tensor_digest({key.removeprefix(prefix): value for key, value in weights.items()})
