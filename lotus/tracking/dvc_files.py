"""The DVC files of a project, which others can have written: read here, and nowhere else."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown
from lotus.records.places import HOW_TO_ALLOW, is_named_outside, leads_out

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""LibYAML's, where PyYAML was built with it: lists of published files are long."""
KEYS = ("outs", "meta", "desc")
"""What a DVC file can have here; with others (`wdir`, `deps`) DVC would look elsewhere."""
KEYS_OF_OUTS = (
    *("path", "md5", "hash", "size", "nfiles", "isexec"),
    *("meta", "desc", "type", "labels", "remote", "push", "cache", "persist"),
)
LONGEST = 300
"""Characters that are told of what is wrong with a file."""
MD5 = re.compile(r"[0-9a-f]+(\.dir)?")
"""DVC's digest; its cache has files of such names, and nothing that leads out of it."""


def dvc_entries_of(file: Path) -> dict[str, dict[str, Any]]:
    """Returns path → entry of what a DVC file lists; empty where there is no such file.

    `data.dvc` lists stores, the others results: a path that lies elsewhere, by its name or by a link, is
    refused, since DVC would write there.

    Raises:
        LotusError: the file is not one of DVC's, or not one as `lotus publish` writes them.

    """
    if not file.is_file():
        return {}
    try:
        return dict(_checked(file, yaml.load(file.read_text(encoding="utf-8"), LOADER)))
    except OSError as error:
        raise LotusError(f"{shown(file)}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError, RecursionError) as error:
        # PyYAML tells what is wrong in several lines.
        said = (
            "nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        )
        raise LotusError(
            f"{shown(file)}: is not a DVC file with a list 'outs': {shown(said)[:LONGEST]}"
        ) from error


def dvc_outs(file: Path) -> dict[str, str]:
    """Returns path → digest of what a DVC file lists and DVC has seen; see `dvc_entries_of`."""
    return {path: out["md5"] for path, out in dvc_entries_of(file).items() if "md5" in out}


def locked_stores(lock: Path) -> dict[str, str]:
    """Returns data set → digest, as `data.dvc` has them; see `dvc_entries_of`."""
    return {Path(path).name: md5 for path, md5 in dvc_outs(lock).items()}


def _checked(file: Path, content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields path and entry.

    Raises:
        LotusError: one of them is not accepted.
        TypeError, KeyError, ValueError: the file has another form.

    """
    _refuse_other_keys(file, content, KEYS)
    for out in content["outs"]:
        _refuse_other_keys(file, out, KEYS_OF_OUTS)
        path, md5 = out["path"], out.get("md5", "0" * 32)
        for value in (path, md5):
            if not isinstance(value, str):
                raise ValueError(f"{shown(repr(value))[:80]} stands in place of a path or an md5")
        if not MD5.fullmatch(md5):
            raise LotusError(f"{shown(file)}: {shown(path)}: '{shown(md5)[:80]}' is no md5")
        if problem := _misplaced(file, path):
            raise LotusError(f"{shown(file)}: {shown(path)}: {problem}")
        yield path, out


def _refuse_other_keys(file: Path, found: Any, known: tuple[str, ...]) -> None:
    if not isinstance(found, Mapping):
        raise TypeError(f"{type(found).__name__} in place of a mapping")
    for key in found:
        if key not in known:
            accepted = ", ".join(known)
            raise LotusError(
                f"{shown(file)}: is not a DVC file as `lotus publish` writes them: key "
                f"'{shown(str(key))}'; accepted: {accepted}"
            )


def _misplaced(file: Path, path: str) -> str:
    """Returns why a DVC file of this name cannot list a path; '' if it can."""
    home = layout.STORES if file.name == layout.LOCK.name else layout.RESULTS
    if is_named_outside(path) or home not in Path(path).parents:
        return f"accepted: files below {home}"
    how = leads_out(path)
    return f"{how}; {HOW_TO_ALLOW}" if how else ""
