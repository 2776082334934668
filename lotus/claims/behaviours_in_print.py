"""Published behaviours that can be seen in the published numbers themselves: `lotus signs`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lotus.errors import LotusError, choices
from lotus.layout import GOLD, ORIGINAL
from lotus.metrics.avg_gap import GAP_TERMS
from lotus.metrics.base.released import mean_ag
from lotus.published.numbers import OF_A_CLASS
from lotus.results.conventions import SCALE
from lotus.results.titles import place_name, row_title
from lotus.tables.effects import aligned

BENCHMARK = ["architecture", "dataset", "scenario"]
FORGET_IMAGES = {
    ("cifar10", "instance-10"): 5_000,
    ("cifar100", "instance-10"): 5_000,
    ("tiny-imagenet", "instance-10"): 10_000,
    ("cifar10", "instance-50"): 25_000,
    ("cifar100", "instance-50"): 25_000,
    ("mufac-clean", "mufac-fixed"): 1_062,
}
"""N of the published JSD, by data set and scenario."""
LEFT_IN_TRAIN_MODE = (
    "finetune",
    "neggrad-plus",
    "random-labeling",
    "bad-teacher",
    "unsir",
    "salun",
)
"""Methods whose model the published code evaluates in train mode (E1)."""
UNIT = 0.01
"""The published numbers have two decimals, JSD × 10⁴ too."""
WIDE = 0.12
RUNS = (3, 9)
"""Over how many runs published rows are means: seeds, and once seeds run three times over."""
Cells = list[list[str]]


@dataclass(frozen=True)
class Sign:
    """One thing to see in the published numbers.

    Attributes:
        sentence: what they show, with the count.
        body: the numbers; heads first.

    """

    sentence: str
    body: Cells


def signs(published: pd.DataFrame, names: Sequence[str] = ()) -> list[str]:
    """Lines of text for each sign.

    Args:
        published: as `load_published` gives it.
        names: which signs; all if there are none.

    Raises:
        LotusError: no such sign, or the numbers that it needs are not among the published.

    """
    for name in names:
        if name not in SIGNS:
            raise LotusError(f"there is no sign '{name}'; {choices(name, SIGNS)}")
    lines: list[str] = []
    for name in names or SIGNS:
        try:
            sign = SIGNS[name](_printed(published))
        except (LookupError, ValueError) as error:
            raise LotusError(f"sign '{name}': the published numbers lack {error}") from error
        lines += [f"{name}  {sign.sentence}", *(f"    {line}" for line in aligned(iter(sign.body)))]
    return lines


def _printed(published: pd.DataFrame) -> pd.DataFrame:
    """Means, and deviations as `…_std`: a line per benchmark and row, a column per metric.

    What stands under several items is the same number. Accuracies are rounded to 2 decimals, as all but
    one row (printed in percent) are.
    """
    chosen = published[published["preferred"] & (published["item"] != "alpha-tuning")]
    index = [*BENCHMARK, "row"]
    means = chosen.pivot_table(index=index, columns="metric", values="mean", sort=False)
    spreads = chosen.pivot_table(index=index, columns="metric", values="std", sort=False)
    return means.round(dict.fromkeys(GAP_TERMS, 2)).join(spreads.add_suffix("_std"))


def _instances(printed: pd.DataFrame) -> pd.DataFrame:
    """Without the benchmarks in which a whole class is forgotten."""
    scenarios = printed.index.get_level_values("scenario")
    return printed[~scenarios.isin(OF_A_CLASS)]


def _benchmarks(printed: pd.DataFrame, *rows: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Title and numbers by row of each benchmark that has all these rows."""
    for (architecture, dataset, scenario), part in printed.groupby(BENCHMARK, sort=False):
        numbers = part.droplevel(BENCHMARK)
        if set(rows) <= set(numbers.index):
            yield place_name(dataset, architecture, scenario), numbers


