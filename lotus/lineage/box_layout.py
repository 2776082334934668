"""A tree as boxes in columns, from source files to the artifact; many nodes that are alike share a box."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from textwrap import wrap

from lotus import layout
from lotus.lineage.node_names import PARTS_OF_A_RUN, benchmark_and_seed, title
from lotus.lineage.tree import STAGES, Node, Tree
from lotus.results.titles import benchmark_title, row_title

MOST_BOXES = 9
"""Boxes in a column, as far as nodes can be gathered."""
LINE_LENGTH, MOST_LINES = 26, 4
"""Characters of a line in a box; lines of the text of one node."""
COLUMN_HEADS = {
    "source": "source files",
    "raw": "lists of raw files",
    "store": "stores",
    "split": "splits",
    "original": "original models",
    "model": "gold, unlearned models",
    "predictions": "predictions",
    "measured": "metrics, look-alikes, maps",
    "made": "tables, figures",
}
ASKED_FOR = "what was asked for"


@dataclass(frozen=True)
class Box:
    """Nodes that are drawn as one.

    Attributes:
        column: its head.
        text: lines.
        is_broken: whether one of them has a problem.

    """

    column: str
    nodes: Sequence[Node]
    text: Sequence[str]
    is_broken: bool


@dataclass(frozen=True)
class BoxLayout:
    """Columns from left to right, each from top to bottom; links as pairs (input, reader)."""

    columns: Sequence[tuple[str, Sequence[Box]]]
    links: Sequence[tuple[Box, Box]]


def box_layout(tree: Tree) -> BoxLayout:
    """The boxes of a tree; the artifact has the last column to itself."""
    columns = []
    for stage in STAGES:
        nodes = [n for p, n in tree.nodes.items() if n.stage == stage and p != tree.artifact]
        if nodes:
            columns.append([_box(COLUMN_HEADS[stage], group) for group in _grouped(nodes)])
    columns.append([_box(ASKED_FOR, [tree.nodes[tree.artifact]])])
    owner = {node.path: box for column in columns for box in column for node in box.nodes}
    pairs = (
        (owner[name], owner[node.path])
        for node in tree.nodes.values()
        for name in node.inputs
        if name in tree.nodes and owner[name] is not owner[node.path]
    )
    links = _distinct(pairs)
    return BoxLayout(_ordered(columns, links), links)


def _distinct(pairs: Iterable[tuple[Box, Box]]) -> list[tuple[Box, Box]]:
    """Each pair of boxes once."""
    return list({(id(one), id(other)): (one, other) for one, other in pairs}.values())


def _ordered(
    columns: Sequence[Sequence[Box]], links: Sequence[tuple[Box, Box]]
) -> list[tuple[str, Sequence[Box]]]:
    """From right to left, each box beside the middle of those that read it: few lines cross."""
    height: dict[int, float] = {}
    ordered: list[tuple[str, Sequence[Box]]] = []
    for column in reversed(columns):
        readers = {
            id(box): [height.get(id(to), 0.5) for of, to in links if of is box] for box in column
        }
        inner = sorted(column, key=lambda box: fmean(readers[id(box)] or [0.5]))
        height |= {id(box): (position + 0.5) / len(inner) for position, box in enumerate(inner)}
        ordered.append((inner[0].column, inner))
    return ordered[::-1]


def _grouped(nodes: Sequence[Node]) -> list[list[Node]]:
    """Groups of one column: as fine as there is room for."""
    for key in (_by_path, _by_all_but_seed, _by_row, _by_kind):
        groups: dict[str, list[Node]] = {}
        for node in nodes:
            groups.setdefault(key(node), []).append(node)
        if len(groups) <= MOST_BOXES:
            break
    return list(groups.values())


def _by_path(node: Node) -> str:
    return node.path


def _by_all_but_seed(node: Node) -> str:
    if node.record is None:
        return Path(node.path).parent.as_posix()
    about = {key: value for key, value in node.record.about.items() if key != "seed"}
    return f"{_by_kind(node)} {about}" if about else node.path


def _by_row(node: Node) -> str:
    row = node.record.about.get("row", "") if node.record is not None else ""
    return f"{_by_kind(node)} {row}"


def _by_kind(node: Node) -> str:
    return node.record.kind if node.record is not None else node.stage


def _box(column: str, nodes: Sequence[Node]) -> Box:
    text = _text_of_one(nodes[0]) if len(nodes) == 1 else _text_of_many(nodes)
    return Box(column, nodes, text, any(node.problems for node in nodes))


def _text_of_one(node: Node) -> list[str]:
    """Returns the text of a box with a single node: its name, words and digest."""
    described = "" if node.record is None else title(node)
    name = Path(node.path).name
    if described and name in PARTS_OF_A_RUN:
        name, _, described = described.partition(", ")
    lines = [
        *wrap(name, LINE_LENGTH)[:2],
        *wrap(described, LINE_LENGTH, max_lines=MOST_LINES, placeholder=" …"),
    ]
    note = wrap(node.note, LINE_LENGTH, max_lines=1, placeholder=" …")
    return [*lines, *filter(None, [node.digest[:12]]), *note]


def _text_of_many(nodes: Sequence[Node]) -> list[str]:
    """How many of what, what they have in common, and in what they differ."""
    kind = _by_kind(nodes[0])
    what = PARTS_OF_A_RUN.get(Path(nodes[0].path).name) or PLURALS.get(kind, kind)
    lines = [f"{len(nodes)} {what if what.endswith('s') else f'{what}s'}"]
    broken = sum(bool(node.problems) for node in nodes)
    lines += [f"{broken} broken"] if broken else []
    folders = {Path(node.path).parent.as_posix() for node in nodes if node.record is None}
    lines += folders if len(folders) == 1 else []
    about = [node.record.about for node in nodes if node.record is not None]
    for key, (in_words, many) in PHRASES.items():
        values = list(dict.fromkeys(str(of[key]) for of in about if key in of))
        if len(values) == 1:
            lines.append(in_words(values[0]))
        elif values:
            lines.append(f"{len(values)} {many}")
    return [part for line in lines for part in wrap(line, LINE_LENGTH)]


PLURALS = {
    "source": "files",
    "raw": "lists",
    "half": "halves of training images",
    "image-losses": "losses of held-out training images",
    "image-hashes": "hashes of training images",
    "held-out": "halves of held-out images",
    "gradcam": "Grad-CAM maps",
    "attacks": "files of attacks",
    "shadow-attacks": "files of attacks on shadows",
    "trials": "trials",
}
"""What several of a kind are called, unless that is the kind's name with an s."""
PHRASES: Mapping[str, tuple[Callable[[str], str], str]] = {
    "row": (lambda row: "gold" if row == layout.GOLD else row_title(row), "methods"),
    "dataset": (lambda name: benchmark_and_seed({"dataset": name}), "data sets"),
    "architecture": (lambda name: benchmark_title(architecture=name), "networks"),
    "scenario": (lambda name: benchmark_title(scenario=name), "scenarios"),
    "protocol": (str, "protocols"),
    "seed": (lambda seed: f"seed {seed}", "seeds"),
}
"""Key of a record → one value in words; what several are called."""
