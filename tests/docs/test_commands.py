"""Every command of the documentation is one: its program, subcommand, options, targets and files exist."""

import re
import shlex

import pytest
from click.testing import CliRunner
from forked import snakemake
from pages import PAGES, commands
from project import ROOT

from lotus.cli.main import main
from lotus.config.origins import read_origin
from lotus.plan.description import part_counts
from lotus.plan.making import make_plan

OWN = ("lotus", "snakemake", "make", "python -m pytest")
OTHERS = (
    "dvc",
    "git",
    "pip",
    "ssh-keygen",
    "chmod",
    "cp",
    "ln -s",
    "export",
    "pre-commit",
    "source",
    ".ci/run",
)
NEED_NOTHING = ("methods", "protocols", "datasets", "signs", "check-config")
"""Subcommands of `lotus` that need no results."""
CARRIED_OUT = "docs/own-"
"""Pages that tests of their own carry out, with the files that the reader makes there."""
MADE_THERE = {"docs/own-figure.md": {"retain-forget"}}
"""Page → targets that the reader makes there, which a test of that page asks for."""
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The changelog names what is no more.
TEXTS = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in PAGES
    if page.name != "CHANGELOG.md"
}


def in_blocks(program):
    """(page, arguments) of each call of a program in the blocks of shell."""
    start = program.split()
    for page, text in TEXTS.items():
        for call in commands(text):
            words = call[2:] if call[0] == "timeout" else call
            if words[: len(start)] == start:
                yield page, words[len(start) :]


def calls(program):
    """The same, with those that stand in a sentence, between backticks; `…` marks what is cut short."""
    yield from in_blocks(program)
    for page, text in TEXTS.items():
        for said in re.findall(rf"`{program} ([^`…\n]+)`", text):
            yield page, shlex.split(said)


def test_only_known_programs_are_called():
    starts = [name.split() for name in (*OWN, *OTHERS)]
    for page, text in TEXTS.items():
        for call in commands(text):
            words = call[2:] if call[0] == "timeout" else call
            assert any(words[: len(start)] == start for start in starts), f"{page}: {call}"


def test_every_command_of_lotus_is_one():
    for page, call in calls("lotus"):
        if call[0] in ("--help", "COMMAND"):
            continue
        assert call[0] in main.commands, f"{page}: lotus {call[0]}"
        command = main.commands[call[0]]
        # One command has others below it.
        below = getattr(command, "commands", {}).get((*call, "")[1])
        options = {it for parameter in (below or command).params for it in parameter.opts}
        assert {word for word in call if word.startswith("--")} <= options, f"{page}: {call}"


@pytest.mark.parametrize("heading", ["Know what there is", "Look at results", "Share results"])
def test_the_commands_stand_under_the_headings_of_the_help(heading):
    (part,) = re.findall(rf"\*\*{heading}\*\*.*?```\n\n", README, re.DOTALL)
    named = {call[1] for call in commands(part) if call[0] == "lotus"}
    assert named
    assert named <= {command.name for command in main.sections[heading]}


@pytest.mark.parametrize(
    "call",
    sorted(
        {
            tuple(call)
            for page, call in in_blocks("lotus")
            if call[0] in NEED_NOTHING and not page.startswith(CARRIED_OUT)
        }
    ),
    ids=" ".join,
)
def test_commands_that_need_no_results_run(call, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    assert done.output.strip()


def test_every_target_of_make_is_one():
    rules = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = {call[0] for _, call in calls("make")}
    assert {"docs", "report", "test"} <= called <= {*rules}


def test_every_target_of_snakemake_is_one():
    default = target_rules()
    of_paper = target_rules("--configfile", "config/paper.yaml")
    for page, call in calls("snakemake"):
        known = of_paper if "config/paper.yaml" in call else default
        own = MADE_THERE.get(page, set())
        assert targets(call) <= known | own, f"{page}: snakemake {shlex.join(call)}"
    (listed,) = re.findall(r"^Targets are.+?\n\n", README, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`([\w-]+)`", listed)) <= default


def target_rules(*options):
    return set(snakemake(ROOT, *options, "--list-target-rules").stdout.split())


def targets(call):
    """Names of targets in a call; the workflow's own tests make files."""
    words, found = list(call), set()
    while words:
        word = words.pop(0)
        if word == "--config":
            words = [word for word in words if "=" not in word]
        elif word in ("--cores", "--configfile", "--report", "--profile", "--resources"):
            del words[:1]
        elif not word.startswith("-") and "/" not in word:
            found.add(word)
    return found


@pytest.mark.parametrize("program", OWN)
def test_files_that_commands_name_exist(program):
    for page, call in calls(program):
        for word in call:
            if re.match(r"(config|tests|report|docs|profiles)/", word) and word != "tests/ROOM":
                assert (ROOT / word).exists(), f"{page}: {word}"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_files_that_a_page_names_exist(page):
    places = "lotus|tests|workflow|report|config|docs|envs|profiles"
    named = re.findall(rf"`((?:{places})/[\w./-]+)`", TEXTS[page])
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_number_of_models_is_that_of_the_plan():
    origin = read_origin(ROOT / "config/fashion-mini.yaml")
    (stated,) = re.findall(r"(\d+) small models", README)
    assert f"{stated} in all" in part_counts(make_plan(origin.content, [origin]))
