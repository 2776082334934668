"""What membership attacks found, read as a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lotus.errors import LotusError
from lotus.formats.json_text import read_mapping
from lotus.names import shown
from lotus.results.metrics_file import KEYS

NUMBERS = (
    *("auc", "auc_low", "auc_high", "tpr_at_1_fpr", "tpr_low", "tpr_high"),
    *("images", "reference_models"),
)
"""Columns of an attack's numbers, in the order of the table."""
BESIDE = ("finest_fpr", "others", "left_out")
"""Further columns: how finely the false-positive rate is resolved, and by how many others."""
Share = Annotated[float, Field(ge=0, le=1)]


class _Attack(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    auc: Share
    auc_low: Share
    auc_high: Share
    tpr_at_1_fpr: Share | None
    tpr_low: Share | None
    tpr_high: Share | None
    finest_fpr: Share
    images: int
    others: int
    left_out: int
    reference_models: int
    seeds: dict[str, Share]
    why: str


class _NoAttack(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    auc: None
    why: str


class _Klom(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    median: float
    high: float
    floor: float
    images: int
    models: int


class _Of(BaseModel):
    row: str
    seed: int
    path: str
    sha256: str


class _Content(BaseModel):
    model_config = ConfigDict(strict=True)
    dataset: str
    architecture: str
    scenario: str
    study: str = ""
    protocol: str
    fpr: float
    forgets_a_class: bool
    collapsed: dict[str, dict[str, str]]
    rows: dict[str, dict[str, _Attack | _NoAttack]]
    klom: dict[str, _Klom] = {}
    predictions: list[_Of]


def read_attacks(path: Path) -> dict[str, Any]:
    """The content of a file of attacks; `study` is '' in one that names none.

    Raises:
        LotusError: absent, damaged or something else; names the part.

    """
    content = read_mapping(path)
    try:
        return _Content.model_validate(content).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "as a whole"
        raise LotusError(
            f"{shown(path)}: is not a file of attacks: {shown(place)}: {first['msg']}"
        ) from None


def load_attacks(files: Sequence[Path]) -> pd.DataFrame:
    """One line for each cell, row and attack that could be run: `KEYS`, row, attack, numbers.

    `seeds` is the number of attacked models, `others` the fewest others that the forget images of a model
    were held against. TPRs are NaN where so few others cannot show so low a false-positive rate; `why`
    says so.

    Raises:
        LotusError: a file is absent or not one of attacks.

    """
    lines: list[dict[str, Any]] = []
    for path in files:
        content = read_attacks(path)
        about = {key: content[key] for key in KEYS}
        for row, attacks in content["rows"].items():
            for attack, found in attacks.items():
                if found["auc"] is not None:
                    numbers = {key: found[key] for key in (*NUMBERS, *BESIDE)}
                    seeds = len(found["seeds"])
                    line = {**about, "row": row, "attack": attack, **numbers}
                    lines.append({**line, "seeds": seeds, "why": found["why"]})
    columns = [*KEYS, "row", "attack", *NUMBERS, *BESIDE, "seeds", "why"]
    frame = pd.DataFrame(lines, columns=columns)
    floats = [name for name in NUMBERS if name.startswith(("auc", "tpr"))]
    return frame.astype(dict.fromkeys(floats, float))


def load_klom(files: Sequence[Path]) -> pd.DataFrame:
    """One line for each cell and row with many models: `KEYS`, row, and `lotus.attacks.base.klom.Klom`.

    Raises:
        LotusError: a file is absent or not one of attacks.

    """
    lines: list[dict[str, Any]] = []
    for path in files:
        content = read_attacks(path)
        about = {key: content[key] for key in KEYS}
        lines += [{**about, "row": row, **found} for row, found in content["klom"].items()]
    return pd.DataFrame(lines, columns=[*KEYS, "row", *_Klom.model_fields])
