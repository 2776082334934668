"""The error that is meant for the user: shown as it is, without a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches

from lotus.names import shown


class LotusError(Exception):
    """Bad input. The message names the place, the value and what is accepted.

    Attributes:
        exit_code: status of the command that ends by it.

    """

    exit_code = 1


class BrokenCodeError(LotusError):
    """A module of the project is no Python, or fails as it is loaded.

    Attributes:
        module: its name.

    """

    def __init__(self, message: str, module: str) -> None:
        super().__init__(message)
        self.module = module


def choices(value: str, accepted: Iterable[str]) -> str:
    """Says what is accepted instead of `value`, the likely intention first; names as `shown`."""
    names = sorted(accepted)
    close = get_close_matches(value, names, n=1)
    hint = f"did you mean '{shown(close[0])}'? " if close else ""
    return f"{hint}accepted: {', '.join(map(shown, names)) if names else 'nothing'}"
