"""Metrics files as tables of numbers, and the words that readers know them by."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
import pandas as pd

from lotus.config.protocol import CORRECTED, Protocol, parse
from lotus.errors import LotusError
from lotus.formats.json_text import parse_json, read_file
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL, REFERENCES
from lotus.metrics.base import registry
from lotus.names import shown
from lotus.results.conventions import DISTANCE, StatedRuns, protocol_of
from lotus.results.further_golds import FURTHER, as_cell

ROW_TITLES = {
    ORIGINAL: "Original (nothing done)",
    GOLD: "Gold (retrained)",
    GOLD_AGAIN: "Gold again (another retraining)",
    "lotus": "LoTUS",
    "finetune": "Finetuning",
    "neggrad-plus": "NegGrad+",
    "random-labeling": "Random Labeling",
    "bad-teacher": "Bad Teacher",
    "scrub": "SCRUB",
    "ssd": "SSD",
    "unsir": "UNSIR",
    "salun": "SalUn",
    "salun-lotus": "SalUn+LoTUS",
}
DATASET_TITLES = {
    "fashion-mini": "small Fashion-MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "mnist": "MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "tiny-imagenet": "Tiny-ImageNet",
    "mufac": "MUFAC",
    "mufac-clean": "cleaned MUFAC",
    "imagenet1k": "ImageNet-1k",
    "cifake": "CIFAKE",
}
ARCHITECTURE_TITLES = {"resnet18": "ResNet18", "vit": "ViT"}
SCENARIO_FORMS = {
    r"instance-(\d+(?:\.\d+)?)": "{} % forgotten",
    r"instance-(\d+(?:\.\d+)?)-random": "{} % forgotten, drawn at random",
    r"instance-(\d+(?:\.\d+)?)-(hardest|easiest)": "{} % forgotten, {} first",
    r"instance-(\d+(?:\.\d+)?)-duplicates": "{} % forgotten, look-alikes",
    r"class-(.+)": "class {} forgotten",
    "mufac-fixed": "its forget set",
    "listed": "listed images forgotten",
    r"(.+)-listed": "listed images of {} forgotten",
    r".*?(\d+)-per-class": "{} of each class forgotten",
    r".*?(\d+)-per-class-random": "{} of each class forgotten, drawn at random",
    r".*?(\d+)-per-class-(hardest|easiest)": "{} of each class forgotten, {} first",
}
ROW_FORMS = {
    r"gold-again-(\d+)": "Gold again, number {}",
    r"gold-of-(\d+)": "Gold of seed {}",
    r"lotus-alpha(\d+)": "LoTUS, α = {}",
    r"lotus-retain-(\d+)": "LoTUS, {} % of the retain set",
    "lotus-cifake": "LoTUS, CIFAKE",
}
COLLAPSED = "collapsed"
"""Column that says which models are of no use, or how many: by retain accuracy, beside the original's."""
MODELS = ["dataset", "architecture", "scenario"]
"""What original and gold models are shared in."""
KINDS = {
    dict: "a mapping",
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
UNWRITABLE = ("Cc", "Cs", "Cn", "Zl", "Zp")
"""Categories of Unicode of which XML, LaTeX or a line of text cannot hold all characters."""
PLACE = [*MODELS, "study"]
"""What is compared under several protocols; study '' for none."""
KEYS = [*PLACE, "protocol"]
"""What is compared in one table."""


def needs_gold(metric: str) -> bool:
    """Whether a metric, in whichever convention, is one against the gold model."""
    return registry.needs(metric, "gold")


def measured_against(metric: str) -> list[str]:
    """Rows whose predictions a metric needs beside a row's own, in whichever convention."""
    gold = [GOLD] if needs_gold(metric) or metric.endswith(DISTANCE) else []
    to_original = metric in ("same_as_original", COLLAPSED) or registry.needs(metric, "original")
    return [*gold, *([ORIGINAL] if to_original else [])]


def legible(name: str) -> str:
    """A name as figures, tables and the page can hold it.

    What none of SVG, LaTeX and HTML can (control characters, line breaks, halves of characters) stands as
    its escape.
    """
    return "".join(_escape(c) if category(c) in UNWRITABLE else c for c in str(name))


def brief(name: str, most: int = 28) -> str:
    """A legible name for a narrow place: of a long one the middle is left out."""
    name = legible(name)
    return name if len(name) <= most else f"{name[: most - 9]}…{name[-8:]}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def row_title(row: str) -> str:
    """A row's name in a table; a user's own row keeps the name of the configuration."""
    return ROW_TITLES.get(row) or _in_words(row, ROW_FORMS)


def titled(row: str, collapsed: int, n: int) -> str:
    """A row's name, and how many of its `n` models have collapsed, if any."""
    title = row_title(row)
    return f"{title} (collapsed in {collapsed} of {n} seeds)" if collapsed else title


def benchmark_title(
    dataset: str = "",
    architecture: str = "",
    scenario: str = "",
    study: str = "",
    protocol: str = "",
) -> str:
    """A benchmark in words, as far as it is given."""
    return place_name(
        dataset_title(dataset), architecture, scenario_title(scenario), study, protocol
    )


def place_name(
    dataset: str, architecture: str, scenario: str, study: str = "", protocol: str = ""
) -> str:
    """A benchmark by the names of the configuration, as commands print it."""
    architecture = ARCHITECTURE_TITLES.get(architecture, architecture)
    named = f"study {study}" if study else ""
    return legible(", ".join(filter(None, (dataset, architecture, scenario, named, protocol))))


def dataset_title(name: str) -> str:
    """A data set in words; `-limitN` is what a smaller version's name ends in."""
    whole, limited, limit = name.partition("-limit")
    title = DATASET_TITLES.get(whole) or legible(whole)
    return f"{title} (first {limit} of each class)" if limited else title


@cache
def scenario_title(name: str) -> str:
    """Returns in words what is forgotten; a name of another form stands as it is."""
    return _in_words(name, SCENARIO_FORMS)


def _in_words(name: str, forms: Mapping[str, str]) -> str:
    for form, words in forms.items():
        if found := re.fullmatch(form, name):
            return legible(words.format(*found.groups()))
    return legible(name)


def load_metrics(files: Sequence[Path]) -> pd.DataFrame:
    """One line per model: `KEYS`, seed, row, and every metric.

    A metric is NaN where there is none; `collapsed` is a reason, or ''. `FURTHER` has the single golds of
    `gold-again`.

    Raises:
        LotusError: a file is absent or not a metrics file.

    """
    lines: list[dict[str, Any]] = []
    for path in files:
        content = read_metrics(path)
        about = {key: content[key] for key in [*KEYS, "seed"]}
        golds = {GOLD_AGAIN: as_cell(content.get("golds", {}))}
        lines += [
            {**about, "row": row, FURTHER: golds.get(row, ()), **scores}
            for row, scores in content["rows"].items()
        ]
    frame = pd.DataFrame(lines)
    return frame.astype(dict.fromkeys(registry.columns(), float))


def read_metrics(path: Path) -> dict[str, Any]:
    """The content of one metrics file; `study` is '' in one that names none.

    Raises:
        LotusError: absent or not a metrics file.

    """
    try:
        content = parse_metrics(path, read_file(path))
    except OSError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    expected = (*registry.columns(), "same_as_original", "collapsed")
    for row, found in content["rows"].items():
        lacking = [key for key in expected if key not in found]
        if lacking:
            raise LotusError(f"{shown(path)}: is not a metrics file: rows.{row} lacks {lacking[0]}")
    return content


def parse_metrics(path: Path, text: bytes) -> dict[str, Any]:
    """As `read_metrics`, of a file's bytes, which may lack metrics: older ones had fewer.

    Raises:
        LotusError: not those of a metrics file.

    """
    try:
        content = parse_json(text)
    except ValueError as error:
        raise LotusError(f"{shown(path)}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise LotusError(f"{path}: is not a metrics file: it is not a mapping")
    content = {"study": "", **content}
    missing = {*KEYS, "seed", "rows", "predictions"} - set(content)
    if missing:
        raise LotusError(f"{path}: is not a metrics file: it lacks {', '.join(sorted(missing))}")
    try:
        _check_metrics(content)
    except ValueError as error:
        raise LotusError(f"{shown(path)}: is not a metrics file: {shown(str(error))}") from None
    return content


def _check_metrics(content: Mapping[str, Any]) -> None:
    """Raises ValueError, which names the place: it does not hold what a metrics file does."""
    for key in (*KEYS, "seed"):
        kind = int if key == "seed" else str
        _check(content[key], (kind,), key)
    golds = content.get("golds", {})
    for key, parts in {
        **{key: content[key] for key in ("rows", "predictions")},
        "golds": golds,
    }.items():
        _check(parts, (dict,), key)
        for row, of in parts.items():
            _check(of, (dict,), f"{key}.{row}")
    images, objectives = content.get("images", {}), content.get("objectives", {})
    _check(objectives, (dict,), "objectives")
    for row, found in objectives.items():
        _check(found, (int, float, type(None)), f"objectives.{row}")
    _check(images, (dict,), "images")
    for split, count in images.items():
        _check(count, (int,), f"images.{split}")
        if count < 1:
            raise ValueError(f"images.{split} = {count} is not a count")
    if not content["rows"]:
        raise ValueError("rows is empty")
    if (GOLD_AGAIN in content["rows"]) != bool(golds):
        raise ValueError(f"rows.{GOLD_AGAIN} is the mean of 'golds': one of the two is missing")
    for row, found in [*content["rows"].items(), *golds.items()]:
        kinds: dict[str, tuple[type, ...]] = dict.fromkeys(
            registry.columns(), (int, float, type(None))
        )
        kinds |= {"same_as_original": (bool,), "collapsed": (str,)}
        for metric in kinds.keys() & found.keys():
            _check(found[metric], kinds[metric], f"rows.{row}.{metric}")
    for row, said in content["predictions"].items():
        for key in ("path", "sha256"):
            _check(said.get(key), (str,), f"predictions.{row}.{key}")


def _check(value: Any, kinds: tuple[type, ...], place: str) -> None:
    # JSON's `true` is a number to Python alone.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        accepted = " or ".join(KINDS[kind] for kind in kinds if kind in KINDS)
        raise ValueError(f"{place} = {str(value)[:60]!r} is not {accepted}")


def rows_in_order(frame: pd.DataFrame) -> list[str]:
    """Row names: original, gold, then the methods as configured (in the order of the files)."""
    first = {row: place for place, row in enumerate(REFERENCES)}
    return sorted(dict.fromkeys(frame["row"]), key=lambda row: first.get(row, len(first)))


def with_gold(frame: pd.DataFrame) -> pd.DataFrame:
    """The part of a frame that is of cells with a gold model."""
    has = frame.groupby(KEYS)["row"].transform(lambda rows: (rows == GOLD).any())
    return frame[has.astype(bool)]


def by_base(frame: pd.DataFrame) -> pd.DataFrame:
    """A protocol that deviates from its base stands for it."""
    return frame.assign(protocol=frame["protocol"].map(lambda name: parse(str(name)).base))


def lines_by_row(frame: pd.DataFrame) -> defaultdict[tuple[str, str], pd.DataFrame]:
    """(Row, protocol) → its lines of the frame, which may be none."""
    grouped = frame.groupby(["row", "protocol"], sort=False)
    found = {(row, protocol): lines for (row, protocol), lines in grouped}
    return defaultdict(lambda: frame[:0], found)


def reference_of(part: pd.DataFrame, row: str, value: str) -> float:
    """Mean of a row's value at one place, under `corrected` if it is there; NaN if there is none."""
    found = part[part["row"] == row]
    corrected = found[found["protocol"] == CORRECTED.name]
    return float((corrected if len(corrected) else found)[value].mean())


def told_keys(frame: pd.DataFrame) -> list[str]:
    """`KEYS` that say something: no study where nothing belongs to one."""
    return [key for key in KEYS if key != "study" or (frame["study"] != "").any()]


def sound(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame without the numbers of collapsed models, and those measured against them (NaN)."""
    fallen = frame["collapsed"] != ""
    found = frame.copy()
    if not fallen.any():
        return found
    found.loc[fallen, list(registry.columns())] = np.nan
    if FURTHER in found:
        found[FURTHER] = found[FURTHER].where(~fallen, [()] * len(found))
    cell = [*KEYS, "seed"]
    golds = frame.loc[fallen & (frame["row"] == GOLD), cell].apply(tuple, axis=1)
    against_gold = [name for name in registry.columns() if needs_gold(name)]
    if len(golds):
        found.loc[frame[cell].apply(tuple, axis=1).isin(golds), against_gold] = np.nan
    return found


def summarise(frame: pd.DataFrame, conventions: Protocol | None = None) -> pd.DataFrame:
    """Per row of one protocol's frame: `n` seeds, and of each metric the mean and (`…_std`) deviation.

    Columns are named by their convention (`column`). The deviation is that of a sample (n−1); it is NaN
    for a single seed and for the published Avg Gap. A value that is undefined for one seed makes the
    mean undefined: a mean over fewer seeds would not be comparable. So do collapsed models; they are
    counted in `collapsed`, and `why` says why. Where there is gold, `…_distance` is the mean distance to
    it, seed by seed, of a metric that is best near to gold.

    Args:
        conventions: in which to state metrics; by default those of the frame's protocol.

    """
    protocol = conventions or protocol_of(frame)
    runs = StatedRuns(sound(frame), protocol)
    grouped = frame.groupby("row", sort=False)
    n = grouped["seed"].nunique()
    lines = frame[frame["collapsed"] != ""]
    said = [
        f"seed {seed}: {why}" for seed, why in zip(lines["seed"], lines["collapsed"], strict=True)
    ]
    fallen = lines.assign(collapsed=said).astype({"collapsed": object}).groupby("row")["collapsed"]
    why = fallen.agg("; ".join)
    summary: dict[str, Any] = {
        "n": n,
        "collapsed": fallen.size().reindex(n.index, fill_value=0),
        "why": why.reindex(n.index, fill_value=""),
    }
    places, has_gold = [grouped.indices[row] for row in n.index], GOLD in n.index
    for metric in registry.specs():
        form, found = runs.form(metric), runs.values(metric).to_numpy(dtype=float)
        name, of_rows = form.name, [found[place] for place in places]
        summary[name] = [of_seeds.mean() for of_seeds in of_rows]
        summary[f"{name}_std"] = [_deviation(of_seeds) for of_seeds in of_rows]
        if registry.specs()[metric].best == GOLD and has_gold:
            apart = runs.distances(metric).to_numpy(dtype=float)
            summary[f"{name}{DISTANCE}"] = [apart[place].mean() for place in places]
        if form.of_means:
            summary[name] = runs.released_gaps()
            summary[f"{name}_std"] = np.nan
    return pd.DataFrame(summary)


def _deviation(sample: np.ndarray) -> float:
    return float(sample.std(ddof=1)) if len(sample) > 1 else np.nan
