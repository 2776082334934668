"""Tables as LaTeX: plain text goes in, whatever characters it has."""

import re
from collections.abc import Sequence

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
_SPECIAL = re.compile("|".join(map(re.escape, LATEX)))
_BREAK = re.compile(r"(?<=[,:]) | (?=\()")
"""Where heads may be broken: after a comma or colon, before a parenthesis."""
# No wider than the text, and no larger than it is.
_FIT = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"


def escaped(text: str) -> str:
    """Text as LaTeX has to be given it."""
    return _SPECIAL.sub(lambda found: LATEX[found[0]], text)


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
        " & ".join(_head(head) for head in heads) + r" \\",
        "\\midrule",
        *(" & ".join(_cell(cell) for cell in row) + r" \\" for row in body),
        "\\bottomrule",
        "\\end{tabular}}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _head(text: str) -> str:
    """A head over as many lines as it has parts."""
    lines = [escaped(part) for part in _BREAK.split(text)]
    return "\\shortstack[r]{" + r"\\".join(lines) + "}" if lines[1:] else lines[0]


def _cell(text: str) -> str:
    written = escaped(text)
    return f"\\textbf{{{written}}}" if isinstance(text, Bold) else written
