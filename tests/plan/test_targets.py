"""What can be asked of the workflow, and what is said of what cannot."""

from pathlib import Path

import pytest
from project import ROOT

from lotus.config.origins import read_origin
from lotus.plan.making import make_plan
from lotus.plan.steps import Steps
from lotus.plan.targets import Targets, records_of_others

RUN = "results/digits/resnet18/seed13/instance-10"
RULES = {"all": False, "lookalikes": False, "tune": False, "unlearn": True, "seal_records": False}


def targets_of(name, **changes):
    origin = read_origin(ROOT / "config" / name)
    content = {
        key: value for key, value in {**origin.content, **changes}.items() if value is not None
    }
    return Targets(Steps(make_plan(content, [origin])))


@pytest.fixture(scope="module")
def digits():
    return targets_of("digits.yaml")


@pytest.fixture(autouse=True)
def in_project(monkeypatch):
    monkeypatch.chdir(ROOT)


def complaint(targets, asked):
    rules = RULES | dict.fromkeys(targets.named, False)
    lines = targets.complaints([asked], rules)
    assert all("\n" not in line for line in lines)
    return lines[0] if lines else ""


def test_what_the_experiment_has_is_not_complained_about(digits):
    for files in digits.named.values():
        for path in files:
            assert not complaint(digits, path)
    for asked in (
        *("all", "table1", "lookalikes", "seal_records", "claims", "resnet18-digits"),
        *(*digits.final, *digits.lookalikes),
        *("data/raw/digits.json", "data/stores/digits/images.npy", "results/digits/store.json"),
        *("results/tuning/overrides.yaml", "./results/claims.json", "results//claims.json"),
        str(ROOT / "results/claims.json"),
        # Of tuning; files of the project; what lies elsewhere is Snakemake's to judge.
        *("results/digits/resnet18/seed101/original/corrected/run.json", "README.md", "/tmp/x.csv"),
    ):
        assert not complaint(digits, asked), asked


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            "tabel1",
            "tabel1: there is no such target; did you mean 'table1'? accepted: ablation, all, ",
        ),
        ("audit", "audit: there is no such target; it is called 'lookalikes'"),
        (
            "unlearn",
            "unlearn: this rule is for many files and is not a target; did you mean 'class-unlearning'? "
            "accepted: ",
        ),
        (
            "results/tables/XYZ.csv",
            "results/tables/XYZ.csv: is not part of this experiment; in results/tables/: ",
        ),
        (
            "results/tables/digits-resnet18-instance-10-released.csv",
            "'digits-resnet18-instance-10-released-e1.csv'",
        ),
        (
            "results/tables/fashion-mini-resnet18-class-trouser-corrected.csv",
            "in results/tables/: ",
        ),
        (
            "results/figures/streisand-cifar10-resnet18-instance-10-corrected.svg",
            "in results/figures/: ",
        ),
        ("results/figures/avg-gap.jpg", "in results/figures/: did you mean 'avg-gap.png'?"),
        ("results/paper/table99.csv", "in results/paper/: did you mean 'table7.csv'?"),
        (f"{RUN}/released/lotus/run.json", f"in {RUN}/: did you mean 'released-e1'?"),
        (f"{RUN}/corrected/lotos/run.json", f"in {RUN}/corrected/: did you mean 'lotus'?"),
        (
            f"{RUN}/corrected/lotus/model.pt",
            "accepted: model.safetensors, predictions.npz, run.json",
        ),
        (
            f"{RUN.replace('13', '14')}/corrected/metrics.json",
            "in results/digits/resnet18/: did you mean 'seed13'?",
        ),
        (
            "results/digits/resnet18/seed101/instance-10/corrected/metrics.json",
            "accepted: original",
        ),
        ("results/tuning/digits/resnet18/seed13/instance-10/lotus.json", "did you mean 'seed103'?"),
        (
            "results/tuning/digits/resnet18/seed101/instance-10/scrub.json",
            "in results/tuning/digits/resnet18/seed101/instance-10/: ",
        ),
        (
            "results/cifar10/store.json",
            "results/cifar10/store.json: is not part of this experiment; in results/: ",
        ),
        ("results/nonsense", "results/nonsense: is not part of this experiment; in results/: "),
        ("results/tables", "results/tables: is a folder and not a file; in it: accepted: "),
        ("results/", "results: is a folder and not a file; in it: accepted: claims.json, digits, "),
        ("data/stores/cifar100/images.npy", "in data/stores/: accepted: "),
        ("data/raw/cifar100.json", "in data/raw/: "),
        ("results/tables/\x1b[2J.csv", "results/tables/\\x1b[2J.csv: is not part"),
    ],
)
def test_what_it_does_not_have_is_told_in_a_line(digits, asked, told):
    assert told in complaint(digits, asked)


def test_tuning_without_tuning_is_told_in_a_line():
    targets = targets_of("digits.yaml", tuning=None)
    assert complaint(targets, "tune").startswith("tune: this experiment tunes nothing")
    for path in ("overrides.yaml", "digits/resnet18/seed101/instance-10/lotus.json"):
        assert "not part of this experiment; in results/: " in complaint(
            targets, f"results/tuning/{path}"
        )


def test_targets_of_parts_items_and_their_aliases(digits):
    named = digits.named
    assert named["claims"] == ["results/claims.json"]
    assert named["table1"] == ["results/paper/table1.csv", "results/paper/table1.tex"]
    assert f"{RUN}/corrected/lotus/predictions.npz" in named["resnet18-digits"]
    assert f"{RUN}/released-e1/metrics.json" in named["resnet18-digits"]
    assert "results/tables/digits-resnet18-instance-10-corrected.csv" in named["resnet18-digits"]
    assert (
        "results/figures/streisand-digits-resnet18-class-three-corrected.svg" in named["streisand"]
    )
    assert digits.lookalikes[0] == "results/digits/audit/instance-10.json"
    assert "results/figures/data-similarity.svg" in digits.lookalikes


def test_cells_that_a_target_is_about(digits):
    cells = digits.steps.plan.cells
    assert digits.cells_of("all") == cells
    assert digits.cells_of("table7") == digits.steps.plan.parts.get("table7", ())
    of_class = digits.cells_of("results/digits/resnet18/seed13/class-three/corrected/metrics.json")
    assert {cell.scenario for cell in of_class} == {"class-three"}
    assert digits.cells_of("results/digits/store.json") == list(cells)


def test_records_of_other_experiments_are_named_with_their_digests(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert records_of_others(digits.steps) == []
    for name in ("results/records/experiment.json", "results/records/tables/other.table.json"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("{}")
    (other,) = records_of_others(digits.steps)
    assert other.startswith("results/records/tables/other.table.json 44136fa355b3")
