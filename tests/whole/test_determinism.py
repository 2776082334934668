"""The chain gives the same bytes again: once more, and with its jobs in another order on other cores."""

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


def compare(one, first, other):
    """Every artifact, byte for byte, and what each step read, wrote and was told."""
    second = records_of(other)
    assert first.keys() == second.keys()
    compared = 0
    for path, record in first.items():
        timed = [name for name in (*record.outputs, *record.inputs) if is_timed(name)]
        # A record that is read is an input with times of its own.
        if not timed and not any(name in first for name in record.inputs):
            assert identity(record.content) == identity(second[path].content), path
        for name in record.outputs:
            if not is_timed(name):
                assert (one / name).read_bytes() == (other / name).read_bytes(), name
                compared += 1
    return compared


def test_the_chain_gives_the_same_bytes_again(finished, first, tmp_path):
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", finished, clone)
    run(clone, "snakemake", "--cores", "2", *CONFIG)
    assert compare(finished, first, clone) > 300


def test_another_order_and_core_count_give_the_same_bytes(finished, first, tmp_path):
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "--quiet", finished, clone)
    # The runs that came last come first, then everything else.
    runs = [path for path, record in first.items() if record.kind == "unlearned"]
    late = sorted(runs, key=lambda path: first[path].started)[-4:]
    run(clone, "snakemake", "--cores", "1", *CONFIG, "--", *late)
    run(clone, "snakemake", "--cores", "3", *CONFIG)
    started = {path: record.started for path, record in records_of(clone).items()}
    others = [started[path] for path in runs if path not in late]
    assert max(started[path] for path in late) <= min(others)
    assert compare(finished, first, clone) > 300
