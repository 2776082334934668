"""What membership attacks found, read as a table; and who of the forgotten is still remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lotus import layout
from lotus.errors import LotusError, choices
from lotus.formats.json_text import read_mapping
from lotus.names import shown
from lotus.predictions.predictions_file import check_sizes
from lotus.records.files import atomic
from lotus.results.metrics_file import KEYS
from lotus.results.titles import row_title
from lotus.wording import counted

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


@dataclass(frozen=True)
class ScoresFile:
    """The scores of all attacks on all models of a cell.

    Attributes:
        dataset: whose images these are.
        arrays: `ROW/ATTACK/SEED/…` → array: `images`, indices of the forget set `[n]`; their `scores`; and
            `outdone`, the share of the others with a lower score, ties counting half, whose mean is the
            AUC. NaN for images with too few models to compare with.

    """

    dataset: str
    arrays: Mapping[str, np.ndarray]


DATASET = "dataset"


def save_scores(path: Path, scores: ScoresFile) -> None:
    """Writes the file atomically; the same scores give the same bytes."""
    named: dict[str, Any] = {DATASET: np.array(scores.dataset), **scores.arrays}
    with atomic(path) as draft, draft.open("wb") as file:
        np.savez(file, **named)


def load_scores(path: Path) -> ScoresFile:
    """Reads what `save_scores` wrote.

    Raises:
        LotusError: absent, damaged or something else.

    """
    try:
        check_sizes(path)
        with np.load(path) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        dataset = str(found.pop(DATASET))
        _check_arrays(found)
    # Damaged bytes raise whatever they happen to mean to zip files and to numpy.
    except Exception as error:
        said = " ".join(str(error).split())
        raise LotusError(
            f"{shown(path)}: is no file of scores by `lotus attack`: {shown(said)}"
        ) from error
    return ScoresFile(dataset, found)


ARRAYS: Mapping[str, str] = {"images": "int64", "scores": "float32", "outdone": "float32"}
"""Last part of the name of an array → its type."""


def _check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError: they are not those of attacks."""
    for name, array in arrays.items():
        place, _, last = name.rpartition("/")
        if place.count("/") != 2 or array.dtype != ARRAYS.get(last) or array.ndim != 1:
            raise ValueError(f"{name} is {array.dtype} of {array.ndim} dimensions")
        if {len(arrays[f"{place}/{key}"]) for key in ARRAYS} != {len(array)}:
            raise ValueError(f"arrays of {place} are not equally long")


@dataclass(frozen=True)
class Remembered:
    """One forget image.

    Attributes:
        image: its index in the store.
        outdone: mean over the seeds of the share of the others that it outdoes.
        seeds: how many models it is a mean over.

    """

    image: int
    outdone: float
    seeds: int


def remembered(scores: ScoresFile, row: str, attack: str) -> list[Remembered]:
    """Returns the forget images, those first that outdo most of what they are held against.

    Raises:
        LotusError: there is no such row, or the attack could not be run on it.

    """
    parts = [name.split("/") for name in scores.arrays]
    rows = dict.fromkeys(part[0] for part in parts)
    if row not in rows:
        raise LotusError(f"row '{shown(row)}': {choices(row, rows)}")
    attacks = dict.fromkeys(part[1] for part in parts if part[0] == row)
    if attack not in attacks:
        raise LotusError(f"--attack {shown(attack)}: {choices(attack, attacks)}")
    seeds = dict.fromkeys(part[2] for part in parts if part[:2] == [row, attack])
    lines = [
        pd.DataFrame(
            {key: scores.arrays[f"{row}/{attack}/{seed}/{key}"] for key in ("images", "outdone")}
        )
        for seed in seeds
    ]
    shares = pd.concat(lines).dropna().groupby("images")["outdone"].agg(["mean", "size"])
    ordered = shares.sort_values("mean", ascending=False, kind="stable")
    return [
        Remembered(int(image), float(line["mean"]), int(line["size"]))
        for image, line in ordered.iterrows()
    ]


def in_words(scores: ScoresFile, row: str, attack: str, most: int) -> list[str]:
    """Returns the `most` first images of `remembered`, a line each, below how many outdo nearly all others.

    Raises:
        LotusError: see `remembered`.

    """
    images = remembered(scores, row, attack)
    above = sum(of.outdone > TOP for of in images)
    shown_first = images[:most]
    return [
        f"{row_title(row)}, {attack}: {above} of {counted(len(images), 'forgotten image')} outdo "
        f"{TOP:.0%} of what they are held against (by chance {1 - TOP:.0%} do with one seed, and fewer "
        "in the mean of several)",
        *(
            f"  {place_of(scores.dataset, of.image)}  outdoes {of.outdone:6.1%}  "
            f"({counted(of.seeds, 'seed')})"
            for of in shown_first
        ),
    ]


TOP = 0.95


def place_of(dataset: str, image: int) -> str:
    """An image as `lotus impact` takes it."""
    return f"{(layout.STORES / dataset).as_posix()}:{image}"
