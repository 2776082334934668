"""A workflow whose processes are killed at random moments, or asked to end, until it ends well."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

import psutil
from forked import begin_snakemake
from forked_warm import NAME

WORKFLOW, WARM, JOB = "workflow", "warm process", "job"


class Kind(NamedTuple):
    """A process of which role is sent which signal."""

    role: str
    signal: signal.Signals


KILLED_JOB, ENDED_JOB = Kind(JOB, signal.SIGKILL), Kind(JOB, signal.SIGTERM)
KILLED_WARM = Kind(WARM, signal.SIGKILL)
KILLED_WORKFLOW, ENDED_WORKFLOW = Kind(WORKFLOW, signal.SIGKILL), Kind(WORKFLOW, signal.SIGTERM)
KINDS = (KILLED_JOB, ENDED_JOB, KILLED_WARM, KILLED_WORKFLOW, ENDED_WORKFLOW)
ROUNDS = ((KILLED_JOB,), (ENDED_JOB,), (KILLED_WARM, KILLED_WORKFLOW), (ENDED_WORKFLOW,))
"""Of which the next is drawn: without the warm process jobs take long, until a workflow starts another."""
PATIENCE = (0.5, 5.0)
"""Seconds between two kills, at least and at most."""
ENOUGH = 60
"""Times that the command is begun, after which something does not get on."""


def run_under_killer(folder, arguments, kills, seed):
    """Runs Snakemake in a folder, again and again, until it ends well; returns whom of it which signal met.

    Args:
        arguments: of Snakemake.
        kills: number of processes that are sent a signal, at least one of each kind.
        seed: of which ones, and when.

    """
    chance, killed = random.Random(seed), Counter()
    kinds = _in_random_order(chance)
    wanted = next(kinds)
    for _ in range(ENOUGH):
        with (folder / "killed.log").open("w") as log:
            process = begin_snakemake(folder, *arguments, output=log)
        try:
            while process.poll() is None:
                time.sleep(chance.uniform(*PATIENCE) if killed.total() < kills else 0.2)
                if killed.total() < kills and _kill_one(process.pid, wanted, chance):
                    killed[wanted] += 1
                    wanted = next(kinds)
        finally:
            process.send_signal(signal.SIGKILL)
        if process.wait() == 0 and killed.total() >= kills:
            return killed
    said = (folder / "killed.log").read_text()
    raise AssertionError(f"it did not end well in {ENOUGH} times, {killed}: {said[-3000:]}")


def _in_random_order(chance):
    """Yields kinds of processes without end, each once before chance decides."""
    yield from KINDS
    while True:
        yield from chance.choice(ROUNDS)


def _kill_one(workflow, kind, chance):
    """Sends one process of a kind its signal, if there is one; returns whether it did."""
    found = _processes(workflow).get(kind.role)
    if not found:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(sorted(found)), kind.signal)
        return True
    return False


def _processes(workflow):
    """Kind → numbers of the processes of a workflow, itself included."""
    found = {WORKFLOW: [workflow], WARM: [], JOB: []}
    try:
        for process in psutil.Process(workflow).children(recursive=True):
            with suppress(psutil.Error):
                if process.name() == NAME:
                    # A job that was forked from it has the same name.
                    found[WARM if process.ppid() == workflow else JOB].append(process.pid)
                elif "--log" in process.cmdline():
                    found[JOB].append(process.pid)
    except psutil.NoSuchProcess:
        return {}
    return found
