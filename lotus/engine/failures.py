"""Errors of trainings that cannot go on: what a user can change."""

from collections.abc import Iterator
from contextlib import contextmanager

from lotus.errors import LotusError

SINGLE = "Expected more than 1 value per channel"
"""How torch says that BatchNorm was given a single value per channel to train on."""


@contextmanager
def explained_failures(who: str) -> Iterator[None]:
    """Says in a line what a user can change where a training cannot go on.

    Args:
        who: what trains, as `method lotus`.

    """
    try:
        yield
    except ValueError as error:
        if SINGLE not in str(error):
            raise
        raise LotusError(
            f"{who}: BatchNorm cannot normalise a batch of a single image, since the last maps are "
            "1×1 at this image size; take more images (of the forget set, if there is one), another "
            "batch_size, larger images (`resize` of the data set), or `max_pool: false` of the architecture"
        ) from error
    except SystemExit as error:
        raise LotusError(
            f"{who}: ended the process (exit code {error.code}), which it must not do"
        ) from error
