"""MUFAC without duplicates, from and to the layout in which its authors and LoTUS keep it.

A folder with `custom_{train,val,test}_dataset.csv`, whose column `image_path` names a file of
`{train,val,test}_images/`. The first rows of the training CSV are the forget set.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lotus.data.duplicates import choose_kept, find_similar
from lotus.data.hashes import hash_files
from lotus.data.sources._mufac import images_of, table_of
from lotus.errors import LotusError
from lotus.formats.csv_text import Table, read_csv
from lotus.records.record import write_record

if TYPE_CHECKING:
    import pandas as pd

SPLITS = ("train", "val", "test")
PARTS = ("forget", "retain", "val", "test")
COLUMNS = ("family_id", "person_id", "age_class", "image_path")

NOTEBOOK_ROWS = {"forget": 1_062, "retain": 5_513, "val": 1_211, "test": 1_118}
"""Rows that are left after the cleaning of the authors' notebook.

Its rule is another: it drops 386 test rows, more than there are pairs within the test set.
"""

NOTEBOOK_PAIRS = {
    **{"forget": 496, "retain": 4_079, "val": 312, "test": 359},
    **{"forget-retain": 26, "train-val": 0, "train-test": 54, "val-test": 16},
}
"""Pairs of images with the same hash that it states."""


@dataclass(frozen=True)
class Cleaning:
    """The duplicates that were found, and the rows that are left.

    Attributes:
        before, after: rows of each part.
        pairs: of images with the same hash: within a part, or across two, as `forget-retain`.

    """

    before: Mapping[str, int]
    after: Mapping[str, int]
    pairs: Mapping[str, int]

    def lines(self) -> list[str]:
        """Returns the lines of a table that has the notebook's numbers beside these."""
        rows = [
            f"{name:<14}{self.before[name]:>8}{self.after[name]:>8}{NOTEBOOK_ROWS[name]:>10}"
            for name in PARTS
        ]
        pairs = [
            f"{name:<22}{count:>8}{NOTEBOOK_PAIRS.get(name, '–'):>10}"
            for name, count in self.pairs.items()
        ]
        return [
            f"{'rows':<14}{'before':>8}{'after':>8}{'notebook':>10}",
            *rows,
            f"{'pairs of one hash':<22}{'found':>8}{'notebook':>10}",
            *pairs,
        ]


def clean(source: Path, out: Path, forget_rows: int, workers: int) -> Cleaning:
    """Writes the folder without duplicates, whole or not at all, and its record `cleaning.json`.

    Rows are dropped by the rule of `lotus.data.duplicates`, with distance 0; the images of the others are
    hard links, or copies where links are not possible.

    Args:
        source: folder in MUFAC's layout.
        out: the new folder.
        forget_rows: rows of the training CSV that are the forget set.
        workers: processes that hash.

    Raises:
        LotusError: `out` exists, a CSV or image is absent or damaged, or there are too few rows.

    """
    if out.exists():
        raise LotusError(f"{out}: exists already; remove it or name another folder")
    read = {split: read_csv(table_of(source, split), COLUMNS) for split in SPLITS}
    tables = {split: table.frame() for split, table in read.items()}
    if forget_rows >= len(tables["train"]):
        raise LotusError(
            f"{table_of(source, 'train')}: {len(tables['train'])} rows, of which --forget-rows "
            f"{forget_rows} leaves no row to retain"
        )
    paths = [path for split, table in read.items() for path in _images(source, split, table)]
    retain_rows = len(tables["train"]) - forget_rows
    sizes = [forget_rows, retain_rows, len(tables["val"]), len(tables["test"])]
    part = np.repeat(np.arange(len(PARTS)), sizes)
    similar = find_similar(hash_files(paths, workers), distance=0)
    kept = choose_kept(similar.groups(), part, PARTS)
    ends = np.cumsum([len(table) for table in tables.values()])
    for split, rows in zip(SPLITS, np.split(kept, ends[:-1]), strict=True):
        tables[split] = tables[split][rows]
    _write_folder(source, out, tables)
    cleaning = Cleaning(
        before=dict(zip(PARTS, sizes, strict=True)),
        after={name: int(kept[part == number].sum()) for number, name in enumerate(PARTS)},
        pairs=_pairs(similar.count_pairs(part, len(PARTS))),
    )
    write_record(
        out / "cleaning.json",
        kind="cleaning",
        modules=[__name__],
        about={"dataset": "mufac"},
        settings={"forget_rows": forget_rows, "distance": 0},
        inputs=[table_of(source, split) for split in SPLITS],
        outputs=[table_of(out, split) for split in SPLITS],
        notes={"before": cleaning.before, "after": cleaning.after, "pairs": cleaning.pairs},
    )
    return cleaning


def _images(folder: Path, split: str, table: Table) -> list[Path]:
    """The image of each row.

    Raises:
        LotusError: a row does not name a file of the split's image folder.

    """
    images, column = images_of(folder, split), table.header.index("image_path")
    names = [row[column] for row in table.rows]
    for line, name in zip(table.lines, names, strict=True):
        if Path(name).name != name or not (images / name).is_file():
            raise LotusError(
                f"{table_of(folder, split)}, line {line}: image_path '{name}' is not a file in {images}"
            )
    return [images / name for name in names]


def _pairs(counted: np.ndarray) -> dict[str, int]:
    """Pairs within each part and across two, the forget and retain set together as `train` too."""
    within = {name: int(counted[number, number]) for number, name in enumerate(PARTS)}
    across = {
        f"{PARTS[a]}-{PARTS[b]}": int(counted[a, b]) for a, b in combinations(range(len(PARTS)), 2)
    }
    train = {
        f"train-{name}": across[f"forget-{name}"] + across[f"retain-{name}"]
        for name in ("val", "test")
    }
    return {**within, **across, **train}


def _write_folder(source: Path, out: Path, tables: Mapping[str, "pd.DataFrame"]) -> None:
    draft = out.with_name(f".{os.getpid()}-{out.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        for split, table in tables.items():
            table.to_csv(table_of(draft, split), index=False)
            target = images_of(draft, split)
            target.mkdir()
            for name in table["image_path"]:
                _link(images_of(source, split) / name, target / name)
        os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _link(image: Path, target: Path) -> None:
    try:
        os.link(image, target)
    except OSError:
        shutil.copy2(image, target)
