"""`lotus diff`: what moved, by how much, and which recorded change can explain it."""

import hashlib
import json
import shutil
import sys
from math import inf, sqrt

import pytest
from click.testing import CliRunner
from project import run

from lotus.cli import main
from lotus.config.cells import Benchmark
from lotus.diff import to_json
from lotus.diff import to_text as compare_text
from lotus.diff.changed_numbers import Model, compare_numbers, only_in, turns
from lotus.diff.compare import compare
from lotus.diff.loading import open_side
from lotus.errors import LotusError
from lotus.records import files, record
from lotus.records.files import write_json
from lotus.records.record import write_record
from lotus.records.seal import sealed

CELL = Benchmark("d", "net", "class-a")
SEEDS = (1, 2)
METRICS = ("accuracy_forget", "jsd", "rf_jsd")
ROWS = ("original", "gold", "ours", "theirs")


class Experiment:
    """A small project by hand: every number is made of what its steps are told, and recorded."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.monkeypatch = folder, monkeypatch
        self.data = "images"
        self.forget = "first"
        self.alpha = dict.fromkeys(ROWS, 1.0)
        self.effect = dict.fromkeys(ROWS, 0.0)
        self.code, self.metrics_code = dict.fromkeys(ROWS, "0"), "0"
        self.offset = 0.0
        self.torch = "2.0"
        self.seeds, self.rows = SEEDS, ROWS
        self.unfit = {}

    def write(self):
        self.folder.mkdir(exist_ok=True)
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            # These are slow, and nothing here rests on them.
            patch.setattr(record, "package_digest", lambda: "0")
            patch.setattr(record, "versions", dict)
            patch.setattr(record, "git_state", lambda: {"commit": "0" * 40, "dirty": False})
            self._step("results/d/store.json", "store", ["data/stores/d/source.json"], self.data)
            for seed in self.seeds:
                self._seed(seed)
        return self

    def _seed(self, seed):
        split = f"results/d/splits/seed{seed}/class-a.json"
        self._step(
            f"results/records/d/splits/seed{seed}/class-a.json",
            "forget-set",
            [split],
            f"{self.data} {self.forget} {seed}",
            ["data/stores/d/source.json"],
            about={"dataset": "d", "seed": seed},
            settings={"rule": self.forget},
            notes={"digest": hashlib.sha256(self.forget.encode()).hexdigest()},
        )
        predictions = {row: self._run(row, seed, split) for row in self.rows}
        path = f"results/d/net/seed{seed}/class-a/corrected/metrics.json"
        rows = {row: self.scores(row, seed) for row in self.rows}
        content = {
            **CELL.labels,
            "seed": seed,
            "rows": rows,
            "predictions": {
                row: {"path": of, "sha256": files.sha256(self.folder / of)}
                for row, of in predictions.items()
            },
        }
        self._step(
            path.replace("results/", "results/records/"),
            "metrics",
            [path],
            json.dumps(content),
            list(predictions.values()),
            about={**CELL.labels, "seed": seed},
            settings={"rows": list(self.rows)},
            modules={"lotus.runs.evaluation": self.metrics_code},
        )

    def _run(self, row, seed, split):
        original = f"results/d/net/seed{seed}/original/corrected"
        folder = (
            original if row == "original" else f"results/d/net/seed{seed}/class-a/corrected/{row}"
        )
        read = ["data/stores/d/source.json"]
        read += [] if row == "original" else [split]
        read += [] if row in ("original", "gold") else [f"{original}/model.safetensors"]
        text = " ".join((self.folder / path).read_text() for path in read)
        # As real runs do; it differs with each repetition, by its times.
        read += [] if row in ("original", "gold") else [f"{original}/run.json"]
        about = {**CELL.labels, "row": row, "seed": seed}
        if row == "original":
            del about["scenario"]
        self._step(
            f"{folder}/run.json",
            row if row in ("original", "gold") else "unlearned",
            [f"{folder}/model.safetensors", f"{folder}/predictions.npz"],
            f"{text} {row} {self.effect[row]}",
            read,
            about=about,
            settings={"hyperparameters": {"alpha": self.alpha[row]}, "protocol": "corrected"},
            modules={"lotus.runs.unlearn": "0", f"lotus.methods.{row}": self.code[row]},
            seconds={"train" if row in ("original", "gold") else "unlearn": 1.0},
        )
        return f"{folder}/predictions.npz"

    def scores(self, row, seed):
        gold = 0.0 if row == "gold" else self.effect["gold"]
        # Of the data a digit that is the same for the same data.
        data = (len(self.data) + len(self.forget)) / 1000
        own = self.effect[row] + self.offset + seed / 100 + data
        return {
            "accuracy_forget": own,
            "jsd": None if row == "gold" else own + gold,
            "rf_jsd": own + self.effect["original"],
            "same_as_original": row == "original",
            "collapsed": self.unfit.get(row, ""),
        }

    def _step(
        self,
        record,
        kind,
        outputs,
        text,
        inputs=(),
        about=None,
        settings=None,
        modules=None,
        **more,
    ):
        for path in outputs:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        path = self.folder / record
        write_record(
            path,
            kind=kind,
            modules=["lotus.errors"],
            about=about or {"dataset": "d"},
            settings=settings or {},
            inputs=[self.folder / path for path in inputs],
            outputs=[self.folder / path for path in outputs],
            **more,
        )
        content = json.loads(path.read_text())
        content["code"]["modules"] = modules or {"lotus.data": "0"}
        content["versions"] = {"python": "3.11", "torch": self.torch}
        write_json(path, sealed(content))


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """Name, and what is set otherwise → a written project of that name."""

    def make(name, **changes):
        made = Experiment(tmp_path / name, monkeypatch)
        for key, value in changes.items():
            old = getattr(made, key)
            setattr(made, key, {**old, **value} if isinstance(old, dict) else value)
        return made.write()

    return make


def compared(a, b, **options):
    return compare(open_side(str(a.folder)), open_side(str(b.folder)), **options)


def moved(found):
    """(row, metric) → the changes, as (kind, what), that can explain it."""
    named = {change.id: (change.kind, change.what) for change in found.changes}
    return {
        (number.row, number.metric): {named[id_] for id_ in ids} for number, ids in found.numbers
    }


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_repetition_is_the_same(experiment):
    found = compared(experiment("a"), experiment("b"))
    assert found.same
    assert found.compared == len(ROWS) * len(METRICS) - 1  # gold has no JSD to itself
    assert (found.numbers, found.turns, found.changes) == ([], [], [])
    assert "all 11 numbers agree" in compare_text.summary(found)


def test_a_parameter_explains_its_row_and_no_other(experiment):
    b = experiment("b", alpha={"ours": 4.0}, effect={"ours": 0.5})
    found = compared(experiment("a"), b)
    cause = {("parameter", "hyperparameters.alpha")}
    assert moved(found) == {("ours", metric): cause for metric in METRICS}
    (change,) = found.changes
    assert (change.old, change.new, change.moved) == ((1.0,), (4.0,), 3)
    assert change.records == tuple(
        f"results/d/net/seed{seed}/class-a/corrected/ours/run.json" for seed in SEEDS
    )


def test_gold_moves_what_is_measured_against_it_only(experiment):
    b = experiment("b", code={"gold": "1"}, effect={"gold": 0.5})
    found = moved(compared(experiment("a"), b))
    own = {("gold", "accuracy_forget"), ("gold", "rf_jsd")}
    assert found.keys() == own | {(row, "jsd") for row in ("original", "ours", "theirs")}
    assert all(causes == {("code", "lotus.methods.gold")} for causes in found.values())


def test_the_original_reaches_methods_through_its_weights(experiment):
    b = experiment("b", code={"original": "1"}, effect={"original": 0.5, "ours": 0.25})
    found = moved(compared(experiment("a"), b))
    assert found["ours", "accuracy_forget"] == {("code", "lotus.methods.original")}
    assert found["gold", "rf_jsd"] == {("code", "lotus.methods.original")}
    assert ("gold", "accuracy_forget") not in found


def test_the_computation_of_metrics_explains_all_of_them(experiment):
    found = compared(experiment("a"), experiment("b", metrics_code="1", offset=0.5))
    assert len(found.numbers) == found.compared
    assert {frozenset(causes) for causes in moved(found).values()} == {
        frozenset({("code", "lotus.runs.evaluation")})
    }


def test_other_data_and_another_forget_set_are_told_once_for_all_seeds(experiment):
    found = compared(experiment("a"), experiment("b", forget="random"))
    causes = {
        ("data", "results/d/splits/seed*/class-a.json"),
        ("parameter", "rule"),
    }
    # The original's run knows nothing of the forget set; its numbers do.
    assert moved(found)["original", "accuracy_forget"] == causes
    assert moved(found)["ours", "jsd"] == causes
    assert {(change.kind, len(change.records)) for change in found.changes} == {
        ("data", len(SEEDS)),
        ("parameter", len(SEEDS)),
    }
    # What is changed in a method on top of that is nothing to the original.
    both = experiment("b", forget="random", alpha={"ours": 2.0}, effect={"ours": 0.5})
    found = compared(experiment("a"), both)
    assert moved(found)["original", "accuracy_forget"] == causes
    assert moved(found)["ours", "jsd"] == causes | {("parameter", "hyperparameters.alpha")}
    found = compared(experiment("a"), experiment("c", data="other images"))
    assert ("data", "data/stores/d/source.json") in moved(found)["original", "accuracy_forget"]


def test_a_change_without_effect_moved_nothing_and_explains_nothing(experiment):
    code = {"theirs": "1", "gold": "1", "original": "1"}
    b = experiment("b", torch="2.1", code=code, effect={"ours": 0.5}, alpha={"ours": 2.0})
    found = compared(experiment("a"), b)
    by_what = {change.what: change for change in found.changes}
    assert [by_what[f"lotus.methods.{row}"].moved for row in code] == [0, 0, 0]
    assert [step.same for step in by_what["torch"].steps].count(False) == 2 * len(SEEDS)
    # Of the new torch only what came through bytes that differ counts.
    environment = {("environment", "torch"), ("parameter", "hyperparameters.alpha")}
    assert moved(found)["ours", "jsd"] == environment
    text = "\n".join(compare_text.lines(found, 20))
    assert "code: lotus.methods.theirs" in text
    assert "moved no number" in text
    assert "torch: 2.0 → 2.1" in text
    assert "can explain 3 differences; 9 of 13 steps wrote the same bytes with it" in text


def test_what_moved_without_a_recorded_change_is_said_to(experiment):
    found = compared(experiment("a"), experiment("b", effect={"ours": 0.5}))
    assert moved(found) == {("ours", metric): set() for metric in METRICS}
    text = "\n".join(compare_text.lines(found, 20))
    assert "3 without a recorded change (not deterministic?)" in text
    assert "no recorded change" in text.splitlines()[-1]


def test_a_run_under_another_protocol_is_told_as_one(experiment):
    a, b = experiment("a"), experiment("b", effect={"ours": 0.5})
    for path in b.folder.rglob("ours/run.json"):
        content = json.loads(path.read_text())
        content["about"]["protocol"] = content["settings"]["protocol"] = "released"
        write_json(path, sealed(content))
    found = compared(a, b)
    assert moved(found)["ours", "jsd"] == {("protocol", "protocol")}
    assert len(found.changes) == 1


def models(**rows):
    """Row → values of one metric by seed."""
    return {
        Model(CELL, row, seed): {"mia": value}
        for row, values in rows.items()
        for seed, value in enumerate(values)
    }


def test_the_ratio_is_the_difference_by_the_pooled_deviation():
    a, b = models(ours=[1.0, 3.0]), models(ours=[2.0, 6.0])
    compared, (number,) = compare_numbers(a, b)
    assert (compared, number.a, number.b, number.difference) == (1, 2.0, 4.0, 2.0)
    assert number.spread == pytest.approx(sqrt((2 + 8) / 2))
    assert number.ratio == pytest.approx(2 / sqrt(5))
    assert number.moved == (0, 1)


def test_means_are_over_seeds_that_both_sides_have_a_value_of():
    a = models(ours=[1.0, 3.0, None, 7.0])
    b = models(ours=[1.0, 4.0, 5.0])
    _, (number,) = compare_numbers(a, b)
    assert (number.seeds, number.moved) == ((0, 1), (1,))
    assert (number.a, number.b) == (2.0, 2.5)
    (turn,) = turns(a, b)
    assert (turn.model.seed, turn.a, turn.b) == (2, None, 5.0)
    (only,) = only_in(a, b)
    assert (only.row, only.seeds) == ("ours", (3,))


def test_one_seed_has_no_spread_and_equal_seeds_an_infinite_ratio():
    _, (single,) = compare_numbers(models(ours=[1.0]), models(ours=[2.0]))
    assert (single.spread, single.ratio) == (None, None)
    _, (equal,) = compare_numbers(models(ours=[0.1] * 3), models(ours=[0.2] * 3))
    assert (equal.spread, equal.ratio) == (0.0, inf)


def test_rounding_moves_a_number_but_stands_last():
    a = models(near=[0.1, 0.1], far=[0.0, 1.0])
    b = models(near=[0.1 + 1e-16, 0.1 + 1e-16], far=[0.1, 1.1])
    assert a != b
    _, (first, last) = compare_numbers(a, b)
    assert (first.row, last.row) == ("far", "near")
    assert (first.is_noise, last.is_noise) == (False, True)


def test_numbers_stand_in_order_of_their_ratios():
    values = {f"row{k}": [0.0, 1.0] for k in range(5)}
    shifts = dict(zip(values, (0.3, -0.9, 0.1, 0.5, 0.0), strict=True))
    shifted = {row: [v + shifts[row] for v in of] for row, of in values.items()}
    compared, found = compare_numbers(models(**values), models(**shifted))
    assert compared == 5
    assert [number.row for number in found] == ["row1", "row3", "row0", "row2"]


def test_rows_seeds_and_states_of_one_side_are_told(experiment):
    a = experiment("a", rows=("original", "gold", "ours"))
    b = experiment("b", seeds=(1, 2, 3), unfit={"ours": "near chance"}, alpha={"ours": 9})
    for seed in (1, 2, 3):
        edit(
            b.folder / f"results/d/net/seed{seed}/class-a/corrected/metrics.json",
            lambda content: content["rows"]["ours"].update(jsd=None),
        )
    found = compared(a, b)
    assert not found.same
    assert found.only_in_a == []
    assert {(only.row, only.seeds) for only in found.only_in_b} == {
        ("theirs", (1, 2, 3)),
        ("original", (3,)),
        ("gold", (3,)),
        ("ours", (3,)),
    }
    assert {(turn.model.seed, turn.what) for turn, _ in found.turns} == {
        (seed, what) for seed in SEEDS for what in ("jsd", "collapsed")
    }
    text = "\n".join(compare_text.lines(found, 20))
    assert "d-net-class-a-corrected, ours, seed 1: collapsed: no → near chance" in text
    assert "Only in B" in text


def test_a_number_that_was_edited_is_found_out(experiment):
    a, b = experiment("a"), experiment("b")
    edit(
        b.folder / "results/d/net/seed1/class-a/corrected/metrics.json",
        lambda content: content["rows"]["ours"].update(jsd=0.75),
    )
    found = compared(a, b)
    assert moved(found) == {("ours", "jsd"): {("record", "metrics file and its record")}}
    assert found.changes[0].new == ("disagree",)
    assert "the same bytes" not in "\n".join(compare_text.lines(found, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content["settings"].update(x=1), "edited"),
        (lambda content: content.update(format=1), "a record of format 1"),
        (lambda content: content.pop("code"), "lacks code"),
    ],
)
def test_records_that_cannot_be_trusted_are_told_and_numbers_compared(experiment, change, said):
    a, b = experiment("a"), experiment("b", effect={"ours": 0.5})
    for seed in SEEDS:
        edit(b.folder / f"results/d/net/seed{seed}/class-a/corrected/ours/run.json", change)
    found = compared(a, b)
    assert moved(found)["ours", "jsd"] == {("record", "state")}
    (cause,) = found.changes
    assert cause.old == ("sound",)
    assert said in cause.new[0]
    assert "records that cannot be trusted: sound → " in "\n".join(compare_text.lines(found, 9))


def test_numbers_without_any_record_are_compared(experiment):
    a, b = experiment("a"), experiment("b", effect={"ours": 0.5})
    shutil.rmtree(b.folder / "results/records")
    for path in b.folder.rglob("run.json"):
        path.unlink()
    found = compared(a, b)
    assert len(found.numbers) == 3
    assert {change.new for change in found.changes} == {("absent",)}


def test_times_are_compared_on_demand(experiment):
    a, b = experiment("a"), experiment("b")
    for path in b.folder.rglob("ours/run.json"):
        content = json.loads(path.read_text())
        content["time"]["unlearn"] = 3.0
        write_json(path, sealed(content))
    assert compared(a, b).same
    found = compared(a, b, times=True)
    ((number, ids),) = found.numbers
    assert (number.metric, number.difference, ids) == ("seconds", 2.0, ())
    assert "without a recorded change" not in compare_text.summary(found)


def test_many_changes_are_numbered_in_ranges():
    assert compare_text._ids((1, 2, 3, 5, 7, 8)) == "[1–3, 5, 7–8]"


@pytest.fixture
def repository(experiment, monkeypatch):
    """A repository in which two versions were published; a file of a third is not."""
    first = experiment("a")
    experiment("b", alpha={"ours": 4.0}, effect={"ours": 0.5})
    run(first.folder, "git", "init", "--quiet")
    (first.folder / ".gitignore").write_text("results/\n")
    commit(first.folder, "empty", ".gitignore")
    commit(first.folder, "first", *published(first.folder))
    shutil.rmtree(first.folder / "results")
    shutil.copytree(first.folder.parent / "b/results", first.folder / "results")
    commit(first.folder, "second", *published(first.folder))
    monkeypatch.chdir(first.folder)
    return first.folder


def published(folder):
    return [path.relative_to(folder) for path in (folder / "results").rglob("*.json")]


def commit(folder, message, *paths):
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    run(folder, "git", "add", "--force", *paths)
    run(folder, "git", *author, "commit", "--quiet", "--message", message)


def diff(*arguments):
    return CliRunner().invoke(main.main, ["diff", *map(str, arguments)])


def test_commits_are_compared_as_folders_are(repository):
    commits = diff("HEAD~1", "HEAD", "--json")
    folders = diff("../b", "HEAD~1", "--json")
    assert commits.exit_code == folders.exit_code == 0
    found, back = json.loads(commits.stdout), json.loads(folders.stdout)
    assert (found["a"]["name"], found["a"]["place"][:7]) == ("HEAD~1", "commit ")
    assert back["a"]["place"] == "folder"
    assert [change["what"] for change in found["changes"]] == ["hyperparameters.alpha"]
    assert [(n["a"], n["b"], n["ratio"]) for n in found["numbers"]] == [
        (n["b"], n["a"], n["ratio"]) for n in back["numbers"]
    ]
    # Forget accuracy: + 0.5; the seeds lie 0.01 apart.
    (forget,) = [n for n in found["numbers"] if n["metric"] == "accuracy_forget"]
    assert forget["ratio"] == pytest.approx(0.5 / (0.01 / sqrt(2)))
    assert json.loads(diff("HEAD", ".", "--json").stdout)["same"]
    assert json.loads(diff("HEAD", "results", "--json").stdout)["same"]


def test_a_folder_of_results_may_have_any_name(repository):
    shutil.copytree(repository / "results", repository.parent / "downloaded")
    assert json.loads(diff("../downloaded", "HEAD", "--json").stdout)["same"]


def test_a_folder_wins_over_a_branch_of_its_name(repository):
    run(repository, "git", "branch", "other", "HEAD~1")
    assert "other (commit" in diff("other").stdout
    shutil.copytree(repository / "results", repository / "other/results")
    found = diff("other")
    assert "other (folder)" in found.stdout
    assert "The same" in found.stdout


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nonsense", "nonsense: neither a folder nor a revision"),
        ("HEAD~2", "nothing was published there (`snakemake publish`"),
        ("data", "data: neither a project with results nor results"),
        ("bare", "bare (folder): has no metrics in results: run an experiment first"),
    ],
)
def test_what_cannot_be_compared_is_said(repository, name, said):
    (repository / "bare/results").mkdir(parents=True)
    found = diff(name, "HEAD")
    assert found.exit_code == 1
    assert said in found.stderr
    assert found.stdout == ""


def test_outside_a_repository_only_folders_are_accepted(repository, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        LotusError,
        match=r"(?s)a git repository is needed, and there is none; `git init` makes one$",
    ):
        open_side("HEAD")


def test_a_damaged_metrics_file_is_named_with_its_side(experiment):
    broken = experiment("a")
    path = "results/d/net/seed1/class-a/corrected/metrics.json"
    (broken.folder / path).write_text("{")
    with pytest.raises(LotusError, match=rf"{broken.folder} \(folder\): {path}"):
        open_side(str(broken.folder))
    (broken.folder / path).write_text("[]")
    with pytest.raises(LotusError, match="not a mapping"):
        open_side(str(broken.folder))


def test_the_json_is_strict_and_refers_to_changes_that_exist(experiment):
    b = experiment("b", alpha={"ours": 4.0}, effect={"ours": 0.5}, torch="2.1")
    found = to_json.as_json(compared(experiment("a"), b))
    text = json.dumps(found, allow_nan=False)
    ids = [change["id"] for change in json.loads(text)["changes"]]
    assert ids == list(range(1, len(ids) + 1))
    assert all(set(number["changes"]) <= {*ids} for number in found["numbers"])
    counts = [sum(id_ in number["changes"] for number in found["numbers"]) for id_ in ids]
    assert [change["moved"] for change in found["changes"]] == counts


def test_top_shows_the_largest_and_counts_the_rest(experiment):
    b = experiment("b", metrics_code="1", offset=0.5)
    found = compared(experiment("a"), b)
    text = "\n".join(compare_text.lines(found, 2))
    assert text.count("d-net-class-a-corrected") == 2
    assert "… and 9 more (--top)" in text


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished experiment's results."""
    large = shutil.ignore_patterns("*.npz", "*.safetensors", "*.png")
    shutil.copytree(finished / "results", tmp_path / "copy/results", ignore=large)
    return tmp_path / "copy"


