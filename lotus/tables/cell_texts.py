"""How tables write the numbers and names of their cells, in LaTeX and on the page."""

import pandas as pd

from lotus.layout import GOLD
from lotus.metrics.base import registry
from lotus.results.conventions import Form, form_of, protocol_of
from lotus.results.metrics import needs_gold
from lotus.tables.latex import Bold


def plus_minus(value: float, spread: float, decimals: int = 3) -> str:
    """Returns `.123 ± .004`; a dash where there is no value, no spread for a single seed."""
    if pd.isna(value):
        return "–"
    text = f"{value:.{decimals}f}"
    return text if pd.isna(spread) else f"{text} ± {spread:.{decimals}f}"


def signed(value: float, spread: float = float("nan"), decimals: int = 3) -> str:
    """Returns a change: `+0.123 ± 0.004`, `−0.123`; a dash where there is none."""
    if pd.isna(value):
        return "–"
    text = f"{value:+.{decimals}f}"
    if float(text) == 0:
        text = text[1:]
    text = text.replace("-", "−")
    return text if pd.isna(spread) else f"{text} ± {spread:.{decimals}f}"


def bold(text: str, best: bool) -> str:
    """Returns the text in bold type if it is the best, else as it is."""
    return Bold(text) if best else text


def stated(summary: pd.DataFrame, row: str, form: Form) -> str:
    """Returns a number of a summary as it is printed: scaled and rounded as its form has it."""
    value, spread = summary.at[row, form.name], summary.at[row, f"{form.name}_std"]
    return plus_minus(value * form.scale, spread * form.scale, form.decimals)


def forms_of(frame: pd.DataFrame) -> list[Form]:
    """Returns the printed metrics, as a frame's protocol states them, as far as it has what they need."""
    return [
        form_of(metric, protocol_of(frame), frame)
        for metric in registry.labels()
        if has_gold(frame) or not needs_gold(metric)
    ]


def has_gold(frame: pd.DataFrame) -> bool:
    """Returns whether a frame has lines of a gold model."""
    return bool((frame["row"] == GOLD).any())
