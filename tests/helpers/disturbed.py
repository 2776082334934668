"""A workflow on Slurm whose node is drained and one of whose jobs is cancelled under way."""

import subprocess
import time
from typing import NamedTuple

import pytest
from project import environment_of_user

ON_SLURM = (
    # Without its Slurm it would wait for jobs for ever, so it ends with a test that is killed.
    *("setpriv", "--pdeathsig", "KILL", "snakemake", "--profile", "profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "2"),
    # The one node has no database of accounts, which the plugin would ask.
    *("--slurm-status-command", "squeue"),
)
PATIENCE = 3600
"""Seconds that each step of the disturbance may take."""


class Disturbed(NamedTuple):
    """What came of it."""

    while_drained: list
    """Submissions, after those that ran had ended and others had been submitted."""
    submissions: list


def run_disturbed(node, project, wanted, *options):
    """Makes files through Slurm.

    While the first job runs, the node is drained, and it is resumed when another has to wait. As soon as
    there is one of the files, the job that makes them is cancelled.
    """
    said = project / "on-slurm.txt"
    with said.open("w") as output:
        workflow = subprocess.Popen(
            [*ON_SLURM, *options, "--", *wanted],
            cwd=project,
            env=node.environment(environment_of_user()),
            stdout=output,
            stderr=output,
        )

    def wait_until(done):
        began = time.monotonic()
        while not done():
            if workflow.poll() is not None or time.monotonic() - began > PATIENCE:
                pytest.fail(f"{node.submissions()}\n{said.read_text()}")
            time.sleep(0.5)

    def states():
        return [it.state for it in node.submissions()]

    try:
        wait_until(lambda: states() == ["RUNNING"])
        node.drain()
        wait_until(lambda: states()[1:])
        while_drained = node.submissions()
        node.resume()
        wait_until(lambda: any((project / file).exists() for file in wanted))
        node.ask("scancel", while_drained[-1].number)
        if workflow.wait():
            pytest.fail(f"{node.submissions()}\n{said.read_text()}")
    finally:
        workflow.kill()
        workflow.wait()
    return Disturbed(while_drained, node.submissions())
