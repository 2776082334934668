"""Remarks on what was made by code, or asked for by a configuration, that no commit has.

git is asked for what it has committed, and nothing of it is run. A record that names no commit says nothing
of one; whether commits before the last one had more is not looked at.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from lotus import layout
from lotus.audit.changes import ABSENT, changed_values
from lotus.errors import LotusError
from lotus.formats.yaml_text import parse
from lotus.git import contents_of, git, run_git, why_none
from lotus.names import shown
from lotus.plan.declared import Declared
from lotus.records.code_identity import sources_of_package
from lotus.records.index import Index
from lotus.records.reading import Record
from lotus.records.sources import full_digest, source_of
from lotus.wording import first_of

NAMED = 3
"""Modules, or keys of a configuration, that are named of many."""
LONGEST = 60
"""Characters of a value that is quoted."""


def remarks_on_code(index: Index) -> list[str]:
    """Returns remarks on records whose code is no commit's, by their own word or by git's."""
    records = [record for record in index.records.values() if not record.problem]
    dirty = [record for record in records if record.content["code"]["dirty"]]
    found = []
    if dirty:
        found.append(
            f"{_counted(dirty, records)} made by code that was edited and not committed, as they state "
            f"themselves: {dirty[0].path}"
        )
    clean: dict[str, list[Record]] = {}
    for record in records:
        code = record.content["code"]
        if code["commit"] and not code["dirty"] and not record.is_of_older_format:
            clean.setdefault(code["commit"], []).append(record)
    if clean and not why_none():
        here = {_blob_of(text): text for text in sources_of_package().values()}
        for commit, named in clean.items():
            found += _on_commit(commit, named, records, here)
    return found


def _counted(some: Sequence[Record], records: Sequence[Record]) -> str:
    return f"{len(some)} of {len(records)} records are"


def _on_commit(
    commit: str, named: Sequence[Record], records: Sequence[Record], here: Mapping[str, bytes]
) -> Iterator[str]:
    """Yields how records that name a commit as their code differ from it.

    Args:
        here: git's name of a content → the content, of the sources that lie here.

    """
    stated = {name for record in named for name in record.content["code"]["modules"]}
    try:
        sources = _sources(commit, stated, here)
    except LotusError:
        sources = None
    if sources is None:
        yield (
            f"{_counted(named, records)} made by the code of commit {shown(commit)[:12]}, as they state "
            f"themselves, and this repository does not have it: {named[0].path}"
        )
        return
    is_of = cache(lambda module, digest: _is_of_commit(module, digest, sources))
    others: dict[str, str] = {}
    for record in named:
        for module, digest in record.content["code"]["modules"].items():
            if not is_of(module, digest):
                others.setdefault(module, record.path)
    if others:
        first = next(iter(others.values()))
        yield (
            f"records name commit {commit[:12]} as their code, and ran another "
            f"{first_of(sorted(others), NAMED)} than it has: {first}"
        )


def _is_of_commit(module: str, digest: str, sources: Mapping[str, bytes]) -> bool:
    """Whether a module is as a commit has it; so is one that the commit does not have."""
    path = module.replace(".", "/")
    text = sources.get(f"{path}.py", sources.get(f"{path}/__init__.py"))
    if text is None or source_of(text).digest.startswith(digest):
        return True
    ways = product((False, True), repeat=2)
    return any(full_digest(text, *way).startswith(digest) for way in ways)


def _sources(
    commit: str, modules: Set[str], here: Mapping[str, bytes]
) -> Mapping[str, bytes] | None:
    """Returns path → text of those modules that a commit has; None where git lacks the commit.

    Raises:
        LotusError: git failed.

    """
    if not commit.isalnum() or run_git("cat-file", "-e", f"{commit}^{{commit}}").returncode:
        return None
    places = {name.replace(".", "/") for name in modules}
    wanted = {f"{place}{ending}" for place in places for ending in (".py", "/__init__.py")}
    listed = git("ls-tree", "-r", "-z", commit).decode("utf-8", "surrogateescape").split("\0")
    entries = (entry.partition("\t") for entry in listed if entry)
    blobs = {path: about.split()[-1] for about, _, path in entries if path in wanted}
    # Mostly the text lies here as well: git is asked for the others.
    others = sorted({*blobs.values()} - here.keys())
    found = zip(others, contents_of(others), strict=True) if others else ()
    texts = {**here, **{blob: text for blob, text in found if text is not None}}
    return {path: texts[blob] for path, blob in blobs.items() if blob in texts}


def _blob_of(text: bytes) -> str:
    """Returns the name that git gives to a content, in a repository whose names are SHA-1."""
    return hashlib.sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()


def remarks_on_configuration(now: Declared) -> list[str]:
    """Returns a remark on each configuration file that asks for something else than the committed one.

    A seed, method or data set that was dropped to better the numbers shows here, and so does one that was
    added for good reasons.
    """
    if why_none():
        return []
    return [remark for path in now.files for remark in _on_file(path)]


def _on_file(path: Path) -> Iterator[str]:
    try:
        before, now = git("show", f"HEAD:./{path.as_posix()}"), path.read_bytes()
        if before == now:
            return
        committed, present = _settings(before), _settings(now)
    except (LotusError, OSError, UnicodeDecodeError):
        # Not committed, or none that can be read.
        return
    changes = [
        f"{key} was {_quoted(before)}, is {_quoted(after)}"
        for key, before, after in changed_values(committed, present)
    ]
    if changes:
        yield f"{shown(str(path))}: not as in the last commit: {'; '.join(changes[:NAMED])}" + (
            f"; and {len(changes) - NAMED} keys more" if len(changes) > NAMED else ""
        )


def _settings(text: bytes) -> dict[str, Any]:
    content = parse(text.decode(), "configuration").content
    return content if isinstance(content, dict) else {}


def _quoted(value: Any) -> str:
    text = "absent" if value is ABSENT else repr(value)
    return shown(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def remarks_on_results() -> list[str]:
    """Returns a remark if results of the last commit are gone."""
    options = ("--name-only", "-z", "--relative", "--no-ext-diff", "--no-textconv", "-O/dev/null")
    try:
        said = git("diff", *options, "--diff-filter=D", "HEAD", "--", str(layout.RESULTS))
    except LotusError:
        # Told where differences are looked for.
        return []
    gone = said.decode("utf-8", "surrogateescape").split("\0")[:-1]
    return [f"the last commit has {first_of(gone, 1)}, gone here"] if gone else []
