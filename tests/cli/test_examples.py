"""Every example in the help of a command works, as it is written there, after the quick check."""

import re
import shlex
import shutil

import pytest
from shown_examples import examples_of, run_examples

from lotus.cli.examples import WIDTH, examples
from lotus.cli.main import main

COMMANDS = [command.name for commands in main.sections.values() for command in commands]
FIRST = {"choose": "tune"}
"""Command → the one whose examples must have run before."""
ELSEWHERE = ("clean-mufac", "publish", "diff", "restore", "attack-shadows", "adopt", "hand-back")
"""Run in tests/data on fewer images than the 1,500 that MUFAC forgets; in a published project here and in
tests/publish; on hand-made shadows and a user's own model in tests/runs, since no quick check has any; on
images of a user's own in tests/adopt."""


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """A copy of the finished project, to write into."""
    folder = tmp_path_factory.mktemp("examples") / "project"
    shutil.copytree(finished, folder)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_of_itself(name):
    found = examples_of(name)
    assert any(shlex.split(example)[1] == name for example in found), found


@pytest.fixture(scope="module")
def ran():
    """Commands whose examples have run."""
    return set()


@pytest.mark.parametrize("name", [it for it in COMMANDS if it not in ELSEWHERE])
def test_examples_work(project, ran, name):
    wanted = [it for it in (FIRST.get(name), name) if it is not None and it not in ran]
    run_examples(project, *wanted)
    ran.update(wanted)


def test_examples_with_two_commits_of_results_work(published):
    run_examples(published, "diff")


def test_a_long_example_is_broken_before_an_option():
    long = "lotus evaluate " + " ".join(f"--of row{i} folder/{i}.npz" for i in range(9))
    shown = examples(long, "lotus seal", when="after a run", before="first  kept as it is")
    assert shown.startswith(
        "\b\nfirst  kept as it is\n\n\b\nExamples, after a run:\n  lotus evaluate "
    )
    lines = shown.splitlines()
    assert max(map(len, lines)) <= WIDTH + 2
    assert len([line for line in lines if line.endswith(" \\")]) == 2
    assert shown.endswith("\n  lotus seal")
    assert long in re.sub(r" \\\n +", " ", shown)
