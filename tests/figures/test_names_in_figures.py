"""Names are data: whatever a user calls rows, data sets and classes, figures, tables and the page show it.

And what a user has set for matplotlib changes no figure.
"""

import json
import os
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from base64 import b64encode
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from named_results import write

from lotus.figures.draw import draw
from lotus.figures.registry import FIGURES
from lotus.figures.style import save_as, style
from lotus.results.titles import (
    brief,
    dataset_title,
    legible,
    place_name,
    row_title,
    scenario_title,
)
from lotus.tables.latex import escaped, latex_table

ROOT = Path(__file__).parents[2]
NASTY = (
    "$x_1$ and $\\frac{1}{2}$, \\b{c}%&#^~<b>\"'`&amp;<!-- -->$",
    "_hidden",
    "猫🐱 שלום עולם é̂̃ \u200f\u00a0x",
    "a" * 300,
    "bell\x07, null\x00, \ufffe, \n\t\u2028",
)
names = st.text(max_size=40)


@given(names)
def test_a_legible_name_is_one_line_of_characters_that_all_forms_have(name):
    shown = legible(name)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert shown.splitlines() in ([shown], [])
    assert not {"Cc", "Cs", "Cn"} & {unicodedata.category(c) for c in shown}
    assert legible(shown) == shown
    assert len(brief(name)) <= 28
    if name.isprintable():
        assert shown == name
    ElementTree.fromstring(f"<t>{shown.replace('&', '').replace('<', '')}</t>")


@given(names)
def test_titles_are_legible(name):
    for title in (row_title, dataset_title, scenario_title):
        assert legible(title(name)) == title(name)
    assert legible(found := place_name(name, name, name, name, name)) == found


@given(names)
def test_latex_reads_nothing_in_a_name(name):
    """Undone, the escapes give the name back; no special character of LaTeX stands by itself."""
    written = escaped(name)
    outside = written
    for command in ("\\textbackslash{}", "\\textasciitilde{}", "\\textasciicircum{}"):
        outside = outside.replace(command, "")
    for character in "{}$_%&#":
        outside = outside.replace(f"\\{character}", "")
    outside = outside.replace("{}", "")
    for formula in ("<", ">", "|", "-", "\\times", "\\pm", "\\leq", "\\geq", "\\to", "\\alpha"):
        outside = outside.replace(f"${formula}$", "")
    outside = outside.replace("$\\times 10^4$", "").replace("$^4$", "")
    assert not set(outside) & set("\\{}$_%&#~^")
    assert outside.isascii() or not name.isascii()


def test_latex_joins_no_characters_and_takes_none_for_its_own():
    assert escaped("a--b---c ``d'' ?`") == "a-{}-b-{}-{}-c `{}`d'{}' ?{}`"
    table = latex_table("", ["", "r, [low, high]"], [["[x]", "1"], ["*", "2"]])
    assert "\n{}[x] & 1 \\\\\n{}* & 2 \\\\\n" in table
    assert r"\shortstack[r]{r,\\{}[low,\\high]}" in table


def sources_of(kind, folder, name):
    if kind == "ablation":
        return write(folder, name, ("corrected", "corrected+m1"))[0]
    metrics, records = write(folder, name, ("corrected", "released"))
    if kind == "pareto":
        return [*metrics, *records]
    return metrics if kind in ("avg-gap", "jsd-bars", "rf-jsd") else records


KINDS = [
    "avg-gap",
    "times",
    "jsd-bars",
    "time-bars",
    "cost",
    "rf-jsd",
    "pareto",
    "temperature",
    "ablation",
]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_shows_any_name_as_it_is(kind, name, tmp_path):
    sources = sources_of(kind, tmp_path, name)
    with style():
        figure = FIGURES.spec(kind).draw(sources)
        figure.draw_without_rendering()
        texts = [text for text in figure.findobj(Text) if text.get_visible()]
        shown = "\n".join(text.get_text() for text in texts)
        boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
        boxes += [legend.get_window_extent() for legend in figure.legends]
    assert not any(text.get_parse_math() for text in texts)
    assert shown.count(legible(name)) >= 2
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    for box in boxes:
        assert -1 <= box.x0 < box.x1 <= figure.bbox.x1 + 1
        assert -1 <= box.y0 < box.y1 <= figure.bbox.y1 + 1
    if kind != "ablation" and name != NASTY[0]:
        return
    # The forms differ in nothing that a figure's kind changes.
    draw(kind, sources, tmp_path / "figure", tmp_path / "record.json")
    ElementTree.parse(tmp_path / "figure.svg")


