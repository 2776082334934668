"""Claims and their verdicts: both sides of every rule, and never more than was run."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from project import ROOT
from scipy import stats

from lotus.claims.as_printed import PRINTED_VERDICTS, as_printed, places_of
from lotus.claims.evidence import Distances, Evidence
from lotus.claims.judging import FAILS, HOLDS, NOT_RUN, OPEN, VERDICTS, judge_alike, judge_cell
from lotus.claims.overall import OTHER, PAPER, judge
from lotus.claims.stated import BASELINES, KINDS, Claim, _as_tuple, load_claims
from lotus.claims.verdicts import as_json, as_latex, as_table, read_verdicts, write_verdicts
from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.published.numbers import load_published
from lotus.records.files import write_json
from lotus.tables.exhibits import EXHIBITS, PICTURES, command

SEEDS = (12, 13, 3407)
CIFAR = ("cifar10", "resnet18", "instance-10")


@pytest.fixture(scope="module")
def published():
    return load_published(ROOT / "report" / "published")


@pytest.fixture(scope="module")
def claims():
    return {claim.id: claim for claim in load_claims(ROOT / "report" / "claims.yaml")}


def claim_of(rule, **more):
    content = {"id": "it", "says": "So it is.", "source": "here", "items": ["table1"], "rule": rule}
    return Claim.model_validate({**content, **more})


def rule_of(**rule):
    return claim_of(rule).rule


def cell(rows, protocol="corrected", where=CIFAR, published=None, items=("table1",), **more):
    """Rows → metric → a value for each seed; `time`: seconds; `collapsed`: seeds that did."""
    place = dict(zip(("dataset", "architecture", "scenario"), where, strict=True))
    seeds = more.get("seeds", SEEDS)
    frame, times = [], []
    for row, metrics in rows.items():
        fallen = metrics.get("collapsed", ())
        for number, seed in enumerate(seeds):
            about = {**place, "study": more.get("study", ""), "protocol": protocol, "seed": seed}
            given = {
                name: values[number]
                for name, values in metrics.items()
                if name not in ("time", "collapsed")
            }
            frame.append(
                {
                    **about,
                    "row": row,
                    **dict.fromkeys(registry.columns(), np.nan),
                    **given,
                    "same_as_original": False,
                    "collapsed": "near chance" if seed in fallen else "",
                }
            )
            seconds = metrics.get("time", [1.0] * len(seeds))[number]
            line = {**about, "row": row, "seconds": seconds, "minutes_released_r1": 7 * seconds}
            times.append(line)
    frame = pd.DataFrame(frame).astype(dict.fromkeys(registry.columns(), float))
    return Evidence(frozenset(items), published, "some data", frame, pd.DataFrame(times))


def gaps(**rows):
    """Avg Gaps by row, with a gold model."""
    return {"gold": {}, **{row.replace("_", "-"): {"avg_gap": v} for row, v in rows.items()}}


def against(*rivals, **more):
    return rule_of(kind="best", metric="avg_gap", among=list(rivals), **more)


AHEAD = {"lotus": (0.10, 0.20, 0.30), "scrub": (0.15, 0.26, 0.35), "ssd": (0.30, 0.41, 0.50)}


def test_best_holds_where_every_interval_lies_on_its_side():
    found = judge_cell(against("scrub", "ssd"), cell(gaps(**AHEAD)))
    assert found.verdict == HOLDS
    nearest = found.comparisons[0].advantage
    expected = stats.ttest_rel(AHEAD["scrub"], AHEAD["lotus"]).confidence_interval(0.95)
    assert (nearest.low, nearest.high) == pytest.approx((expected.low, expected.high))
    assert "SCRUB" in found.why


def test_best_is_told_by_pairs_not_by_means():
    """Between seeds the gap varies ten times as much as between the rows."""
    assert np.std(AHEAD["lotus"]) > 1.5 * np.mean(np.subtract(AHEAD["scrub"], AHEAD["lotus"]))
    shuffled = {**AHEAD, "scrub": AHEAD["scrub"][::-1]}
    assert judge_cell(against("scrub"), cell(gaps(**AHEAD))).verdict == HOLDS
    assert judge_cell(against("scrub"), cell(gaps(**shuffled))).verdict == OPEN


def test_best_fails_where_a_rival_is_better_at_its_share_of_the_error():
    # Differences −.05, −.05, −.06: t = −16, so p = .004: refuted against 2 rivals (.025), not 20 (.0025).
    rows = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.15, 0.25, 0.35)}
    found = judge_cell(against("scrub", "ssd"), cell(gaps(**rows, ssd=(0.9, 0.95, 1.0))))
    assert found.verdict == FAILS
    assert found.why.startswith("Better: SCRUB")
    many = {f"other-{n}": (0.9, 0.95, 1.0) for n in range(19)}
    wide = cell(gaps(**rows) | {row: {"avg_gap": v} for row, v in many.items()})
    assert judge_cell(against("scrub", *many), wide).verdict == OPEN


def test_second_best_needs_one_rival_fewer_and_more_certainty():
    rows = gaps(**AHEAD, unsir=(0.05, 0.16, 0.24))
    rivals = ("scrub", "ssd", "unsir")
    assert judge_cell(against(*rivals), cell(rows)).verdict == FAILS
    found = judge_cell(against(*rivals, rank=2), cell(rows))
    assert found.verdict == HOLDS
    assert {each.advantage.level for each in found.comparisons} == {0.975}
    two_better = gaps(**AHEAD, unsir=(0.05, 0.155, 0.245), salun=(0.05, 0.155, 0.245))
    assert judge_cell(against(*rivals, "salun", rank=2), cell(two_better)).verdict == FAILS


def test_ties_share_the_first_place_but_are_not_smaller():
    tied = cell(gaps(lotus=(0.1, 0.2, 0.3), scrub=(0.1, 0.2, 0.3)))
    found = judge_cell(against("scrub"), tied)
    assert found.verdict == HOLDS
    assert "Equal in every seed: SCRUB" in found.why
    smaller = rule_of(kind="smaller", row="lotus", than="scrub", metric="avg_gap")
    assert judge_cell(smaller, tied).verdict == FAILS


def test_differences_without_spread_decide():
    constant = cell(gaps(lotus=(0.1, 0.2, 0.3), scrub=(0.2, 0.3, 0.4)))
    found = judge_cell(against("scrub"), constant)
    assert found.verdict == HOLDS
    assert "the same in each of 3 seeds" in found.why


def test_one_seed_tells_nothing():
    alone = cell(gaps(lotus=(0.1,), scrub=(0.9,)), seeds=(12,))
    found = judge_cell(against("scrub"), alone)
    assert found.verdict == OPEN
    assert "one seed" in found.why


def test_collapsed_rivals_are_beaten_and_a_collapsed_row_fails():
    rows = gaps(**AHEAD, unsir=(0.0, 0.0, 0.0))
    rows["unsir"]["collapsed"] = (13,)
    found = judge_cell(against("scrub", "unsir"), cell(rows))
    assert found.verdict == HOLDS
    assert "Collapsed, counted as beaten: UNSIR" in found.why
    rows["lotus"]["collapsed"] = (13,)
    found = judge_cell(against("scrub", "unsir"), cell(rows))
    assert (found.verdict, found.why) == (FAILS, "LoTUS collapsed in 1 of 3 seeds.")


def test_without_a_sound_gold_model_gaps_cannot_be_told():
    rows = gaps(**AHEAD)
    rows["gold"]["collapsed"] = (12,)
    assert "gold model collapsed in 1 of 3" in judge_cell(against("scrub"), cell(rows)).why
    del rows["gold"]
    found = judge_cell(against("scrub"), cell(rows))
    assert (found.verdict, found.why) == (OPEN, "no gold model was retrained.")


def test_missing_rivals_leave_it_open_or_refuted_but_never_held():
    found = judge_cell(against("scrub", "unsir"), cell(gaps(**AHEAD)))
    assert found.verdict == OPEN
    assert "Not run: UNSIR" in found.why
    rows = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.15, 0.25, 0.35)}
    assert judge_cell(against("scrub", "unsir"), cell(gaps(**rows))).verdict == FAILS
    assert judge_cell(against("unsir"), cell(gaps(**AHEAD))) is None


@pytest.mark.parametrize(
    ("faster", "verdict"),
    [((4, 6, 9), HOLDS), ((0.3, 0.35, 0.4), FAILS), ((0.5, 1.5, 2.5), OPEN)],
)
def test_times_are_compared_as_ratios(faster, verdict):
    lotus = np.array([1.0, 2.0, 4.0])
    rule = rule_of(kind="smaller", row="lotus", than="gold", metric="time")
    rows = {"lotus": {"time": lotus}, "gold": {"time": lotus * faster}}
    found = judge_cell(rule, cell(rows))
    assert found.verdict == verdict
    advantage = found.comparisons[0].advantage
    assert advantage.mean == pytest.approx(np.prod(faster) ** (1 / 3))
    released = judge_cell(rule, cell(rows, "released"))
    assert dict(released.comparisons[0].values)[12] == 7  # the published code's minutes


@pytest.mark.parametrize(
    ("change", "verdict"),
    [((0.0, 0.002, 0.001), HOLDS), ((0.05, 0.052, 0.051), FAILS), ((0.0, 0.03, 0.01), OPEN)],
)
def test_within_a_margin(change, verdict):
    other = np.array([0.1, 0.2, 0.3])
    rule = rule_of(kind="within", row="lotus", than="scrub", metric="avg_gap", margin=0.02)
    assert judge_cell(rule, cell(gaps(lotus=other + change, scrub=other))).verdict == verdict


def test_within_a_factor_and_with_accuracies_turned_round():
    other = np.array([0.1, 0.2, 0.3])
    rule = rule_of(kind="within", row="lotus", than="scrub", metric="jsd", factor=1.25)
    for factors, verdict in [((1.1, 1.12, 1.11), HOLDS), ((1.5, 1.51, 1.52), FAILS)]:
        rows = {"gold": {}, "lotus": {"jsd": other * factors}, "scrub": {"jsd": other}}
        assert judge_cell(rule, cell(rows)).verdict == verdict
    keeps = rule_of(kind="within", row="lotus", than="gold", metric="accuracy_test", margin=0.05)
    for lost, verdict in [(0.02, HOLDS), (0.08, FAILS), (-0.5, HOLDS)]:
        rows = {"gold": {"accuracy_test": other}, "lotus": {"accuracy_test": other - lost}}
        assert judge_cell(keeps, cell(rows)).verdict == verdict


@pytest.mark.parametrize(
    ("above", "lotus_does_not", "it_does"),
    [
        ((0.12, 0.11, 0.10), HOLDS, FAILS),
        ((0.5, 0.52, 0.51), FAILS, HOLDS),
        ((0.1, 0.4, 0.2), OPEN, OPEN),
    ],
)
def test_streisand(above, lotus_does_not, it_does):
    rows = {
        "gold": {"ks_forget_above_test": (0.08, 0.07, 0.06)},
        "lotus": {"ks_forget_above_test": above},
    }
    for stands_out, verdict in [(False, lotus_does_not), (True, it_does)]:
        rule = rule_of(kind="streisand", row="lotus", stands_out=stands_out, margin=0.1)
        assert judge_cell(rule, cell(rows)).verdict == verdict


def test_correlation_by_its_bootstrap_interval():
    rng = np.random.default_rng(0)
    names = [f"method-{n}" for n in range(12)]
    jsd = rng.uniform(0.1, 0.5, size=(12, 3))
    rule = rule_of(kind="correlation", at_least=0.8)
    for noise, verdict in [(0.01, HOLDS), (1.0, FAILS), (0.09, OPEN)]:
        rf = jsd + noise * rng.normal(size=jsd.shape)
        rows = {name: {"jsd": a, "rf_jsd": b} for name, a, b in zip(names, jsd, rf, strict=True)}
        found = judge_cell(rule, cell(rows))
        assert found.verdict == verdict, (noise, found.why)
        assert dict(found.numbers)["points"] == 36
    assert judge_cell(rule, cell(gaps(**AHEAD))) is None


def test_alike_by_every_distance():
    near, far, crossing = (5, 5, 0, 0), (0, 2, 4, 4), (0, 10, 0, 0)
    audited = [Distances("a", near), Distances("b", far), Distances("c", crossing)]
    of = {each.dataset: each for each in audited}
    verdict = {
        (a, b): judge_alike(rule_of(kind="alike", dataset=a, than=[b]), [of[a], of[b]])[0].verdict
        for a, b in [("a", "b"), ("b", "a"), ("a", "c")]
    }
    assert verdict == {("a", "b"): HOLDS, ("b", "a"): FAILS, ("a", "c"): HOLDS}
    mixed = Distances("d", (6, 0, 0, 4))
    rule = rule_of(kind="alike", dataset="a", than=["d"])
    assert judge_alike(rule, [of["a"], mixed])[0].verdict == OPEN
    assert judge_alike(rule, [mixed]) == []


def rulings(claim, cells, published, audited=()):
    (found,) = judge([claim], cells, published, audited)
    return {(each.scope, each.protocol): each for each in found.rulings}


BEHIND = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.15, 0.25, 0.35)}
UNTOLD = {"lotus": (0.20, 0.30, 0.41), "scrub": (0.1, 0.35, 0.41)}


def two_places(first, second, where="every"):
    """A claim about two of the paper's benchmarks, and cells of those that are given."""
    claim = claim_of(
        {"kind": "best", "metric": "avg_gap", "among": ["scrub"]},
        places=["cifar10/resnet18/instance-10", "cifar100/resnet18/instance-10"],
        where=where,
    )
    places = (CIFAR, ("cifar100", *CIFAR[1:]))
    cells = [
        cell(gaps(**rows), where=place, published=place)
        for rows, place in zip((first, second), places, strict=True)
        if rows is not None
    ]
    return claim, cells


