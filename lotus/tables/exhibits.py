"""The paper's tables, one function each, by name: `snakemake table1` makes what `table1` says.

Numbers are those of the CVPR version; the submission's, after which the published reference is sorted, are
named beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lotus.errors import LotusError, choices
from lotus.published.numbers import load_published
from lotus.published.side_by_side import Wanted, compare
from lotus.records.files import write_text
from lotus.records.record import write_record
from lotus.results.experiment import Experiment, read_experiment
from lotus.results.metrics import MODELS
from lotus.tables.printed import latex

BASIC = ("finetune", "neggrad-plus", "random-labeling")
"""The paper's basic methods."""
BEHIND = (
    *("accuracy_forget", "accuracy_retain", "accuracy_test", "mia"),
    *("gap_forget", "gap_retain", "gap_test", "gap_mia", "avg_gap"),
)
"""Avg Gap and what it is the mean of."""


def table1(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """Avg Gap, JSD and time of every method, a tenth of the images forgotten (MUFAC: a fixed set)."""
    wanted = Wanted("table1", ["table1"], ["avg_gap", "jsd_e4", "time_min"])
    return compare(wanted, read, published)


def table2(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """LoTUS calibrated on synthetic images (CIFAKE) in place of validation images."""
    wanted = Wanted(
        "table2",
        ["table1", "table2"],
        ["avg_gap", "jsd_e4", "time_min"],
        only=["gold", "lotus", "lotus-cifake"],
    )
    return _where("lotus-cifake", compare(wanted, read, published))


def table3(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """Half of the images forgotten: the strong baselines."""
    wanted = Wanted("table3", ["table3"], ["avg_gap", "jsd_e4", "time_min"], without=BASIC)
    return compare(wanted, read, published)


def table4(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """ImageNet-1k, few images of each class at hand, no gold model."""
    terms = ["accuracy_retain", "accuracy_test", "accuracy_forget", "mia"]
    return compare(Wanted("table4", ["table4"], ["rf_jsd_e4", "time_min", *terms]), read, published)


def table5(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """The accuracies behind the Avg Gap of Table 1."""
    return compare(Wanted("table5", ["table5"], BEHIND), read, published)


def table6(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """Half of the images forgotten: the basic methods."""
    wanted = Wanted(
        "table6",
        ["table6"],
        ["avg_gap", "jsd_e4", "time_min"],
        only=["original", "gold", *BASIC, "lotus"],
    )
    return compare(wanted, read, published)


def table7(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """Does RF-JSD tell what JSD tells? Their correlation over the methods of each benchmark."""
    return compare(Wanted("table7", ["table7"], ["pearson_r"]), read, published)


def classes(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """A whole class forgotten."""
    wanted = Wanted("classes", ["classes"], ["avg_gap", "jsd_e4", "time_min", *BEHIND[:4]])
    return compare(wanted, read, published)


def alpha_tuning(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """LoTUS's α: how steeply its temperature follows the accuracy gap."""
    wanted = Wanted(
        "alpha-tuning", ["alpha-tuning"], ["avg_gap", "jsd_e4", "rf_jsd_e4", "time_min"]
    )
    return compare(wanted, read, published)


def retain_fraction(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """How much of the retain set LoTUS needs; the numbers that the paper shows could not be read."""
    wanted = Wanted("retain-fraction", [], ["avg_gap", "jsd_e4", "time_min"])
    return compare(wanted, read, published)


def salun_lotus(read: Experiment, published: pd.DataFrame) -> pd.DataFrame:
    """SalUn's mask with LoTUS in place of random labels."""
    wanted = Wanted(
        "salun-lotus",
        ["table1"],
        ["avg_gap", "jsd_e4", "time_min"],
        only=["original", "gold", "lotus", "salun", "salun-lotus"],
    )
    return _where("salun-lotus", compare(wanted, read, published))


def _where(row: str, found: pd.DataFrame) -> pd.DataFrame:
    """Lines of the benchmarks that have a row."""
    places = found.loc[found["row"] == row, MODELS]
    return found.merge(places.drop_duplicates(), how="right")


@dataclass(frozen=True)
class Exhibit:
    """A table of the paper.

    Attributes:
        heading: its number and subject.
        submission: its number in the submission, whose tables the published reference was read from.
        make: its function.
        alias: a second name, as a target of the workflow.

    """

    heading: str
    submission: str
    make: Callable[[Experiment, pd.DataFrame], pd.DataFrame]
    alias: str = ""


EXHIBITS = {
    "table1": Exhibit("Table 1: ten per cent forgotten", "Table 1", table1),
    "table2": Exhibit(
        "Table 2: synthetic calibration", "not in it", table2, alias="synthetic-calibration"
    ),
    "table3": Exhibit("Table 3: half forgotten, strong baselines", "Table 2", table3),
    "table4": Exhibit("Table 4: ImageNet-1k", "Table 3", table4),
    "table5": Exhibit("Table 5: the accuracies behind Table 1", "Table 4", table5),
    "table6": Exhibit("Table 6: half forgotten, basic methods", "Table 5", table6),
    "table7": Exhibit("RF-JSD and JSD", "Table 6", table7, alias="correlation"),
    "classes": Exhibit("Class unlearning", "not numbered", classes, alias="class-unlearning"),
    "alpha-tuning": Exhibit("The choice of α", "not numbered", alpha_tuning),
    "retain-fraction": Exhibit("Share of the retain set", "not numbered", retain_fraction),
    "salun-lotus": Exhibit("SalUn with LoTUS", "not in it", salun_lotus),
}


def command(*items: str) -> str:
    """What runs items of the paper, at the paper's size."""
    return f"snakemake --configfile config/paper.yaml --cores all {' '.join(items)}"


@dataclass(frozen=True)
class Picture:
    """A figure of the paper, or of ours, as a target of the workflow.

    Attributes:
        kind: of the figures that it consists of.
        heading: its number, as far as it is known, and subject.
        shows: what the paper's shows, or what ours is for.
        is_ours: the paper has none like it.

    """

    kind: str
    heading: str
    shows: str
    is_ours: bool = False


PICTURES = {
    "streisand": Picture(
        "streisand",
        "Figure 7: Streisand effect",
        "The paper's shows prediction entropies of ResNet18 on CIFAR-100 (one seed) for original, gold, "
        "Random Labeling and LoTUS; original and gold are standardised set by set, the other two are not, "
        "so its panels cannot be compared with each other. Here all rows have the same scales.",
    ),
    "duplicates": Picture(
        "duplicates",
        "Figure 3: duplicates",
        "The paper's shows two pairs of MUFAC that are alike, one within the retain set and one across "
        "forget and retain set.",
    ),
    "class-distribution": Picture(
        "classes",
        "Figure 4: class distribution",
        "The paper's shows the number of images of each class in each part of cleaned MUFAC, every part "
        "sorted by itself under the names of one; here the classes have one order for all parts.",
    ),
    "similarity": Picture(
        "similarity",
        "Figure 5: forget and retain images",
        "The paper's shows how far perceptual hashes of forget and retain images lie apart, in MUFAC, "
        "CIFAR-10 and CIFAR-100.",
    ),
    "gradcam": Picture(
        "gradcam",
        "Grad-CAM of original, gold and unlearned models",
        "The published repository draws them for the class pizza of Tiny-ImageNet and ResNet18.",
    ),
    "jsd-bars": Picture(
        "jsd-bars",
        "JSD by method",
        "The published repository has such bars for its six benchmarks with 10 % forgotten.",
    ),
    "time-bars": Picture(
        "time-bars",
        "Time by method",
        "The published repository has such bars for its six benchmarks with 10 % forgotten.",
    ),
    "rf-jsd": Picture(
        "rf-jsd", "RF-JSD against JSD", "What the correlations of the paper are correlations of."
    ),
    "pareto": Picture("pareto", "Time against Avg Gap", "What time buys.", is_ours=True),
    "temperature": Picture(
        "temperature", "How LoTUS steers itself", "Temperature over the epochs.", is_ours=True
    ),
    "cost": Picture("cost", "What each method costs", "Time and memory.", is_ours=True),
    "ablation": Picture(
        "ablation",
        "What each published behaviour costs",
        "One behaviour of the published code at a time.",
        is_ours=True,
    ),
}


def write_exhibit(name: str, experiment: Path, published: Path, out: Path, record: Path) -> None:
    """Writes a table of the paper beside what was measured, as `out`.csv and `out`.tex, with its record.

    Args:
        name: which; see `EXHIBITS`.
        experiment: what `lotus describe` wrote.
        published: folder of the published reference.
        out: path without ending.

    Raises:
        LotusError: unknown name, a published file that is not as it should be, or a result that is
            absent.

    """
    if name not in EXHIBITS:
        raise LotusError(f"unknown item '{name}'; {choices(name, EXHIBITS)}")
    exhibit, read = EXHIBITS[name], read_experiment(experiment)
    numbers = exhibit.make(read, load_published(published))
    csv, tex = out.with_name(f"{out.name}.csv"), out.with_name(f"{out.name}.tex")
    write_text(csv, numbers.to_csv(index=False, lineterminator="\n"))
    write_text(tex, latex(exhibit.heading, numbers))
    write_record(
        record,
        kind="table",
        modules=[__name__],
        about={"item": name},
        settings={},
        inputs=[
            experiment,
            *sorted(published.glob("*.csv")),
            *read.results_of(read.labelled(name)),
        ],
        outputs=[csv, tex],
    )
