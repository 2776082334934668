"""Trained models of users: read whatever they were wrapped in, and written again in the same form."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from torch import Tensor, nn

from lotus.config.architectures import CheckpointFile
from lotus.errors import LotusError
from lotus.models import pretrained, weights_file
from lotus.names import on_disk, shown, told
from lotus.records.files import atomic, refuse_to_write_over
from lotus.wording import counted, first_of


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Form:
    """The form in which a checkpoint came; a record has it as JSON.

    Attributes:
        container: safetensors, an archive of torch, or a file of torch before 1.6.
        nesting: keys that lead to the state dict, from the outermost on.
        prefix: before each name.
        tensors: (name, type of numbers) of each tensor, in the order of the file; with the prefix.
        metadata: of safetensors, what stands beside the tensors.
        others: names of what else the file held.

    """

    container: Literal["safetensors", "torch", "torch-legacy"]
    nesting: tuple[str, ...]
    prefix: str
    tensors: tuple[tuple[str, str], ...]
    metadata: dict[str, str]
    others: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns what `form_of` reads."""
        return asdict(self)

    def __str__(self) -> str:
        names = {"torch": "a file of torch.save", "torch-legacy": "a file of torch.save, old form"}
        parts = [names.get(self.container, self.container)]
        if self.nesting:
            parts.append(f"under {told('.'.join(self.nesting))}")
        if self.prefix:
            parts.append(f"with the prefix {told(self.prefix)}")
        return f"{counted(len(self.tensors), 'tensor')} in {', '.join(parts)}"


_FORM: TypeAdapter[Form] = TypeAdapter(Form)


def form_of(content: object, place: str) -> Form:
    """Reads a form out of a record.

    Raises:
        LotusError: it is none.

    """
    try:
        return _FORM.validate_python(content)
    except ValidationError as error:
        raise LotusError(f"{place}: states no form of a checkpoint") from error


def load_checkpoint(
    network: nn.Module, checkpoint: CheckpointFile, image_shape: tuple[int, int, int], classes: int
) -> Form:
    """Puts a trained model's weights into `network`, every one of them, the head's too.

    Args:
        image_shape: (C, H, W) of the images that it is to be asked about.
        classes: number of classes of these images.

    Returns:
        The form in which they came.

    Raises:
        LotusError: the file cannot be read or holds no state dict, or its tensors are not this network's:
            the message says which, why, and what is accepted. The network is then as it was.

    """
    content, source = weights_file.read_content(checkpoint)
    nesting, weights = _chosen(content, checkpoint, source)
    wanted = network.state_dict()
    prefix, found = pretrained.unwrapped(weights, wanted, source)
    pretrained.check_plain(found, wanted, source)
    if found.keys() == wanted.keys():
        _check_channels_and_classes(found, wanted, image_shape, classes, source)
    pretrained.check(found, wanted, source)
    pretrained.put(network, found, wanted, source)
    path = on_disk(Path(checkpoint.file))
    container = weights_file.container_of(path)
    return Form(
        container=container,
        nesting=nesting,
        prefix=prefix,
        tensors=tuple((key, _NAMES[value.dtype]) for key, value in weights.items()),
        metadata=weights_file.metadata_of(path) if container == "safetensors" else {},
        others=_others(content, nesting),
    )


def _chosen(
    content: object, checkpoint: CheckpointFile, source: str
) -> tuple[tuple[str, ...], dict[str, Tensor]]:
    """The keys that lead to the state dict that is meant, and the state dict."""
    entry = checkpoint.entry
    if entry is None:
        asks_for = "; `entry` of the checkpoint names the one that is meant"
        return weights_file.state_dict_in(content, source, asks_for)
    if not isinstance(content, dict) or entry not in content:
        names = [told(key) for key in content] if isinstance(content, dict) else []
        raise LotusError(
            f"{source}: entry '{told(entry)}' is not there; the file has "
            f"{first_of(names, weights_file.MANY) or 'none'}"
        )
    nesting, weights = weights_file.state_dict_in(content[entry], f"{source}: {told(entry)}")
    return (entry, *nesting), weights


