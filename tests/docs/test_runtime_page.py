"""docs/runtime.md names every choice, and every function with lines that run only on CUDA."""

import ast
import re

from project import ROOT

from lotus.engine.runtime import ACCEPTED

TEXT = (ROOT / "docs/runtime.md").read_text(encoding="utf-8")
ASKED = {"cuda", "cudnn", "cuda_graphs"}
"""Attributes and texts by which code asks for CUDA."""
DECLARED = "lotus/engine/runtime.py"
"""Words of choices, which nothing is computed by."""


def is_of_cuda(node):
    if isinstance(node, ast.Attribute):
        return node.attr in ASKED
    return isinstance(node, ast.Constant) and node.value == "cuda"


def functions(body, above=""):
    """(name, node) of each outermost function of a module and of its classes."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{above}{node.name}.")
        elif isinstance(node, ast.FunctionDef):
            yield above + node.name, node


def test_every_function_with_lines_for_cuda_is_listed():
    found = set()
    for path in sorted((ROOT / "lotus").rglob("*.py")):
        tree, where = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(ROOT).as_posix()
        inside = set()
        for name, function in functions(tree.body):
            nodes = list(ast.walk(function))
            if any(map(is_of_cuda, nodes)) and where != DECLARED:
                found.add((where, name))
            inside.update(map(id, nodes))
        loose = [node for node in ast.walk(tree) if is_of_cuda(node) and id(node) not in inside]
        assert not loose, (
            f"{where}:{loose[0].lineno}: belongs into a function, which the page names"
        )
    listed = re.findall(r"^\| `(lotus/\S+)`: `([\w.]+)` \|", TEXT, re.MULTILINE)
    assert found == set(listed)
    assert len(listed) == len(found)


def test_every_choice_is_explained():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT, re.MULTILINE))
    assert list(rows) == list(ACCEPTED)
    for choice, values in ACCEPTED.items():
        assert {f"`{value}`" for value in values} <= set(re.findall(r"`\w+`", rows[choice]))
