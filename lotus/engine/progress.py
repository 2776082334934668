"""The call by which a training or a method reports each epoch."""

from collections.abc import Callable, Mapping

Progress = Callable[[int, int, Mapping[str, float]], None]
"""Called after each epoch: its number from 0, how many there are, what to report of it."""
