"""Batches of a single image, which BatchNorm cannot train on where the last maps are 1×1."""

from collections.abc import Mapping

from lotus.config.protocol import CORRECTED
from lotus.config.protocol import Protocol as Switches
from lotus.methods.base.configured import hyperparameters
from lotus.methods.base.registry import entry_of
from lotus.methods.base.task import Method


def lone_image(
    name: str,
    method: Method,
    counts: Mapping[str, int],
    protocol: Switches = CORRECTED,
    class_forgetting: bool = False,
) -> str | None:
    """The first image set of which the method makes a batch of one image to train on; None: of none.

    Says what the declaration `alone` of the method says; what it does is found out when it runs.

    Args:
        name: that it is registered under.
        counts: images of `forget`, `retain`, `val`; sets that are not named are passed over.

    """
    given = hyperparameters(method)
    if any(given.get(key) == 0 for key in ("epochs", "rounds")):
        return None
    for each in sorted(entry_of(name).deals_alone(method, protocol, class_forgetting)):
        batch_size = given.get(f"{each}_batch_size", given.get("batch_size"))
        if each in counts and has_single(counts[each], batch_size, protocol.has("T2")):
            return each
    return None


def has_single(count: int, batch_size: int | None, keep_partial: bool) -> bool:
    """Whether dealing so many images (`lotus.data.batches.deal`) makes a batch of one image.

    Args:
        batch_size: None: not known; then only a single image is one.

    """
    if count < 1 or batch_size is None:
        return count == 1
    if keep_partial:
        return batch_size == 1 or count % batch_size == 1
    return count // -(-count // batch_size) == 1