@pytest.mark.parametrize(
    ("first", "second", "every", "some"),
    [
        (AHEAD, AHEAD, HOLDS, HOLDS),
        (AHEAD, BEHIND, FAILS, HOLDS),
        (AHEAD, UNTOLD, OPEN, HOLDS),
        (AHEAD, None, OPEN, HOLDS),
        (BEHIND, None, FAILS, OPEN),
        (BEHIND, BEHIND, FAILS, FAILS),
        (UNTOLD, None, OPEN, OPEN),
        (None, None, NOT_RUN, NOT_RUN),
    ],
)
def test_over_benchmarks_never_more_than_was_run(published, first, second, every, some):
    for where, verdict in (("every", every), ("some", some)):
        found = rulings(*two_places(first, second, where), published)
        ruling = found[PAPER, "corrected"]
        assert ruling.verdict == verdict
        assert bool(ruling.command) == (first is None or second is None)
        assert found[PAPER, "released"].verdict == found[OTHER, "corrected"].verdict == NOT_RUN


def test_what_is_missing_is_said_with_the_command_that_runs_it(published):
    ruling = rulings(*two_places(AHEAD, None), published)[PAPER, "corrected"]
    assert "Of the paper's 2 benchmarks, 1 ran." in ruling.why
    assert ruling.command == command("table1")


