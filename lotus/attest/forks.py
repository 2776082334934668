"""Work in forked processes, one for each piece: none sees what another did, and a killed one is told."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Done(Generic[R]):
    """The end of one piece of work: its result, or how its process died.

    Attributes:
        place: of its argument.
        found: what the function returned; None where its process ended without a word.
        exit_code: of such a process; negative: the signal that killed it.

    """

    place: int
    found: R | None
    exit_code: int | None = None


def in_forks(work: Callable[[T], R], arguments: Sequence[T], workers: int) -> Iterator[Done[R]]:
    """Calls a function with each argument, in a fork of this process, some at a time; yields as they end.

    Args:
        work: what it raises ends its process without a word, and with a traceback on standard error.

    """
    context = get_context("fork")
    waiting = deque(enumerate(arguments))
    running: dict[connection.Connection, tuple[int, Callable[[], int | None]]] = {}

    def start() -> None:
        place, argument = waiting.popleft()
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_tell, args=(there, work, argument))
        process.start()
        # So that this end sees the other one close when its process ends.
        there.close()

        def ended() -> int | None:
            process.join()
            return process.exitcode

        running[here] = place, ended

    while waiting or running:
        while waiting and len(running) < workers:
            start()
        for ready in connection.wait([*running]):
            here = next(it for it in running if it is ready)
            place, ended = running.pop(here)
            with here:
                try:
                    done = Done(place, here.recv())
                    ended()
                except EOFError:
                    done = Done(place, None, ended())
            yield done


def _tell(there: connection.Connection, work: Callable[[T], R], argument: T) -> None:
    there.send(work(argument))
