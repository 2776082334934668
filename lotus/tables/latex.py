"""Tables as LaTeX: plain text goes in, whatever characters it has."""

import re
from collections.abc import Iterable, Sequence

from lotus.results.titles import legible

LINES = 45
"""Rows of one table; more are set as several."""


class Bold(str):
    """A cell in bold type."""

    __slots__ = ()


LATEX = {
    "×10⁴": "$\\times 10^4$",
    "×": "$\\times$",
    "⁴": "$^4$",
    "±": "$\\pm$",
    "–": "--",
    "−": "$-$",
    "≤": "$\\leq$",
    "≥": "$\\geq$",
    "→": "$\\to$",
    "α": "$\\alpha$",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "_": "\\_",
    "%": "\\%",
    "&": "\\&",
    "#": "\\#",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
}
"""Characters that LaTeX wants written otherwise; of two that begin alike the longer stands first."""
_LIGATURES = r"([-'`])(?=\1)|[!?](?=`)"
"""Characters that LaTeX would join with the next."""
_SPECIAL = re.compile("|".join([*map(re.escape, LATEX), _LIGATURES]))
_BREAK = re.compile(r"(?<=[,:]) | (?=\()")
"""Where heads may be broken: after a comma or colon, before a parenthesis."""
# No wider than the text, and no larger than it is.
_FIT = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"


def escaped(text: str) -> str:
    """Text as LaTeX has to be given it."""
    return _SPECIAL.sub(lambda found: LATEX.get(found[0], f"{found[0]}{{}}"), legible(text))


def latex_table(caption: str, heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Table environments for LaTeX, with booktabs: the first column to the left, the others to the right.

    Args:
        caption: plain text, as heads and cells.
        body: rows; a cell may be `Bold`.

    """
    parts = [body[first : first + LINES] for first in range(0, max(len(body), 1), LINES)]
    return "% needs \\usepackage{booktabs,graphicx}\n" + "\n".join(
        _environment(caption + (f" Part {n} of {len(parts)}." if parts[1:] else ""), heads, part)
        for n, part in enumerate(parts, 1)
    )


def _environment(caption: str, heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{escaped(caption)}}}",
        _FIT,
        f"\\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        "\\toprule",
        _line(_head(head) for head in heads),
        "\\midrule",
        *(_line(_cell(cell) for cell in row) for row in body),
        "\\bottomrule",
        "\\end{tabular}}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return _apart(" & ".join(cells)) + r" \\"


def _apart(line: str) -> str:
    """Returns a line that begins so that the line's end before it does not take `[` or `*` for its own."""
    return "{}" + line if line.startswith(("[", "*")) else line


def _head(text: str) -> str:
    """A head over as many lines as it has parts."""
    lines = [_apart(escaped(part)) for part in _BREAK.split(text)]
    return "\\shortstack[r]{" + r"\\".join(lines) + "}" if lines[1:] else lines[0]


def _cell(text: str) -> str:
    written = escaped(text)
    return f"\\textbf{{{written}}}" if isinstance(text, Bold) else written
