"""Forget sets by losses and look-alikes are chosen again from what is recorded."""

import json
from pathlib import Path

import numpy as np
import pytest

from lotus import layout
from lotus.audit.splits_again import compute_again
from lotus.config.scenarios import Scenario
from lotus.data.content import Content
from lotus.data.forget_rules import save_known
from lotus.data.splits import write_forget_set
from lotus.data.store import open_store, write_store
from lotus.records.index import read_index


@pytest.fixture(params=["hardest", "duplicates"])
def chosen(request, tmp_path, monkeypatch):
    """A project with a forget set, its record, and what it was chosen by; returns path, known, found."""
    monkeypatch.chdir(tmp_path)
    folder, rng = layout.STORES / "d", np.random.default_rng(0)
    images, labels = np.zeros((80, 2, 2, 1), np.uint8), np.arange(80) % 4
    content = Content(images, labels, {"train": (0, 60), "test": (60, 80)}, tuple("abcd"))
    write_store(folder, images, content, {"dataset": "d"}, None)
    store = open_store(folder)
    told = {"forget_fraction": 0.2, "forget_rule": request.param}
    if request.param == "hardest":
        known, told["ranked_by"] = layout.losses_file("d", "small"), "small"
        save_known(known, store, "losses", rng.random(60))
    else:
        known = layout.hashes_file("d")
        save_known(
            known, store, "hashes", np.repeat(rng.integers(2**60, size=10), 6).astype(np.uint64)
        )
    name = f"instance-20-{request.param}"
    path = layout.split_file("d", 1, name)
    record = layout.record_of(path)
    write_forget_set(folder, Scenario(**told), 1, {"scenario": name}, path, record, known=known)

    def found(sound):
        index = read_index([record])
        return compute_again(index, {it.as_posix() for it in sound}, lambda _: store, True)

    return path, known, found


def test_what_the_recorded_losses_or_hashes_give_is_right(chosen):
    path, known, found = chosen
    told = found([path, known])
    assert not told.changed
    assert not told.stale


def test_other_images_are_named(chosen):
    path, known, found = chosen
    content = json.loads(path.read_text())
    content["forget"][0], content["retain"][0] = content["retain"][0], content["forget"][0]
    path.write_text(json.dumps(content))
    told = found([path, known])
    reasons = [reason for where, reason in told.changed if Path(where) == path]
    assert any("forget set differs by 2 images" in reason for reason in reasons)


def test_other_losses_are_told_elsewhere_and_damaged_ones_here(chosen):
    path, known, found = chosen
    known.write_text("{}")
    assert not found([path]).changed
    ((where, reason),) = found([path, known]).changed
    assert Path(where) == path
    assert reason.startswith("cannot be computed again")