@pytest.mark.filterwarnings("ignore:Glyph")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(min_size=1, max_size=60))
def test_any_name_gives_figures(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    sources = sources_of("avg-gap", folder, name)
    draw("avg-gap", sources, folder / "figure", folder / "record.json")
    ElementTree.parse(folder / "figure.svg")


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
def test_figures_of_the_data_show_any_class(name, tmp_path):
    black = {"shape": [4, 4, 3], "pixels": b64encode(bytes(4 * 4 * 3)).decode()}
    audit = {
        **{"dataset": name, "scenario": name, "distance": 0, "classes": [name, "other"]},
        "pictures": {"0": black, "1": black},
        "parts": {
            part: {"images": 1, "pairs": 0, "dropped": 0, "class_counts": [1, 0]}
            for part in ("retain", "forget")
        },
        "across": {"retain-forget": 1},
        "similarity": {"histogram": [1, 0, 0]},
        "groups": [
            {
                "indices": [0, 1],
                "parts": ["retain", "forget"],
                "labels": [0, 0],
                "hashes": ["0", "0"],
            }
        ],
    }
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(audit))
    for kind in ("classes", "similarity", "duplicates"):
        draw(kind, [path], tmp_path / kind, tmp_path / "record.json")
        ElementTree.parse(tmp_path / f"{kind}.svg")


ODD = """figure.figsize: 1, 1
text.usetex: True
savefig.bbox: tight
savefig.transparent: True
savefig.pad_inches: 4
backend: nonsense
svg.fonttype: none
svg.hashsalt: other
font.family: nothing
pdf.compression: 0
path.simplify: False
image.composite_image: False
lines.antialiased: False
axes.formatter.use_locale: True
legend.loc: center
of nothing
"""
DRAW = """
import sys
from pathlib import Path
from lotus.figures.draw import draw
for kind in ("ablation", "avg-gap"):
    out = Path(sys.argv[1])
    draw(kind, [Path(path) for path in sys.argv[2:]], out / kind, out / "record")
"""


@pytest.fixture
def drawn(tmp_path):
    """Draws in a process with these variables of the environment: the files' bytes by name."""
    sources = write(tmp_path / "sources", "mine", ("corrected", "corrected+m1"))[0]
    empty = tmp_path / "empty"
    empty.mkdir()

    def drawn(**variables):
        out = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        out.mkdir()
        mine = {key: of for key, of in os.environ.items() if not key.startswith("MPL")}
        mine |= {"MPLBACKEND": "agg", "PYTHONPATH": str(ROOT), **variables}
        command = [sys.executable, "-c", DRAW, str(out), *map(str, sources)]
        done = subprocess.run(
            command, env=mine, cwd=empty, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return done.stderr
        return {path.name: path.read_bytes() for path in out.iterdir() if path.suffix}

    return drawn


def test_what_a_user_has_set_for_matplotlib_changes_no_figure(drawn, tmp_path):
    usual = drawn()
    assert len(usual) == 6
    own = tmp_path / "own"
    (own / "stylelib").mkdir(parents=True)
    (own / "matplotlibrc").write_text(ODD)
    (own / "stylelib" / "mine.mplstyle").write_text(ODD)
    assert drawn(MPLCONFIGDIR=str(own), MPLSTYLE="mine") == usual
    assert drawn(MATPLOTLIBRC=str(tmp_path), MPLCONFIGDIR="/proc/nothing") == usual


def test_a_style_file_that_cannot_be_read_is_named(drawn, tmp_path):
    (tmp_path / "stylelib").mkdir()
    (tmp_path / "stylelib" / "mine.mplstyle").write_bytes("# café".encode("latin-1"))
    last = drawn(MPLCONFIGDIR=str(tmp_path)).splitlines()[-1]
    assert last.startswith(f"lotus.errors.LotusError: {tmp_path / 'stylelib'}: ")


def test_an_svg_holds_any_text_wherever_it_stands(tmp_path):
    every = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA1), 0xFFFE, 0xFFFF, 0x1F431]))
    with style():
        figure = Figure(figsize=(3, 3))
        axes = figure.add_subplot(title=every)
        axes.bar([every, "dog"], [1, 2], label=every)
        axes.text(0, 0, every, gid=every, url=every)
        axes.legend(title=every)
        save_as(figure, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    assert not {c for c in text if unicodedata.category(c) == "Cc"} - {"\n", "\t", "\r"}
    assert "\\x1b" in text
