"""A tree as JSON: what the records state of its nodes, and what was found of them."""

from typing import Any

from lotus.lineage.environments import Environments, environment_of, environments
from lotus.lineage.node_names import title
from lotus.lineage.tree import Node, Tree


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
    content = node.record.content
    parts = ("kind", "about", "settings", "command", "hardware", "time", "memory")
    return {
        **own,
        "record": {"path": node.record.path, "sha256": node.record.sha256},
        **{key: content.get(key) for key in parts},
        "code": {key: content.get("code", {}).get(key) for key in ("step", "commit", "dirty")},
        "environment": environment_of(node, known),
    }