def test_other_data_are_judged_apart_and_named(published):
    claim, _ = two_places(None, None)
    found = rulings(claim, [cell(gaps(**AHEAD), where=("x", "resnet18", "instance-10"))], published)
    assert found[PAPER, "corrected"].verdict == NOT_RUN
    other = found[OTHER, "corrected"]
    assert other.verdict == HOLDS
    assert other.why.startswith("On some data, not one of the paper's benchmarks:")
    elsewhere = claim.model_copy(update={"elsewhere": ("streisand",)})
    assert (
        rulings(elsewhere, [cell(gaps(**AHEAD))], published)[OTHER, "corrected"].verdict == NOT_RUN
    )


def test_protocols_are_judged_apart_in_their_own_conventions(published):
    """Under `released` Avg Gap is one between terms that are rounded to two decimals."""
    exact = {"accuracy_retain": (0.9, 0.9, 0.9), "accuracy_test": (0.8, 0.8, 0.8)}
    attack = {"mia_released_e6": (0.5, 0.5, 0.5)}
    rows = {
        "gold": {**exact, **attack, "accuracy_forget": (0.5, 0.5, 0.5)},
        "lotus": {**exact, **attack, "accuracy_forget": (0.5049, 0.5048, 0.5047)},
        "scrub": {**exact, **attack, "accuracy_forget": (0.52, 0.53, 0.525)},
    }
    claim, _ = two_places(None, None)
    found = rulings(claim, [cell(rows, "released")], published)[OTHER, "released"]
    (comparison,) = found.findings[0].comparisons
    assert dict(comparison.values) == dict.fromkeys(SEEDS, 0.0)
    assert dict(comparison.other_values)[12] == pytest.approx(0.005)


