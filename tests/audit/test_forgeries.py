"""docs/audit.md says of each sort of forgery whether it is seen; here each is carried out."""

import json
import random
import re
import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
from copies import Copy
from forged_circumstances import OF_ERRORS
from forged_results import MAPS, OF_METRICS, RANDOM
from forging import FORGERIES, commit, git, look, record_anew
from hand_made import write_by_hand
from project import ROOT
from tiny import ROWS, write_project

from lotus import layout
from lotus.predictions import maps_file
from lotus.predictions.maps_file import Explanations
from lotus.records.ledger import seal

PAGE = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
TABLES = PAGE[PAGE.index("## What a forger") :]
SEEN = dict(re.findall(r"^\| ([^|]+) \| (yes|remark|with `--full`|no) \|", TABLES, re.M))
"""What is forged → whether it is seen, as the page says."""
CASES = 10
"""Random cases of each kind of damage; those of tests/audit/test_audit.py are 200 and more."""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A small finished project, with Grad-CAM maps, in a repository that has its first state."""
    folder = tmp_path_factory.mktemp("forged") / "project"
    folder.mkdir()
    with chdir(folder):
        write_project()
        _write_maps()
        shutil.copy(ROOT / "config/digits.yaml", "config/toy.yaml")
        Path("results/records/ledger.json").unlink()
        seal(layout.LEDGER)
        git("init", "--quiet")
        commit("config", "results")
    return folder


def _write_maps():
    rows = np.array([*ROWS])
    maps = np.zeros((3, 2, 1, 1), np.float32)
    images = np.array([0, 4])
    chosen = {"indices": images.tolist()}
    Path(MAPS).parent.mkdir(exist_ok=True)
    empty = np.zeros((2, 1, 1, 1), np.uint8)
    explained = Explanations(
        rows,
        np.array(["", "", ""]),
        maps,
        maps[..., 0, 0],
        empty,
        images,
        images,
        np.array(["a", "a"]),
    )
    maps_file.save(Path(MAPS), explained)
    write_by_hand(
        Path(MAPS).with_suffix(".json"),
        kind="gradcam",
        about=json.loads(Path(OF_METRICS).read_text())["about"],
        settings={"rows": rows.tolist()},
        inputs={f"{folder}/run.json": "0" * 64 for folder in ROWS.values()},
        outputs={MAPS: "0" * 64},
        notes={"chosen": chosen},
        code=OF_ERRORS,
    )
    record_anew()


@pytest.fixture(scope="module")
def copy(template, tmp_path_factory):
    return Copy(template, tmp_path_factory.mktemp("forger") / "project")


@pytest.fixture
def project(copy, monkeypatch):
    """A copy to be forged, in which the test runs."""
    monkeypatch.chdir(copy.folder)
    monkeypatch.syspath_prepend(copy.folder)
    yield copy.folder
    copy.reset()


def test_every_row_of_the_page_is_carried_out():
    assert [*SEEN] == [*FORGERIES]


@pytest.mark.parametrize("what", FORGERIES)
@pytest.mark.usefixtures("project")
def test_a_forgery_is_seen_as_the_page_says(what):
    seen, forged = SEEN[what], FORGERIES[what]
    before = forged.look()
    expected = forged.forge()
    if forged.is_committed:
        # What is forged is not found by git alone.
        commit("results", "config")
    after = forged.look()
    said = {
        it.path: it.reason for it in after.artifacts if it not in before.artifacts and it.reason
    }
    notes = [note for note in after.notes if note not in before.notes]
    if seen == "yes":
        path, words = expected
        assert words in said[path], said
    elif seen == "remark":
        path, words = expected
        assert any(path in note and words in note for note in notes), after.notes
        # What was made with a seed that is wanted no more is stale.
        assert not said or not forged.is_committed
    else:
        assert (said, notes) == ({}, [])
        assert (expected is None) == (seen == "no")
    if seen == "with `--full`":
        path, words = expected
        assert words in {it.path: it.reason for it in forged.look(full=True).artifacts}[path]


@pytest.mark.usefixtures("project")
def test_what_is_recorded_anew_without_a_change_is_sound():
    before = look()
    record_anew()
    assert before.ok
    assert look().artifacts == before.artifacts
    assert look().notes == before.notes


@pytest.mark.parametrize("damage", RANDOM, ids=lambda damage: damage.__name__)
def test_consistent_damage_at_random_is_found(project, copy, damage):
    rng = random.Random(damage.__name__)
    for _ in range(CASES):
        path = damage(rng)
        record_anew()
        assert {it.path: it.status for it in look().artifacts}[path] == "changed"
        copy.reset()
