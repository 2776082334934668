"""Publishing and restoring through real Snakemake, DVC and git, in copies of the finished project."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from copies import Copy
from forked import dvc, lotus, planned
from project import run
from shared_results import commit
from shell_lines import run_commands
from shown_examples import examples_of, run_examples

from lotus.layout import MADE_OF, MODELS, PREDICTIONS
from lotus.publish.publish import LIMIT, destinations
from lotus.records.index import read_index

CONFIG = ["--configfile", "config/digits.yaml"]
MODEL = "results/digits/resnet18/seed13/class-three/corrected/finetune/model.safetensors"
PICTURE = "results/figures/data-classes-digits.png"


@pytest.fixture(scope="module")
def pulled(published, tmp_path_factory):
    """A fresh clone, elsewhere, with everything pulled."""
    clone = tmp_path_factory.mktemp("elsewhere") / "clone of it"
    run(clone.parent, "git", "clone", "--quiet", published, clone)
    dvc(clone, "pull", "--quiet")
    return clone


@pytest.fixture(scope="module")
def copy(pulled, tmp_path_factory):
    return Copy(pulled, tmp_path_factory.mktemp("copy") / "clone")


@pytest.fixture
def clone(copy):
    """A copy of the pulled clone, to be changed; its DVC cache is its own."""
    yield copy.folder
    copy.reset()


def test_bytes_lie_in_dvc_and_small_text_in_git(published, monkeypatch):
    monkeypatch.chdir(published)
    tracked = set(run(published, "git", "ls-files", "results", "data/raw").stdout.splitlines())
    records = read_index().records
    assert records.keys() <= tracked
    for name in (
        "results/digits/resnet18/seed13/instance-10/corrected/metrics.json",
        "results/tables/summary.csv",
        "results/timings/claims.csv",
        "results/digits/splits/seed13/held-out.json",
        "data/raw/digits.json",
    ):
        assert name in tracked
    assert all(Path(name).stat().st_size <= LIMIT for name in tracked - records.keys())
    held = destinations(read_index()).in_dvc
    assert {Path(path).name for path in held[MODELS]} == {"model.safetensors"}
    said = {Path(path).name for path in held[PREDICTIONS]}
    # Sheets of forget images lie with what models say of them: the page needs both.
    sheets = {"instance-10.png", "class-three.png"}
    assert said == {"predictions.npz", "metrics.npz", "gradcam.npz", "attacks.npz", *sheets}
    listed = {
        out["path"]
        for file in held
        for out in yaml.safe_load(file.read_text())["outs"]
        if not out["path"].startswith("data/")
    }
    made = {path.as_posix() for path in Path("results").rglob("*") if path.is_file()}
    assert listed | {name for name in tracked if name.startswith("results/")} == made
    assert not listed & tracked
    assert "up to date" in dvc(published, "status").stdout


def test_no_file_shares_its_bytes_with_the_cache(published):
    """A hard link would make results read-only, and let a step write into the cache."""
    for path in published.glob("results/**/*.safetensors"):
        assert path.stat().st_nlink == 1
        assert path.stat().st_mode & 0o200


def test_publishing_again_changes_nothing(published, clone):
    assert planned(published, *CONFIG) == {}
    done, into = run_examples(clone, "publish").values()
    assert "pushed to the DVC remote" in done.stdout + done.stderr
    assert "files left out, named in small-copy" in into.stdout
    shutil.rmtree(clone / "small-copy")
    assert run(clone, "git", "status", "--porcelain").stdout == ""


def test_what_nobody_pulled_stays_published_and_without_a_remote_nothing_is_pushed(clone):
    """Models and a store that are not here keep their entries, and what is here is published anew."""
    before = {name: (clone / name).read_text() for name in ("models.dvc", "data.dvc")}
    (clone / MODEL).unlink()
    shutil.rmtree(clone / "data/stores/fashion-mini")
    dvc(clone, "remote", "remove", "--quiet", "store")
    assert "no DVC remote is set" in lotus(clone, "publish").stdout
    assert {name: (clone / name).read_text() for name in before} == before
    assert "outs:" in (clone / "predictions.dvc").read_text()


def test_upstream_comes_first_in_the_dvc_files(published):
    paths = [out["path"] for out in yaml.safe_load((published / MODELS).read_text())["outs"]]
    first = [path.split("/")[4] == "original" for path in paths]
    assert first == sorted(first, reverse=True)


def test_dvc_shows_metrics_their_differences_and_plots(published, clone):
    shown = json.loads(run(published, "dvc", "metrics", "show", "--json").stdout)
    file = "results/metrics/digits-resnet18-instance-10-corrected/lotus.json"
    assert shown[""]["data"][file]["data"] == json.loads((published / file).read_text())
    content = json.loads((clone / file).read_text())
    (clone / file).write_text(json.dumps({**content, "avg_gap": content["avg_gap"] + 0.5}))
    differences = json.loads(run(clone, "dvc", "metrics", "diff", "--json").stdout)
    assert {name: [*changed] for name, changed in differences.items()} == {file: ["avg_gap"]}
    assert differences[file]["avg_gap"]["diff"] == pytest.approx(0.5)
    page = run(published, "dvc", "plots", "show", "--out", clone / "plots").stdout
    assert Path(page.strip().removeprefix("file://")).is_file()
    assert "avg-gap.png" in (clone / "plots/index.html").read_text()


def test_what_was_damaged_is_not_published(clone):
    before = run(clone, "git", "status", "--porcelain").stdout
    (clone / MODEL).write_bytes(b"something else")
    done = lotus(clone, "publish", check=False)
    assert done.returncode == 1
    assert f"changed {MODEL}" in done.stderr
    assert run(clone, "git", "status", "--porcelain").stdout == before


def test_a_pulled_clone_is_sound(pulled):
    found = json.loads(lotus(pulled, "audit", "--json").stdout)
    assert found["ok"]
    assert {it["status"] for it in found["artifacts"]} == {"verified"}
    assert not [it for it in found["artifacts"] if Path(it["path"]).is_absolute()]


def test_another_branch_and_back_is_no_alarm(clone):
    here = run(clone, "git", "branch", "--show-current").stdout.strip()
    run(clone, "git", "checkout", "--quiet", "-b", "other")
    config = clone / "config/digits.yaml"
    config.write_text(config.read_text().replace("lotus: {alpha: 2,", "lotus: {alpha: 3,", 1))
    shutil.rmtree(clone / "results/tables")
    commit(clone, "other results")
    assert lotus(clone, "audit", check=False).returncode == 1
    run(clone, "git", "checkout", "--quiet", here)
    dvc(clone, "checkout", "--quiet")
    assert lotus(clone, "audit").returncode == 0


def test_a_restored_clone_has_nothing_to_do(clone):
    # As a pull leaves them: in any order.
    for number, path in enumerate(sorted(clone.glob("results/**/*.*"), reverse=True)):
        os.utime(path, (1_700_000_000 + number,) * 2)
    # What DVC holds comes back without computing.
    content = (clone / MODEL).read_bytes()
    (clone / MODEL).unlink()
    # The third example draws everything again, which is what tests/publish/test_replay.py does by it.
    listed, done = run_commands(clone, examples_of("restore")[:2]).values()
    assert "have to run" in listed.stdout
    assert (clone / MODEL).read_bytes() == content
    assert "Rule: unlearn" not in done.stdout + done.stderr
    # No libraries are loaded to touch files.
    assert not (clone / "logs/warm.log").exists()
    assert planned(clone, *CONFIG) == {}
    assert run(clone, "git", "status", "--porcelain").stdout == ""
    # A change of the configuration still shows.
    config = clone / "config/digits.yaml"
    config.write_text(config.read_text().replace("lotus: {alpha: 2,", "lotus: {alpha: 3,", 1))
    rules = planned(clone, *CONFIG)
    assert rules["unlearn"] == 4
    assert not {"pretrain_original", "retrain_gold", "verify_store"} & set(rules)


def test_why_snakemake_does_not_start_is_told(clone):
    locks = clone / ".snakemake/locks"
    locks.mkdir(parents=True)
    # As a workflow that was killed on another machine leaves it: whether that one lives is not known here.
    (locks / "0.output.lock").write_text(f"{MODEL}\n")
    (clone / ".snakemake/alive").write_text("another-machine\n")
    done = lotus(clone, "restore", check=False)
    assert done.returncode == 1
    assert "It can be removed with the --unlock argument" in done.stderr


def test_only_what_does_not_verify_runs_again(clone, published):
    """Steps of another configuration, and what DVC lost, which is computed only if that is wanted."""
    entries = yaml.safe_load((clone / MADE_OF).read_text())["outs"]
    (md5,) = (entry["md5"] for entry in entries if entry["path"] == PICTURE)
    lost = Path("files/md5", md5[:2], md5[2:])
    remote = published.parent / "remote"
    content = (remote / lost).read_bytes()
    (clone / PICTURE).unlink()
    shutil.rmtree(clone / ".dvc/cache")
    (remote / lost).unlink()
    try:
        done = lotus(clone, "restore", check=False)
        assert done.returncode == 1
        assert "lotus restore --recompute" in done.stderr
        assert PICTURE in done.stderr

        config = clone / "config/digits.yaml"
        other = """overrides:
  - where: {scenario: instance-10, protocol: released}
    methods: {ssd: {batch_size: 50}}
"""
        config.write_text(config.read_text().replace("overrides:\n", other))
        listed = lotus(clone, "restore", "--list").stdout
        wrong = [
            line
            for line in listed.splitlines()
            if re.search(r"hyperparameters\.batch_size was \d+ and is now 50\b", line)
        ]
        assert len(wrong) == 2
        assert all("/ssd/run.json: stale" in line for line in wrong)
        assert "metrics.json: builds on results/digits/resnet18" in listed
        before = {path: path.read_bytes() for path in clone.glob("results/**/model.safetensors")}
        done = lotus(clone, "restore", "--recompute", "--cores", "2")
    finally:
        (remote / lost).write_bytes(content)
    ran = re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", done.stdout + done.stderr)
    assert ran.count("unlearn") == len(wrong)
    assert not {"pretrain_original", "retrain_gold", "verify_store", "build_store"} & set(ran)
    assert (clone / PICTURE).read_bytes() == content
    changed = [path for path, bytes_before in before.items() if path.read_bytes() != bytes_before]
    assert {path.parent.name for path in changed} <= {"ssd"}
    assert planned(clone, *CONFIG) == {}
    assert lotus(clone, "audit").returncode == 0
