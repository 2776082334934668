"""Reads what the records state of a tree's nodes, and the environments in which they were made."""

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from lotus.lineage.node_names import title
from lotus.lineage.tree import Node, Tree

Environments = Mapping[str, Mapping[str, str]]
"""Letter → library → version."""


def environments(tree: Tree) -> Environments:
    """The different sets of library versions, in the order of the nodes."""
    seen: list[Mapping[str, str]] = []
    for node in tree.nodes.values():
        versions = _versions(node)
        if versions and versions not in seen:
            seen.append(versions)
    return {_letter(number): versions for number, versions in enumerate(seen)}


def _letter(number: int) -> str:
    """A, B, …, Z, A1, B1, …"""
    turn, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn) if turn else "")


def environment_of(node: Node, known: Environments) -> str:
    """The letter of a node's environment; '' for a source file."""
    versions = _versions(node)
    return next((letter for letter, of in known.items() if of == versions), "")


def _versions(node: Node) -> Mapping[str, str]:
    versions: Mapping[str, str] = _content(node).get("versions", {})
    return versions


def _content(node: Node) -> Mapping[str, Any]:
    return node.record.content if node.record is not None else {}


def as_json(tree: Tree, value: Any = None) -> dict[str, Any]:
    """The tree as plain values: every node once, by its path; full digests.

    Args:
        value: of the cell that the tree is of.

    """
    known = environments(tree)
    stated = {"value": value} if value is not None else {}
    return {
        "ok": not tree.problems,
        "problems": tree.problems,
        "artifact": tree.artifact,
        **stated,
        "nodes": {path: _as_json(node, known) for path, node in tree.nodes.items()},
        "environments": known,
    }


def _as_json(node: Node, known: Environments) -> dict[str, Any]:
    own = {
        "title": title(node),
        "stage": node.stage,
        "state": node.state,
        "problems": list(node.problems),
        "digest": node.digest,
        "files": {
            file: {"stated": digest, "found": node.found[file]}
            for file, digest in node.files.items()
        },
        "dvc": node.dvc,
        "inputs": list(node.inputs),
    }
    if node.record is None:
        return own
    content = _content(node)
    parts = ("kind", "about", "settings", "command", "hardware", "time", "memory")
    return {
        **own,
        "record": {"path": node.record.path, "sha256": node.record.sha256},
        **{key: content.get(key) for key in parts},
        "code": {key: content.get("code", {}).get(key) for key in ("step", "commit", "dirty")},
        "environment": environment_of(node, known),
    }
