"""Seconds of the phases of a step."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Stopwatch:
    """Seconds of the named phases of a step; on a GPU, phases end when the device is idle."""

    synchronize: Any = lambda: None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time that the block takes to phase `name`, of one that raises, too."""
        self.synchronize()
        start = time.monotonic()
        try:
            yield
        finally:
            self.synchronize()
            elapsed = time.monotonic() - start
            self.seconds[name] = round(self.seconds.get(name, 0.0) + elapsed, 3)

    def move(self, outer: str, inner: str) -> None:
        """Takes the time of phase `inner`, which ran within it, out of phase `outer`."""
        self.seconds[outer] = round(self.seconds[outer] - self.seconds.get(inner, 0.0), 3)
