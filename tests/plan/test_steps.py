"""The one list of steps, and that the rules of the workflow are its rules."""

import re
from pathlib import Path

import pytest
from project import ROOT
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from lotus import layout
from lotus.config.origins import Origin, read_origin
from lotus.errors import LotusError
from lotus.plan.making import make_plan
from lotus.plan.step import expected, subject_of, with_record
from lotus.plan.steps import KINDS, Steps, entry_modules, expected_records

RULE_FILES = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
# With tuning; with studies and two architectures.
CONFIGS = ["config/digits.yaml", "config/fashion-mini.yaml"]


@pytest.fixture(scope="module", params=CONFIGS)
def config(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield Path(request.param)


@pytest.fixture(scope="module")
def plan(config):
    origin = read_origin(config)
    return make_plan(origin.content, [origin])


@pytest.fixture(scope="module")
def steps(plan):
    return Steps(plan)


@pytest.fixture(scope="module")
def rules(config):
    """The rules that Snakemake reads, those with wildcards in their files and those without."""
    quiet = OutputSettings(quiet={Quietness.ALL})
    with SnakemakeApi(quiet) as api:
        snakemake = api.workflow(
            snakefile=ROOT / "Snakefile",
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[config]),
        )
        workflow = snakemake._get_workflow(check_envvars=False)
        workflow.include(ROOT / "Snakefile", overwrite_default_target=True)
        return [rule for rule in workflow.rules if rule.output]


def test_each_file_of_a_step_is_made_by_the_rule_of_its_kind_and_no_other(steps, rules):
    for step in steps:
        for path in step.files:
            makers = [rule for rule in rules if any(file.match(path) for file in rule.output)]
            assert [rule.name for rule in makers] == [step.kind], path
            assert dict(makers[0].get_wildcards(path)) == step.subject, path


def test_rules_and_steps_name_the_same_files_alike(steps, rules):
    by_name = {rule.name: rule for rule in rules}
    for kind in KINDS:
        for step in steps.of_kind(kind).values():
            assert set(by_name[kind].output.keys()) == set(step.outputs), kind


def test_each_rule_that_makes_a_file_has_steps(steps, rules):
    without = set() if steps.plan.settings.tuning is not None else {"try_candidates", "tune"}
    if steps.plan.settings.power is None:
        without = without | {"measure_power", "halve_training"}
    without = without | {"attack_shadows", "rank_images", "hash_images"}
    assert {rule.name for rule in rules} == set(KINDS)
    assert {kind for kind in KINDS if not steps.of_kind(kind)} == without


def test_what_a_step_reads_is_a_source_file_or_written_by_another_step(steps):
    written = {path for step in steps for path in step.files}
    for step in steps:
        for name, files in step.inputs.items():
            for path in [files] if isinstance(files, str) else files:
                assert path in written or path.startswith("report/"), (step.kind, name)


def test_weights_may_be_those_of_a_run_that_is_not_measured_with_this_seed(monkeypatch):
    monkeypatch.chdir(ROOT)
    content = dict(read_origin(Path("config/digits.yaml")).content)
    place = {"datasets": ["digits"], "architectures": ["resnet18"], "scenarios": ["instance-10"]}
    content["grid"] = [
        {**place, "protocols": ["corrected"], "seeds": [13]},
        {**place, "protocols": ["corrected+e1"]},
    ]
    steps = Steps(make_plan(content, [Origin("here", content)]))
    written = {path for step in steps for path in step.files}
    taken = [path for step in steps.of_kind("unlearn").values() for path in step.inputs["weights"]]
    assert any("seed3407" in path for path in taken)
    assert set(taken) <= written


def test_no_two_steps_write_one_file(steps):
    written = [path for step in steps for path in step.files]
    assert len(written) == len(set(written))


