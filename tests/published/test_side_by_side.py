"""The paper's numbers beside measured ones: by hand-made metrics files, against closed forms."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from forked import planned
from hand_made import write_by_hand
from scores import row_of_metrics

from lotus.config.cells import Benchmark
from lotus.config.origins import Origin
from lotus.config.reading import load
from lotus.errors import LotusError
from lotus.published.counterparts import counterpart
from lotus.published.full_size import command
from lotus.published.numbers import load_published
from lotus.published.side_by_side import Wanted, compare, read_comparison
from lotus.results.experiment import Experiment
from lotus.results.quantities import measure
from lotus.tables.printed import by_benchmark, latex, panel_of
from lotus.tables.registry import PAPER_TABLES
from lotus.tables.write import write_paper_table

ROOT = Path(__file__).parents[2]
CIFAR = {"dataset": "cifar10", "architecture": "resnet18", "scenario": "instance-10"}
SEEDS = (3407, 13, 12)


@pytest.fixture(scope="module")
def published():
    return load_published(ROOT / "report/published")


def scores(forget=0.9, retain=1.0, test=0.9, mia=0.7, **others):
    given = {"accuracy_forget": forget, "accuracy_retain": retain, "accuracy_test": test}
    return row_of_metrics(**given, accuracy_val=test, mia_released_e6=mia, **others)


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """(cell's labels, protocol, published place, seed → rows) → an experiment of such cells on disk."""
    monkeypatch.chdir(tmp_path)

    def write(*cells):
        described = []
        for items, protocol, place, here, by_seed in cells:
            runs = {}
            for seed, rows in by_seed.items():
                folder = Path("results", here["dataset"], here["architecture"], f"seed{seed}")
                metrics = folder / here["scenario"] / protocol / "metrics.json"
                metrics.parent.mkdir(parents=True, exist_ok=True)
                about = {**here, "protocol": protocol}
                metrics.write_text(
                    json.dumps({**about, "seed": seed, "rows": rows, "predictions": {}})
                )
                runs[str(seed)] = {}
                for number, row in enumerate(rows):
                    run = metrics.parent / row
                    run.mkdir()
                    write_by_hand(
                        run / "run.json",
                        about={**about, "row": row, "seed": seed},
                        time={"train": 60.0 * (number + 1)},
                        notes={"minutes_released_r1": 100.0},
                    )
                    runs[str(seed)][row] = str(run)
            cell = {"protocol": protocol, "study": "", "measured": protocol, "published": place}
            described.append({**here, **cell, "items": items, "runs": runs})
        content = {"benchmarks": described, "ablations": [], "settings": {"seeds": list(SEEDS)}}
        Path("experiment.json").write_text(json.dumps(content))
        return Experiment(content)

    return write


def lotus_and_gold(lotus, gold):
    return {
        seed: {"original": scores(), "gold": mine, "lotus": theirs}
        for seed, theirs, mine in zip(SEEDS, lotus, gold, strict=True)
    }


def line_of(numbers, row, metric, **where):
    here = numbers[(numbers["row"] == row) & (numbers["metric"] == metric)]
    for key, value in where.items():
        here = here[here[key] == value]
    assert len(here) == 1
    return here.iloc[0]


def test_a_number_stands_beside_the_published_one(experiment, published):
    jsd = [0.00002, 0.00003, 0.00005]
    rows = lotus_and_gold([scores(jsd_released_e4=it) for it in jsd], [scores()] * 3)
    read = experiment((["table1"], "released", CIFAR, CIFAR, rows))
    numbers = compare(Wanted("table1", ["table1"], ["jsd_e4"]), read, published)
    line = line_of(numbers, "lotus", "jsd_e4", dataset="cifar10", architecture="resnet18")
    assert (line["published"], line["published_std"]) == (0.30, 0.04)
    mean, std = np.mean([0.2, 0.3, 0.5]), np.std([0.2, 0.3, 0.5], ddof=1)
    assert line["released"] == pytest.approx(mean)
    assert line["released_std"] == pytest.approx(std)
    assert line["released_difference"] == pytest.approx(mean - 0.30)
    # Student's t with 2 degrees of freedom has a closed form; the spread is that of two means of three.
    t = 0.95 / np.sqrt(2 * 0.975 * 0.025)
    half = t * std * np.sqrt(1 / 3 + 1 / 3)
    assert line["released_low"] == pytest.approx(mean - half)
    assert line["released_high"] == pytest.approx(mean + half)
    assert line["released_inside"] is True
    assert line["corrected_status"] == "not run"
    assert pd.isna(line["corrected"])
    assert (line["released_metric"], line["corrected_metric"]) == ("jsd_released_e3_e4", "")


def test_a_column_says_whose_metric_it_holds(experiment, published):
    rows = lotus_and_gold(
        [scores(jsd_released_e4=it) for it in (0.00002, 0.00003, 0.00005)], [scores()] * 3
    )
    metrics = ["avg_gap", "jsd_e4", "time_min", "gap_mia"]
    cells = [(["table1"], name, CIFAR, CIFAR, rows) for name in ("released", "corrected")]
    numbers = compare(Wanted("table1", ["table1"], metrics), experiment(*cells), published)
    lines = {metric: line_of(numbers, "lotus", metric, **CIFAR) for metric in metrics}
    held = {
        name: {metric: line[f"{name}_metric"] for metric, line in lines.items()}
        for name in ("released", "corrected")
    }
    # Models of either protocol are measured as the paper prints it; minutes are the protocol's own.
    both = {"avg_gap": "avg_gap_released_e3_e6", "jsd_e4": "jsd_released_e3_e4"}
    both["gap_mia"] = "gap of mia_released_e3_e6"
    assert held["released"] == {**both, "time_min": "minutes_released_r1"}
    assert held["corrected"] == {**both, "time_min": "minutes"}
    assert lines["jsd_e4"]["corrected"] == lines["jsd_e4"]["released"] == pytest.approx(1 / 3)
    assert lines["time_min"]["released"] == 100
    assert lines["time_min"]["corrected"] == 3


@pytest.mark.parametrize(
    ("values", "inside"),
    [([0.30, 0.30, 0.30], True), ([0.304, 0.304, 0.304], True), ([0.32, 0.32, 0.32], False)],
)
def test_the_interval_is_held_against_the_printed_number_with_its_rounding(
    experiment, published, values, inside
):
    rows = lotus_and_gold([scores(jsd_released_e4=it / 1e4) for it in values], [scores()] * 3)
    read = experiment((["table1"], "corrected", CIFAR, CIFAR, rows))
    numbers = compare(Wanted("table1", ["table1"], ["jsd_e4"]), read, published)
    line = line_of(numbers, "lotus", "jsd_e4", dataset="cifar10", architecture="resnet18")
    assert line["corrected_inside"] is inside


def test_gaps_that_are_0_in_the_mean_have_their_spread_all_the_same():
    lines, gaps = [], np.array([0.1, -0.1, 0.0])
    for seed, gap in zip(SEEDS, gaps, strict=True):
        for row, forget in [("original", 1.0), ("gold", 0.5), ("lotus", 0.5 + gap)]:
            about = {**CIFAR, "study": "", "protocol": "released", "seed": seed, "row": row}
            lines.append({**about, **scores(forget=forget), "collapsed": ""})
    times = pd.DataFrame(columns=["row", "seed", "seconds", "minutes_released_r1"])
    found = measure(pd.DataFrame(lines), times, True, ["gap_forget", "avg_gap"], {})
    for metric, parts in (("gap_forget", 1), ("avg_gap", 4)):
        assert found["lotus", metric].std == pytest.approx(gaps.std(ddof=1) / parts)


def test_the_published_avg_gap_is_one_of_rounded_means_with_an_interval_of_signed_gaps():
    # MIA: .7 against .6, .8, .61 → means .70 and .67; the others agree.
    lines = []
    for seed, gold in zip(SEEDS, [0.6, 0.8, 0.61], strict=True):
        for row, mia in [("original", 0.9), ("gold", gold), ("lotus", 0.7)]:
            about = {**CIFAR, "study": "", "protocol": "released", "seed": seed, "row": row}
            lines.append({**about, **scores(mia=mia), "collapsed": ""})
    frame = pd.DataFrame(lines)
    times = pd.DataFrame(
        {"row": [], "seed": [], "seconds": [], "minutes_released_r1": []}, dtype=float
    )
    found = measure(frame, times, True, ["avg_gap", "gap_mia"], {})
    gap = found["lotus", "avg_gap"]
    signed = np.array([0.1, -0.1, 0.09]) / 4
    assert gap.value == pytest.approx(0.03 / 4)
    assert gap.std == pytest.approx(signed.std(ddof=1))
    assert (gap.low + gap.high) / 2 == pytest.approx(signed.mean())
    assert found["lotus", "gap_mia"].value == pytest.approx(0.03)
    assert found["gold", "avg_gap"].value == 0


IMAGES = {"forget": 40, "retain": 400, "val": 50, "test": 100}
METRICS = ["avg_gap", "jsd_e4", "time_min", *("gap_forget", "gap_test", "accuracy_forget")]


def quantities_of_equal_seeds(images):
    """Of rows that are the same in every seed; LoTUS is .1 from gold in each term of Avg Gap."""
    lines, times = [], []
    rows = {"gold": scores(), "lotus": scores(0.8, 0.9, 0.8, 0.8, jsd_released_e4=3e-5)}
    for seed in SEEDS:
        for row, of in {"original": scores(), **rows}.items():
            about = {**CIFAR, "study": "", "protocol": "released", "seed": seed, "row": row}
            lines.append({**about, **of, "collapsed": ""})
            spent = {"seconds": 60.0, "minutes_released_r1": 1.0}
            times.append({"row": row, "seed": seed, **spent})
    return measure(pd.DataFrame(lines), pd.DataFrame(times), True, METRICS, images)


def test_equal_seeds_are_as_uncertain_as_the_steps_in_which_they_are_read():
    found = quantities_of_equal_seeds(IMAGES)
    # Two degrees of freedom, and means of three seeds.
    factor = 0.95 / np.sqrt(2 * 0.975 * 0.025) * np.sqrt(2 / 3)
    # Of 40 images an accuracy has steps of .025; of 100 and more, rounding (E3) leaves .01.
    deviations = {
        "accuracy_forget": 0.025 / np.sqrt(12),
        "gap_forget": 0.025 / np.sqrt(6),
        "gap_test": 0.01 / np.sqrt(6),
        "avg_gap": np.hypot(*[np.hypot(0.025, 0.01), np.hypot(0.025, 0.01)]) / 4 / np.sqrt(6),
        "jsd_e4": 0.01 / np.sqrt(12),
    }
    for metric, deviation in deviations.items():
        of = found["lotus", metric]
        assert (of.high - of.low) / 2 == pytest.approx(factor * deviation), metric
        assert (of.high + of.low) / 2 == pytest.approx(of.value), metric
        assert of.std == pytest.approx(0, abs=1e-12)


def test_equal_minutes_tell_nothing_of_their_spread():
    minutes = quantities_of_equal_seeds(IMAGES)["lotus", "time_min"]
    assert minutes.value == 1
    assert np.isnan([minutes.low, minutes.high]).all()


def test_gold_is_no_distance_from_itself_and_its_interval_has_no_width():
    found = quantities_of_equal_seeds(IMAGES)
    for metric in ("avg_gap", "jsd_e4", "gap_forget", "gap_test"):
        gold = found["gold", metric]
        assert (gold.value, gold.low, gold.high) == (0, 0, 0)
    # Its accuracy is a number as any other.
    assert found["gold", "accuracy_forget"].low < 0.9 < found["gold", "accuracy_forget"].high


def test_minutes_are_stated_as_each_protocol_has_them(experiment, published):
    rows = lotus_and_gold([scores()] * 3, [scores()] * 3)
    read = experiment(
        (["table1"], "corrected", None, CIFAR, rows), (["table1"], "released", None, CIFAR, rows)
    )
    numbers = compare(Wanted("table1", [], ["time_min"]), read, published)
    line = line_of(numbers, "lotus", "time_min")
    assert (line["corrected"], line["released"]) == (3.0, 100.0)
    assert not line["of_paper"]
    assert pd.isna(line["published"])


def test_what_has_no_number_says_why(experiment, published):
    fallen = scores(jsd_released_e4=1e-4, collapsed="weights not finite")
    rows = lotus_and_gold([scores(jsd_released_e4=1e-4), fallen, fallen], [scores()] * 3)
    one = {seed: of | {"finetune": scores()} for seed, of in rows.items()}
    read = experiment((["table1"], "corrected", CIFAR, CIFAR, one))
    numbers = compare(Wanted("table1", ["table1"], ["jsd_e4"]), read, published)
    place = {"dataset": "cifar10", "architecture": "resnet18"}
    assert (
        line_of(numbers, "lotus", "jsd_e4", **place)["corrected_status"]
        == "collapsed in 2 of 3 seeds (13 and 12)"
    )
    assert line_of(numbers, "finetune", "jsd_e4", **place)["corrected_status"] == "undefined"
    assert line_of(numbers, "scrub", "jsd_e4", **place)["corrected_status"] == "not run"
    other = line_of(numbers, "lotus", "jsd_e4", dataset="cifar100", architecture="vit")
    assert other["corrected_status"] == other["released_status"] == "not run"


def test_one_seed_has_no_interval(experiment, published):
    rows = {13: lotus_and_gold([scores(jsd_released_e4=3e-5)] * 3, [scores()] * 3)[13]}
    read = experiment((["table1"], "released", CIFAR, CIFAR, rows))
    numbers = compare(Wanted("table1", ["table1"], ["jsd_e4"]), read, published)
    line = line_of(numbers, "lotus", "jsd_e4", dataset="cifar10", architecture="resnet18")
    assert line["released"] == pytest.approx(0.3)
    assert pd.isna(line["released_inside"])


def test_the_published_correlation_is_over_the_means_of_rows_with_gold(experiment, published):
    values = {"lotus": (1, 2), "finetune": (3, 3), "scrub": (2, 5)}
    rows = {
        seed: {
            "original": scores(jsd_released_e4=9e-4, rf_jsd_released_e4=0.0),
            "gold": scores(rf_jsd_released_e4=1e-4),
            **{
                row: scores(jsd_released_e4=x * 1e-4, rf_jsd_released_e4=y * 1e-4)
                for row, (x, y) in values.items()
            },
        }
        for seed in SEEDS
    }
    read = experiment((["table7"], "released", CIFAR, CIFAR, rows))
    numbers = PAPER_TABLES.spec("table7").numbers(read, published)
    line = line_of(
        numbers,
        "all-methods",
        "pearson_r",
        architecture="resnet18",
        scenario="instance-10",
        dataset="cifar10",
    )
    expected = np.corrcoef([0, 1, 3, 2], [1, 2, 3, 5])[0, 1]
    assert line["released"] == pytest.approx(expected)
    assert line["published"] == 0.90


@pytest.mark.parametrize("name", PAPER_TABLES.names)
def test_an_item_that_did_not_run_shows_the_published_numbers_alone(experiment, published, name):
    read = experiment()
    numbers = PAPER_TABLES.spec(name).numbers(read, published)
    assert set(numbers["released_status"]) | set(numbers["corrected_status"]) <= {"not run"}
    assert len(numbers) or name == "retain-fraction"
    assert numbers["published"].notna().all()
    for panel in map(panel_of, by_benchmark(numbers)):
        assert panel.columns == ["published"]
        assert not panel.ran
    assert latex("It", numbers)


def test_an_item_is_written_and_read_back(experiment, published, tmp_path):
    rows = lotus_and_gold([scores(jsd_released_e4=3e-5)] * 3, [scores()] * 3)
    experiment((["table1"], "released", CIFAR, CIFAR, rows))
    out, record = tmp_path / "results/paper/table1", tmp_path / "record.json"
    write_paper_table("table1", Path("experiment.json"), ROOT / "report/published", out, record)
    numbers = read_comparison(out.with_name("table1.csv"))
    (panel,) = [p for p in map(panel_of, by_benchmark(numbers)) if p.ran]
    assert panel.columns == ["published", "released"]
    (cells,) = [cells for name, cells in panel.rows if name == "LoTUS"]
    jsd = cells[2:4]
    assert [cell.text for cell in jsd] == ["0.30 ± 0.04", "0.30 ± 0.00"]
    assert jsd[1].kind == "inside"
    read = json.loads(record.read_text())["inputs"]
    assert sum(path.endswith("metrics.json") for path in read) == 3
    assert "\\pm" in out.with_name("table1.tex").read_text()
    with pytest.raises(LotusError, match="unknown item 'table9'; did you mean"):
        write_paper_table("table9", Path("experiment.json"), ROOT / "report/published", out, record)
    out.with_name("table1.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LotusError, match="not a table of"):
        read_comparison(out.with_name("table1.csv"))


def settings_of(changes=()):
    content = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    for path, value in changes:
        node = content
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = value
    return load(content, [Origin("paper.yaml", content)])


def test_every_benchmark_of_the_paper_has_its_cell_in_the_papers_configuration(published):
    from lotus.config.resolved import benchmarks

    settings = settings_of()
    found = {tuple((counterpart(settings, cell) or {}).values()) for cell in benchmarks(settings)}
    printed = published[published["dataset"] != "all"]
    assert (
        set(zip(printed["dataset"], printed["architecture"], printed["scenario"], strict=True))
        <= found
    )


@pytest.mark.parametrize(
    "change",
    [
        (["architectures", "resnet18", "width"], 16),
        (["datasets", "cifar10", "store"], {"limit": 100}),
        (["datasets", "cifar10", "store"], {"source": "fashion-mnist"}),
        (["scenarios", "instance-10", "forget_rule"], "random"),
        (["limit"], 100),
    ],
)
def test_a_smaller_or_other_benchmark_is_none_of_the_papers(change):
    name = "cifar10-limit100" if change[0] == ["limit"] else "cifar10"
    assert counterpart(settings_of([change]), Benchmark(name, "resnet18", "instance-10")) is None


def test_the_command_that_the_report_gives_is_understood_by_snakemake():
    program, *words = shlex.split(command("table4", "salun-lotus"))
    assert program == "snakemake"
    jobs = planned(ROOT, *words)
    # Three seeds: ImageNet without gold; augmented Tiny-ImageNet, read under two protocols.
    found = {rule: jobs[rule] for rule in ("pretrain_original", "retrain_gold", "make_exhibit")}
    assert found == {"pretrain_original": 9, "retrain_gold": 6, "make_exhibit": 2}
