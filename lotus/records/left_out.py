"""The files that a small copy of results leaves out, by its own word: models, predictions and stores.

`lotus publish --into` writes the list beside the results. Records state the digests of these files; who has
the copy alone can compare them with nothing, and is told so.
"""

import json
from collections.abc import Iterable, Set

from pydantic import ConfigDict, ValidationError

from lotus import layout
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.records.forms import FilePath, RecordForm, first_misfit
from lotus.records.places import leads_out


class _List(RecordForm):
    model_config = ConfigDict(strict=True, extra="forbid")
    left_out: list[FilePath]


def left_out() -> Set[str]:
    """Returns the paths that the list beside the results names; none where there is no list.

    Raises:
        LotusError: the list cannot be read.

    """
    if not layout.LEFT_OUT.exists():
        return frozenset()
    accepted = (
        "accepted: the list that `lotus publish --into` writes; without it, these files are missing"
    )
    if how := leads_out(layout.LEFT_OUT):
        raise LotusError(f"{layout.LEFT_OUT}: {how}; {accepted}")
    try:
        return frozenset(_List.model_validate(parse_json(read_file(layout.LEFT_OUT))).left_out)
    except ValidationError as error:
        raise LotusError(f"{layout.LEFT_OUT}: {first_misfit(error)}; {accepted}") from error
    except (OSError, ValueError) as error:
        raise LotusError(f"{layout.LEFT_OUT}: {error}; {accepted}") from error


def text_of_list(paths: Iterable[str]) -> str:
    """Returns the list as text."""
    return json.dumps({"left_out": sorted(paths)}, indent=1) + "\n"
