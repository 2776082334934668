"""The chain gives the same bytes again, in another order, elsewhere, and through failures.

Where Slurm is installed, the finished project was made through one that was disturbed. What is made again
here is made without, while processes are killed at random: `--kills` of them.
"""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from forked import snakemake
from killing import KINDS, run_under_killer
from slurm import PACKAGES, missing_programs

from lotus.records.index import read_index
from lotus.records.seal import identity

CONFIG = ["--configfile", "config/digits.yaml"]
TIMED = (
    "results/timings",
    "results/paper",
    "results/records",
    "results/report",
    "results/claims.json",
)
"""What states measured seconds, or the moment: it differs from run to run."""
OF_MODELS = {
    "original": "trained",
    "gold": "trained",
    "unlearned": "unlearn",
    "gradcam": "maps",
}
"""Kind of record of a step with a model → what Slurm is told of it."""
KEPT = ("/seed3407/", "/store.json")
"""Places of what is taken over: to make the models of one seed again is enough. All rests on the stores."""


def records_of(folder):
    """Records of a project, by path."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return read_index().records
    finally:
        os.chdir(before)


def hours(submission):
    """What it asked for: the hour of a model times their number, and twice that when retried."""
    days, _, clock = submission.time.rpartition("-")
    return 24 * int(days or 0) + int(clock.split(":")[0])


def is_timed(path):
    return any(Path(path).is_relative_to(place) for place in TIMED)


def is_kept(path):
    return any(place in path for place in KEPT)


@pytest.fixture(scope="module")
def first(finished):
    """The finished project's records."""
    return records_of(finished)


@pytest.fixture(scope="module")
def made_again(first):
    """Records of what is made again, by path."""
    return {path: it for path, it in first.items() if not is_kept(path)}


@pytest.fixture(scope="module")
def late(made_again):
    """Records of the three runs that came last in the last cell that has so many."""
    cells = {}
    for path, record in sorted(made_again.items(), key=lambda item: item[1].started):
        if record.kind == "unlearned":
            cells.setdefault(Path(path).parents[1], []).append(path)
    large = [runs for runs in cells.values() if len(runs) >= 3]
    return max(large, key=lambda runs: made_again[runs[-1]].started)[-3:]


@pytest.fixture(scope="module")
def cleared(finished, tmp_path_factory):
    """A copy of the finished project without what is made again."""
    project = tmp_path_factory.mktemp("again") / "project"
    shutil.copytree(finished, project)
    for path in (project / "results").rglob("*"):
        if path.is_file() and not is_kept(path.as_posix()):
            path.unlink()
    return project


@pytest.fixture(scope="module")
def killed(cleared, late, request):
    """Kind of process → number of those that were killed while everything else was made on three cores."""
    snakemake(cleared, "--cores", "1", *CONFIG, "--", *late)
    asked = ["--cores", "3", *CONFIG]
    return run_under_killer(cleared, asked, request.config.getoption("--kills"), seed=1)


@pytest.fixture(scope="module")
def again(cleared, killed):
    """A project in which the runs that came last come first, and everything was made through kills."""
    return cleared


def test_every_artifact_has_the_same_bytes_and_every_step_was_told_the_same(
    finished, first, made_again, again
):
    second = records_of(again)
    assert first.keys() == second.keys()
    assert len({record.about.get("row") for record in made_again.values()}) > 10
    compared = 0
    for path, record in made_again.items():
        timed = [name for name in (*record.outputs, *record.inputs) if is_timed(name)]
        # A record that is read is an input with times of its own.
        if not timed and not any(name in first for name in record.inputs):
            assert identity(record.content) == identity(second[path].content), path
        for name in record.outputs:
            if not is_timed(name):
                assert (finished / name).read_bytes() == (again / name).read_bytes(), name
                compared += 1
    assert compared > 200


def test_the_order_was_another(made_again, late, again):
    started = {path: record.started for path, record in records_of(again).items()}
    rest = [
        started[path]
        for path, record in made_again.items()
        if record.kind == "unlearned" and path not in late
    ]
    assert max(started[path] for path in late) <= min(rest)


def test_processes_of_all_kinds_were_killed(killed, request):
    assert killed.total() >= request.config.getoption("--kills")
    assert all(killed[kind] for kind in KINDS)


def test_what_slurm_makes_is_finished_by_retries(disturbed):
    if disturbed is None:
        pytest.skip(f"no {', '.join(missing_programs())}: apt-get install {PACKAGES}")
    # A node that is drained ends what it has begun, and begins nothing.
    assert {it.state for it in disturbed.while_drained} == {"COMPLETED", "PENDING"}
    (cancelled,) = (it for it in disturbed.submissions if it.state == "CANCELLED")
    (retried,) = (it for it in disturbed.submissions if it.memory != cancelled.memory)
    others = [it for it in disturbed.submissions if it != cancelled]
    assert {it.state for it in others} == {"COMPLETED"}
    # All of a batch is made again, and the retry asks for more.
    assert cancelled.comment == retried.comment
    assert "unlearn" in cancelled.comment
    assert (cancelled.memory, retried.memory) == ("8000M", "16000M")
    assert hours(cancelled) > 1
    assert hours(retried) == 2 * hours(cancelled)


def test_all_models_were_made_through_slurm(disturbed, first):
    if disturbed is None:
        pytest.skip(f"no {', '.join(missing_programs())}: apt-get install {PACKAGES}")
    asked = Counter()
    for it in disturbed.submissions:
        if it.memory == "8000M":
            (step,) = (step for step in {*OF_MODELS.values()} if step in it.comment)
            asked[step] += hours(it)
    made = Counter(OF_MODELS[record.kind] for record in first.values() if record.kind in OF_MODELS)
    assert asked == made
