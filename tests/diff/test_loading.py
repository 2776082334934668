"""What can be compared: folders, commits and branches."""

import json
import shutil
from math import sqrt

import pytest
from click.testing import CliRunner
from project import run
from small_experiment import compared

from lotus.cli import main
from lotus.diff.loading import open_side
from lotus.errors import LotusError


def test_numbers_without_any_record_are_compared(experiment):
    a, b = experiment("a"), experiment("b", effect={"ours": 0.5})
    shutil.rmtree(b.folder / "results/records")
    for path in b.folder.rglob("run.json"):
        path.unlink()
    found = compared(a, b)
    assert len(found.numbers) == 3
    assert {change.new for change in found.changes} == {("absent",)}


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
        ("nonsense", "nonsense: is neither a folder nor a revision"),
        ("HEAD~2", "that commit tracks no results (`snakemake publish`"),
        ("data", "data: is neither a project with results nor a folder of results"),
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
