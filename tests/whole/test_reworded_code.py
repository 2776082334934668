"""A finished run whose code is reworded, or changed in one place: what is made anew, what audits say."""

import ast
import shutil
import sys

import pytest
from project import run

CONFIG = ["--configfile", "config/digits.yaml"]
LOTUS = [sys.executable, "-P", "workflow/run_lotus.py"]


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
    plan = run(project, "snakemake", "--dry-run", *CONFIG)
    assert "Nothing to be done" in plan.stdout + plan.stderr
    assert "sound" in run(project, *LOTUS, "audit").stdout


def test_a_changed_operator_makes_its_method_anew_and_no_other(project):
    path = project / "lotus/methods/ssd.py"
    before = path.read_text()
    path.write_text(before + "\nDOUBLED = 1 + 1\n")
    plan = run(project, "snakemake", "--dry-run", "--quiet", "rules", "--summary", *CONFIG)
    trained = [line.split("\t") for line in plan.stdout.splitlines() if "model.safetensors" in line]
    anew = {line[0] for line in trained if "update pending" in line[-1]}
    assert anew == {line[0] for line in trained if "/ssd/" in line[0]}
    said = run(project, *LOTUS, "audit", check=False)
    assert said.returncode
    stale = [line for line in said.stdout.splitlines() if line.startswith("stale")]
    assert all("/ssd/" in line and "lotus.methods.ssd changed since" in line for line in stale[:1])
    path.write_text(before)
    assert "sound" in run(project, *LOTUS, "audit").stdout
