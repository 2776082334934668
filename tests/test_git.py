"""git as it is around a project: absent, above it, in a hook, with odd settings."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from lotus.audit.committed import remarks_on_results
from lotus.cli.main import main
from lotus.diff.loading import _contents, open_side
from lotus.errors import LotusError
from lotus.git import contents_of, git, note_unchanged_files, why_none
from lotus.records.environment import git_state
from lotus.tracking import tracked_files

ODD = {
    "color.ui": "always",
    "core.quotePath": "true",
    "status.short": "true",
    "status.branch": "true",
    "status.relativePaths": "false",
    "log.showSignature": "true",
    "core.fsmonitor": "touch started-by-git; false",
    "core.pager": "touch started-by-git; false",
    "pager.diff": "true",
    "diff.external": "touch started-by-git; false",
    "diff.noprefix": "true",
    "diff.relative": "true",
    "diff.orderFile": "nowhere",
    "diff.renames": "copies",
    "diff.mnemonicPrefix": "true",
}


def run(*command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def commit(*names):
    run("git", "add", "--force", *names)
    author = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    run("git", *author, "commit", "--quiet", "--message", "x")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty one, with no repository above it."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def repository(folder):
    """With a result that is not as in the last commit."""
    run("git", "init", "--quiet")
    Path("results").mkdir()
    Path("results/ä b.csv").write_text("1")
    commit("results")
    Path("results/ä b.csv").write_text("2")
    return folder


REMARK = "results/ä b.csv: changed since the last commit, which tracks results"


def test_what_is_not_committed_is_remarked(repository):
    assert why_none() == ""
    assert tracked_files.uncommitted() == [REMARK]
    Path("results/ä b.csv").write_text("1")
    assert tracked_files.uncommitted() == []


def test_a_repository_without_a_commit_is_one(folder):
    run("git", "init", "--quiet")
    assert why_none() == ""
    assert tracked_files.uncommitted() == []


def test_without_a_repository_one_remark_and_one_line(folder):
    (note,) = tracked_files.uncommitted()
    assert note.endswith("a git repository is needed, and there is none; `git init` makes one")
    assert "\n" not in note
    for refused in (lambda: git("add", "x"), lambda: open_side("HEAD")):
        with pytest.raises(LotusError, match="`git init` makes one") as caught:
            refused()
        assert "\n" not in str(caught.value)
    done = CliRunner().invoke(main, ["diff", "HEAD", "."])
    assert done.exit_code == 1
    assert "`git init` makes one" in done.stderr


def test_without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    (note,) = tracked_files.uncommitted()
    assert "git is needed but was not found" in note
    with pytest.raises(LotusError, match="git is needed but was not found"):
        git("status")
    with pytest.raises(LotusError, match="git is needed but was not found"):
        open_side("HEAD")


def test_a_repository_above_that_does_not_have_the_project(repository, monkeypatch):
    Path("project/results").mkdir(parents=True)
    monkeypatch.chdir("project")
    with pytest.raises(LotusError, match="the one of a folder above tracks nothing here"):
        open_side("HEAD")
    with pytest.raises(LotusError, match="tracks nothing here"):
        git("add", "--force", "--", "results")
    (note,) = tracked_files.uncommitted()
    assert "tracks nothing here" in note


def test_a_repository_above_that_has_the_project_is_its_own(repository, monkeypatch):
    Path("project/results").mkdir(parents=True)
    Path("project/results/a.csv").write_text("1")
    commit("project")
    monkeypatch.chdir("project")
    assert tracked_files.uncommitted() == []
    Path("results/a.csv").write_text("2")
    assert tracked_files.uncommitted() == [REMARK.replace("ä b", "a")]


def test_variables_of_a_hook_lead_nowhere_else(repository, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / "index",
        "GIT_OBJECT_DIRECTORY": other,
        "GIT_COMMON_DIR": other,
        "GIT_NAMESPACE": "x",
        "GIT_GLOB_PATHSPECS": "1",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_PREFIX": "x/",
    }.items():
        monkeypatch.setenv(name, str(value))
    assert tracked_files.uncommitted() == [REMARK]
    assert git("rev-parse", "HEAD").strip()
    assert not list(other.iterdir())


def test_odd_settings_change_nothing(repository):
    for key, value in ODD.items():
        run("git", "config", key, value)
    assert tracked_files.uncommitted() == [REMARK]
    assert not Path("started-by-git").exists()


RUN = "touch started-by-git; cat"
THAT_RUN = {
    **{f"filter.{name}.{key}": RUN for name in ("evil", "a=b") for key in ("clean", "smudge")},
    "filter.evil.process": RUN,
    "filter.evil.required": "true",
    "diff.evil.command": RUN,
    "diff.evil.textconv": RUN,
    "core.hooksPath": "hooks",
    "core.sshCommand": RUN,
    "core.editor": RUN,
    "core.askPass": RUN,
    "core.gitProxy": RUN,
    "gpg.program": RUN,
    "credential.helper": f"!{RUN}",
    "sequence.editor": RUN,
    "uploadpack.packObjectsHook": RUN,
    # What the repository lacks is fetched from here, when it is looked for.
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "evil",
    "remote.evil.promisor": "true",
    "remote.evil.url": "ext::touch started-by-git",
    "remote.evil.uploadpack": RUN,
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
}


@pytest.fixture
def trapped(repository):
    """A repository whose settings and attributes name programs wherever git knows of any."""
    Path(".gitattributes").write_text("*.csv filter=evil diff=evil\n*.json filter=a=b\n")
    Path("results/b.json").write_text("{}")
    commit(".gitattributes", "results")
    Path("results/ä b.csv").write_text("3")
    Path("results/b.json").write_text("[]")
    Path("hooks").mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        Path("hooks", name).write_text("#!/bin/sh\ntouch started-by-git\n")
        Path("hooks", name).chmod(0o755)
    for key, value in (ODD | THAT_RUN).items():
        run("git", "config", key, value)
    return repository


def test_no_setting_of_a_repository_starts_a_program(trapped):
    (remark,) = tracked_files.uncommitted()
    assert remark == REMARK.replace("ä b.csv", "b.json and 1 more")
    assert git_state()["dirty"] is False
    note_unchanged_files()
    assert why_none() == ""
    Path("results/b.json").unlink()
    remarks_on_results()
    assert contents_of(["HEAD:./results/b.json"]) == [b"{}"]
    assert git("show", "HEAD:./results/b.json") == b"{}"
    with pytest.raises(LotusError, match="has no metrics"):
        open_side("HEAD")
    assert not Path("started-by-git").exists()


def test_what_a_repository_lacks_is_not_fetched(trapped):
    for blob in Path(".git/objects").glob("??/*"):
        kind = subprocess.run(
            ["git", "cat-file", "-t", blob.parent.name + blob.name], capture_output=True, check=True
        ).stdout
        if kind == b"blob\n":
            blob.unlink()
    tracked_files.uncommitted()
    git_state()
    with pytest.raises(LotusError):
        _ = list(_contents("HEAD", ["0" * 40, "1" * 40]))
    assert not Path("started-by-git").exists()


def test_the_trap_works(trapped):
    """The same calls without care: else the tests above would hold of any call."""
    subprocess.run(["git", "diff", "HEAD", "--name-only"], capture_output=True, check=False)
    assert Path("started-by-git").exists()
    Path("started-by-git").unlink()
    missing = ["git", "cat-file", "-p", "1" * 40]
    subprocess.run(missing, capture_output=True, check=False)
    assert Path("started-by-git").exists()


def test_filters_of_the_users_own_settings_stay(repository, monkeypatch):
    Path(".gitattributes").write_text("*.csv filter=own\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(repository / "own-config"))
    Path("own-config").write_text('[filter "own"]\n\tclean = "touch started-by-git; echo 1"\n')
    tracked_files.uncommitted()
    assert Path("started-by-git").exists()


# By the times of files alone, as git looks before it reads one.
LOOKS = ("git", "diff-files", "--name-only")


@pytest.fixture
def younger(repository):
    """A repository whose one file is as in the last commit, and was written later than its index knows."""
    Path("results/ä b.csv").write_text("1")
    os.utime("results/ä b.csv", (0, 0))
    assert subprocess.run(LOOKS, check=True, capture_output=True).stdout
    return repository


def test_files_that_are_noted_as_unchanged_are_read_no_more(younger):
    note_unchanged_files()
    assert not subprocess.run(LOOKS, check=True, capture_output=True).stdout


def test_nothing_is_noted_while_somebody_else_writes_the_index(younger):
    Path(".git/index.lock").touch()
    note_unchanged_files()
    assert subprocess.run(LOOKS, check=True, capture_output=True).stdout


def test_arguments_that_no_command_can_have(repository):
    for name in ("\0", "-x", "--help", "a\nb", "HEAD:results", "HEAD^{tree}"):
        with pytest.raises(LotusError, match="neither a folder nor a revision"):
            open_side(name)
