"""What membership attacks find, on the page: a table for each benchmark and protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lotus import layout
from lotus.attacks.base.registry import specs
from lotus.attacks.base.spec import AttackSpec
from lotus.layout import GOLD, ORIGINAL, is_further_gold
from lotus.page import chain
from lotus.page.items import Item, table_item
from lotus.page.sections import TableCell
from lotus.page.ways import Cell, Formula, SeedValue, Way
from lotus.results.attacks import load_klom, read_attacks
from lotus.results.experiment import Experiment
from lotus.results.metrics_file import KEYS
from lotus.results.titles import benchmark_title, row_title
from lotus.wording import all_of, counted

TABLE = ("tables", "attacks")
"""Folder and name of the table with all numbers."""
KLOM = ("tables", "klom")
"""Folder and name of the table of KLoM."""
AUC = (
    "The probability that a forget image has a higher score than what it is held against, ties counting "
    "half: test images, or with online attacks the same images as answered by a gold model. ½ where the "
    "attack cannot tell them apart."
)


@dataclass(frozen=True)
class AttackedCell:
    """One benchmark under one protocol.

    Attributes:
        attacks: label and description of each attack that could be run there.
        rows: name, whether it is a reference, and the AUC of each of these attacks.
        notes: what is absent there, and why.
        images: number of forget images.

    """

    anchor: str
    title: str
    attacks: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, bool, Sequence[TableCell]]]
    notes: Sequence[str]
    images: int
    others: str


@dataclass(frozen=True)
class AttacksPart:
    """The section.

    Attributes:
        klom: the table of KLoM, None where there are too few models; `distances` are its lines.

    """

    cells: Sequence[AttackedCell]
    formulas: Sequence[AttackSpec]
    table: Item
    klom: Item | None
    distances: Sequence[tuple[str, str, Sequence[TableCell]]]


def attacks_part(read: Experiment) -> AttacksPart:
    """Returns the section on membership attacks.

    Raises:
        LotusError: what attacks found in a cell of the experiment is absent or damaged.

    """
    cells = [_cell(read, cell) for cell in read.cells]
    item: Item | None = None
    distances: list[tuple[str, str, Sequence[TableCell]]] = []
    if any(made["kind"] == KLOM[1] for made in read.tables):
        item = table_item(*KLOM)
        distances = _distances(read)
    return AttacksPart(cells, [*specs().values()], table_item(*TABLE), item, distances)


def _distances(read: Experiment) -> list[tuple[str, str, Sequence[TableCell]]]:
    """Benchmark, row, and the numbers of KLoM, of each row that has some."""
    files = [*map(read.attacks, read.cells)]
    files += [read.shadows(cell) for cell in read.cells if read.has_shadows(cell)]
    frame = load_klom(files)
    return [
        (
            benchmark_title(*(line[key] for key in KEYS)),
            row_title(line["row"]),
            [
                *(
                    TableCell(f"{line[of]:.2f}", value=line[of])
                    for of in ("median", "high", "floor")
                ),
                *(TableCell(str(line[of]), value=line[of]) for of in ("images", "models")),
            ],
        )
        for line in frame.to_dict("records")
    ]


def _cell(read: Experiment, described: Mapping[str, Any]) -> AttackedCell:
    found = _found(read, described)
    known = specs()
    run = [name for name in known if _of(found, name)]
    place = [str(described[key]) for key in KEYS]
    every = [of for name in run for of in _of(found, name).values()]
    return AttackedCell(
        anchor="-".join(["attacks", *filter(None, place)]),
        title=benchmark_title(*place),
        attacks=[(known[name].label, known[name].words) for name in run],
        rows=[
            (
                row_title(row),
                row in (ORIGINAL, GOLD) or is_further_gold(row),
                [_number(read, described, row, known[name], attacks.get(name)) for name in run],
            )
            for row, attacks in found["rows"].items()
        ],
        notes=_notes(found, known),
        images=max((of["images"] for of in every), default=0),
        others="test images of the forgotten class" if found["forgets_a_class"] else "test images",
    )


def _found(read: Experiment, described: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was found of a cell; where it has shadow models, with what was found of them."""
    found = read_attacks(read.attacks(described))
    if read.has_shadows(described):
        of_shadows = read_attacks(read.shadows(described))
        for row, attacks in of_shadows["rows"].items():
            found["rows"].setdefault(row, {}).update(attacks)
        found["fallen"] = of_shadows["collapsed"]
    return found