def _beside_the_original(row: str) -> Callable[[pd.DataFrame], Sign]:
    """A row's largest distance from the original model in MIA and the accuracies."""

    def sign(printed: pd.DataFrame) -> Sign:
        found = [
            (title, (of.loc[row] - of.loc[ORIGINAL])[list(GAP_TERMS)].abs().max())
            for title, of in _benchmarks(printed, row, ORIGINAL)
        ]
        near = sum(round(distance, 2) <= UNIT for _, distance in found)
        return Sign(
            f"{row_title(row)}: MIA and the three accuracies equal the original's within {UNIT} in "
            f"{near} of {len(found)} benchmarks",
            [["", "largest difference"], *([title, f"{far:.2f}"] for title, far in found)],
        )

    return sign


def _no_ascent(printed: pd.DataFrame) -> Sign:
    found = [
        (title, *of.loc[["finetune", "neggrad-plus"], "accuracy_forget"])
        for title, of in _benchmarks(_instances(printed), "finetune", "neggrad-plus")
    ]
    above = sum(ascent >= plain for _, plain, ascent in found)
    return Sign(
        "NegGrad+: forget accuracy is not below Finetuning's, which never reads the forget set, in "
        f"{above} of {len(found)} benchmarks of instances",
        [
            ["", "Finetuning", "NegGrad+"],
            *([title, f"{plain:.2f}", f"{ascent:.2f}"] for title, plain, ascent in found),
        ],
    )


def _train_mode(printed: pd.DataFrame) -> Sign:
    body: Cells = [["", "MIA 0 or 1 in every seed", "least retain acc.", "original's"]]
    for title, of in _benchmarks(_instances(printed), ORIGINAL):
        damaged = of[of.index.isin(LEFT_IN_TRAIN_MODE)]
        sure = [row_title(str(row)) for row in damaged.index[_is_0_or_1(damaged)]]
        retained = (damaged["accuracy_retain"].min(), of.loc[ORIGINAL, "accuracy_retain"])
        body.append([title, ", ".join(sure) or "none", *(f"{share:.2f}" for share in retained)])
    return Sign(
        "MIA is exactly 0 or 1 in every seed, of rows left in train mode: "
        f"{_share_of(printed, 'resnet18', True)} with BatchNorm (ResNet18), "
        f"{_share_of(printed, 'vit', True)} without (ViT); of rows left in eval mode: "
        f"{_share_of(printed, 'resnet18', False)} and {_share_of(printed, 'vit', False)}",
        body,
    )


def _share_of(printed: pd.DataFrame, architecture: str, train_mode: bool) -> str:
    """Returns how many rows of methods have an MIA of 0 or 1 in every seed, as `3 of 7`."""
    rows = _instances(printed).dropna(subset="mia").reset_index()
    rows = rows[(rows["architecture"] == architecture) & ~rows["row"].isin([ORIGINAL, GOLD])]
    rows = rows[rows["row"].isin(LEFT_IN_TRAIN_MODE) == train_mode]
    return f"{int(_is_0_or_1(rows).sum())} of {len(rows)}"


def _is_0_or_1(numbers: pd.DataFrame) -> pd.Series:
    """Rows whose mean and deviation of MIA are those of zeros and ones in three seeds."""
    pairs = zip(numbers["mia"].round(2), numbers["mia_std"].round(2), strict=True)
    possible = {(0.0, 0.0), (0.33, 0.58), (0.67, 0.58), (1.0, 0.0)}
    return pd.Series([pair in possible for pair in pairs], index=numbers.index, dtype=bool)


def _rounding(printed: pd.DataFrame) -> Sign:
    body: Cells = [["", "least JSD ×10⁴", "largest", "values"]]
    vit = _instances(printed).query("architecture == 'vit'")
    for title, of in _benchmarks(vit, GOLD):
        values = of.drop(index=[ORIGINAL, GOLD], errors="ignore")["jsd_e4"].dropna()
        body.append([title, f"{values.min():.2f}", f"{values.max():.2f}", str(values.nunique())])
    gaps = printed["avg_gap"].dropna()
    whole = np.isclose(gaps / (UNIT / 4), (gaps / (UNIT / 4)).round()).sum()
    return Sign(
        f"{whole} of {len(gaps)} Avg Gaps are multiples of {UNIT / 4}; the unit of JSD ×10⁴ is {UNIT}, "
        "and methods share values (ViT)",
        body,
    )


