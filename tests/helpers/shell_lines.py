"""Lines of a shell from pages and help texts, run in a copy of the project as they are written there."""

import re
import shlex
import sys

from forked import lotus, snakemake
from pages import blocks
from project import BIN, run

SHOWN = "show() { printf '%s\\0' \"$@\"; }; show "
"""Before a call, shows what a shell makes of it: names of files for `*`, what commands print for `$(…)`."""
CALLED = {"lotus": lotus, "snakemake": snakemake}
"""Commands that are done in a fork of this process, which has everything loaded."""


def commands_of(page):
    """Lines of the blocks for a shell, those that go on joined."""
    found = blocks(page, "sh")
    return [line for block in found for line in block.replace("\\\n", " ").splitlines()]


def run_commands(project, lines):
    """Runs them with `lotus` being this project's own; returns line → the finished process.

    Args:
        project: a copy of this checkout. Its code is the same, so that a line which is one call of one of
            `CALLED` is only taken apart by a shell.
        lines: others are done by a shell.

    """
    tools = _tools(project)
    return {line: _run(project, tools, line) for line in lines}


def _run(project, tools, line):
    if re.match(rf"({'|'.join(CALLED)}) [^;&|<>]+$", line):
        program, *words, _ = run(project, "bash", "-c", SHOWN + line).stdout.split("\0")
        return CALLED[program](project, *words)
    return run(project, "bash", "-c", line, PATH=f"{tools}:{BIN}:/usr/bin:/bin")


def _tools(project):
    """A folder with a `lotus` that is the project's own."""
    program = shlex.join([sys.executable, "-P", str(project / "workflow/run_lotus.py")])
    tools = project.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "lotus").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    (tools / "lotus").chmod(0o755)
    return tools
