"""Python's collector of garbage, for commands that make much and drop little."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (100_000, 50, 100)
"""Thresholds of `gc`: the first is how many objects more there are before it looks."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Has the collector look seldom in the block.

    It looks through all objects, again and again as more are made. With many records that is a fifth of
    the time of an audit, and finds nothing: they are needed to the end.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
