"""Seconds of several ways of doing one thing, in one process, in turn.

A machine that does other work besides slows all ways of a round alike, so a ratio is that of a round; of
several rounds the median counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, process_time
from typing import Any

Figures = dict[str, Any]
"""What a measurement gives: names and numbers, as JSON has them."""


@dataclass(frozen=True)
class Rounds:
    """Seconds of each way, round by round.

    Attributes:
        seconds: by the clock.
        processor: of the processor, spent by this process alone: what it waits for is not in them.

    """

    seconds: Mapping[str, list[float]]
    processor: Mapping[str, list[float]] = field(default_factory=dict)

    def by_processor(self) -> "Rounds":
        """Returns the same rounds, their seconds those of the processor."""
        return Rounds(self.processor)

    def median(self, way: str) -> float:
        """Returns the median of a way's seconds."""
        return median(self.seconds[way])

    def ratio(self, over: str, under: str, less: Mapping[str, int] | None = None) -> float:
        """Returns the median, over the rounds, of the seconds of one way ÷ those of another.

        Args:
            less: ways that are part of the first and are left out, and how often they are in it.

        """
        found = []
        for place, seconds in enumerate(self.seconds[over]):
            apart = sum(count * self.seconds[way][place] for way, count in (less or {}).items())
            found.append((seconds - apart) / self.seconds[under][place])
        return rounded(median(found))

    def figures(self) -> Figures:
        """Returns the median seconds of each way, and of how many rounds."""
        number = len(next(iter(self.seconds.values())))
        return {
            "rounds": number,
            "seconds": {way: rounded(self.median(way)) for way in self.seconds},
        }


def timed(way: Callable[[], object]) -> float:
    """Returns the seconds that a call takes."""
    start = perf_counter()
    way()
    return perf_counter() - start


def in_turn(ways: Mapping[str, Callable[[], object]], rounds: int, warm: bool = True) -> Rounds:
    """Times each way once in every round; every second round in the opposite order.

    Args:
        warm: each way is called once before; what a process does only once is no part of any time.

    """
    if warm:
        for way in ways.values():
            way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for _ in range(rounds):
        for name in order:
            start = process_time()
            seconds[name].append(timed(ways[name]))
            processor[name].append(process_time() - start)
        order.reverse()
    return Rounds(seconds, processor)


def rounded(value: float) -> float:
    """Returns a value to four digits: no measurement here has more."""
    return float(f"{value:.4g}")