def test_claims_of_the_paper(claims):
    config = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    rows = {*config["methods"], "gold", "original"}
    assert len(claims) >= 20
    for claim in claims.values():
        rule = claim.rule.model_dump()
        named = [name for key in ("row", "among") for name in _as_tuple(rule.get(key, ()))]
        assert {*named} <= rows, claim.id
        assert {*claim.items} <= {*EXHIBITS, *PICTURES}, claim.id
        assert claim.words().endswith(".")
    assert {claim.rule.kind for claim in claims.values()} == set(KINDS)


def test_what_the_printed_numbers_say(claims, published):
    """Facts read by hand from the published tables."""
    said = {name: as_printed(claim, published) for name, claim in claims.items()}
    gap = said["nearest-to-gold"]
    assert (gap.verdict, gap.benchmarks) == (FAILS, 8)
    assert gap.exceptions == [
        "cleaned MUFAC, ResNet18, its forget set: LoTUS 0.1250; better: Bad Teacher 0.1025"
    ]
    assert len(gap.ties) == 2
    assert "CIFAR-10, ViT, 10 % forgotten: LoTUS 0.0050, as SCRUB" in gap.ties
    assert said["first-or-second"].verdict == HOLDS
    half = said["nearest-to-gold-half"]
    assert half.exceptions == [
        "CIFAR-10, ResNet18, 50 % forgotten: LoTUS 0.0650; better: Bad Teacher 0.0625"
    ]
    assert said["smallest-divergence"].verdict == said["fastest"].verdict == HOLDS
    assert said["imagenet"].verdict == said["faster-than-retraining"].verdict == HOLDS
    classes = said["nearest-to-gold-classes"]
    assert (classes.verdict, len(classes.exceptions)) == (FAILS, 1)
    assert "UNSIR 0.0575" in classes.exceptions[0]
    assert (said["rf-jsd-tracks-jsd"].verdict, said["rf-jsd-tracks-jsd"].benchmarks) == (HOLDS, 11)
    assert said["no-streisand"].verdict == "not printed"
    assert said["alpha-eight"].verdict == said["alpha-two"].verdict == HOLDS
    assert len(said["keeps-retain-accuracy"].exceptions) == 2