def _of(found: Mapping[str, Any], attack: str) -> dict[str, Mapping[str, Any]]:
    """Row → what an attack found of it, where it could be run."""
    return {
        row: attacks[attack]
        for row, attacks in found["rows"].items()
        if attack in attacks and attacks[attack]["auc"] is not None
    }


def _number(
    read: Experiment,
    described: Mapping[str, Any],
    row: str,
    spec: AttackSpec,
    found: Mapping[str, Any] | None,
) -> TableCell:
    if found is None or found["auc"] is None:
        return TableCell("–", title="" if found is None else found["why"])
    low, high = found["auc_low"], found["auc_high"]
    resampled = "images and shadows" if "shadows" in spec.needs else "images"
    rate = (
        found["why"]
        if found["tpr_at_1_fpr"] is None
        else f"TPR at 1 % FPR {found['tpr_at_1_fpr']:.3f} ({found['tpr_low']:.3f} to "
        f"{found['tpr_high']:.3f})"
    )
    return TableCell(
        f"{found['auc']:.3f}",
        kind="worse" if low > 1 / 2 or high < 1 / 2 else "",
        title=f"95 % interval over {resampled}: {low:.3f} to {high:.3f}; {rate}",
        value=float(found["auc"]),
        below=f"{low:.2f} to {high:.2f}",
        way=_way(read, described, row, spec, found),
    )


def _way(
    read: Experiment,
    described: Mapping[str, Any],
    row: str,
    spec: AttackSpec,
    found: Mapping[str, Any],
) -> Way:
    place = [str(described[key]) for key in KEYS]
    keys = [f"{key}={described[key]}" for key in KEYS if described[key]]
    compared = (
        f" Each image was compared with {counted(found['reference_models'], 'model')} or more."
        if spec.is_calibrated
        else ""
    )
    left_out = (
        f" {counted(found['left_out'], 'image')} had too few models to compare with, over all seeds, and "
        "were left out."
        if found["left_out"]
        else ""
    )
    return Way(
        formula=Formula(
            f"AUC of the attack: {spec.label}",
            f"{spec.words} {AUC}{compared}{left_out}",
            spec.symbols,
        ),
        row=row_title(row),
        where=benchmark_title(*place),
        basis=chain.of_attack(read, described, row, spec, layout.item_record(*TABLE, "table")),
        stated=f"{_stated(spec)}: {found['auc_low']:.3f} to {found['auc_high']:.3f} (95 %).",
        # Of single shadows there are too many, with too few images each.
        seeds=tuple(SeedValue(int(seed), f"{value:.3f}") for seed, value in found["seeds"].items())
        if "shadows" not in spec.needs
        else (),
        cell=Cell(
            layout.item_file(*TABLE, "csv").as_posix(),
            row,
            "auc",
            ":".join([*keys, f"attack={spec.name}"]),
        ),
    )


def _stated(spec: AttackSpec) -> str:
    if "shadows" in spec.needs:
        return "Over all pairs of image and shadow. Its interval is over images and shadows"
    return "Mean over the seeds. Its interval is over images, with these models"


def _notes(found: Mapping[str, Any], known: Mapping[str, AttackSpec]) -> list[str]:
    """Returns a sentence for each reason why attacks are absent, and for rows with collapsed models."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for row, attacks in found["rows"].items():
        for name, of in attacks.items():
            if of["auc"] is None and name in known:
                rows = reasons.setdefault(of["why"], {}).setdefault(row, [])
                rows.append(known[name].label)
    notes = []
    for why, by_row in reasons.items():
        labels = list(dict.fromkeys(label for of in by_row.values() for label in of))
        is_everywhere = len(by_row) == len(found["rows"])
        some = "" if is_everywhere else f" on {all_of([*map(row_title, by_row)])}"
        notes.append(f"{all_of(labels)} could not be run{some}: {why}.")
    for row, seeds in found.get("fallen", {}).items():
        notes.append(
            f"{row_title(row)}: attacked without {counted(len(seeds), 'collapsed shadow')}."
        )
    for row, seeds in found["collapsed"].items():
        notes.append(
            f"{row_title(row)}: attacked without {counted(len(seeds), 'collapsed model')} (seed "
            f"{all_of([*seeds])})."
        )
    return notes
