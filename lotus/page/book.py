"""The ways of all numbers of the page as one JSON text, in which each text, file and step stands once."""

import json
from collections.abc import Hashable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from lotus.page.forgotten import Forgotten, shown_sets
from lotus.page.vouched import AUDIT, Vouched
from lotus.page.ways import Basis, Cell, Formula, Way
from lotus.records.files import sha256
from lotus.records.reading import Record, read_record
from lotus.results.titles import row_title, title_of_run

T = TypeVar("T", bound=Hashable)
KINDS = {
    "store": "Images",
    "held-out": "Validation and test halves",
    "half": "Half of the training images",
    "image-losses": "Losses of held-out training images",
    "image-hashes": "Hashes of the training images",
    "forget-set": "Forget and retain set",
    "original": "Original model",
    "gold": "Gold model",
    "unlearned": "Model",
    "metrics": "Metrics",
    "attacks": "Membership attacks",
    "shadow-attacks": "Membership attacks on shadow models",
    "table": "Table",
    "audit": "Images that are alike",
}
"""Kind of a record → what its step made, in words."""


@dataclass
class Numbered(Generic[T]):
    """Things in the order in which they were first named, each once."""

    places: dict[T, int] = field(default_factory=dict)

    def __call__(self, thing: T) -> int:
        """Returns the place of a thing."""
        return self.places.setdefault(thing, len(self.places))


@dataclass
class Book:
    """Collects the ways of the numbers while the page is written; the last part of the page holds it.

    Attributes:
        vouched: what vouches for all of them.

    """

    vouched: Vouched
    with_pictures: bool
    ways: Numbered[Way] = field(default_factory=Numbered)

    def number_of(self, way: Way) -> int:
        """Returns under which number the page's script finds a way."""
        return self.ways(way)

    def as_text(self) -> str:
        """Returns the JSON, in a form that HTML cannot take for its own.

        Raises:
            LotusError: a record, split or sheet is absent or damaged.

        """
        text = json.dumps(self._content(), ensure_ascii=False, separators=(",", ":"))
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")

    def _content(self) -> dict[str, Any]:
        texts: Numbered[str] = Numbered()
        formulas: Numbered[Formula] = Numbered()
        bases: Numbered[Basis] = Numbered()
        ways = [
            [
                formulas(way.formula),
                texts(way.row),
                texts(way.where),
                texts(way.stated),
                [[each.seed, each.text, texts(each.left_out)] for each in way.seeds],
                bases(way.basis),
                _asked(way.cell, texts),
            ]
            for way in self.ways.places
        ]
        sets = shown_sets(
            dict.fromkeys(each for basis in bases.places for each in basis.forgotten),
            self.with_pictures,
        )
        forgotten = list({id(each): each for each in sets.values()}.values())
        places = {id(each): place for place, each in enumerate(forgotten)}
        files: Numbered[tuple[str, str]] = Numbered()
        steps: Numbered[str] = Numbered()
        of_bases = [
            [
                [steps(path) for path in basis.records],
                [files((path, sha256(Path(path)))) for path in basis.files],
                list(dict.fromkeys(places[id(sets[each])] for each in basis.forgotten)),
            ]
            for basis in bases.places
        ]
        made = [_step(read_record(Path(path)), texts, files) for path in steps.places]
        return {
            "formulas": [asdict(formula) for formula in formulas.places],
            "forgotten": [_forgotten(each) for each in forgotten],
            "bases": of_bases,
            "steps": made,
            "ways": ways,
            "files": [list(file) for file in files.places],
            "texts": list(texts.places),
            "vouched": {**asdict(self.vouched), "command": AUDIT},
        }


def _asked(cell: Cell | None, texts: Numbered[str]) -> list[int]:
    """The cell by the parts of its name; none where no command asks for it."""
    if cell is None:
        return []
    return [texts(part) for part in (cell.path, cell.row, cell.column, cell.where)]


def _step(record: Record, texts: Numbered[str], files: Numbered[tuple[str, str]]) -> list[Any]:
    """Returns what was made, the files with their digests (its record last), the command and the code."""
    written = [*record.outputs.items(), (record.path, record.sha256)]
    return [
        texts(KINDS.get(record.kind, record.kind)),
        texts(_subject(record)),
        [files(file) for file in written],
        texts(str(record.content["command"])),
        texts(str(record.content["code"]["step"])),
    ]


def _subject(record: Record) -> str:
    """Says what a step is about."""
    about = {key: str(value) for key, value in record.about.items()}
    row = row_title(about["row"]) if "row" in about else ""
    item = about.get("item") or about.get("table") or ""
    seed = f"seed {about['seed']}" if "seed" in about else ""
    return ", ".join(filter(None, (row, item, title_of_run(about), seed)))


def _forgotten(each: Forgotten) -> dict[str, Any]:
    sheet = each.sheet
    classes: Numbered[str] = Numbered()
    return {
        "where": each.where,
        "seeds": list(each.seeds),
        "rule": each.rule,
        "images": sheet.images,
        "positions": each.positions,
        "is_whole": each.is_whole,
        "file": each.file,
        "picture": each.picture,
        "address": each.address,
        "columns": sheet.columns,
        "height": sheet.height,
        "width": sheet.width,
        "shown": [
            [at, classes(name)] for at, name in zip(sheet.positions, sheet.classes, strict=True)
        ],
        "classes": list(classes.places),
    }
