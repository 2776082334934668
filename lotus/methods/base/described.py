"""Reads the docstrings of methods, for `lotus methods` and the schema of configurations.

No step of a workflow reaches this module, so that no result depends on a docstring.
"""

import inspect
import re
from dataclasses import dataclass

from lotus.methods.base.registry import method_class


@dataclass(frozen=True)
class Described:
    """The docstring of a method, in parts: its first line, and the paragraphs `Loss:`, `Reads:`, ….

    Attributes:
        idea: one line.
        loss, reads, source, not_for: empty where the docstring has no such paragraph.

    """

    idea: str
    loss: str
    reads: str
    source: str
    not_for: str


def describe(name: str) -> Described:
    """Returns what method `name` says of itself in its docstring."""
    cls = method_class(name)
    text = inspect.cleandoc(cls.__doc__ or "")
    # What a dataclass writes by itself where there is nothing.
    if text.startswith(f"{cls.__name__}("):
        text = ""
    idea, _, rest = text.partition("\n")
    parts = dict(re.findall(r"^(Loss|Reads|Source|Not for): (.+?)(?=\n\S|\Z)", rest, re.M | re.S))
    joined = {key: " ".join(value.split()) for key, value in parts.items()}
    wanted = ("Loss", "Reads", "Source", "Not for")
    return Described(idea, *(joined.get(key, "") for key in wanted))
