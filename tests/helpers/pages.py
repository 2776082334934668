"""The documentation as files: its pages, their blocks of code and the commands in these."""

import ast
import re
import shlex
from itertools import groupby

from project import ROOT

PATTERNS = ("*.md", "docs/*.md", "docs/results/*/*.md", "report/published/README.md")
PAGES = sorted(page for pattern in PATTERNS for page in ROOT.glob(pattern))
"""What is written for readers of the whole project."""


def blocks(text, language):
    """The content of each fenced block of a language."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def commands(text):
    """Each command of the `sh` blocks as a list of words, without comments."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
            lexer.whitespace_split = True
            parts = groupby(lexer, key=lambda word: word in (";", "&&", "|"))
            yield from (list(words) for is_between, words in parts if not is_between)


def summary_of(path):
    """The first paragraph of a module's or a folder's docstring, on one line."""
    source = path / "__init__.py" if path.is_dir() else path
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
    return " ".join(text.split("\n\n")[0].split())
