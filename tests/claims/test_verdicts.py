"""Verdicts as they are written and shown."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hand_made import write_by_hand
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from judged_cells import AHEAD, BEHIND, CIFAR, SEEDS, cell, gaps
from project import ROOT

from lotus.claims.as_printed import PRINTED_VERDICTS
from lotus.claims.judging import HOLDS, NOT_RUN, OPEN, VERDICTS
from lotus.claims.overall import judge
from lotus.claims.verdicts import as_json, as_latex, as_table, read_verdicts, write_verdicts
from lotus.errors import LotusError
from lotus.metrics.base import registry
from lotus.page.power_part import PowerPart
from lotus.page.verdict_counts import verdict_counts
from lotus.published.full_size import command
from lotus.records.files import write_json
from lotus.wording import counted


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
    environment.globals["counted"] = counted
    item = {"anchor": "table-claims", "files": [("CSV", "claims.csv")]}
    content = {"claims": as_json(judged), "claims_table": item, "paper_figures": []}
    content |= {"headline": "Some are settled.", "power": PowerPart(), "power_caption": ""}
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


class Blind(PowerPart):
    """As if no measure could tell anything."""

    def in_short(self, ruling):
        return "This measure cannot tell." if ruling["findings"] else ""


def test_counts_and_glance_name_a_measure_that_cannot_tell(judged):
    folder = ROOT / "report" / "page"
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined
    )
    environment.globals["counted"] = counted
    claims = as_json(judged)
    content = {"claims": claims, "headline": "", "power": Blind(), "failed_runs": []}
    content |= {"counts": verdict_counts(claims, Blind()), "overview": {"ran": ""}, "title": ""}
    content |= {"is_own_model": False, "main_figure": None, "further": None}
    ran = [it for claim in claims["claims"] for it in claim["rulings"] if it["findings"]]
    assert ran
    for name in ("first_screen.html.j2", "verdicts.html.j2"):
        page = environment.get_template(name).render(**content)
        assert page.count("This measure cannot tell.") == len(ran), name


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
            write_by_hand(Path(folder) / "run.json", about=about, time={"unlearn": 2.0 + number})
        scores = {
            row: {
                **dict.fromkeys(registry.columns()),
                "avg_gap": gap and gap * (1 + 0.1 * number),
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
    assert own["findings"][0]["measures"] == ["avg_gap"]
    (comparison,) = own["findings"][0]["comparisons"]
    assert comparison["values"] == pytest.approx({"12": 0.1, "13": 0.11, "3407": 0.12})
    read = json.loads(Path("record.json").read_text())["inputs"]
    assert sum(name.endswith("metrics.json") for name in read) == len(SEEDS)
    assert sum(name.endswith("run.json") for name in read) == len(SEEDS) * len(ROWS)
    assert {"claims.yaml", "results/experiment.json"} < set(read)
    assert len(pd.read_csv("results/timings/claims.csv")) == 4


def test_other_files_are_no_verdicts(tmp_path):
    path = tmp_path / "claims.json"
    for content in ("{}", '{"format": 1, "claims": []}'):
        path.write_text(content)
        with pytest.raises(LotusError, match="not verdicts that `lotus claims` wrote in format 2"):
            read_verdicts(path)
