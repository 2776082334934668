"""The predictions that a metrics file names, read if they are still those that it was computed from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.records.files import sha256


def load_stated(metrics: Path, named: Mapping[str, Any]) -> predictions_file.Predictions:
    """Returns one row's predictions.

    Args:
        metrics: the file, for the message.
        named: `path` and `sha256` that it has of them.

    Raises:
        LotusError: they are absent or others.

    """
    path = Path(named["path"])
    if not path.is_file() or sha256(path) != named["sha256"]:
        raise LotusError(
            f"{path}: is absent, or {metrics} was computed from something else; run both again"
        )
    return predictions_file.load(path)
