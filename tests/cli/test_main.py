"""The command line as a whole: headings, help of every command, how it is started, where output goes."""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from commands import call
from project import ROOT

from lotus import cli
from lotus.cli.main import main

COMMANDS = sorted(name for name, command in main.commands.items() if not command.hidden)


def defined():
    """Names of the commands in all files of the room."""
    below = [it for of in main.commands.values() for it in getattr(of, "commands", {}).values()]
    for module in pkgutil.iter_modules(cli.__path__):
        for value in vars(importlib.import_module(f"lotus.cli.{module.name}")).values():
            is_own = isinstance(value, click.Command) and value not in (main, *below)
            if is_own and not value.hidden:
                yield value.name


def test_every_command_stands_under_exactly_one_heading():
    listed = [command.name for commands in main.sections.values() for command in commands]
    assert sorted(listed) == sorted(defined()) == COMMANDS


def test_steps_of_the_workflow_come_last_in_the_order_of_the_data():
    said = call("--help").output
    places = [said.index(f"\n  {name} ") for name in ("audit", "publish", "methods", "fetch")]
    assert places == sorted(places)
    steps = [name for heading in main.sections if "Steps" in heading for name in section(heading)]
    assert [*main.commands][-len(steps) - 1 : -1] == steps  # `warm`, which is hidden, is the last
    order = ["fetch", "store", "choose-forget-set", "pretrain", "unlearn", "evaluate", "report"]
    assert [name for name in steps if name in order] == order


def section(heading):
    return [command.name for command in main.sections[heading]]


GROUPS = sorted(name for name, command in main.commands.items() if isinstance(command, click.Group))


@pytest.mark.parametrize("group", [(), *((name,) for name in GROUPS)])
def test_what_a_command_does_fits_into_its_line(group):
    """As a terminal of 80 columns shows it: `CliRunner` alone allows for two columns more."""
    shown = CliRunner().invoke(main, [*group, "--help"], terminal_width=78).output
    commands = main.commands[group[0]].commands if group else COMMANDS
    for name in commands:
        assert re.search(rf"^  {name} +[A-Z]\w+ .+[^.]\.$", shown, re.MULTILINE), name


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert max(map(len, result.output.splitlines())) <= 100
    for parameter in main.commands[command].params:
        if parameter.param_type_name == "option":
            assert parameter.help or parameter.name == "help", parameter.name
            assert (parameter.help or "").endswith("."), parameter.name


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_every_argument_is(command):
    said = call(command, "--help").output
    usage, text = said.partition("\n\n")[::2]
    for name in re.findall(r"\b[A-Z]{2,}\b", usage.replace("[OPTIONS]", "")):
        assert re.search(rf"\b{name}\b", text) or name in ("ROW", "COLUMN", "KEY", "VALUE"), name


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if any(p.required for p in main.commands[c].params)]
)
def test_a_call_without_arguments_says_what_is_missing(command):
    result = call(command)
    assert result.exit_code == 2
    assert "Missing" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "program", [[Path(sys.executable).with_name("lotus")], [sys.executable, "-m", "lotus"]]
)
def test_it_can_be_started(program):
    command = [*program, "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("lotus, version ")


def test_it_starts_without_the_libraries_that_commands_need():
    heavy = "{'numpy', 'pandas', 'pydantic', 'torch', 'matplotlib', 'snakemake', 'dvc', 'socket'}"
    code = f"import sys, lotus.cli.main; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_log_takes_all_output_and_the_terminal_the_failure(tmp_path):
    log = tmp_path / "logs/fetch.log"
    command = [sys.executable, "-m", "lotus", "--log", log, "fetch", "digit", "--out", "raw.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert "did you mean 'digits'" in done.stderr
    assert f"fetch digit --out raw.json\n{done.stderr}" in log.read_text(encoding="utf-8")
