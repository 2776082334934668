"""Lines of a shell from pages and help texts, run in a copy of the project as they are written there."""

import shlex
import sys

from pages import blocks
from project import BIN, run


def commands_of(page):
    """Lines of the blocks for a shell, those that go on joined."""
    found = blocks(page, "sh")
    return [line for block in found for line in block.replace("\\\n", " ").splitlines()]


def run_commands(project, lines):
    """Runs them with `lotus` being this project's own; returns line → the finished process."""
    program = shlex.join([sys.executable, "-P", str(project / "workflow/run_lotus.py")])
    tools = project.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "lotus").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    (tools / "lotus").chmod(0o755)
    path = f"{tools}:{BIN}:/usr/bin:/bin"
    return {line: run(project, "bash", "-c", line, PATH=path) for line in lines}