def _others(content: object, nesting: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the entries beside the state dict, at each depth, as they can be shown; not too many."""
    names: list[str] = []
    inner: Any = content
    for depth, key in enumerate(nesting):
        names += [told(".".join([*nesting[:depth], str(it)])) for it in inner if it != key]
        inner = inner[key]
    return tuple(names[: weights_file.MANY])


def _check_channels_and_classes(
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    image_shape: tuple[int, int, int],
    classes: int,
    source: str,
) -> None:
    """Refuses the same network for images of other channels, or for another number of classes.

    Nothing is said where more than that differs: then it is another network.
    """
    unlike = [key for key in wanted if found[key].shape != wanted[key].shape]
    first = next((key for key in wanted if wanted[key].dim() == 4), None)
    of_channels = [key for key in unlike if key == first and _differ_in(1, found[key], wanted[key])]
    heads = [key for key in unlike if key not in of_channels]
    counts = {len(found[key]) for key in heads if _differ_in(0, found[key], wanted[key])}
    are_heads = len(counts) == 1 and all(
        _differ_in(0, found[key], wanted[key]) and len(wanted[key]) == classes for key in heads
    )
    if not unlike or (heads and not are_heads):
        return
    said = []
    if of_channels:
        seen = _channels(found[of_channels[0]].shape[1])
        said.append(
            f"the checkpoint takes images of {seen}, but the images have {_channels(image_shape[0])}: "
            f"{_shapes(of_channels[0], found, wanted)}"
        )
    if heads:
        (count,) = counts
        said.append(
            f"the checkpoint has {counted(count, 'class', 'classes')}, but the images have {classes}: "
            f"{_shapes(heads[0], found, wanted)}"
        )
    raise LotusError(f"{source}: {'; and '.join(said)}; accepted: a checkpoint of such images")


def _differ_in(axis: int, found: Tensor, wanted: Tensor) -> bool:
    """Whether one axis is all in which the shapes of two tensors differ."""
    shapes = [list(tensor.shape) for tensor in (found, wanted)]
    if len(shapes[0]) != len(shapes[1]) or len(shapes[0]) <= axis:
        return False
    rests = [shape[:axis] + shape[axis + 1 :] for shape in shapes]
    return rests[0] == rests[1] and shapes[0] != shapes[1]


def _channels(count: int) -> str:
    kind = {1: " (greyscale)", 3: " (RGB)"}.get(count, "")
    return f"{counted(count, 'channel')}{kind}"


def _shapes(key: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    shapes = [list(state[key].shape) for state in (found, wanted)]
    return f"{told(key)} is {shapes[0]} instead of {shapes[1]}"


_NAMES = {
    dtype: str(dtype).removeprefix("torch.")
    for dtype in (*pretrained.FLOATING, *pretrained.INTEGER)
}
_TYPES = {name: dtype for dtype, name in _NAMES.items()}


def write_like(form: Form, weights: Mapping[str, Tensor], out: Path, replace: bool = False) -> None:
    """Writes weights in the form in which a checkpoint came: container, nesting, names, order, types.

    What else the checkpoint held (`Form.others`) is not written: it was said of other weights.

    Args:
        weights: of the network, by its own names.
        replace: whether a file that is there may be replaced.

    Raises:
        LotusError: there is a file, or the weights are not those of such a network, or not finite in the
            form's types. Nothing is then written.

    """
    refuse_to_write_over(out, replace)
    names = {key.removeprefix(form.prefix): (key, kind) for key, kind in form.tensors}
    if names.keys() != weights.keys() or not {kind for _, kind in form.tensors} <= _TYPES.keys():
        raise LotusError(
            f"{shown(out)}: these weights are not of the network whose checkpoint is stated, and do not "
            "fit its form"
        )
    tensors: OrderedDict[str, Tensor] = OrderedDict()
    for name, (key, kind) in names.items():
        value = weights[name].detach().to(_TYPES[kind])
        if not value.isfinite().all():
            raise LotusError(
                f"{shown(out)}: {told(key)} is not finite in {kind}, the checkpoint's type of numbers: "
                "such a model is of no use"
            )
        tensors[key] = value.contiguous()
    content: Any = tensors
    for key in reversed(form.nesting):
        content = {key: content}
    with atomic(out) as draft:
        if form.container == "safetensors":
            weights_file.write_safetensors(tensors, draft, form.metadata)
            return
        # Of a path torch would write the name into the file.
        with draft.open("wb") as file:
            is_legacy = form.container == "torch-legacy"
            torch.save(content, file, _use_new_zipfile_serialization=not is_legacy)
