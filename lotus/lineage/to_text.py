"""A tree as text: a head line for each node, and in few lines what its record states."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from lotus.engine.runtime import DEFAULT, said_in
from lotus.lineage.environments import Environments, environment_of, environments
from lotus.lineage.node_names import flatten, title
from lotus.lineage.tree import NOT_IN_DVC, Node, Tree
from lotus.names import shown
from lotus.wording import counted

WIDTH, SHORT = 100, 12
"""Columns of a line; digits of a digest."""


def lines(tree: Tree, depth: int | None = None, is_brief: bool = False) -> Iterator[str]:
    """The tree, the environments, and whether the chain is whole.

    Args:
        depth: levels below the artifact; None for all.
        is_brief: head lines only.

    """
    return map(shown, _lines(tree, depth, is_brief))


def _lines(tree: Tree, depth: int | None, is_brief: bool) -> Iterator[str]:
    known = environments(tree)
    yield from _TreeWriter(tree, known, depth, is_brief).branch(tree.artifact, "", "", 0)
    if not is_brief:
        for letter, versions in known.items():
            yield ""
            text = ", ".join(f"{name} {version}" for name, version in versions.items())
            yield from _wrapped(f"environment {letter}: ", text)
    yield ""
    yield from verdict(tree, depth)


def verdict(tree: Tree, depth: int | None = None) -> Iterator[str]:
    """Yields what was looked at and, problem by problem, what is wrong with it."""
    nodes = tree.nodes.values()
    compared = sum(bool(digest) for node in nodes for digest in node.found.values())
    records = {node.record.path for node in nodes if node.record is not None}
    counts = f"{counted(compared, 'file')} hashed, {counted(len(records), 'record')} read"
    if not tree.problems:
        apart = [node for node in nodes if node.note]
        noted = f"; {counted(len(apart), 'source file')} not compared" if apart else ""
        cut = f", as far as level {depth}" if _is_cut(tree) else ""
        yield f"The chain is complete{cut}: {counts}; every digest agrees{noted}."
        return
    yield f"The chain is broken: {counted(len(tree.problems), 'problem')} ({counts})."
    yield from (f"  ✗ {problem}" for problem in tree.problems)


def _is_cut(tree: Tree) -> bool:
    return any(path not in tree.nodes for node in tree.nodes.values() for path in node.inputs)


@dataclass
class _TreeWriter:
    """The lines of one tree; remembers which sub-trees stand already."""

    tree: Tree
    known: Environments
    depth: int | None
    is_brief: bool
    written: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)

    def branch(self, path: str, lead: str, below: str, level: int) -> Iterator[str]:
        """A node and all under it.

        Args:
            lead, below: what its head line, and the lines under that, begin with.

        """
        node = self.tree.nodes[path]
        inner = [name for name in node.inputs if name in self.tree.nodes]
        inner = inner if self.depth is None or level < self.depth else []
        if path in self.written and (path in self.opened or not inner):
            yield f"{lead}{path}  (above)"
            return
        yield f"{lead}{path}  {title(node)}"
        bar = below + ("│  " if inner else "   ")
        yield from (f"{bar}✗ {problem}" for problem in node.problems)
        if not self.is_brief and path not in self.written:
            yield from (bar + line for line in _recorded_lines(node, self.known))
        if node.inputs and not inner:
            yield f"{bar}… {counted(len(node.inputs), 'input')} below"
        self.written.add(path)
        if inner:
            self.opened.add(path)
        for number, name in enumerate(inner, start=1):
            last = number == len(inner)
            ends = ("└─ ", "   ") if last else ("├─ ", "│  ")
            yield from self.branch(name, below + ends[0], below + ends[1], level + 1)


def _recorded_lines(node: Node, known: Environments) -> Iterator[str]:
    """Yields what the record states, and the digests."""
    content: Mapping[str, Any] = node.record.content if node.record is not None else {}
    # Of what a run says the facts are its model's: both are of one step.
    if content and node.stage != "predictions":
        yield from _wrapped("parameters: ", _parameters_in_words(content["settings"]))
        yield _making_in_words(content, environment_of(node, known))
    if digests := " · ".join(_digests_in_words(node)):
        yield digests


def _wrapped(head: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=head, subsequent_indent="  ", break_on_hyphens=False)


def _parameters_in_words(settings: Mapping[str, Any]) -> str:
    """As in the configuration: without the names of the groups that it has not."""
    named = {
        key.removeprefix("hyperparameters.").removeprefix("architecture."): value
        for key, value in flatten(settings).items()
    }
    return ", ".join(f"{key}={value}" for key, value in named.items())


def _making_in_words(content: Mapping[str, Any], environment: str) -> str:
    """By which code, where and when."""
    code, hardware, time = content["code"], content.get("hardware", {}), content["time"]
    commit = str(code.get("commit") or "no commit")[:SHORT]
    dirty = " + uncommitted changes" if code.get("dirty") else ""
    started = str(time.get("started", "")).replace("T", " ").removesuffix("+00:00")
    return " · ".join(
        [
            f"code {str(code.get('step', ''))[:SHORT]} @ {commit}{dirty}",
            _device_in_words(hardware),
            f"{started} UTC, {time.get('total', 0):.1f} s",
            f"environment {environment}",
        ]
    )


def _device_in_words(hardware: Mapping[str, Any]) -> str:
    """The device that computed, and its processor; steps that know no device have the latter alone.

    Then the runtime, if it is another than the default one.
    """
    processor = str(hardware.get("processor", "unknown processor"))
    device, runtime = hardware.get("device_name") or hardware.get("device"), said_in(hardware)
    found = f"{device} ({processor})" if device else processor
    return found if runtime == DEFAULT else f"{found}, {runtime}"


def _digests_in_words(node: Node) -> Sequence[str]:
    """Digest, record, DVC place, and why bytes were not compared."""
    what = "content" if node.stage == "store" else "sha256"
    parts = [f"{what} {node.digest[:SHORT]}" if node.digest else ""]
    if node.record is not None and node.record.path != node.path:
        parts.append(f"record {node.record.path}")
    if node.record is not None or node.dvc != NOT_IN_DVC:
        parts.append(node.dvc)
    return list(filter(None, [*parts, node.note]))
