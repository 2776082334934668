"""Kinds of randomness with seeds of their own: declared, planned and drawn."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from project import ROOT
from small_configuration import plan_of

from lotus.claims.stated import BASELINES
from lotus.config.protocol import parse
from lotus.config.seeds import AXES
from lotus.data.content import Content
from lotus.data.splits import write_held_out
from lotus.data.store import write_store
from lotus.errors import LotusError
from lotus.plan.commands import run_command
from lotus.plan.declared import declared
from lotus.plan.steps import Steps
from lotus.runs.run import Run, derive_seed


def run_of(**apart):
    return Run(Path("out"), 7, "cpu", 1, protocol=parse("corrected"), seeds_apart=apart)


def test_each_kind_follows_its_own_seed_and_without_one_the_run_s():
    purposes = {"weights": "initialisation", "batches": "batches", "unlearn": "noise"}
    for purpose, axis in purposes.items():
        assert run_of().derived_seed(purpose) == derive_seed(7, purpose)
        assert run_of(**{axis: 9}).derived_seed(purpose) == derive_seed(9, purpose)
        others = {other: 9 for other in AXES if other != axis}
        assert run_of(**others).derived_seed(purpose) == derive_seed(7, purpose)
    assert run_of(batches=9).derived_seed("batches/again-1") == derive_seed(9, "batches/again-1")
    assert run_of().apart == {}


@pytest.fixture(scope="module")
def variance():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return declared([Path("config/fashion-variance.yaml")], {}).plan


def test_steps_are_told_the_seeds_and_records_are_to_state_them(variance):
    apart = {"split": 1, "initialisation": 1, "batches": 1, "noise": 2}
    (seed,) = [it.seed for it in variance.settings.seeds_apart if it.given() == apart]
    of_seed = [step for step in Steps(variance) if step.subject.get("seed") == str(seed)]
    by_kind = {step.kind: step for step in of_seed}
    for kind in ("pretrain_original", "retrain_gold", "unlearn"):
        line = run_command(by_kind[kind])
        assert json.loads(line[line.index("--seeds-apart") + 1]) == apart
        (record,) = by_kind[kind].records
        assert record.settings["seeds_apart"] == apart
    for kind in ("split_held_out", "choose_forget_set"):
        assert by_kind[kind].told["apart"] == ["--seeds-apart", '{"split": 1}']
        (record,) = by_kind[kind].records
        assert record.settings["split_seed"] == 1


def test_one_kind_varies_at_a_time_and_then_all(variance):
    base, *others = [it.given() for it in variance.settings.seeds_apart]
    varied = [frozenset(axis for axis in AXES if of[axis] != base[axis]) for of in others]
    assert {*varied} == {frozenset({axis}) for axis in AXES} | {frozenset(AXES)}
    assert min(varied.count(kinds) for kinds in varied) >= 5


def test_without_seeds_apart_steps_are_told_nothing(content):
    for step in Steps(plan_of(content)):
        assert not step.told.get("apart")
        for record in step.records:
            assert not {"seeds_apart", "split_seed"} & {*(record.settings or {})}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"seed": 99, "split": 1}], "seeds_apart.0.seed = 99: is not among the file's seeds"),
        ([{"seed": 12}, {"seed": 12}], "duplicate seed"),
        ([{"seed": 12, "batch": 1}], "batches"),
        ([{"seed": 12, "split": -1}], "split = -1"),
    ],
)
def test_mistakes_name_the_place(content, given, said):
    with pytest.raises(LotusError, match=re.escape(said)):
        plan_of(content | {"seeds_apart": given})


def test_the_experiment_of_ten_seeds_has_all_rows_and_none_of_the_tuning_seeds():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        plan = declared([Path("config/fashion-seeds.yaml")], {}).plan
    assert len(plan.settings.seeds) >= 10
    assert not {*plan.settings.seeds} & {*plan.settings.tuning.seeds}
    for cell in plan.benchmarks:
        assert plan.seeds_of(cell) == plan.settings.seeds
        assert {"original", "gold", "lotus", *BASELINES} <= {*plan.run_folders(cell, 1)}


def test_a_split_is_drawn_by_its_own_seed_and_its_record_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store, parts = tmp_path / "store", {"train": (0, 40), "test": (40, 80)}
    images, labels = np.zeros((80, 2, 2, 1), np.uint8), np.arange(80) % 4
    content = Content(images, labels, parts, ("a", "b", "c", "d"))
    write_store(store, images, content, {"dataset": "d"}, None)
    for name, seed, own in (("a", 1, None), ("b", 2, 1), ("c", 2, None)):
        write_held_out(store, seed, Path(f"{name}.json"), Path(f"{name}.record.json"), own)
    a, b, c = (Path(f"{name}.json").read_text() for name in "abc")
    assert a == b != c
    assert json.loads(Path("b.record.json").read_text())["settings"] == {"split_seed": 1}
    assert json.loads(Path("a.record.json").read_text())["settings"] == {}
