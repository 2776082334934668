"""Damaged stores are built again where that can be, and what was made of them since is put aside."""

import errno
import json
import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from forked import snakemake
from project import ROOT, copy_of_project

from lotus.errors import LotusError
from lotus.plan import damaged_stores, made_since
from lotus.plan.declared import declared
from lotus.plan.steps import Steps
from lotus.records.files import write_json
from lotus.records.index import Index
from lotus.records.reading import Record

CONFIG = "config/digits.yaml"
STORE, RECORD = Path("data/stores/digits"), Path("results/digits/store.json")
IMAGES = STORE / "images.npy"
LOTUS = [sys.executable, "-P", str(ROOT / "workflow/run_lotus.py")]
RUN, DRY_RUN = ["snakemake", "--cores", "1"], ["snakemake", "-n"]


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """A project with a verified store of the digits, which data.dvc locks."""
    folder = tmp_path_factory.mktemp("verified") / "project"
    folder.mkdir()
    copy_of_project(folder)
    snakemake(folder, *RUN[1:], "--configfile", CONFIG, "--", RECORD)
    return folder


@pytest.fixture
def project(verified, tmp_path, monkeypatch):
    """A copy of it, which is the present folder."""
    monkeypatch.chdir(shutil.copytree(verified, tmp_path / "project"))


@pytest.fixture
def steps(project):
    return Steps(declared([Path(CONFIG)], {}).plan)


def damage():
    content = IMAGES.read_bytes()
    IMAGES.write_bytes(content[:-1] + bytes([content[-1] ^ 255]))
    return content


def mend(steps, arguments=RUN, is_alone=True):
    return damaged_stores.mend(steps, LOTUS, arguments, is_alone)


def test_a_damaged_store_is_built_again_with_its_old_bytes_and_times(steps):
    sound, verified = damage(), RECORD.stat().st_mtime_ns
    (said,) = mend(steps)
    assert "images.npy is not what results/digits/store.json states: it is built again" in said
    assert IMAGES.read_bytes() == sound
    assert IMAGES.stat().st_mtime_ns == verified
    (damaged,) = Path(".lotus/set-aside").rglob("images.npy")
    assert damaged.read_bytes() != sound
    assert mend(steps) == []
    assert sorted(path.name for path in STORE.parent.iterdir()) == ["digits"]


def test_a_dry_run_says_so_and_changes_nothing(steps):
    damage()
    damaged = IMAGES.read_bytes()
    (said,) = mend(steps, DRY_RUN)
    assert "a run builds it again" in said
    assert IMAGES.read_bytes() == damaged
    assert not Path(".lotus/set-aside").exists()


@pytest.mark.parametrize("why", ["others", "link", "raw"])
def test_what_cannot_be_built_again_is_named_and_left_as_it_is(steps, why):
    damage()
    damaged, told = IMAGES.read_bytes(), "another workflow, or a job of one, is at work here"
    if why == "link":
        STORE.rename("elsewhere")
        STORE.symlink_to(Path("elsewhere").absolute())
        told = "it is shared and not built here"
    elif why == "raw":
        Path("data/raw/digits.json").unlink()
        told = "cannot be built again: .*data/raw/digits.json"
    with pytest.raises(LotusError, match=f"images.npy is not what.*{told}"):
        mend(steps, is_alone=why != "others")
    assert IMAGES.read_bytes() == damaged
    assert not Path(".lotus/set-aside").exists()


def test_a_full_disk_is_told_in_one_line_and_the_next_run_goes_on(steps, monkeypatch):
    sound = damage()

    def full(path, folder):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(made_since, "keep_copy", full)
        with pytest.raises(
            LotusError, match=r"cannot be built again: .*images\.npy: No space left"
        ):
            mend(steps)
    assert IMAGES.read_bytes() != sound
    assert mend(steps)
    assert IMAGES.read_bytes() == sound


def test_a_store_that_is_gone_is_built_again_only_if_jobs_need_it(steps):
    sound = {path.name: path.read_bytes() for path in STORE.iterdir()}
    shutil.rmtree(STORE)
    assert mend(steps) == []
    build = SimpleNamespace(
        rule=SimpleNamespace(name="build_store"),
        wildcards=SimpleNamespace(dataset="digits"),
        input=[],
    )
    unlearn = SimpleNamespace(rule=SimpleNamespace(name="unlearn"), input=[str(RECORD)])
    damaged_stores.build_absent(steps, LOTUS, [build, unlearn])
    assert not STORE.exists()
    damaged_stores.build_absent(steps, LOTUS, [unlearn])
    assert {path.name: path.read_bytes() for path in STORE.iterdir()} == sound


def test_a_store_that_no_job_has_verified_is_put_aside_if_it_is_damaged(steps):
    RECORD.unlink()
    assert mend(steps) == []
    damage()
    (said,) = mend(steps)
    assert "is not the one that data.dvc locks: it is built anew" in said
    assert not STORE.exists()
    assert [*Path(".lotus/set-aside").rglob("images.npy")]


def test_a_store_whose_lock_or_raw_files_changed_is_left_to_snakemake(steps):
    damage()
    Path("data/raw/digits.json").write_text(Path("data/raw/digits.json").read_text() + "\n")
    assert mend(steps) == []


def test_after_use_all_is_read_however_it_changed(steps):
    """Where a disk, and no program, changed the bytes, no time of the file says so."""
    damage()
    state = os.stat(IMAGES)
    untouched = [state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns]
    recorded = json.loads(RECORD.read_text())["outputs"][str(IMAGES)]
    write_json(damaged_stores.SEEN, {str(IMAGES): [*untouched, recorded]})
    assert damaged_stores.damaged_meanwhile(steps, {"digits"}, full=False) == []
    assert damaged_stores.damaged_meanwhile(steps, set(), full=True) == []
    (said,) = damaged_stores.damaged_meanwhile(steps, {"digits"}, full=True)
    assert "images.npy is not what" in said


MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def record(path, inputs, outputs, seconds):
    """A record of a step that ended so many seconds after the moment, and began ten before."""
    started = (MOMENT + timedelta(seconds=seconds - 10)).isoformat()
    content = {
        "kind": "unlearned",
        "inputs": dict.fromkeys(inputs, ""),
        "outputs": dict.fromkeys(outputs, ""),
        "time": {"started": started, "total": 10},
    }
    return Record(path, "", content)


def test_what_was_made_of_a_store_since_a_moment_has_all_that_rests_on_it():
    source = "data/stores/digits/source.json"
    records = [
        record("early", [source], ["early-model"], -60),
        record("late", [source], ["late-model"], 60),
        record("other store", ["data/stores/birds/source.json"], ["other-model"], 60),
        # It ended before, by a clock of another machine, but has read a model that did not.
        record("metrics", ["early-model", "late-model"], ["metrics.json"], -30),
        record("table", ["metrics"], ["table.csv"], -30),
        record("means of early ones", ["early-model"], ["means.csv"], 60),
    ]
    found = made_since.made_since(Index({it.path: it for it in records}), "digits", MOMENT)
    assert [it.path for it in found] == ["late", "metrics", "table"]
