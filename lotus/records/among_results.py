"""Folders of what steps made, in which a command writes nothing that its user asks for by a path."""

import os
from pathlib import Path

from lotus import layout
from lotus.errors import LotusError
from lotus.names import shown


def refuse_among_results(path: Path, option: str, accepted: str) -> None:
    """Refuses a place among results or stores: what lay there is lost, or it lies there without a record.

    Raises:
        LotusError: names the option, the place, and what is accepted.

    """
    for folder in (layout.RESULTS, layout.STORES):
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            raise LotusError(f"{option}: {shown(path)} lies in {folder}; {accepted}")
