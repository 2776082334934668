"""Commands that are asked nonsense refuse it in one line."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from nonsense import copy_of, exported, files_of, printable
from tiny import METRICS, ROWS, TABLE

from lotus.cli.main import main
from lotus.crate.project import configuration_files
from lotus.diff.loading import open_side
from lotus.errors import LotusError
from lotus.lineage import lookup
from lotus.runs.evaluation import evaluate_runs, rows_of

pytestmark = pytest.mark.usefixtures("no_repository")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": {"dataset": 3}}, "--labels: dataset: 3; accepted: text under dataset"),
        ({"labels": {"rows": "x"}}, "--labels: rows"),
        ({"out": Path("Snakefile/x.json")}, "Snakefile: cannot be written"),
        ({"record": Path("../m.json")}, "--record: ../m.json is the output itself"),
        ({"out": Path(ROWS["gold"], "predictions.npz")}, "holds the predictions of gold"),
        ({"files": {"original": Path("x"), "gold": Path("y")}}, "x: is not a file"),
        ({"files": {"gold": Path("y")}}, "predictions of original"),
        (
            {"files": {"original": Path("x"), "gold-again": Path("y")}},
            "--of: the row 'gold-again' is made",
        ),
        ({"golds": {"gold-again-1": Path("x")}}, "x: is not a file"),
        (
            {"golds": {"again": Path(ROWS["original"], "predictions.npz")}},
            "again: its predictions have no",
        ),
        (
            {
                "files": {row: Path(ROWS[row], "predictions.npz") for row in ("original", "lotus")},
                "golds": {"again": Path(ROWS["gold"], "predictions.npz")},
            },
            "--again: further golds are held against gold, which is missing",
        ),
    ],
)
def test_what_evaluate_is_asked_in_error(template, change, said):
    files = {row: Path(folder, "predictions.npz") for row, folder in ROWS.items()}
    asked = {"files": files, "labels": {}, "out": Path("../m.json"), "record": Path("../r.json")}
    with copy_of(template):
        before = files_of(Path())
        with pytest.raises(LotusError, match=said):
            evaluate_runs(seed=1, **{**asked, **change})
        assert files_of(Path()) == before
        assert not Path("../m.json").exists()


def test_a_row_is_given_once():
    pair = ("gold", Path("x"))
    assert rows_of([pair]) == {"gold": Path("x")}
    with pytest.raises(LotusError, match="row 'gold' is given twice"):
        rows_of([pair, pair])


def test_two_files_of_one_benchmark_are_not_compared(template):
    with copy_of(template):
        other = METRICS.replace("seed3", "seed4")
        Path(other).parent.mkdir(parents=True)
        shutil.copy(METRICS, other)
        with pytest.raises(LotusError, match="both say that they are of toy-net-instance-10"):
            open_side(".")


LONG, ESCAPE = "a" * 5000, "\x1b[31m"
ARGUMENTS = [
    *(["lineage", name] for name in (LONG, ESCAPE, "\0", "caf\udce9", "", "..", "/", ":", "::=")),
    *(
        ["lineage", f"{TABLE}:{cell}"]
        for cell in ("x:n", "lotus:x", "lotus:n:x=1", ESCAPE, "a:b:c")
    ),
    *(["lineage", TABLE, "--picture", name] for name in ("x.txt", "Snakefile/x.svg", "")),
    *(["diff", name] for name in (LONG, ESCAPE, "\0", "caf\udce9", "HEAD", "Snakefile")),
    *(["export-crate", "--out", name] for name in (LONG, "", "Snakefile/x", "results/x")),
    *(["seal", "--out", name] for name in (LONG, "", "Snakefile/x")),
    *([command, "--configfile", "lost"] for command in ("audit", "restore")),
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=range(len(ARGUMENTS)))
def test_arguments_that_mean_nothing(template, arguments):
    with copy_of(template):
        done = CliRunner().invoke(main, arguments)
        assert isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code in (1, 2)
        assert done.stdout == ""
        assert "Error: " in done.stderr
        if arguments[0] in ("lineage", "diff"):
            printable(done.stderr.partition("Error: ")[2])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a CSV table: it is empty"),
        ("a,a\n1,2\n", "a column occurs twice"),
        ("row,n\nlotus\n", "line 2: has 1 cells, but the table has 2 columns"),
        ('row,n\n"lotus,1\n', "not a CSV table"),
        ("row,n\nx,1\n", "no row 'lotus'"),
    ],
)
def test_tables_that_are_none(template, text, said):
    with copy_of(template):
        Path(TABLE).write_text(text)
        with pytest.raises(LotusError, match=said):
            lookup.look_up(f"{TABLE}:lotus:n")


def test_what_a_crate_is_not_made_of(template):
    with copy_of(template):
        for text in ("title: [1]", "authors: 5", "authors: [5]", "authors: [{x: y}]", "title: ''"):
            lines = Path(template, "CITATION.cff").read_text().splitlines()
            key = text.partition(":")[0]
            kept = [line for line in lines if not line.startswith(f"{key}:")]
            Path("CITATION.cff").write_text("\n".join([*kept, text]))
            with pytest.raises(LotusError, match=f"CITATION.cff: .*{key}"):
                exported(template)
    assert configuration_files(["../secret", "/etc/hostname", "a\0b"]) == []
