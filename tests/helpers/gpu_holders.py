"""Processes that take slots of simulated GPUs, say so, and end without giving them back.

Run as a program, which is small and so forks fast.
"""

import os
import struct
import sys
import time
from pathlib import Path

from lotus.engine.lease import Gpu, take

GPUS = [Gpu(index, f"GPU-{index}", 1) for index in range(8)]
SLOTS, PAUSE = 3, 0.1
WORD = struct.Struct("3i")
"""What a holder tells: its process, its GPU, and whether it has come (1) or is about to go (0)."""


def hold(folder, seconds):
    """Waits for a slot, and some seconds; whoever comes next is told of later."""
    gpu = (lease := take(GPUS, lambda _: SLOTS, folder, PAUSE)).gpu.index
    os.write(1, WORD.pack(os.getpid(), gpu, 1))
    time.sleep(seconds)
    os.write(1, WORD.pack(os.getpid(), gpu, 0))
    assert lease is not None


def main(folder, durations):
    """Has all holders begin at once; the error output tells how each ended."""
    waiting, begin = os.pipe()
    started = []
    for seconds in durations:
        started.append(os.fork())
        if started[-1] == 0:
            os.close(begin)
            os.read(waiting, 1)
            hold(folder, seconds)
            os._exit(0)
    os.close(begin)
    os.close(1)
    for process in started:
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.write(2, f"{code} ".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), map(float, sys.argv[2:]))
