"""What is computed from predictions says what it is of: the labels of a cell."""

from collections.abc import Mapping
from typing import Any

from lotus.errors import LotusError
from lotus.names import shown
from lotus.results.metrics_file import KEYS


def check_labels(labels: Mapping[str, Any]) -> None:
    """Refuses what is no label before anything is computed.

    Raises:
        LotusError: one has another name, or is no text.

    """
    for key, label in labels.items():
        if key not in KEYS or not isinstance(label, str):
            raise LotusError(
                f"--labels: {shown(key)}: {label!r}; accepted: text under {', '.join(KEYS)}"
            )
