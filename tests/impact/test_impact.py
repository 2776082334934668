"""What rests on a file, a module or a raw file of a project by hand; and what is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from built_by_hand import METRICS_FILE, PLACE, SEED, SPLIT, STORE, TABLE, folder_of, step
from click.testing import CliRunner
from project import ROOT

from lotus.cli.main import main
from lotus.config.privacy import FIRST_SHADOW
from lotus.config.settings import Settings
from lotus.errors import LotusError
from lotus.impact.impact import find_impact
from lotus.impact.verdicts import _names
from lotus.records.files import write_json
from lotus.records.seal import sealed


def rows_of(found):
    return {run.record.about["row"] for run in found.runs if not run.says}


def numbers_of(found):
    return {(line.row, column) for line in found.lines for column in line.columns}


ALL = {
    (row, column)
    for row in ("original", "gold", "lotus", "ssd")
    for column in ("n", "avg_gap", "accuracy_test")
}
GAPS = {("lotus", "avg_gap"), ("ssd", "avg_gap"), ("original", "avg_gap"), ("gold", "avg_gap")}


def test_a_run_moves_its_own_numbers_and_no_others(project):
    found = find_impact(folder_of("ssd"))
    assert rows_of(found) == {"ssd"}
    assert numbers_of(found) == {("ssd", "n"), ("ssd", "avg_gap"), ("ssd", "accuracy_test")}


def test_gold_moves_all_that_is_measured_against_it(project):
    found = find_impact(f"{folder_of('gold')}/model.safetensors")
    assert rows_of(found) == {"gold"}
    # Of the original another model says which of its predictions are of forget images.
    others = {
        ("gold", "n"),
        ("gold", "accuracy_test"),
        ("original", "n"),
        ("original", "accuracy_test"),
    }
    assert numbers_of(found) == GAPS | others


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        (f"{folder_of('original')}/run.json", {"original", "lotus", "ssd"}),
        (SPLIT, {"gold", "lotus", "ssd"}),
        ("data/stores/tiny", {"original", "gold", "lotus", "ssd"}),
        ("data/embedded/tiny.gz", {"original", "gold", "lotus", "ssd"}),
        ("data/raw/tiny.json", {"original", "gold", "lotus", "ssd"}),
        (METRICS_FILE, set()),
    ],
)
def test_models_that_rest_on_a_file(project, given, rows):
    found = find_impact(given)
    assert rows_of(found) == rows
    # Methods are compared with gold, gold with nothing.
    of_gold = {number for number in ALL if number[0] == "gold"}
    assert numbers_of(found) == (ALL - of_gold if rows and "gold" not in rows else ALL)


def test_a_table_moves_no_model_and_all_of_its_numbers(project):
    found = find_impact(TABLE)
    assert found.runs == []
    assert numbers_of(found) == ALL


def test_a_module_moves_the_steps_that_reach_it(project):
    by_name, by_file = find_impact("lotus.errors"), find_impact("lotus/errors.py")
    assert by_name.start == by_file.start
    assert rows_of(by_name) == {"original", "gold", "lotus", "ssd"}
    assert numbers_of(by_name) == ALL


def test_numbers_are_named_as_lineage_takes_them(project):
    done = CliRunner().invoke(main, ["impact", folder_of("ssd"), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert f"{TABLE}:ssd:avg_gap:dataset=tiny:protocol=corrected" in told["numbers"]
    for cell in told["numbers"]:
        assert CliRunner().invoke(main, ["lineage", cell, "--brief"]).exit_code == 0
    assert [run["path"] for run in told["runs"]] == [f"{folder_of('ssd')}/run.json"]
    text = CliRunner().invoke(main, ["impact", folder_of("ssd")]).stdout
    assert "On it rest 1 run, 3 numbers of 1 table, 0 figures, 0 verdicts and 1 other file." in text
    assert "  ssd:(n|avg_gap|accuracy_test):dataset=tiny:protocol=corrected" in text
    brief = CliRunner().invoke(main, ["impact", folder_of("ssd"), "--brief"]).stdout
    assert "Numbers" not in brief


def test_what_is_none_of_them_is_said_with_what_is_accepted(project):
    for given, said in (
        ("lotus.erors", "did you mean lotus.errors?"),
        ("nothing", "no record names it; accepted: an image, by its file or its place in a store"),
        (f"{SEED}/instance-10/corrected/sdd", "did you mean"),
        ("tiny2:3", "no record of a store 'tiny2'; did you mean 'tiny'?"),
        ("../elsewhere", "is outside the project"),
    ):
        done = CliRunner().invoke(main, ["impact", given])
        assert done.exit_code == 1
        assert said in done.output, given
        assert done.output.count("\n") == 1


def test_records_that_cannot_be_trusted_are_told(project):
    path = Path(f"{folder_of('ssd')}/run.json")
    path.write_text(path.read_text().replace('"cores"', '"kernels"'))
    found = CliRunner().invoke(main, ["impact", SPLIT, "--brief"])
    assert f"1 record cannot be trusted, {path} the first" in found.stdout


def test_a_record_cannot_have_files_read_that_are_not_its_own(project, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("row,x\nhidden,1\n")
    path = Path("results/records/tables/summary.table.json")
    record = json.loads(path.read_text())
    write_json(path, sealed({**record, "outputs": {**record["outputs"], str(secret): "0" * 64}}))
    found = find_impact(TABLE)
    assert numbers_of(found) == ALL
    assert {line.path for line in find_impact(METRICS_FILE).lines} == {TABLE}


def described(**settings):
    """An experiment as `lotus describe` writes it, with nothing in its grid."""
    every = {"seeds": [1], "overrides": [], "grid": [], "methods": {}, **settings}
    write_json(
        Path("results/experiment.json"), {"settings": every, "benchmarks": [], "ablations": []}
    )


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("seeds.0", {"original", "gold", "lotus", "ssd"}),
        ("methods.ssd", {"ssd"}),
        ("methods.ssd.alpha", {"ssd"}),
        ("methods.lotus.alpha", set()),
        ("overrides.0.methods.lotus.alpha", {"lotus"}),
        ("overrides.0", {"lotus"}),
        ("scenarios.instance-10.forget_fraction", {"gold", "lotus", "ssd"}),
        ("architectures.resnet18.width", {"original", "gold", "lotus", "ssd"}),
        ("title", set()),
    ],
)
def test_a_key_moves_the_steps_that_were_told_it(project, key, rows):
    where = dict.fromkeys(("dataset", "architecture", "scenario", "protocol"))
    described(
        title="T",
        methods={"ssd": {"method": None, "alpha": 2}, "lotus": {"alpha": 7}},
        overrides=[
            {"where": where, "methods": {"lotus": {"alpha": "2"}}, "training": {}, "images": {}}
        ],
        scenarios={"instance-10": {"forget_fraction": 0.1}},
        architectures={"resnet18": {"width": 8}},
    )
    for row in ("lotus", "ssd"):
        assert json.loads(Path(f"{folder_of(row)}/run.json").read_text())["settings"] == {
            "alpha": 2
        }
    found = find_impact(key)
    assert rows_of(found) == rows
    assert bool(numbers_of(found)) == bool(rows)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (
            "scenarios.instance-10.fraction",
            "no key 'fraction' in scenarios.instance-10; did you mean",
        ),
        ("scenarios.instance-11", "no key 'instance-11' in scenarios; did you mean 'instance-10'?"),
        ("seeds.7", "no key '7' in seeds; accepted: 0"),
    ],
)
def test_a_key_that_is_not_there_is_said_with_those_that_are(project, key, said):
    described(scenarios={"instance-10": {"forget_fraction": 0.1}})
    with pytest.raises(LotusError, match=re.escape(said)):
        find_impact(key)


ASKED = [
    *("data", "data.mirror", "privacy", "privacy.shadows", "power", "power.golds", "power.seed"),
    *("seeds_apart", "seeds_apart.0", "seeds_apart.0.seed", "seeds_apart.0.split"),
    *("grid.0.tables", "grid.0.tables.0", "grid.0.protocols", "limit", "plugins", "gold_seeds"),
    *("tuning", "tuning.budget", "further", "based_on", "title", "overrides.0.where"),
]


@pytest.mark.parametrize("key", ASKED)
def test_every_section_and_its_parts_can_be_asked_for(project, key):
    settings = Settings.model_validate(
        yaml.safe_load((ROOT / "config/digits.yaml").read_text())
        | {"seeds_apart": [{"seed": 3407, "split": 5}], "privacy": {"shadows": 4}}
        | {"power": {"dataset": "digits", "architecture": "resnet18", "scenario": "instance-10"}}
        | {"overrides": [{"where": {"dataset": "digits"}, "methods": {"lotus": {"alpha": 2}}}]}
        | {"tuning": {"seeds": [1, 2], "budget": 2, "spaces": {"lotus": {"alpha": [1, 2]}}}}
    ).model_dump(mode="json")
    settings["grid"][0]["tables"] = ["table1"]
    described(**settings)
    Path("data").mkdir(exist_ok=True)
    done = CliRunner().invoke(main, ["impact", key])
    assert (done.exit_code, done.exception) == (0, None), done.output
    assert f"{key}" in done.output
    assert "a key of the configuration" in done.output


APART = [{"seed": 1, "split": 5, "initialisation": None, "batches": 7, "noise": None}]


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("seeds_apart.0", {"original", "gold", "lotus", "ssd"}),
        ("seeds_apart.0.split", {"gold", "lotus", "ssd"}),
        ("seeds_apart.0.noise", set()),
        ("grid.0.tables", set()),
    ],
)
def test_a_key_of_an_entry_moves_what_was_told_it(project, key, rows):
    described(seeds_apart=APART, grid=[{"tables": ["table1"]}])
    assert rows_of(find_impact(key)) == rows


FURTHER = {
    ("original", "original", FIRST_SHADOW): "privacy.shadows",
    ("unlearned", "lotus", FIRST_SHADOW): "privacy.shadows",
    ("unlearned", "lotus", FIRST_SHADOW + 4): "",
    ("gold", "gold", FIRST_SHADOW): "power.golds",
    ("retrained", "kept-half-1", 1): "power.golds",
    ("gold", "gold-again-1", 1): "gold_seeds",
    ("gold", "gold-again-2", 1): "power.golds",
}


def test_further_models_rest_on_the_section_that_asks_for_them(project):
    described(privacy={"shadows": 4}, power={"shadows": 4, "golds": 2}, gold_seeds=1)
    for kind, row, seed in FURTHER:
        made = f"results/tiny/resnet18/seed{seed}/further/corrected/{row}/model.safetensors"
        step(kind, [STORE[2]], [made], {**PLACE, "row": row, "protocol": "corrected", "seed": seed})
    for key in ("privacy.shadows", "power.golds"):
        moved = {
            (run.record.kind, run.record.about["row"], run.record.about["seed"])
            for run in find_impact(key).runs
        }
        assert moved == {each for each, rests_on in FURTHER.items() if rests_on == key}


def test_no_plug_in_is_imported(project):
    Path("evil.py").write_text("open('was-run', 'w').close()\n")
    described(plugins=["evil.py"], scenarios={})
    code = "from lotus.cli.main import main; main(['impact', 'plugins'])"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "plugins, a key of the configuration" in done.stdout
    assert not Path("was-run").exists()


def test_data_sets_of_a_claim_are_told_apart_by_their_whole_titles():
    assert _names("CIFAR-10 and CIFAR-100", "CIFAR-10")
    assert _names("CIFAR-10 and CIFAR-100", "CIFAR-100")
    assert not _names("CIFAR-100 and TinyImageNet", "CIFAR-10")
    assert _names("cats and dogs and birds", "cats and dogs")