def test_a_finished_experiment_and_its_copy(finished, copy):
    assert compare(open_side(str(finished)), open_side(str(copy))).same
    path = next(copy.glob("results/*/*/seed13/instance-10/corrected/metrics.json"))
    edit(path, lambda content: content["rows"]["lotus"].update(mia=0.123))
    found = compare(open_side(str(finished)), open_side(str(copy)))
    ((number, _),) = found.numbers
    assert (number.row, number.metric, number.moved) == ("lotus", "mia", (13,))
    assert [change.kind for change in found.changes] == ["record"]


def test_every_run_of_a_finished_experiment_is_behind_a_number(finished, copy):
    """A new version of torch in every record of a run is a change of all runs."""
    runs = [*copy.rglob("run.json")]
    for path in runs:
        content = json.loads(path.read_text())
        content["versions"]["torch"] = "0.1"
        write_json(path, sealed(content))
    (change,) = compare(open_side(str(finished)), open_side(str(copy))).changes
    assert (change.kind, change.what, change.new, change.moved) == (
        "environment",
        "torch",
        ("0.1",),
        0,
    )
    assert len(change.records) == len(runs)


def test_no_torch_is_needed():
    modules = "lotus.diff.to_text, lotus.diff.to_json"
    code = f"import sys, {modules}; print(*sys.modules)"
    assert "torch" not in run(".", sys.executable, "-c", code).stdout.split()
