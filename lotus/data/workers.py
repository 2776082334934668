"""Work on all processors, in processes that end with the one that asked for it."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

from lotus.errors import LotusError

J = TypeVar("J")
R = TypeVar("R")


def in_processes(work: Callable[[J], R], jobs: Sequence[J], workers: int) -> Iterator[R]:
    """Results of the jobs, in their order; in this process if one worker is enough.

    Args:
        work: a function of a module, or a partial of one; errors that it raises are raised here.

    Raises:
        LotusError: a worker was ended from outside.

    """
    if min(workers, len(jobs)) <= 1:
        yield from map(work, jobs)
        return
    # Fresh processes, not forked ones: the caller may have threads of torch.
    with ProcessPoolExecutor(
        min(workers, len(jobs)), get_context("spawn"), initializer=_end_with_parent
    ) as pool:
        try:
            yield from pool.map(work, jobs)
        except BrokenProcessPool as error:
            raise LotusError(
                "the system killed a worker process; there may be too little memory"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Ends this process with the one that started it; by itself it would wait for jobs for ever."""
    Thread(target=_wait_and_end, daemon=True).start()


def _wait_and_end() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