def _scaling(printed: pd.DataFrame) -> Sign:
    shown = ("lotus", "scrub", "finetune")
    heads = [f"{row_title(row)}{what}" for row in shown for what in (", ×10⁴", ", mean AG")]
    body: Cells = [["", "N", *heads]]
    too_large, count = 0, 0
    for (architecture, dataset, scenario), part in printed.groupby(BENCHMARK, sort=False):
        of, images = part.droplevel(BENCHMARK), FORGET_IMAGES.get((dataset, scenario))
        if images is None:
            continue
        nats = mean_ag(1, images) * of["jsd_e4"].drop(index=[GOLD], errors="ignore") / SCALE
        too_large, count = too_large + int((nats > np.log(2)).sum()), count + nats.notna().sum()
        texts = [t for r in shown for t in (f"{of.loc[r, 'jsd_e4']:.2f}", f"{nats.loc[r]:.3f}")]
        body.append([place_name(dataset, architecture, scenario), str(images), *texts])
    return Sign(
        f"printed JSD × N is the mean AG in nats; in {too_large} of {count} rows it exceeds ln 2 = "
        f"{np.log(2):.3f}, which no Jensen–Shannon divergence can",
        body,
    )


def _calibration(printed: pd.DataFrame) -> Sign:
    found = [
        (title, of.loc[["lotus", "lotus-cifake"], ["mia", "avg_gap"]])
        for title, of in _benchmarks(printed, "lotus", "lotus-cifake")
    ]
    return Sign(
        "LoTUS with synthetic calibration images: MIA and Avg Gap, whose non-members are others",
        [
            ["", "MIA LoTUS", "MIA LoTUS (CIFAKE)", "Avg Gap LoTUS", "Avg Gap LoTUS (CIFAKE)"],
            *(
                [title, *(f"{v:.2f}" for v in of["mia"]), *(f"{v:.4f}" for v in of["avg_gap"])]
                for title, of in found
            ),
        ],
    )


def _minutes(printed: pd.DataFrame) -> Sign:
    shown = ("lotus", "bad-teacher", "random-labeling", "salun", "salun-lotus")
    body: Cells = [["", *map(row_title, shown)]]
    for title, of in _benchmarks(printed, "lotus", "bad-teacher"):
        times = of["time_min"].reindex(list(shown))
        body.append([title, *("–" if pd.isna(t) else f"{t:.2f}" for t in times)])
    return Sign(
        "minutes; Bad Teacher reads what LoTUS reads, SalUn what Random Labeling reads; their "
        "preparation is counted in seconds",
        body,
    )


def _rf_jsd(printed: pd.DataFrame) -> Sign:
    body = _below_gold(_instances(printed), "lotus")
    better = sum("LoTUS" in line[3].split(", ") for line in body[1:])
    return Sign(
        f"RF-JSD ×10⁴ of gold is not 0, and that of LoTUS is below it in {better} of {len(body) - 1} "
        "benchmarks of instances",
        body,
    )


def _rf_jsd_of_classes(printed: pd.DataFrame) -> Sign:
    body = _below_gold(printed.drop(_instances(printed).index), "scrub")
    better = sum("SCRUB" in line[3].split(", ") for line in body[1:])
    return Sign(
        "where a class is forgotten, RF-JSD ×10⁴ of SCRUB, which is the original model, is below gold's "
        f"in {better} of {len(body) - 1} benchmarks",
        body,
    )


def _below_gold(printed: pd.DataFrame, row: str) -> Cells:
    """RF-JSD of gold and of a row, and which methods are below gold."""
    body: Cells = [["", "gold", row_title(row), "methods below gold"]]
    for title, of in _benchmarks(printed.dropna(subset="rf_jsd_e4"), GOLD, row):
        values = of["rf_jsd_e4"]
        below = [row_title(str(name)) for name in values.index[values < values[GOLD]]]
        numbers = [f"{values[name]:.2f}" for name in (GOLD, row)]
        body.append([title, *numbers, ", ".join(below) or "none"])
    return body


