"""Which models an attack's number rests on."""

from collections.abc import Sequence

from lotus.attacks.base.panel import is_gold
from lotus.attacks.base.spec import AttackSpec
from lotus.layout import ORIGINAL


def rows_attacked(row: str, spec: AttackSpec, rows: Sequence[str]) -> list[str]:
    """Rows whose predictions an attack on a row is computed from.

    Args:
        rows: of the cell.

    """
    golds = [name for name in rows if is_gold(name)]
    needed = [row]
    if "out" in spec.needs:
        needed += golds
    if "in" in spec.needs:
        needed.append(ORIGINAL)
    if row == ORIGINAL or "shadows" in spec.needs:
        # Which images were forgotten, another model's predictions say.
        others = [name for name in rows if name != ORIGINAL]
        needed += golds[:1] or others[:1]
    return [name for name in dict.fromkeys(rows) if name in needed]
