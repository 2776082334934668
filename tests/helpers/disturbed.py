"""A workflow on Slurm whose node is drained and one of whose jobs is cancelled under way."""

import json
import subprocess
import time
from dataclasses import asdict
from typing import NamedTuple

import pytest
import yaml
from project import environment_of_user
from slurm import Submission, one_node

ON_SLURM = (
    # Without its Slurm it would wait for jobs for ever, so it ends with a test that is killed.
    *("setpriv", "--pdeathsig", "KILL", "snakemake", "--profile", "profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "2"),
    # The one node has no database of accounts, which the plugin would ask.
    *("--slurm-status-command", "squeue"),
)
GROUPS = {
    **dict.fromkeys(("pretrain_original", "retrain_gold"), "trained-{dataset}-{architecture}"),
    "unlearn": "unlearn-{dataset}-{architecture}-{scenario}",
    "explain_forget_set": "maps-{dataset}-{architecture}",
}
"""Rule → submission of its models, which take a second here: those of all seeds are one."""
ALL_OF_A_GROUP = 100
"""Models of a submission, at most."""
PATIENCE = 3600
"""Seconds that each step of the disturbance may take."""


class Disturbed(NamedTuple):
    """What came of it."""

    while_drained: list
    """Submissions, after those that ran had ended and others waited."""
    submissions: list

    def write(self, path):
        """Keeps it in a file."""
        path.write_text(json.dumps([[asdict(it) for it in part] for part in self]))

    @classmethod
    def read(cls, path):
        """The same, of the file."""
        return cls(*([Submission(**it) for it in part] for part in json.loads(path.read_text())))


def run_disturbed(project, *options):
    """Runs a workflow through Slurm, whose log is written beside the project.

    While the first jobs run, the node is drained; it is resumed when they have ended and others wait.
    A batch of unlearned models is cancelled as soon as it has one of them.
    """
    with one_node(cores=2, gpus=0) as node:
        said = project.with_name("on-slurm.txt")
        own = _profile_of_small_models(project)
        with said.open("w") as output:
            workflow = subprocess.Popen(
                [*ON_SLURM, "--profile", own, *options],
                cwd=project,
                env=node.environment(environment_of_user()),
                stdout=output,
                stderr=output,
            )

        def wait_until(done):
            began = time.monotonic()
            while not (found := done()):
                if workflow.poll() is not None or time.monotonic() - began > PATIENCE:
                    pytest.fail(f"{node.submissions()}\n{said.read_text()}")
                time.sleep(0.5)
            return found

        def states():
            return {it.state for it in node.submissions()}

        try:
            wait_until(lambda: "RUNNING" in states())
            node.drain()
            wait_until(lambda: states() == {"COMPLETED", "PENDING"})
            while_drained = node.submissions()
            node.resume()
            node.ask("scancel", wait_until(lambda: _batch_under_way(node, project)))
            if workflow.wait():
                pytest.fail(f"{node.submissions()}\n{said.read_text()}")
        finally:
            workflow.kill()
            workflow.wait()
        return Disturbed(while_drained, node.submissions())


def _profile_of_small_models(project):
    """Writes a profile beside the project, with larger batches than profiles/slurm; returns its folder.

    On the node a Snakemake starts for each, which takes as long as some ten of these models.
    """
    own = {"groups": GROUPS, "group-components": dict.fromkeys(GROUPS.values(), ALL_OF_A_GROUP)}
    folder = project.with_name("small-models")
    folder.mkdir()
    (folder / "profile.yaml").write_text(yaml.safe_dump(own))
    return folder


def _batch_under_way(node, project):
    """The number of a submission that makes unlearned models and has made one; None without such."""
    made = [path.parts[-7:-1] for path in project.glob("results/*/*/seed*/*/*/*/run.json")]
    groups = {
        f"unlearn-{dataset}-{architecture}-{scenario}"
        for dataset, architecture, _, scenario, _, row in made
        if row != "gold"
    }
    running = [it for it in node.submissions() if it.state == "RUNNING"]
    return next((it.number for it in running for group in groups if group in it.comment), None)