def _correlation(printed: pd.DataFrame) -> Sign:
    body: Cells = [["", "Pearson r, printed", "of printed means", "without gold"]]
    for title, of in _benchmarks(_instances(printed), "all-methods", GOLD):
        pairs = of[["jsd_e4", "rf_jsd_e4"]].dropna()
        if len(pairs):
            found = [
                of.loc["all-methods", "pearson_r"],
                _pearson(pairs),
                _pearson(pairs.drop(GOLD)),
            ]
            body.append([title, *(f"{r:.2f}" for r in found)])
    met = sum(line[1] == line[2] for line in body[1:])
    return Sign(
        "correlation of RF-JSD and JSD over the rows of a table: the printed one is that with gold in "
        f"{met} of {len(body) - 1} benchmarks",
        body,
    )


def _pearson(pairs: pd.DataFrame) -> float:
    return float(pairs.corr().iloc[0, 1])


def _doing_nothing(printed: pd.DataFrame) -> Sign:
    body: Cells = [["", "doing nothing", "LoTUS", "best other", ""]]
    terms = list(GAP_TERMS)
    for title, of in _benchmarks(printed, ORIGINAL, GOLD, "lotus"):
        gap = (of.loc[ORIGINAL, terms] - of.loc[GOLD, terms]).abs().mean()
        variants = [row for row in of.index if str(row).startswith("lotus") or row == "salun-lotus"]
        others = of["avg_gap"].drop(index=[ORIGINAL, GOLD, *variants]).dropna()
        least = [row_title(str(row)) for row in others.index[others == others.min()]]
        numbers = [f"{value:.4f}" for value in (gap, of.loc["lotus", "avg_gap"], others.min())]
        body.append([title, *numbers, ", ".join(least)])
    return Sign(
        "Avg Gap of the untouched original, by the published rule, is not printed there", body
    )


def _fallen_seed(printed: pd.DataFrame) -> Sign:
    body: Cells = [["", "", "retain acc.", *(f"one of {runs}: it, the others" for runs in RUNS)]]
    rows = printed[printed["accuracy_retain_std"] > WIDE].reset_index()
    for line in rows.to_dict("records"):
        mean, spread = line["accuracy_retain"], line["accuracy_retain_std"]
        title = place_name(line["dataset"], line["architecture"], line["scenario"])
        parted = [_one_of(runs, mean, spread) for runs in RUNS]
        body.append([title, row_title(line["row"]), f"{mean:.2f} ± {spread:.2f}", *parted])
    return Sign(
        f"rows whose retain accuracy deviates by more than {WIDE}, and which accuracies a single "
        "deviating run among 3 or 9 and the others would have",
        body,
    )


def _one_of(runs: int, mean: float, spread: float) -> str:
    """Accuracy of the one run and of the others alike, a dash where they are none.

    Of `runs` values, all but one alike, the sample deviation is |difference| / √runs.
    """
    others = mean + spread / np.sqrt(runs)
    one = others - spread * np.sqrt(runs)
    possible = one > -UNIT and others < 1 + UNIT
    return f"{max(one, 0):.2f}, {min(others, 1):.2f}" if possible else "–"


SIGNS: dict[str, Callable[[pd.DataFrame], Sign]] = {
    "M1": _beside_the_original("scrub"),
    "M2": _no_ascent,
    "M3": _beside_the_original("ssd"),
    "E1": _train_mode,
    "E3": _rounding,
    "E4": _scaling,
    "E5": _calibration,
    "R1": _minutes,
    "rf-jsd": _rf_jsd,
    "rf-jsd-classes": _rf_jsd_of_classes,
    "correlation": _correlation,
    "doing-nothing": _doing_nothing,
    "seeds": _fallen_seed,
}
"""By the switch that they are signs of, or by what they are about."""
