"""An epoch of each method beside the bare networks: the share of their rate that it reaches.

While one epoch of a method runs, every call of a network, every backward pass and every step of an
optimizer is written down with the batch that it had. The same calls are then made again on these
batches, by copies of the networks and optimizers, and nothing else: no image is drawn, no target made, no
weight held. Epochs of the method and of the bare calls alternate within one run of the method. Seconds are
the processor's, not the clock's: other work on the machine counts less.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import process_time
from typing import Any

from bare_calls import Calls
from paired import Figures, Rounds, rounded
from problem import Problem
from torch import nn

from lotus.data.batches import Batch, ImageSet
from lotus.methods.base import configured

EPOCHS: Mapping[str, Mapping[str, Any]] = {
    "lotus": {"exit_tolerance": 2.0},
    "salun-lotus": {"exit_tolerance": 2.0},
    "scrub": {"max_epochs": 10_000},
    "unsir": {"impair_epochs": 1, "repair_epochs": 1},
}
"""What makes every epoch of a method alike, so that they can be compared."""

LENGTH = {"unsir": "rounds", "ssd": "passes"}
"""The field that says how many epochs there are, where it is not `epochs`."""

GOAL = 0.9
"""The share that an epoch is to reach."""

WARM, WRITTEN_DOWN = 0, 1


class Alternating:
    """Called after each epoch: times it, and then the bare calls of one epoch.

    The first epoch is not timed, since optimizers make their state in it; of the second the calls are
    written down.
    """

    def __init__(self, original: nn.Module) -> None:
        self.calls = Calls(type(original))
        self.rounds = Rounds({"real": [], "bare": [], "drawing": []})
        self.drawing = 0.0
        self._start = process_time()

    def __call__(self, epoch: int, *_: object) -> None:
        seconds = process_time() - self._start
        if epoch == WARM:
            self.calls.write_down()
        else:
            if epoch == WRITTEN_DOWN:
                self.calls.stop()
                self.calls.make()
            else:
                self.rounds.seconds["real"].append(seconds)
                self.rounds.seconds["drawing"].append(self.drawing)
                start = process_time()
                self.calls.make()
                self.rounds.seconds["bare"].append(process_time() - start)
        self.drawing = 0.0
        self._start = process_time()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Calls are noted, and the seconds in which batches are drawn."""
        draw = ImageSet.draw

        def timed_draw(*given: Any) -> Batch:
            start = process_time()
            batch = draw(*given)
            self.drawing += process_time() - start
            return batch

        ImageSet.draw = timed_draw  # type: ignore[method-assign]
        try:
            with self.calls:
                yield
        finally:
            ImageSet.draw = draw  # type: ignore[method-assign]


def measure_method(
    problem: Problem, original: nn.Module, name: str, rounds: int, batch_size: int
) -> Figures:
    """Returns seconds of an epoch of a method and of its bare calls, and their ratio."""
    given: dict[str, Any] = {LENGTH.get(name, "epochs"): 2 + rounds, **EPOCHS.get(name, {})}
    if name == "scrub":
        given["forget_batch_size"] = batch_size
    method = configured.make(name, {**given, "batch_size": batch_size})
    prepared: list[float] = []
    alternating = Alternating(original)
    task = problem.task(original, alternating, preparing=lambda: _noting(prepared))
    with alternating.watching():
        method.unlearn(task)
    found = alternating.rounds
    return {
        "real": rounded(found.median("real")),
        "bare": rounded(found.median("bare")),
        "share": found.ratio("bare", "real"),
        "share_of_drawing": found.ratio("drawing", "real"),
        "prepared_in": rounded(sum(prepared)),
        "calls": alternating.calls.counts(),
    }


@contextmanager
def _noting(seconds: list[float]) -> Iterator[None]:
    start = process_time()
    yield
    seconds.append(process_time() - start)
