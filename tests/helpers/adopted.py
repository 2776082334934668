"""The commands of a page of `docs`, run in a copy of the project as they are written there."""

import re
import shlex
import sys

from project import BIN, run


def commands_of(page):
    """Lines of the blocks for a shell, those that go on joined."""
    blocks = re.findall(r"^```sh\n(.+?)^```", page, re.M | re.S)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def run_commands(project, lines):
    """Runs them with `lotus` being this project's own; returns line → what it said."""
    program = shlex.join([sys.executable, "-P", str(project / "workflow/run_lotus.py")])
    tools = project.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "lotus").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    (tools / "lotus").chmod(0o755)
    path = f"{tools}:{BIN}:/usr/bin:/bin"
    return {line: run(project, "bash", "-c", line, PATH=path).stdout for line in lines}
