"""What the page says beside a verdict of the power of its measures."""

import json
import re
from pathlib import Path

import pytest
from commands import call
from valid_files import power

from lotus import layout
from lotus.certificate.measured import strength
from lotus.certificate.numbers import Numbers
from lotus.config.cells import Benchmark
from lotus.page.power_part import PowerPart
from lotus.records.record import write_record
from lotus.results.metrics_file import read_metrics
from lotus.results.power import GROUPS, Tried, power_file, power_name, read_tried
from lotus.results.titles import benchmark_title

ABOUT = {"dataset": "data", "architecture": "resnet18", "scenario": "instance-10"}
HERE = benchmark_title(**ABOUT)


def part(protocol="corrected", **alarms):
    """Measures that raise alarm on so many of ten models to which nothing was done, and on no gold."""
    return PowerPart({protocol: tried_of(protocol, **alarms)})


def tried_of(protocol, **alarms):
    p = {
        measure: {
            **{group: [1.0] * 10 for group in GROUPS},
            "nothing": [0.05] * count + [1.0] * (10 - count),
        }
        for measure, count in alarms.items()
    }
    return Tried(ABOUT | {"protocol": protocol}, 0.05, {name: name for name in alarms}, p)


def finding(*metrics, benchmark=HERE):
    return {"benchmark": benchmark, "measures": list(metrics)}


def ruling(*findings, protocol="corrected"):
    return {"protocol": protocol, "findings": findings}


def test_a_measure_that_cannot_tell_is_named_beside_the_verdict():
    tried = part(avg_gap=10, jsd=2)
    assert tried.note(finding("avg_gap"), "corrected") == ""
    assert tried.note(finding("jsd"), "corrected") == (
        "JSD cannot tell doing nothing from gold here: it raises alarm on 2 of 10 models to which nothing "
        "was done."
    )


def test_elsewhere_its_power_is_not_known():
    tried = part(avg_gap=10)
    unknown = "Whether {} would notice here that nothing was done is not known."
    assert tried.note(finding("avg_gap"), "released") == unknown.format("Avg Gap")
    other = finding("avg_gap", "jsd", benchmark="another")
    assert tried.note(other, "corrected") == unknown.format("Avg Gap and JSD")
    assert tried.note(finding("jsd"), "corrected") == unknown.format("JSD")
    assert PowerPart().note(finding("avg_gap"), "corrected") == unknown.format("Avg Gap")


def test_each_protocol_is_judged_by_what_was_tried_in_its_conventions():
    both = PowerPart(
        {"corrected": tried_of("corrected", jsd=10), "released": tried_of("released", jsd=3)}
    )
    assert both.where == HERE
    assert both.tables == ["power", "power-released"]
    assert both.note(finding("jsd"), "corrected") == ""
    assert "on 3 of 10 models" in both.note(finding("jsd"), "released")
    assert both.in_short(ruling(finding("jsd"))) == ""
    assert both.in_short(ruling(finding("jsd"), protocol="released")).startswith("JSD cannot tell")


def test_a_verdict_of_times_rests_on_no_measure():
    assert part(avg_gap=0).note(finding(), "corrected") == ""


def test_a_claim_about_a_correlation_rests_on_both_of_its_measures():
    both = finding("jsd", "rf_jsd")
    assert part(jsd=10, rf_jsd=9).note(both, "corrected") == ""
    said = part(jsd=2, rf_jsd=9).note(both, "corrected")
    assert said.startswith(
        "JSD cannot tell doing nothing from gold here: it raises alarm on 2 of 10 "
    )
    unknown = "Whether JSD and RF-JSD would notice here that nothing was done is not known."
    assert PowerPart().note(both, "corrected") == unknown


def test_in_short_only_measures_that_cannot_tell_are_named():
    tried = part(avg_gap=10, jsd=2, rf_jsd=1)
    here, there = finding("jsd"), finding("jsd", benchmark="another")
    assert tried.in_short(ruling(here)) == "JSD cannot tell doing nothing from gold."
    assert (
        tried.in_short(ruling(here, there, finding("rf_jsd", "avg_gap")))
        == f"JSD and RF-JSD cannot tell doing nothing from gold on {HERE}."
    )
    for silent in (
        ruling(finding("avg_gap")),
        ruling(there),
        ruling(here, protocol="released"),
        ruling(finding("mia")),
        ruling(),
    ):
        assert tried.in_short(silent) == ""
    assert PowerPart().in_short(ruling(here)) == ""


DIGITS = ABOUT | {"dataset": "digits"}


@pytest.fixture
def page(write_again):
    """The page of the quick check, with made-up findings of `snakemake power` under its two protocols."""
    for protocol in ("corrected", "released-e1"):
        file, name = power_file(protocol), power_name(protocol)
        file.parent.mkdir(exist_ok=True)
        about = DIGITS | {"protocol": protocol}
        content = power() | {"about": about}
        # Shadow models say nothing of the quick check's, which has none.
        content["measures"]["u-lira"] = content["measures"]["jsd"] | {"label": "U-LiRA"}
        file.write_text(json.dumps(content))
        told = {"modules": [], "about": about, "settings": {}, "inputs": [], "outputs": [file]}
        write_record(layout.record_of(file), kind="power", **told)
        for form in ("table", "figure"):
            made, record = f"results/{form}s/{name}", f"results/records/{form}s/{name}.{form}.json"
            assert call(form, "power", file, "--out", made, "--record", record).exit_code == 0
    described = Path("results/experiment.json")
    content = json.loads(described.read_text())
    content["settings"]["power"] = {**DIGITS, "protocols": None}
    described.write_text(json.dumps(content))
    return write_again().read_text()


def test_what_was_tried_is_seen_and_its_links_lead_somewhere(page):
    for name in ("power", "power-released-e1"):
        assert f'<figure id="figure-{name}"' in page
        assert f'href="../tables/{name}.csv"' in page
    ids = {*re.findall(r' id="([^"]+)"', page)}
    assert [link for link in re.findall(r'href="#([^"]+)"', page) if link not in ids] == []
    cell = Benchmark(**DIGITS, protocol="released-e1")
    rows = read_metrics(layout.metrics_file(cell, 13))["rows"]
    numbers = Numbers(rows, {}, read_tried(cell.protocol))
    strong = strength(numbers, cell, "lotus")
    assert [check["label"] for check in strong["checks"]] == ["JSD"]
    other = strength(Numbers(rows, {}, None), cell.under("released"), "lotus")
    assert "as `snakemake power` does under 'released'" in other["unknown"]
