"""Workers that stay after a job, for models on a GPU.

A process takes seconds to start CUDA, and minutes to compile a network, longer than many runs on small
data take. It cannot do either before it forks: a forked process can use no GPU that its parent has used.
So where the workflow is told to keep workers, they make one model after another.

A worker that has started CUDA keeps its GPU, and the slot on it, for its life: the memory that it takes
there is not given back whole before. Without a job it ends after a while, so that others can have the slot.

Each job starts as in a fresh process: its own folder, variables, output files and log, and the random
states of the libraries as they were. What cannot be put back ends the worker: a failed job, and code of the
user's, which can be another by the next job. Another worker then takes its place.
"""

import contextlib
import gc
import logging
import os
import random
import select
import socket
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

IDLE = 60
"""Seconds without a job after which a worker gives its GPU back."""


def stays(arguments: Sequence[str], code: int) -> bool:
    """Whether a worker can go on after a job that ended with this status."""
    return code == 0 and not {"--plugin", "--network"} & {*arguments}


@dataclass(frozen=True)
class Worker:
    """A worker as the warm process sees it.

    Attributes:
        alive: end of a pipe that is closed when the worker ends.

    """

    alive: int

    def has_ended(self) -> bool:
        """Whether it is gone."""
        return bool(select.select([self.alive], [], [], 0)[0])


class Workers:
    """So many workers, each replaced when it ends.

    Args:
        listener: where jobs for them arrive.
        count: number of workers.
        do_one: does the job that comes by a connection, and says whether the process can go on.
        close: in a worker: closes what is the warm process's.

    """

    def __init__(
        self,
        listener: socket.socket,
        count: int,
        do_one: Callable[[socket.socket], bool],
        close: Callable[[], None],
    ) -> None:
        self._count, self._do_one, self._close = count, do_one, close
        self._workers: list[Worker] = []
        self._listener = listener
        # A worker looks each second whether the warm process is still there.
        listener.settimeout(1.0)

    def replenish(self) -> None:
        """Forks workers in place of those that have ended, and the first ones."""
        for worker in [each for each in self._workers if each.has_ended()]:
            os.close(worker.alive)
            self._workers.remove(worker)
        while len(self._workers) < self._count:
            reading, writing = os.pipe()
            parent = os.getpid()
            if os.fork() == 0:
                os.close(reading)
                self._close()
                self._work(parent)
            os.close(writing)
            self._workers.append(Worker(reading))

    def _work(self, parent: int) -> None:
        """Does jobs until the warm process is gone, one leaves its traces, or none wants its GPU."""
        states = _random_states()
        goes_on, idle = True, 0
        try:
            while goes_on and os.getppid() == parent:
                try:
                    connection, _ = self._listener.accept()
                except TimeoutError:
                    idle += 1
                    goes_on = idle < IDLE or not has_gpu()
                    continue
                idle = 0
                goes_on = self._do_one(connection)
                connection.close()
                _tidy(states)
        except BaseException:
            traceback.print_exc()
        finally:
            # Never back into the loop of the process that it was forked from.
            os._exit(0)


def has_gpu() -> bool:
    """Whether this process has a slot of a GPU."""
    from lotus.engine.device import present

    device = present()
    return device is not None and device.lease is not None


def _tidy(states: tuple[Any, ...]) -> None:
    """Puts back what a job has changed of the process."""
    import numpy as np
    import torch

    logging.root.handlers.clear()
    gc.enable()
    gc.collect()
    of_python, of_numpy, of_torch = states
    random.setstate(of_python)
    np.random.set_state(of_numpy)
    torch.set_rng_state(of_torch)
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.manual_seed_all(torch.initial_seed())
    # Linux then counts the peak of memory anew; elsewhere records state that of all jobs.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _random_states() -> tuple[Any, ...]:
    import numpy as np
    import torch

    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def own_output() -> tuple[int, int]:
    """Returns copies of the output files of this process."""
    return os.dup(1), os.dup(2)


def give_back_output(own: tuple[int, int]) -> None:
    """Lets go of a job's output files, which are flushed and for whose end its caller waits."""
    for number, file in zip((1, 2), own, strict=True):
        os.dup2(file, number)
        os.close(file)
