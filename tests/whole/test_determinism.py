"""The chain gives the same bytes again, with its jobs in another order on other numbers of cores."""

import os
from pathlib import Path

import pytest
from project import run

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


def records_of(folder):
    """Records of a project, by path."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return read_index().records
    finally:
        os.chdir(before)


def is_timed(path):
    return any(Path(path).is_relative_to(place) for place in TIMED)


@pytest.fixture(scope="module")
def first(finished):
    """The finished project's records."""
    return records_of(finished)


@pytest.fixture(scope="module")
def late(first):
    """Records of the runs that came last."""
    runs = [path for path, record in first.items() if record.kind == "unlearned"]
    return sorted(runs, key=lambda path: first[path].started)[-4:]


@pytest.fixture(scope="module")
def again(finished, late, tmp_path_factory):
    """A clone in which the runs that came last come first on one core, then everything else on three."""
    clone = tmp_path_factory.mktemp("again") / "clone"
    run(clone.parent, "git", "clone", "--quiet", finished, clone)
    run(clone, "snakemake", "--cores", "1", *CONFIG, "--", *late)
    run(clone, "snakemake", "--cores", "3", *CONFIG)
    return clone


def test_every_artifact_has_the_same_bytes_and_every_step_was_told_the_same(finished, first, again):
    second = records_of(again)
    assert first.keys() == second.keys()
    compared = 0
    for path, record in first.items():
        timed = [name for name in (*record.outputs, *record.inputs) if is_timed(name)]
        # A record that is read is an input with times of its own.
        if not timed and not any(name in first for name in record.inputs):
            assert identity(record.content) == identity(second[path].content), path
        for name in record.outputs:
            if not is_timed(name):
                assert (finished / name).read_bytes() == (again / name).read_bytes(), name
                compared += 1
    assert compared > 300


def test_the_order_was_another(first, late, again):
    started = {path: record.started for path, record in records_of(again).items()}
    rest = [
        started[path]
        for path, record in first.items()
        if record.kind == "unlearned" and path not in late
    ]
    assert max(started[path] for path in late) <= min(rest)
