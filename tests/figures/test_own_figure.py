"""docs/own-figure.md, done word by word: a figure in one file."""

import json

from own_file import DIGITS, block, copy_of_finished, planned
from project import run

FILE = block("own-figure.md")


def test_a_figure_in_one_file(finished, tmp_path):
    folder = copy_of_finished(finished, tmp_path / "project")
    assert not planned(folder)
    file = folder / "lotus/figures/retain_forget.py"
    file.write_text(FILE)
    jobs = planned(folder)
    assert jobs["draw_figure"] == jobs["write_report"] == jobs["describe_experiment"] == 1
    assert not {"make_table", "evaluate", "unlearn", "average_metrics"} & jobs.keys()

    run(folder, "snakemake", "--cores", "2", *DIGITS)
    for ending in ("svg", "pdf", "png"):
        assert (folder / f"results/figures/retain-forget.{ending}").stat().st_size
    page = (folder / "results/report/index.html").read_text()
    assert 'id="item-retain-forget">Retain accuracy against forget accuracy</h3>' in page
    assert '<figure id="figure-retain-forget">' in page
    assert 'id="lineage-figure-retain-forget"' in page
    assert "a mark for each model and seed." in page
    record = json.loads((folder / "results/records/figures/retain-forget.figure.json").read_text())
    assert record["code"]["entry"] == ["lotus.figures.retain_forget"]
    assert not planned(folder)

    # Another operator: this figure and what shows it.
    file.write_text(FILE.replace("1.6 * COLUMN", "1.6 + COLUMN"))
    jobs = planned(folder)
    assert {**jobs, "total": 0} == {
        **{"draw_figure": 1, "write_report": 1, "seal_records": 1, "all": 1, "total": 0}
    }


def test_a_figure_that_cannot_be_used_is_refused_by_its_file(finished, tmp_path):
    folder = copy_of_finished(finished, tmp_path / "project")
    (folder / "lotus/figures/retain_forget.py").write_text(FILE.replace("label=", "lable="))
    done = run(folder, "snakemake", "--dry-run", *DIGITS, check=False)
    assert done.returncode
    assert "lotus/figures/retain_forget.py: TypeError" in done.stdout + done.stderr
    assert "'lable'" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
