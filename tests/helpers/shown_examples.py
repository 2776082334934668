"""The examples at the end of a command's help, run as they are written there."""

import re

from commands import call
from shell_lines import run_commands


def examples_of(name):
    """Calls at the end of a command's help."""
    _, heading, said = call(name, "--help").output.rpartition("\n  Example")
    assert heading, f"{name} has no example"
    return re.findall(r"^ +(lotus .+)$", re.sub(r" \\\n +", " ", said), re.MULTILINE)


def run_examples(project, *names):
    """Runs them in a shell, in which `lotus` is this project's own; returns what each said."""
    return run_commands(project, [example for name in names for example in examples_of(name)])
