"""Pretrained weights for a network that has been built with fresh ones: from a local file or a hub."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from lotus.errors import LotusError
from lotus.provenance import sha256
from lotus.settings import WeightsFile

SHAPE = (3, 224, 224)
SHOWN = 3


def check_images(shape: tuple[int, int, int]) -> None:
    """Raises a LotusError unless images of this shape (C, H, W) are what ViT-B/16 was pretrained on."""
    if shape != SHAPE:
        seen, needed = ("×".join(map(str, sizes)) for sizes in (shape, SHAPE))
        raise LotusError(
            f"images are {seen} here; the model needs {needed}: set `resize: 224` (and `crop: 224` for "
            "images that are not square) for the data set; its images must have 3 channels"
        )


def fill(
    network: nn.Module, weights: Mapping[str, Tensor], source: str, new_head: str | None
) -> None:
    """Puts pretrained weights into `network`.

    Args:
        weights: all of the network's state; the head's may be absent if it is new.
        source: where they come from, for the message.
        new_head: name of the module that keeps its own weights; None: no module does.

    Raises:
        LotusError: they are those of another architecture.

    """
    own = network.state_dict()

    def without_new_head(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        kept = (key for key in state if new_head is None or not key.startswith(f"{new_head}."))
        return {key: state[key] for key in kept}

    found, wanted = without_new_head(weights), without_new_head(own)
    problems = [
        *(f"{key} is missing" for key in wanted if key not in found),
        *(f"{key} is unknown" for key in found if key not in wanted),
        *(
            f"{key} is {list(found[key].shape)} instead of {list(value.shape)}"
            for key, value in wanted.items()
            if key in found and found[key].shape != value.shape
        ),
    ]
    if problems:
        more = f", and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise LotusError(
            f"{source}: weights of another architecture: {', '.join(problems[:SHOWN])}{more}"
        )
    network.load_state_dict({**own, **found})


def read_file(weights: WeightsFile) -> dict[str, Tensor]:
    """The state dict in a local file, on the CPU; nothing in it is executed.

    Raises:
        LotusError: absent, another digest than configured, damaged, or no state dict.

    """
    path = Path(weights.file)
    try:
        digest = sha256(path)
    except OSError as error:
        raise LotusError(
            f"{path}: file of pretrained weights cannot be read: {error.strerror}; looked in "
            f"{path.absolute().parent}"
        ) from error
    if digest != weights.sha256:
        raise LotusError(
            f"{path}: sha256 is {digest}, the configuration says {weights.sha256}: not these weights"
        )
    state = _parse(path)
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise LotusError(f"{path}: is no state dict: accepted is a mapping of names to tensors")
    return state


def _parse(path: Path) -> object:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise LotusError(f"{path}: damaged weights: {error}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    # Damaged pickles raise whatever their bytes happen to mean.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise LotusError(f"{path}: damaged weights: {reason}") from error


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
