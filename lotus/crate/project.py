"""Finds what a project has beside its results: workflow, configuration, environment, citation."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.config.origins import read_origin
from lotus.errors import LotusError
from lotus.records.places import is_named_outside, leads_out

WORKFLOW, CITATION, ENVIRONMENT = "Snakefile", "CITATION.cff", "envs/requirements.lock"
RULES = Path("workflow/rules")


@dataclass(frozen=True)
class Citation:
    """The content of CITATION.cff.

    Attributes:
        title: of the software.
        licence: SPDX identifier.
        authors: as in the file: `name` of an organization, or `given-names` and `family-names`.

    """

    title: str
    licence: str
    authors: Sequence[Mapping[str, Any]]


def read_citation() -> Citation:
    """The citation file of the project in the present folder.

    Raises:
        LotusError: absent, not YAML, or without title, license or authors, or these are something else.

    """
    if os.path.exists(CITATION) and not os.path.isfile(CITATION):
        raise LotusError(f"{CITATION}: is not a file")
    if how := leads_out(CITATION):
        raise LotusError(f"{CITATION}: {how}")
    try:
        content = read_origin(Path(CITATION)).content
    except (ValueError, RecursionError) as error:
        raise LotusError(f"{CITATION}: cannot be read: {error}") from error
    missing = [key for key in ("title", "license", "authors") if not content.get(key)]
    if missing:
        raise LotusError(f"{CITATION}: lacks {', '.join(missing)}")
    for key in ("title", "license"):
        if not isinstance(content[key], str):
            raise LotusError(f"{CITATION}: {key}: {content[key]!r} is not text")
    authors = content["authors"]
    if not isinstance(authors, list):
        raise LotusError(f"{CITATION}: authors: {authors!r} is not a list")
    for author in authors:
        if not _is_author(author):
            raise LotusError(
                f"{CITATION}: authors: {author!r}; accepted: text under name, or under given-names and "
                "family-names"
            )
    return Citation(content["title"], content["license"], authors)


def _is_author(author: Any) -> bool:
    if not isinstance(author, dict):
        return False
    read = ("name", "given-names", "family-names", "orcid")
    texts = [author[key] for key in read if key in author]
    return bool({*read[:3]} & {*author}) and all(isinstance(text, str) for text in texts)


def project_files() -> list[str]:
    """Workflow, rules, citation; licence, environment and DVC files, as far as they are there.

    Raises:
        LotusError: there is no workflow.

    """
    if not Path(WORKFLOW).is_file():
        raise LotusError(f"{WORKFLOW}: is not there; a run crate describes a workflow")
    locks = (str(path) for path in (layout.LOCK, *layout.PUBLISHED))
    others = (path for path in ("LICENSE", ENVIRONMENT, *locks) if Path(path).is_file())
    rules = sorted(path.as_posix() for path in RULES.glob("*.smk"))
    return [WORKFLOW, *rules, CITATION, *others]


def commit(states: Iterable[Mapping[str, Any]]) -> str:
    """The commit that all states of a repository are of, if none is changed; else ''.

    Args:
        states: as `lotus.records.record.git_state` gives them.

    """
    found = {(state["commit"], state["dirty"]) for state in states}
    [(name, dirty), *others] = found
    return name if name and dirty is False and not others else ""


def configuration_files(named: Sequence[str]) -> list[str]:
    """Configuration files that lie in the project, of those that a record names."""
    inside = (name for name in named if not is_named_outside(name) and not leads_out(name))
    found = (name for name in inside if os.path.isfile(name))
    return list(dict.fromkeys(found))
