"""`lotus restore --figures`: without torch, the same bytes again, and what is not the same is told."""

import json
import shutil
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from forging import edit_json, record_anew
from forked import dvc, lotus, planned
from project import ROOT, run
from shown_examples import examples_of

from lotus.predictions import predictions_file
from lotus.predictions.predictions_file import Split

SEED, CLASSES = 3, 4
RUNS = Path("results/toy/net/seed3")
METRICS = RUNS / "instance-10/corrected/metrics.json"
ENTROPIES = METRICS.with_suffix(".npz")
FIGURE = Path("results/figures/streisand-toy")
RECORD_OF_FIGURE = Path("results/records/figures/streisand-toy.figure.json")
SPLITS = {"retain": (0, 60), "forget": (60, 80), "val": (80, 100), "test": (100, 120)}


def say(path, seed):
    """Predictions of some model for the same images."""
    rng = np.random.default_rng(seed)
    labels = np.arange(120) % CLASSES
    logits = rng.standard_normal((120, CLASSES)).astype(np.float32)
    logits[np.arange(120), labels] += 2
    parts = SPLITS if path.parent.name != "corrected" else {"train": (0, 80)} | SPLITS
    whole = Split(logits, labels, np.arange(120))
    chosen = {name: whole.at(np.arange(*ends)) for name, ends in parts.items()}
    if "train" in chosen:
        del chosen["retain"], chosen["forget"]
    path.parent.mkdir(parents=True, exist_ok=True)
    predictions_file.save(path, chosen)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project of three models with metrics, a table and a figure, in git and DVC, its remote beside."""
    folder = tmp_path_factory.mktemp("made")
    said = {
        "original": RUNS / "original/corrected/predictions.npz",
        "gold": RUNS / "instance-10/corrected/gold/predictions.npz",
        "lotus": RUNS / "instance-10/corrected/lotus/predictions.npz",
    }
    for seed, path in enumerate(said.values()):
        say(folder / path, seed)
    rows = [part for row, path in said.items() for part in ("--of", row, path)]
    labels = {"dataset": "toy", "architecture": "net", "scenario": "instance-10"}
    labels = json.dumps({**labels, "protocol": "corrected"})
    record = Path("results/records") / METRICS.relative_to("results")
    given = ["--seed", SEED, "--labels", labels, "--record", record]
    lotus(folder, "evaluate", *rows, *given, "--out", METRICS, "--entropies", ENTROPIES)
    figure = ["--out", FIGURE, "--record", RECORD_OF_FIGURE]
    lotus(folder, "--log", "logs/f.log", "figure", "streisand", ENTROPIES, *figure)
    table = ["--out", "results/tables/toy", "--record", "results/records/tables/toy.table.json"]
    lotus(folder, "table", "benchmark", METRICS, *table)
    publish(folder, said.values())
    return folder


def publish(folder, paths):
    """As `lotus publish` does, which wants a whole experiment."""
    run(folder, "git", "init", "--quiet")
    dvc(folder, "init", "--quiet")
    outs = "".join(f"- path: {path}\n  hash: md5\n" for path in paths)
    (folder / "predictions.dvc").write_text(f"outs:\n{outs}")
    dvc(folder, "commit", "--quiet", "--force", "predictions.dvc")
    dvc(folder, "remote", "add", "--quiet", "-d", "beside", f"{folder}-remote")
    dvc(folder, "push", "--quiet", "predictions.dvc")
    (folder / ".gitignore").write_text("predictions.npz\n/logs/\n/.lotus/\n")
    run(folder, "git", "add", "--all")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    run(folder, "git", *author, "commit", "--quiet", "--message", "results")


@pytest.fixture
def clone(made, tmp_path):
    """A fresh clone: no predictions."""
    run(tmp_path, "git", "clone", "--quiet", made, "clone")
    return tmp_path / "clone"


@pytest.fixture
def without_torch(tmp_path):
    """Variables under which `import torch` fails."""
    blocker = tmp_path / "blocker" / "torch.py"
    blocker.parent.mkdir()
    blocker.write_text("raise ImportError('no torch here')\n")
    return {"PYTHONPATH": str(blocker.parent)}


def restore(folder, check=True, **variables):
    """With variables in a process of its own: they count when modules are imported."""
    if variables:
        program = (sys.executable, "-P", ROOT / "workflow/run_lotus.py")
        return run(folder, *program, "restore", "--figures", check=check, **variables)
    return lotus(folder, "restore", "--figures", check=check)


def changes(folder):
    return run(folder, "git", "status", "--porcelain").stdout.split("\n")[:-1]


def test_the_blocker_blocks(tmp_path, without_torch):
    done = run(tmp_path, sys.executable, "-c", "import torch", check=False, **without_torch)
    assert "no torch here" in done.stderr


def test_what_only_lists_draws_nothing(clone):
    done = lotus(clone, "restore", "--figures", "--list", check=False)
    assert done.returncode == 2
    assert "accepted: --figures or --list" in done.stderr
    assert changes(clone) == []
    assert not list(clone.rglob("predictions.npz"))


def test_a_fresh_clone_is_drawn_again_byte_for_byte_without_torch(made, clone, without_torch):
    drawn = [*clone.rglob("results/figures/*"), *clone.rglob("results/tables/*")]
    assert len(drawn) == 5
    for path in drawn:
        path.unlink()
    assert len(changes(clone)) == 5
    done = restore(clone, **without_torch)
    assert "5 files drawn again, 5 of them byte for byte" in done.stdout
    assert (clone / ".lotus/dvc").stat().st_mode & 0o777 == 0o700
    # Records too: with the time and the machine of then.
    assert changes(clone) == []
    for path in made.rglob("*.npz"):
        assert (clone / path.relative_to(made)).read_bytes() == path.read_bytes()


def test_predictions_that_lie_here_are_not_asked_for(clone, made):
    restore(clone)
    (clone / ".dvc/config").write_text("no config\n")
    assert "5 of them byte for byte" in restore(clone).stdout


def test_only_absent_predictions_are_pulled_and_own_ones_stay(clone):
    restore(clone)
    gold, lotus = (clone / RUNS / f"instance-10/corrected/{row}" for row in ("gold", "lotus"))
    say(gold / "predictions.npz", 7)
    own = (gold / "predictions.npz").read_bytes()
    shutil.rmtree(lotus)
    done = restore(clone, check=False)
    assert (lotus / "predictions.npz").is_file()
    assert (gold / "predictions.npz").read_bytes() == own
    assert done.returncode == 1


def test_other_predictions_give_other_metrics_and_that_is_told(clone):
    restore(clone)
    before = json.loads((clone / METRICS).read_text())
    say(clone / RUNS / "instance-10/corrected/lotus/predictions.npz", 7)
    done = restore(clone, check=False)
    assert done.returncode == 1
    assert f"{METRICS}: has other bytes than recorded" in done.stdout
    assert f"{FIGURE}.svg: has other bytes than recorded" in done.stdout
    after = json.loads((clone / METRICS).read_text())
    assert after["rows"]["lotus"] != before["rows"]["lotus"]
    assert after["rows"]["gold"] == before["rows"]["gold"]
    # What was not the same has a record of its own now, which agrees with it.
    assert "5 of them" not in done.stdout
    again = restore(clone, check=False)
    assert again.returncode == 1
    assert "5 of them byte for byte" in again.stdout
    assert f"{METRICS}: other bytes than the last commit records" in again.stdout
    assert f"{FIGURE}.svg: other bytes than the last commit records" in again.stdout


def test_what_is_forged_with_its_record_is_not_as_the_last_commit_has_it(clone):
    """Metrics that are false, and verify: what is drawn of them is as false, and as recorded."""
    assert "7 of 7 files with the bytes that the last commit records" in restore(clone).stdout
    edit_json(clone / METRICS, lambda it: it["rows"]["lotus"].update(mia=0.123))
    with chdir(clone):
        record_anew()
    restore(clone, check=False)
    done = restore(clone, check=False)
    assert "5 files drawn again, 5 of them byte for byte" in done.stdout
    assert "1 metrics file not computed again" in done.stdout
    assert done.returncode == 1
    assert f"{METRICS}: other bytes than the last commit records" in done.stdout


def test_without_a_commit_it_says_that_records_vouch_for_themselves(clone):
    restore(clone)
    shutil.rmtree(clone / ".git")
    done = restore(clone)
    assert "not compared with a commit" in done.stdout
    assert "'as recorded' is the word of the records that lie here" in done.stdout


def test_metrics_that_were_edited_are_made_again(clone):
    restore(clone)
    content = (clone / METRICS).read_text()
    (clone / METRICS).write_text(content.replace('"seed": 3', '"seed": 4'))
    done = restore(clone)
    assert "7 files drawn again, 7 of them" in done.stdout
    assert changes(clone) == []


def test_without_a_remote_the_missing_predictions_are_named(clone):
    dvc(clone, "remote", "remove", "beside")
    done = restore(clone, check=False)
    assert done.returncode == 1
    assert "3 of 3 files" in done.stderr
    assert "predictions.npz" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path for path in changes(clone) if "results" in path] == []


def test_a_remote_that_lost_a_file_is_an_error_that_names_it(clone, tmp_path, made):
    remote = tmp_path / "remote"
    shutil.copytree(f"{made}-remote", remote)
    md5 = run(clone, "cat", "predictions.dvc").stdout.split("md5: ")[1].split()[0]
    (remote / "files/md5" / md5[:2] / md5[2:]).unlink()
    dvc(clone, "remote", "modify", "beside", "url", remote)
    done = restore(clone, check=False)
    assert done.returncode == 1
    assert "1 of 3 files" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_results_there_is_nothing_to_draw_from(tmp_path):
    done = restore(tmp_path, check=False)
    assert done.returncode == 1
    assert "Error: no results are recorded here" in done.stderr


def test_an_edited_record_is_refused(clone):
    path = clone / RECORD_OF_FIGURE
    text = path.read_text()
    for other, said in (
        (text.replace('"figure": "streisand"', '"figure": "pareto"'), "it was edited"),
        (
            text.replace('"lotus.figures.streisand":', '"lotus.figures.style":'),
            "it is not JSON: key 'lotus.figures.style' occurs twice",
        ),
    ):
        path.write_text(other)
        done = restore(clone, check=False)
        assert done.returncode == 1
        assert f"Error: {RECORD_OF_FIGURE}: {said}" in done.stderr


def test_the_quick_check_is_drawn_again_byte_for_byte(published, tmp_path, without_torch):
    folder = tmp_path / "copy"
    shutil.copytree(published, folder, ignore=shutil.ignore_patterns("cache"))
    aside = tmp_path / "aside"
    models = [path.relative_to(folder) for path in folder.rglob("*.safetensors")]
    move(models, folder, aside)
    drawn = {
        path: path.read_bytes()
        for name in ("figures", "tables", "timings", "paper", "report", "records", "metrics")
        for path in sorted((folder / "results" / name).rglob("*"))
        if path.is_file()
    }
    drawn[folder / "results/claims.json"] = (folder / "results/claims.json").read_bytes()
    for path in drawn:
        if not path.is_relative_to(folder / "results/records"):
            path.unlink()
    # As the help of the command shows it.
    assert examples_of("restore")[-1] == "lotus restore --figures"
    restore(folder, **without_torch)
    assert {path: path.read_bytes() for path in drawn} == drawn
    move(models, aside, folder)
    assert planned(folder, "--configfile", "config/digits.yaml") == {}
    assert changes(folder) == []


def move(files, source, target):
    """Moves files from below one folder to below another; their times stay."""
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).rename(target / file)
