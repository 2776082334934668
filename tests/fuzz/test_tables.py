"""Any bytes of a CSV file are a table, or one line that names the file."""

import csv
import io
import shutil
from contextlib import chdir
from pathlib import Path

import pytest
import raw_files
from fuzzing import inputs, result_or_error
from hypothesis import given, note
from mutations import CHANCE, as_csv, damaged_bytes, encoded, mutated_table, spliced
from own_images import GOOD, read
from project import ROOT
from tiny import TABLE

from lotus.data.forget_lists import read_list
from lotus.formats.csv_text import read_csv
from lotus.lineage.cells import parse_cell, read_cell
from lotus.published.numbers import MISPRINTS, RESULTS, load_misprints, load_published
from lotus.published.side_by_side import read_comparison
from lotus.tables.effects import COUNTS, NUMBERS, effects

PUBLISHED = ROOT / "report/published"
NAMES = (
    "lotus",
    "original",
    "all",
    "resnet18",
    "cifar10",
    "Table 1",
    "avg_gap",
    "E4",
    "M1+M2",
    "train",
    "ant",
)


def rows_of(text):
    return [row for row in csv.reader(io.StringIO(text)) if row]


def ablation():
    """A table `ablation` of two switches."""
    head = ["dataset", "architecture", "scenario", "switch", "row", *COUNTS, *NUMBERS]
    return [
        head,
        *(
            ["toy", "net", "i", switch, "lotus", "2", "0", *["0.5"] * len(NUMBERS)]
            for switch in ("M1", "E4")
        ),
    ]


def summary():
    return rows_of(
        "dataset,protocol,row,n,avg_gap\ntoy,corrected,lotus,1,0.1\ntoy,corrected,ssd,1,0.2\n"
    )


def comparison():
    sides = [
        f"{side}{part}"
        for side in ("published", "released", "corrected")
        for part in (
            "",
            "_metric",
            "_std",
            "_n",
            "_low",
            "_high",
            "_status",
            "_difference",
            "_inside",
        )
    ]
    head = [
        "dataset",
        "architecture",
        "scenario",
        "study",
        "of_paper",
        "row",
        "metric",
        "source",
        "note",
        *sides,
    ]
    return [head, ["toy", "net", "i", "", "True", "lotus", "jsd", "a", "b", *["0.5"] * len(sides)]]


def published(name, count=25):
    return rows_of("\n".join((PUBLISHED / name).read_text().splitlines()[:count]))


def look_up(path):
    return read_cell(parse_cell(f"{path}:lotus:avg_gap"))


TABLES = {
    "results/ablation.csv": (ablation(), effects),
    TABLE: (summary(), look_up),
    "results/t.csv": (comparison(), read_comparison),
    "forget.csv": (rows_of("name,id\n0.png,0\n1.png,1\n"), lambda path: read_list(path, True)),
    "ids.csv": (rows_of("id\n0\n1\n"), lambda path: read_list(path, False)),
    "own.csv": (rows_of(GOOD), read),
    "columns.csv": (rows_of("a,b\n1,2\n"), lambda path: read_csv(path, ("a",)).frame_by_line()),
    f"published/{RESULTS}": (published(RESULTS), lambda path: load_published(path.parent)),
    f"published/{MISPRINTS}": (published(MISPRINTS), lambda path: load_misprints(path.parent)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("tables"))


def filled(folder):
    """With the valid tables and the images that they name."""
    for number in range(3):
        raw_files.image(folder / f"{number}.png", number)
    shutil.copytree(PUBLISHED, folder / "published")
    for name, (rows, _) in TABLES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(bytes_of(rows).decode())
    return folder


def bytes_of(rows):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()


def changed(rows, chance):
    kind = chance.choice(("cells", "cells", "cells", "text", "bytes"))
    if kind == "bytes":
        return damaged_bytes(bytes_of(rows), chance)
    if kind == "text":
        return encoded(spliced(bytes_of(rows).decode(), chance), chance)
    return encoded(as_csv(mutated_table(rows, chance, NAMES), chance), chance)


def test_the_tables_are_valid(folder):
    with chdir(folder):
        for name, (_, reader) in TABLES.items():
            reader(Path(name))


@inputs(0.15)
@given(CHANCE)
def test_any_table(folder, chance):
    with chdir(folder):
        path = Path(chance.choice(sorted(TABLES)))
        rows, reader = TABLES[str(path)]
        content = changed(rows, chance)
        note(f"{path}: {content[:3000]!r}")
        path.write_bytes(content)
        try:
            result_or_error(lambda: reader(path))
        finally:
            path.write_bytes(bytes_of(rows))