def test_smallest_is_no_matter_of_chance_in_print(claims, published):
    """Against an independent reading of the table."""
    lines = published[published["preferred"] & (published["item"] == "table1")]
    table = lines[lines["metric"] == "avg_gap"].pivot(
        index=["dataset", "architecture", "scenario"], columns="row", values="mean"
    )
    first = table["lotus"] <= table[[*BASELINES]].min(axis=1)
    assert list(table.index[~first]) == [("mufac-clean", "resnet18", "mufac-fixed")]
    assert set(places_of(claims["nearest-to-gold"], published)) == set(table.index)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ruel": {}}, "claim it: ruel: unknown key; did you mean 'rule'?"),
        ({"says": None}, "claim it: says = None: must be a valid string"),
        ({"rule": {"kind": "bset"}}, "claim it: rule.kind = 'bset': did you mean 'best'?"),
        ({"rule": {"kind": "best"}}, "claim it: rule.metric: is required"),
        ({"rule": {"kind": "best", "metric": "gap"}}, "rule.metric = 'gap': unknown metric"),
        (
            {"rule": {"kind": "best", "metric": "jsd", "rnak": 2}},
            "rule.rnak: unknown key; did you mean 'rank'?",
        ),
        ({"places": ["cifar10"]}, "accepted: DATASET/ARCHITECTURE/SCENARIO"),
        ({"where": "here"}, "where = 'here': must be 'every' or 'some'"),
        (
            {"rule": {"kind": "within", "row": "a", "than": "b", "metric": "jsd"}},
            "claim it: rule: accepted: one of margin and factor",
        ),
    ],
)
def test_a_mistaken_claim_is_told_in_one_line(tmp_path, change, said):
    good = {"id": "it", "says": "So.", "source": "here", "items": ["table1"]}
    good |= {"rule": {"kind": "best", "metric": "jsd"}}
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([{**good, **change}]))
    with pytest.raises(LotusError) as error:
        load_claims(path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_claims_have_names_of_their_own(tmp_path):
    good = {"id": "it", "says": "So.", "source": "here", "items": ["table1"]}
    good |= {"rule": {"kind": "best", "metric": "jsd"}}
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([good, good]))
    with pytest.raises(LotusError, match="claim it: id: stands twice"):
        load_claims(path)
    path.write_text("claims: {}")
    with pytest.raises(LotusError, match="accepted: a list of claims"):
        load_claims(path)
    with pytest.raises(LotusError, match="cannot be read"):
        load_claims(tmp_path / "none.yaml")


