"""What the published numbers show by themselves, and what is printed of the effects of switches."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from lotus.claims.behaviours_in_print import SIGNS, signs
from lotus.cli.main import main
from lotus.config.register import REGISTER
from lotus.errors import LotusError
from lotus.layout import GOLD, ORIGINAL
from lotus.published.numbers import load_published
from lotus.results.ablation import CHANGES
from lotus.tables.effects import effects

PUBLISHED = Path(__file__).parents[2] / "report" / "published"
PLACE = {"dataset": "cifar10", "architecture": "resnet18", "scenario": "instance-10"}


@pytest.fixture(scope="module")
def published():
    return load_published(PUBLISHED)


def printed(rows, **place):
    """Published numbers: metrics, or pairs of mean and deviation, by row."""
    lines = [
        {
            **{**PLACE, **place},
            **{"item": "table5", "row": row, "metric": metric, "preferred": True},
            **dict(zip(("mean", "std"), paired(value), strict=True)),
        }
        for row, values in rows.items()
        for metric, value in values.items()
    ]
    return pd.DataFrame(lines)


def paired(value):
    return value if isinstance(value, tuple) else (value, 0.0)


def model(mia, forget, retain, test, **others):
    names = ("mia", "accuracy_forget", "accuracy_retain", "accuracy_test")
    return {**dict(zip(names, (mia, forget, retain, test), strict=True)), **others}


def first_line(frame, name):
    return signs(frame, [name])[0]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("M1", "in 12 of 12 benchmarks"),
        ("M2", "in 13 of 13 benchmarks"),
        ("M3", "in 8 of 12 benchmarks"),
        ("E1", "15 of 30 with BatchNorm (ResNet18), 0 of 36 without (ViT)"),
        ("E1", "rows left in eval mode: 0 of 19 and 0 of 22"),
        ("E3", "151 of 151 Avg Gaps"),
        ("E4", "in 35 of 101 rows it exceeds ln 2 = 0.693"),
        ("rf-jsd", "in 8 of 11 benchmarks"),
        ("rf-jsd-classes", "in 4 of 4 benchmarks"),
        ("correlation", "that with gold in 11 of 11 benchmarks"),
    ],
)
def test_the_published_numbers_show(published, name, found):
    assert found in first_line(published, name)


def test_every_sign_is_of_a_switch_or_has_a_name_of_its_own(published):
    assert {name for name in SIGNS if name.isupper()} <= set(REGISTER)
    lines = signs(published)
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(SIGNS)
    with pytest.raises(LotusError, match=r"no sign 'M11'.*M1"):
        signs(published, ["M11"])


@pytest.mark.parametrize(("retain", "count"), [(0.99, 1), (0.98, 0)])
def test_a_row_is_the_originals_within_a_hundredth(retain, count):
    rows = {ORIGINAL: model(0.9, 1, 1, 0.9), "scrub": model(0.9, 1, retain, 0.9)}
    assert f"in {count} of 1 benchmarks" in first_line(printed(rows), "M1")


@pytest.mark.parametrize(("ascended", "count"), [(0.96, 0), (0.97, 1), (0.98, 1)])
def test_ascent_lowers_forget_accuracy(ascended, count):
    rows = {
        "finetune": model(0.9, 0.97, 1, 0.9),
        "neggrad-plus": model(0.9, ascended, 1, 0.9),
    }
    assert f"in {count} of 1 benchmarks" in first_line(printed(rows), "M2")


@pytest.mark.parametrize(
    ("mia", "count"),
    [
        ((0.0, 0.0), 1),
        ((0.33, 0.58), 1),
        ((0.67, 0.58), 1),
        ((1.0, 0.0), 1),
        ((0.33, 0.31), 0),
        ((0.5, 0.0), 0),
    ],
)
def test_seeds_of_0_and_1_are_told_by_mean_and_deviation(mia, count):
    rows = {ORIGINAL: model(0.9, 1, 1, 0.9), "unsir": model(mia, 1, 0.4, 0.3)}
    line = first_line(printed(rows), "E1")
    assert f"left in train mode: {count} of 1 with BatchNorm (ResNet18), 0 of 0" in line
    # Where a class is forgotten an MIA of 0 says nothing.
    of_class = first_line(printed(rows, scenario="class-cat"), "E1")
    assert "left in train mode: 0 of 0" in of_class


def test_scaling_gives_the_mean_ag(published):
    (line,) = [
        line
        for line in signs(published, ["E4"])
        if line.startswith("    cifar100, ResNet18, instance-10")
    ]
    assert line.split()[3:6] == ["5000", "1.29", "0.645"]


def test_doing_nothing_by_hand():
    rows = {
        ORIGINAL: model(0.9, 1.0, 1.0, 0.9),
        GOLD: model(0.8, 0.9, 1.0, 0.9, avg_gap=0.0),
        "lotus": model(0.8, 0.9, 1.0, 0.9, avg_gap=0.0125),
        "ssd": model(0.8, 0.9, 1.0, 0.9, avg_gap=0.0225),
    }
    line = signs(printed(rows), ["doing-nothing"])[-1]
    assert line.split()[3:] == ["0.0500", "0.0125", "0.0225", "SSD"]


def test_one_run_apart_from_the_others():
    # 0.96, 0.96, 0.00: mean .64, deviation .554.
    rows = {"random-labeling": model(0.5, 0.6, (0.64, 0.554), 0.6)}
    assert signs(printed(rows), ["seeds"])[-1].split()[-3:] == ["0.00,", "0.96", "–"]


# What switches change


def line_of(switch, row, **numbers):
    return {**PLACE, "switch": switch, "row": row, "n": 2, "collapsed": 0, **numbers}


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        numbers = {f"{m}_{of}": None for m in CHANGES for of in ("corrected", "switched")}
        numbers |= {f"{m}_{of}": None for m in CHANGES for of in ("change", "change_std")}
        frame = pd.DataFrame([{**numbers, "jsd_switched_mean_ag": None, **line} for line in lines])
        frame.to_csv(tmp_path / "ablation.csv", index=False)
        return tmp_path / "ablation.csv"

    return write


def changed(value, spread):
    return {"avg_gap_corrected": 0.1, "avg_gap_change": value, "avg_gap_change_std": spread}


def test_effects_state_change_and_deviation(table):
    path = table(line_of("M1", "scrub", **changed(0.0226, 0.0199)))
    place, about, heads, line = effects(path)
    assert place == "cifar10, ResNet18, instance-10"
    assert about == f"  M1  SCRUB: {REGISTER['M1'].released}"
    assert heads.split() == ["seeds", "Avg", "Gap"]
    assert line.split() == ["SCRUB", "2", "+0.023", "±", "0.020"]


def test_effects_of_e4_have_no_common_unit(table):
    numbers = {"jsd_corrected": 0.1, "jsd_switched": 0.003, "jsd_switched_mean_ag": 0.12}
    lines = effects(table(line_of("E4", "lotus", **numbers)))
    assert lines[-1].split() == ["LoTUS", "2", "0.100", "30.00", "0.120"]


def test_effects_of_chosen_switches(table):
    path = table(
        line_of("M1", "scrub", **changed(0.1, 0)),
        {**line_of("M2", "neggrad-plus", **changed(0.2, 0)), "collapsed": 1},
    )
    assert effects(path, ["M2"])[-1].split() == ["NegGrad+", "2", "collapsed", "in", "1"]
    assert len(effects(path)) == 7
    with pytest.raises(LotusError, match=r"ablation\.csv: the switch 'M3' was not tried.*M1, M2"):
        effects(path, ["M3"])


def test_effects_say_so_where_every_row_has_collapsed(table):
    fallen = {**line_of("M4", "unsir"), "collapsed": 1}
    assert effects(table(fallen))[-1].split() == ["UNSIR", "2", "collapsed", "in", "1"]


def test_another_table_is_refused(tmp_path):
    (tmp_path / "summary.csv").write_text("dataset,row\ncifar10,lotus\n")
    with pytest.raises(
        LotusError, match=r"summary\.csv: is not the table 'ablation': it lacks .*switch"
    ):
        effects(tmp_path / "summary.csv")


def test_commands_print_the_same(table, published):
    path = table(line_of("M1", "scrub", **changed(0.1, 0)))
    for arguments, lines in (
        (["effects", str(path)], effects(path)),
        (["signs", str(PUBLISHED), "--of", "M1"], signs(published, ["M1"])),
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0
        assert result.output.splitlines() == lines
