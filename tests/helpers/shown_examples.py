"""The examples at the end of a command's help, run as they are written there."""

import re
import shlex
import sys

from commands import call
from project import BIN, run


def examples_of(name):
    """Calls at the end of a command's help."""
    _, heading, said = call(name, "--help").output.rpartition("\n  Example")
    assert heading, f"{name} has no example"
    return re.findall(r"^ +(lotus .+)$", re.sub(r" \\\n +", " ", said), re.MULTILINE)


def run_examples(project, *names):
    """Runs them in a shell, in which `lotus` is this project's own; returns what each said."""
    program = shlex.join([sys.executable, "-P", str(project / "workflow/run_lotus.py")])
    tools = project.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "lotus").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    (tools / "lotus").chmod(0o755)
    path = f"{tools}:{BIN}:/usr/bin:/bin"
    return {
        example: run(project, "bash", "-c", example, PATH=path)
        for name in names
        for example in examples_of(name)
    }