@pytest.fixture
def judged(claims, published):
    cells = [
        cell(gaps(**AHEAD), where=("x", "resnet18", "instance-10"), items=("table1", "table7")),
        cell(gaps(**BEHIND), "released", published=CIFAR),
    ]
    return judge(list(claims.values()), cells, published)


def test_the_vocabulary_is_closed_and_everything_can_be_written(judged):
    content = json.loads(json.dumps(as_json(judged), allow_nan=False))
    for claim in content["claims"]:
        assert claim["printed"]["verdict"] in PRINTED_VERDICTS
        assert [(r["scope"], r["protocol"]) for r in claim["rulings"]] == [
            ("paper", "released"),
            ("other", "released"),
            ("paper", "corrected"),
            ("other", "corrected"),
        ]
        for ruling in claim["rulings"]:
            assert ruling["verdict"] in VERDICTS
            assert all(each["verdict"] in VERDICTS for each in ruling["findings"])
            assert ruling["why"]
    table = as_table(judged)
    assert len(table) == 4 * len(content["claims"])
    assert "\\toprule" in as_latex(judged)


def test_the_page_says_every_verdict_in_words(judged):
    folder = ROOT / "report" / "page"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined
    )
    item = {"anchor": "table-claims", "files": [("CSV", "claims.csv")]}
    content = {"claims": as_json(judged), "claims_table": item, "paper_figures": []}
    content["paper_tables"] = [{"anchor": "item-table1", "heading": "Table 1"}]
    short, whole = (
        environment.get_template(name).render(**content)
        for name in ("verdicts.html.j2", "claims.html.j2")
    )
    for claim in content["claims"]["claims"]:
        assert f'href="#claim-{claim["id"]}"' in short
        assert f'id="claim-{claim["id"]}"' in whole
    assert "some data" in short
    assert "does not hold" in short
    assert command("table1") in whole
    assert '<a href="#item-table1">Table 1</a>' in whole


