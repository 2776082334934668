"""The tables as LaTeX: set by pdflatex, whatever characters they hold, and no wider than the page."""

import re
import shutil
import subprocess

import pytest

from lotus.tables.latex import LATEX, Bold, escaped, latex_table

needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed"
)
NASTY = r"a_b%c&d#e{}~^\$ <x>|y| é ×10⁴ ± − – ≤ ≥ → α"
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
%s
\end{document}
"""


@pytest.fixture
def typeset(tmp_path):
    """Sets LaTeX text, and returns the log; an error fails the test."""

    def typeset(text):
        (tmp_path / "tables.tex").write_text(DOCUMENT % text, encoding="utf-8")
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "tables.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        log = done.stdout.decode(errors="replace")
        assert done.returncode == 0, log[-3000:]
        return log

    return typeset


def too_large(log):
    """What sticks out by more than a point, or is longer than the page."""
    wide = [
        float(points) for points in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt too wide", log)
    ]
    return [points for points in wide if points > 1] + re.findall(r"Float too large.*", log)


@needs_latex
def test_all_tables_of_an_experiment_are_set_and_fit_the_page(results, typeset):
    files = sorted(results.glob("*/*.tex"))
    assert len(files) >= 10
    log = typeset("\n".join(f"\\input{{{path}}}\\clearpage" for path in files))
    assert not too_large(log)


@needs_latex
def test_every_character_is_set(typeset):
    table = latex_table(
        NASTY, ["", NASTY, f"{NASTY} (as released, ×10⁴)"], [[NASTY, Bold(NASTY), ""]]
    )
    log = typeset(table)
    assert "Missing character" not in log
    assert not too_large(log)


@needs_latex
def test_wide_and_long_tables_fit_the_page(typeset):
    heads = ["", *(f"A long head (as released), number {n}" for n in range(20))]
    log = typeset(latex_table("Long.", heads, [["0.123 ± 0.456"] * 21] * 100))
    assert not too_large(log)


def test_text_is_escaped_once():
    assert escaped(r"a_b%c&d#e{}~^\$") == (
        r"a\_b\%c\&d\#e\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}\$"
    )
    assert escaped("JSD ×10⁴ 0.1 ± 0.2") == r"JSD $\times 10^4$ 0.1 $\pm$ 0.2"
    for character, written in LATEX.items():
        assert escaped(character) == written


def test_a_long_table_is_set_in_parts_without_losing_a_row():
    latex = latex_table("Many", ["", "n"], [[f"row {n}", str(n)] for n in range(100)])
    assert latex.count("\\begin{table}") == latex.count("\\end{table}") == 3
    assert "Many Part 2 of 3." in latex
    assert re.findall(r"row (\d+) & \1 ", latex) == [str(n) for n in range(100)]


def test_heads_break_before_what_explains_them():
    latex = latex_table("", ["", "Avg Gap", "JSD (as released, ×10⁴)"], [])
    assert r" & Avg Gap & \shortstack[r]{JSD\\(as released,\\$\times 10^4$)} \\" in latex
