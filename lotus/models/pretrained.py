"""Pretrained weights for a network that has been built with fresh ones: from a local file or a hub."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lotus.errors import LotusError
from lotus.names import told

log = logging.getLogger(__name__)

SHOWN = 3
FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGER = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def fill(
    network: nn.Module, weights: Mapping[str, Tensor], source: str, new_heads: Sequence[str] = ()
) -> None:
    """Puts pretrained weights into `network`.

    A prefix that all names share, as of a network that was wrapped when it was saved, is taken off if
    they are the network's without it. Floating types of 16 to 64 bits are converted.

    Args:
        weights: all of the network's state; a head's may be absent if it is new.
        source: where they come from, for the message.
        new_heads: names of the modules that keep their own weights.

    Raises:
        LotusError: they are those of another architecture, or no finite numbers of a floating type.

    """
    own = network.state_dict()
    beginnings = tuple(f"{head}." for head in new_heads)

    def without_new_heads(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {key: value for key, value in state.items() if not key.startswith(beginnings)}

    wanted = without_new_heads(own)
    _, found = unwrapped(weights, wanted, source, without_new_heads)
    check(found, wanted, source)
    put(network, found, wanted, source)


def unwrapped(
    weights: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    source: str,
    kept: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = dict,
) -> tuple[str, dict[str, Tensor]]:
    """Returns the prefix that all names share and the weights without it, if these are then as wanted.

    Else '' and the weights as they are. Names alone are compared.

    Args:
        kept: leaves out what does not count of the weights.

    """
    found = kept(weights)
    for prefix in shared_prefixes(found) if found.keys() != wanted.keys() else ():
        bare = kept({key.removeprefix(prefix): value for key, value in found.items()})
        if bare.keys() == wanted.keys():
            log.info("%s: the prefix '%s' of all names is taken off", source, prefix)
            return prefix, bare
    return "", found


def put(
    network: nn.Module, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str
) -> None:
    """Puts weights that fit into `network`, in its own types of numbers; the rest of it stays.

    Raises:
        LotusError: some are of another kind of numbers, or not finite; the network is then as it was.

    """
    problems = [
        problem for key, like in wanted.items() if (problem := _unfit(found[key], like.dtype, key))
    ]
    if problems:
        raise LotusError(f"{source}: {_first(problems)}")
    converted = {key: found[key].detach().to(like.dtype) for key, like in wanted.items()}
    network.load_state_dict({**network.state_dict(), **converted})


def check(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str) -> None:
    """Raises a LotusError unless the names are those of `wanted`, with plain tensors of their shapes."""
    check_plain(found, wanted, source)
    fit = {key for key in wanted if key in found and found[key].shape == wanted[key].shape}
    missing = [f"{told(key)} is missing" for key in wanted if key not in found]
    unknown = [f"{told(key)} is unknown" for key in found if key not in wanted]
    unlike = [
        f"{told(key)} is {list(found[key].shape)} instead of {list(value.shape)}"
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


def check_plain(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str) -> None:
    """Raises a LotusError unless what is called as in `wanted` are plain tensors of numbers."""
    for key, value in found.items():
        if key in wanted and (odd := _without_values(value)):
            raise LotusError(f"{source}: {told(key)} {odd}; it must be a plain tensor of numbers")


def _first(problems: Sequence[str]) -> str:
    more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return ", ".join([*problems[:SHOWN], *more])


def shared_prefixes(names: Iterable[str]) -> Iterator[str]:
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
    shared = list(shared_prefixes(found))
    if tails:
        prefix, count = tails.most_common(1)[0]
        if count > len(wanted.keys() & found.keys()):
            return (
                f"; without the prefix '{told(prefix)}', which DataParallel puts before names, "
                f"{count} of them would fit the network: remove the prefix and save them again"
            )
    if shared and not wanted.keys() & found.keys():
        return f"; all its names begin with '{told(shared[-1])}', which is a likely reason"
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


def _unfit(value: Tensor, needed: torch.dtype, key: str) -> str:
    """Returns why a tensor cannot be had in a type of numbers; '' if it can."""
    accepted = FLOATING if needed.is_floating_point else INTEGER
    if value.dtype not in accepted:
        kind = "finite numbers of a floating type" if accepted is FLOATING else "whole numbers"
        return (
            f"{told(key)} is {_name(value.dtype)}, but must be {kind}: "
            f"{', '.join(map(_name, accepted))}"
        )
    if count := int((bad := ~value.detach().to(needed).isfinite()).sum()):
        first = value.detach()[bad][0].item()
        return (
            f"{told(key)} has {count} of {bad.numel()} values that are not finite in "
            f"{_name(needed)} (the first is {first}); weights must be finite numbers"
        )
    return ""


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


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
