"""How much room texts take in a figure, in inches, before it is drawn."""

from collections.abc import Iterable, Sequence

import numpy as np

from lotus.figures.style import SETTINGS
from lotus.results.titles import row_title


def room_of_names(rows: Sequence[str]) -> float:
    """Returns the inches that names of rows need beside a panel, with a tick and the space around it."""
    return room_of_texts([row_title(row) for row in rows])


def room_of_texts(texts: Sequence[str]) -> float:
    """Returns the inches that labels need beside a panel, with a tick and the space around it."""
    return width_of(texts, SETTINGS["ytick.labelsize"]) + 0.15


def width_of(texts: Iterable[str], points: float) -> float:
    """Returns the inches of the widest text; 0 of none."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=SETTINGS["font.family"], size=points)
    measure = text_to_path.get_text_width_height_descent
    return max((measure(text, font, ismath=False)[0] for text in texts), default=0.0) / 72


def legend_width(labels: Sequence[str], columns: int = 1) -> float:
    """Returns the inches of a legend, with its samples; labels go down one column and then the next."""
    points = SETTINGS["legend.fontsize"]
    parts = np.array_split(np.array(labels, dtype=object), columns)
    # Of letters' heights: sample 2, to the text 0.8, to the next column 2.
    return float(sum(width_of(part, points) + 4.8 * points / 72 for part in parts))