def test_a_step_is_found_by_what_it_is_about(steps):
    subject = {"dataset": steps.plan.cells[0].dataset, "seed": str(steps.plan.settings.seeds[0])}
    step = steps.find("split_held_out", subject)
    assert step.outputs["halves"].endswith(f"seed{subject['seed']}/held-out.json")
    assert steps.inputs_of("split_held_out")(subject) == step.inputs
    told = steps.told("split_held_out", "store", "apart")
    assert {name: of(subject) for name, of in told.items()} == step.told
    with pytest.raises(
        LotusError, match=r"split_held_out: is not part of .* for dataset .*, seed 99"
    ):
        steps.find("split_held_out", {**subject, "seed": "99"})
    with pytest.raises(LotusError, match=r"unlearn: is not part of this experiment$"):
        steps.find("unlearn", {})


def test_records_are_expected_of_all_steps_but_those_that_are_asked_for_by_name(steps, plan):
    expected_here = {record.path for record in expected_records(plan)}
    assert str(layout.LEDGER) in expected_here
    assert not [
        path for path in expected_here if Path(path).is_relative_to(layout.OVERRIDES.parent)
    ]
    by_default = [step for step in steps if step.by_default]
    assert expected_here == {record.path for step in by_default for record in step.records}
    asked = [step for step in steps if not step.by_default]
    for step in asked:
        assert not expected_here & set(step.files)
    if plan.settings.tuning is not None:
        assert {"pretrain_original", "tune", "try_candidates"} <= {step.kind for step in asked}


def test_an_expected_record_is_one_of_the_files_of_its_step_and_states_the_others(steps):
    for step in steps:
        for record in step.records:
            assert record.path in step.files
            assert record.path not in record.outputs
            if step.kind != "verify_store":
                assert set(record.outputs) <= set(step.files)


def test_code_is_that_of_the_modules_where_a_step_begins(steps, plan, monkeypatch):
    monkeypatch.setattr("lotus.plan.steps.step_code", lambda *modules, **_: "+".join(modules))
    cell, seed = plan.cells[0], plan.settings.seeds[0]
    subject = {**subject_of(plan.home(cell, "finetune"), seed), "row": "finetune"}
    assert steps.code_of("unlearn")(subject) == (
        "lotus.runs.unlearn+lotus.methods.finetune+lotus.models.resnet18"
    )


def test_no_code_asks_again_for_stores_of_downloaded_files(monkeypatch):
    monkeypatch.chdir(ROOT)
    origin = read_origin(Path("config/cifar10-small.yaml"))
    steps = Steps(make_plan(origin.content, [origin]))
    assert steps.code_of("build_store")({"dataset": "cifar10"}) == ""
    assert steps.code_of("build_store")({"dataset": "digits"}) != ""


def test_entry_modules_are_named_for_every_kind(plan):
    modules = entry_modules(plan)
    assert modules.keys() == KINDS.keys()
    assert modules["evaluate"] == [("lotus.runs.evaluation",)]
    assert ("lotus.runs.unlearn", "lotus.methods.lotus", "lotus.models.resnet18") in (
        modules["unlearn"]
    )


def test_a_record_is_expected_to_state_what_its_step_writes_beside_it():
    outputs = with_record(layout.item_files("tables", "summary", "table"))
    (record,) = expected(outputs, ["a.json"], {"rows": ("lotus",)})
    assert record.path == "results/records/tables/summary.table.json"
    assert record.outputs == ("results/tables/summary.csv", "results/tables/summary.tex")
    assert record.inputs == ("a.json",)
    # As JSON has it.
    assert record.settings == {"rows": ["lotus"]}


def test_lists_of_raw_files_belong_to_the_record_of_the_store(steps):
    (step,) = (
        it for it in steps.of_kind("verify_store").values() if it.subject["dataset"] == "digits"
    )
    assert step.records[0].files[:2] == ("data/raw/digits.json", "results/digits/store.json")


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.name)
def test_no_rule_file_spells_a_path(file):
    text = file.read_text(encoding="utf-8")
    assert not re.findall(r"(?:results|data|logs)/", re.sub(r'^""".*?"""', "", text, flags=re.S))
    assert not re.findall(r"\.(?:json|csv|npz|npy|svg|pdf|tex|safetensors|html)\b", text)


def test_what_rules_share_stays_short():
    lines = (ROOT / "workflow/rules/common.smk").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
