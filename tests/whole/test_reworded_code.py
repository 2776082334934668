"""A finished run whose code is reworded everywhere: nothing is made anew, and the audit finds it sound."""

import ast
import shutil

import pytest
from forked import own_lotus, snakemake

CONFIG = ["--configfile", "config/digits.yaml"]


@pytest.fixture
def project(finished, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(finished, folder)
    return folder


def reworded(source):
    """The source with other docstrings, and comments at its begin and end and before every function."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        if ast.get_docstring(node) is not None:
            closing = node.body[0]
            at = len(lines[closing.end_lineno - 1].encode()[: closing.end_col_offset - 3].decode())
            line = lines[closing.end_lineno - 1]
            lines[closing.end_lineno - 1] = f"{line[:at]} Reworded.{line[at:]}"
    told = "".join(f"# Before {line}{line}" if line.startswith("def ") else line for line in lines)
    return f"# First.\n\n{told}\n\n# Last.\n"


def test_rewording_the_whole_code_makes_nothing_anew(project):
    for path in (project / "lotus").rglob("*.py"):
        before = path.read_text()
        path.write_text(reworded(before))
        assert path.read_text() != before
    plan = snakemake(project, "--dry-run", *CONFIG)
    assert "Nothing to be done" in plan.stdout + plan.stderr
    # Ends with an error unless all artifacts are verified.
    own_lotus(project, "audit")
