"""The forget sets behind the numbers of the page: which images, their places in the store, their looks."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lotus import layout
from lotus.data.forget_sheet import ForgetSheet, read_forget_sheet
from lotus.data.splits import load_forget_set
from lotus.page import chain
from lotus.page.ways import ForgetSetKey
from lotus.results.experiment import Experiment
from lotus.results.titles import benchmark_title

LONGEST = 20_000
"""Characters of a list of positions that the page holds; the file of the forget set has them all."""


@dataclass(frozen=True)
class Forgotten:
    """A forget set, as the page shows it.

    Attributes:
        seeds: that have this very set.
        rule: how it was chosen.
        positions: in the store, as `0–9, 12`; cut short where they are too many.
        is_whole: whether these are all.
        file: that states it.
        picture: file of the sheet, relative to the project.
        address: of the sheet for the page: its bytes, or where it lies.

    """

    where: str
    seeds: Sequence[int]
    rule: str
    positions: str
    is_whole: bool
    file: str
    sheet: ForgetSheet
    picture: str
    address: str


def forget_set_files(read: Experiment) -> list[Path]:
    """Returns the files of all forget sets of an experiment: the sets, and their sheets."""
    of_runs = chain.forget_sets([*read.cells, *read.described["ablations"]])
    audited = (ForgetSetKey(*place, read.seeds[0]) for place in read.audited)
    return [
        path
        for each in dict.fromkeys((*of_runs, *audited))
        for path in (
            layout.split_file(each.dataset, each.seed, each.scenario),
            *layout.sheet_files(each.dataset, each.seed, each.scenario).values(),
        )
    ]


def shown_sets(
    wanted: Iterable[ForgetSetKey], with_pictures: bool
) -> dict[ForgetSetKey, Forgotten]:
    """Returns what the page shows of each forget set; seeds with the same images share it.

    Args:
        with_pictures: whether the page holds the pictures itself.

    Raises:
        LotusError: a split or a sheet is absent or damaged.

    """
    sets: dict[tuple[str, str, str], Forgotten] = {}
    keys = {}
    for each in wanted:
        sheet = read_forget_sheet(
            layout.sheet_files(each.dataset, each.seed, each.scenario)["listed"]
        )
        key = (each.dataset, each.scenario, sheet.digest)
        before = sets.get(key)
        sets[key] = (
            _shown(each, sheet, with_pictures)
            if before is None
            else replace(before, seeds=[*before.seeds, each.seed])
        )
        keys[each] = key
    return {each: sets[key] for each, key in keys.items()}


def _shown(each: ForgetSetKey, sheet: ForgetSheet, with_pictures: bool) -> Forgotten:
    chosen = load_forget_set(layout.split_file(each.dataset, each.seed, each.scenario))
    picture = layout.sheet_files(each.dataset, each.seed, each.scenario)["sheet"]
    positions = as_ranges(chosen.forget)
    is_whole = len(positions) <= LONGEST
    return Forgotten(
        where=benchmark_title(dataset=each.dataset, scenario=each.scenario),
        seeds=[each.seed],
        rule=chosen.rule,
        positions=positions if is_whole else positions[: positions.rindex(",", 0, LONGEST)],
        is_whole=is_whole,
        file=layout.split_file(each.dataset, each.seed, each.scenario).as_posix(),
        sheet=sheet,
        picture=picture.as_posix(),
        address=_address(picture) if with_pictures else f"../{picture.relative_to(layout.RESULTS)}",
    )


def _address(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def as_ranges(positions: np.ndarray) -> str:
    """Returns positions in ascending order, those in a row as `3–17`."""
    ordered = np.sort(positions)
    ends = np.flatnonzero(np.diff(ordered) != 1)
    firsts, lasts = ordered[[0, *(ends + 1)]], ordered[[*ends, len(ordered) - 1]]
    return ", ".join(
        f"{first}" if first == last else f"{first}–{last}"
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    )
