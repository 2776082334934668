"""docs/own-figure.md, done word by word: a figure in one file."""

import json


def test_it_is_drawn_and_nothing_else_is_made_for_it(extended):
    _, noted = extended
    before, jobs = noted["claim"], noted["figure"]
    assert jobs["draw_figure"] == jobs["write_report"] == jobs["describe_experiment"] == 1
    assert not {"make_table", "evaluate", "unlearn", "average_metrics"} & jobs.keys()
    assert not {"draw_figure", "describe_experiment"} & before.keys()


def test_its_target_makes_it_alone(extended):
    _, noted = extended
    assert noted["figure alone"]["draw_figure"] == 1
    assert not {"write_report", "judge_claims", "make_table"} & noted["figure alone"].keys()


def test_it_stands_in_the_report(extended):
    folder, _ = extended
    for ending in ("svg", "pdf", "png"):
        assert (folder / f"results/figures/retain-forget.{ending}").stat().st_size
    page = (folder / "results/report/index.html").read_text()
    assert '<div class="entry" id="item-retain-forget">' in page
    assert "<h3>Retain accuracy against forget accuracy</h3>" in page
    assert '<figure id="figure-retain-forget"' in page
    assert 'id="lineage-figure-retain-forget"' in page
    assert "a mark for each model and seed." in page
    record = json.loads((folder / "results/records/figures/retain-forget.figure.json").read_text())
    assert record["code"]["entry"] == ["lotus.figures.retain_forget"]


def test_another_operator_makes_this_figure_and_what_shows_it(extended):
    _, noted = extended
    assert noted["done"] == {}
    assert noted["figure edited"] == {
        "draw_figure": 1,
        "write_report": 1,
        "seal_records": 1,
        "all": 1,
    }


def test_a_figure_that_cannot_be_used_is_refused_by_its_file(extended):
    _, noted = extended
    status, said = noted["refused"]
    assert status
    assert "lotus/figures/retain_forget.py: TypeError" in said
    assert "'lable'" in said
    assert "Traceback" not in said