ROWS = {"original": 0.4, "gold": None, "lotus": 0.1, "scrub": 0.3}


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """An experiment on CIFAR-10 at full size whose second cell was not run; metrics and records on disk."""
    monkeypatch.chdir(tmp_path)
    runs = {str(seed): {row: f"results/runs/{seed}/{row}" for row in ROWS} for seed in SEEDS}
    place = {"dataset": "cifar10", "architecture": "resnet18", "scenario": "instance-10"}
    ran = {**place, "protocol": "corrected", "study": "", "measured": "corrected"}
    ran |= {"items": ["table1"], "published": place, "runs": runs}
    absent = {**ran, "architecture": "vit", "published": {**place, "architecture": "vit"}}
    for number, (seed, rows) in enumerate(runs.items()):
        for row, folder in rows.items():
            about = {**place, "protocol": "corrected", "row": row, "seed": int(seed)}
            record = {"about": about, "time": {"unlearn": 2.0 + number}, "notes": {}}
            write_json(Path(folder) / "run.json", record)
        scores = {
            row: {
                **dict.fromkeys(registry.columns()),
                "avg_gap": gap and gap + 0.01 * number,
                "same_as_original": False,
                "collapsed": "",
            }
            for row, gap in ROWS.items()
        }
        content = {**place, "protocol": "corrected", "seed": int(seed), "rows": scores}
        path = f"results/cifar10/resnet18/seed{seed}/instance-10/corrected/metrics.json"
        write_json(Path(path), {**content, "predictions": {}})
    settings = {"seeds": [*SEEDS], "scenarios": {"instance-10": {"forget_fraction": 0.1}}}
    described = {"settings": settings, "benchmarks": [ran, absent], "ablations": []}
    write_json(Path("results/experiment.json"), described)
    return Path("results/experiment.json")


def test_verdicts_of_what_was_run_are_written_with_their_sources(experiment, tmp_path):
    claim = {"id": "it", "says": "So it is.", "source": "here", "items": "table1"}
    claim |= {"rule": {"kind": "best", "metric": "avg_gap", "among": ["scrub"]}}
    Path("claims.yaml").write_text(yaml.safe_dump([claim]))
    out, table = Path("results/claims.json"), Path("results/timings/claims")
    published = ROOT / "report" / "published"
    write_verdicts(Path("claims.yaml"), published, experiment, out, table, Path("record.json"))
    (found,) = read_verdicts(out)["claims"]
    of = {(each["scope"], each["protocol"]): each for each in found["rulings"]}
    own = of["paper", "corrected"]
    assert own["verdict"] == OPEN  # 1 of 8
    assert [each["verdict"] for each in own["findings"]] == [HOLDS]
    assert of["paper", "released"]["verdict"] == NOT_RUN
    (comparison,) = own["findings"][0]["comparisons"]
    assert comparison["values"] == pytest.approx({"12": 0.1, "13": 0.11, "3407": 0.12})
    read = json.loads(Path("record.json").read_text())["inputs"]
    assert sum(name.endswith("metrics.json") for name in read) == len(SEEDS)
    assert sum(name.endswith("run.json") for name in read) == len(SEEDS) * len(ROWS)
    assert {"claims.yaml", "results/experiment.json"} < set(read)
    assert len(pd.read_csv("results/timings/claims.csv")) == 4


def test_other_files_are_no_verdicts(tmp_path):
    path = tmp_path / "claims.json"
    path.write_text("{}")
    with pytest.raises(LotusError, match="not the verdicts of `lotus claims`"):
        read_verdicts(path)
