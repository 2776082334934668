"""What commands print and log steers no terminal, whatever the files say that they read."""

import ast
import logging

from click.testing import CliRunner
from project import ROOT

from lotus.cli.main import main
from lotus.cli.output import LogLines, print_lines

ESCAPE = "\x1b]0;title\x07\x1b[2J"


def test_lines_are_printed_with_escapes(capsys):
    print_lines(["a", f"b {ESCAPE}\nc é"])
    assert capsys.readouterr().out == "a\nb \\x1b]0;title\\x07\\x1b[2J\nc é\n"


def test_lines_of_the_log_too():
    try:
        raise ValueError(ESCAPE)
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "say %s", (ESCAPE,), info)
    said = LogLines("%(message)s").format(record)
    assert said.startswith("say \\x1b]0;title\\x07\\x1b[2J\nTraceback")
    assert said.replace("\n", "").isprintable()


def test_no_command_prints_otherwise():
    for path in (ROOT / "lotus/cli").glob("*.py"):
        if path.name != "output.py":
            calls = (it for it in ast.walk(ast.parse(path.read_text())) if isinstance(it, ast.Call))
            assert not [it for it in calls if ast.unparse(it.func) in ("click.echo", "print")]


def test_names_in_a_table_of_somebody(tmp_path):
    """As `lotus effects` shows them."""
    heads = ("dataset,architecture,scenario,switch,row,n,collapsed,", "seed")
    table = tmp_path / "ablation.csv"
    table.write_text(f"{''.join(heads)}\nd{ESCAPE},n,s,M1,lotus,1,0,1\n")
    done = CliRunner().invoke(main, ["effects", str(table)])
    assert "\x1b" not in done.output
