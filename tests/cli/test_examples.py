"""Every example in the help of a command works, as it is written there, after the quick check."""

import re
import shlex
import shutil
import sys

import pytest
from commands import call
from project import BIN, run

from lotus.cli.examples import WIDTH, examples
from lotus.cli.main import main

SHARED = ("publish", "diff", "restore")
COMMANDS = [command.name for commands in main.sections.values() for command in commands]
FIRST = {"choose": "tune"}
"""Command → the one whose examples must have run before."""
ELSEWHERE = ("clean-mufac",)
"""Run in tests/data on fewer images than the 1,500 that MUFAC forgets."""


def examples_of(name):
    """Calls at the end of a command's help."""
    _, heading, said = call(name, "--help").output.rpartition("\n  Example")
    assert heading, f"{name} has no example"
    return re.findall(r"^ +(lotus .+)$", re.sub(r" \\\n +", " ", said), re.MULTILINE)


def run_examples(project, *names):
    """Runs them in a shell, in which `lotus` is this project's own."""
    program = shlex.join([sys.executable, "-P", str(project / "workflow/run_lotus.py")])
    tools = project.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "lotus").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    (tools / "lotus").chmod(0o755)
    for name in names:
        for example in examples_of(name):
            run(project, "bash", "-c", example, PATH=f"{tools}:{BIN}:/usr/bin:/bin")


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """A copy of the finished project, to write into."""
    folder = tmp_path_factory.mktemp("examples") / "project"
    shutil.copytree(finished, folder)
    return folder


@pytest.fixture(scope="module")
def shared(finished, tmp_path_factory):
    """A copy of the finished project that shares its results, by the example of `lotus publish`."""
    folder = tmp_path_factory.mktemp("shared") / "project"
    shutil.copytree(finished, folder)
    run(folder, "dvc", "remote", "add", "--quiet", "--default", "store", folder.parent / "remote")
    run_examples(folder, "publish")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for message in ("results", "the same results, committed once more"):
        run(folder, "git", *author, "commit", "-qa", "--allow-empty", "--message", message)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_of_itself(name):
    found = examples_of(name)
    assert any(shlex.split(example)[1] == name for example in found), found


@pytest.mark.parametrize("name", [it for it in COMMANDS if it not in SHARED + ELSEWHERE])
def test_examples_work(project, name):
    run_examples(project, *filter(None, [FIRST.get(name), name]))


@pytest.mark.parametrize("name", SHARED[1:])
def test_examples_with_shared_results_work(shared, name):
    run_examples(shared, name)


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
