"""The environments, sets of library versions, in which the steps of a tree were run."""

from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from lotus.lineage.tree import Node, Tree

Environments = Mapping[str, Mapping[str, str]]
"""Letter → library → version."""


def environments(tree: Tree) -> Environments:
    """The different sets of library versions, in the order of the nodes."""
    found: list[Mapping[str, str]] = []
    for node in tree.nodes.values():
        versions = _versions(node)
        if versions and versions not in found:
            found.append(versions)
    return {_letter(number): versions for number, versions in enumerate(found)}


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
