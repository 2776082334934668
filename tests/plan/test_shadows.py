"""What `privacy` asks for: shadows as ordinary steps, their cost in words, and nothing without it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from project import ROOT

from lotus import layout
from lotus.config.origins import Origin
from lotus.config.privacy import FIRST_SHADOW
from lotus.errors import LotusError
from lotus.plan import shadows
from lotus.plan.declared import declared
from lotus.plan.description import part_counts
from lotus.plan.making import make_plan
from lotus.plan.report_steps import recorded_outputs
from lotus.plan.steps import Steps, expected_records
from lotus.plan.targets import Targets


@pytest.fixture(scope="module")
def steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        found = Steps(declared([Path("config/privacy.yaml")], {"privacy": {"shadows": 4}}).plan)
        list(found)
        yield found


def of_shadows(steps, kind):
    """Steps of a kind for the shadows of `privacy`; those of `power` are its target's alone."""
    found = steps.of_kind(kind).values()
    return [
        step
        for step in found
        if step.by_default and int(step.subject.get("seed", 0)) >= FIRST_SHADOW
    ]


def test_each_shadow_is_halved_trained_and_unlearned(steps):
    rows = steps.plan.settings.methods
    counts = {
        "halve_training": 4,
        "split_held_out": 4,
        "choose_forget_set": 4,
        "pretrain_original": 4,
        "unlearn": 4 * len(rows),
        "retrain_gold": 0,
        "picture_forget_set": 0,
        "evaluate": 0,
    }
    assert {kind: len(of_shadows(steps, kind)) for kind in counts} == counts
    (attack,) = steps.of_kind("attack_shadows").values()
    assert len(attack.inputs["predictions"]) == 4 * (1 + len(rows))


def test_originals_and_forget_sets_of_shadows_read_their_half(steps):
    half = "results/fashion-mini/splits/seed1000003/half.json"
    (original,) = [
        it for it in of_shadows(steps, "pretrain_original") if it.subject["seed"] == "1000003"
    ]
    assert original.inputs["half"] == half
    command = steps.command_of("pretrain_original")(original.subject)
    assert command[command.index("--half") + 1] == half
    assert half in original.records[0].inputs
    (chosen,) = [
        it for it in of_shadows(steps, "choose_forget_set") if it.subject["seed"] == "1000003"
    ]
    assert chosen.told["half"] == ["--half", half]
    assert half in chosen.records[0].inputs


def test_what_shadows_read_is_written_and_what_they_write_is_recorded(steps):
    written = {path for step in steps for path in step.files}
    for step in steps:
        for files in step.inputs.values():
            for path in [files] if isinstance(files, str) else files:
                assert path in written or path.startswith("report/")
    recorded = set(Targets(steps).final)
    assert layout.shadows_file(steps.plan.cells[0]).as_posix() in recorded
    models = [*of_shadows(steps, "pretrain_original"), *of_shadows(steps, "unlearn")]
    of_runs = {path for step in models for path in step.files}
    assert of_runs <= set(recorded_outputs(steps.contents))
    (ledger,) = steps.of_kind("seal_records").values()
    assert {path for path in of_runs if path.endswith("run.json")} <= set(ledger.inputs["recorded"])
    assert of_runs <= {
        path for it in expected_records(steps.plan) for path in (it.path, *it.outputs)
    }


def test_without_it_there_are_no_shadows(monkeypatch):
    monkeypatch.chdir(ROOT)
    steps = Steps(declared([Path("config/fashion-mini.yaml")], {}).plan)
    assert not of_shadows(steps, "halve_training")
    assert not steps.of_kind("attack_shadows")
    splits = [it for it in steps.of_kind("choose_forget_set").values() if it.by_default]
    assert not any(it.told["half"] for it in splits)
    assert "klom" not in {made.name for made in steps.contents.tables}
    assert "privacy" not in part_counts(steps.plan)


def test_the_cost_is_told_before_it_arises(steps, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = part_counts(steps.plan)
    assert "privacy: 4 shadows of fashion-mini-resnet18-instance-10-corrected" in said
    assert "10 unlearned models: 44 models; the originals take as much training as 2" in said
    assert "how long all of it takes is not known before" in said


@pytest.mark.parametrize("recorded", [("seed1000000", "seed1000001"), ("seed3407",)])
def test_their_time_is_told_by_models_that_are_recorded(steps, monkeypatch, recorded):
    def find(path):
        is_there = any(seed in path.parts for seed in recorded)
        return SimpleNamespace(
            problem="" if is_there else "absent", content={"time": {"total": 60}}
        )

    monkeypatch.setattr(shadows, "find_record", find)
    # Four shadows, each with an original and ten unlearned models of a minute.
    said = "at most 44 minutes of one core in all, by the models recorded here"
    assert said in part_counts(steps.plan)


@pytest.mark.parametrize(
    ("privacy", "said"),
    [
        ({"shadows": 5}, r"privacy\.shadows = 5: .*multiple of 2"),
        ({"shadows": 2}, r"privacy\.shadows = 2: .*greater than or equal to 4"),
        ({"halves": 4}, r"privacy\.halves"),
    ],
)
def test_what_is_no_number_of_shadows_is_refused(privacy, said, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(LotusError, match=said):
        declared([Path("config/digits.yaml")], {"privacy": privacy})


def test_seeds_of_shadows_are_theirs_alone(monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(LotusError, match=r"seeds\.1 = 1000001: is the seed of a shadow"):
        declared([Path("config/digits.yaml")], {"privacy": {"shadows": 4}, "seeds": [1, 1000001]})


def test_a_benchmark_without_corrected_has_no_shadows(monkeypatch):
    monkeypatch.chdir(ROOT)
    content = dict(declared([Path("config/digits.yaml")], {}).plan.settings.model_dump(mode="json"))
    content["grid"] = [{**content["grid"][0], "protocols": ["released"]}]
    content["privacy"] = {"shadows": 4}
    plan = make_plan(content, [Origin("here", content)])
    assert not Steps(plan).of_kind("attack_shadows")
