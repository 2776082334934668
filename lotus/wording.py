"""Counts and lists in words, as messages and the page have them."""

from collections.abc import Sequence

from lotus.names import shown


def counted(number: int, what: str, several: str = "", form: str = "d") -> str:
    """Gives `1 seed`, `3 seeds`.

    Args:
        several: the word of more than one (and of none) where that is not `what` with an s.
        form: how the number is written; `,` for 12,000.

    """
    return f"{number:{form}} {what if number == 1 else several or f'{what}s'}"


def first_of(names: Sequence[str], most: int, form: str = "d") -> str:
    """Gives `a, b, c and 4 more`: the first `most` names, as `shown`, and how many others there are.

    Args:
        form: how the number is written; `,` for 12,000.

    """
    others = len(names) - most
    rest = f" and {others:{form}} more" if others > 0 else ""
    return f"{', '.join(map(shown, names[:most]))}{rest}"


def all_of(names: Sequence[str]) -> str:
    """Gives `a`, `a and b`, `a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
