"""Experiments on raw files in CIFAR-10's format, from a mirror to the report, as a user runs them."""

import json
import os
import re
import signal
import time

import pytest
import yaml
from forked import begin_snakemake, snakemake
from project import copy_of_project
from raw_files import cifar10, folders

from lotus.data.sources.cifar10 import SOURCE as CIFAR10

SMALL = "config/cifar10-small.yaml"
HERE = ["--configfile", "config/mine.yaml", "--config", "limit=12", "data={mirror: mirror}"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project beside a mirror with 240 generated images in CIFAR-10's pickles."""
    folder = tmp_path_factory.mktemp("project")
    copy_of_project(folder)
    cifar10(folder / "mirror" / "cifar-10-batches-py", per_batch=40, learnable=True)
    folders(folder / "mirror" / "cifake", dict.fromkeys(CIFAR10.classes, 2), size=(32, 32))
    return folder


@pytest.fixture(scope="module")
def finished(project):
    """The experiment for processors cut to one seed and two methods, with what only the paper's has:

    a synthetic calibration set in a study of its own, and a place without a gold model.
    """
    content = yaml.safe_load((project / SMALL).read_text())
    content["seeds"] = [13]
    content["datasets"]["cifar10"]["store"]["content"] = "any"
    content["architectures"]["resnet18"] |= {"width": 8}
    content["architectures"]["resnet18"]["training"] |= {
        "epochs": 12,
        "warmup_epochs": 2,
        "batch_size": 24,
    }
    content["datasets"]["cifake"] = {"store": {"content": "any"}}
    lotus = {"epochs": 1, "lr": 1e-5}
    content["methods"] = {
        "lotus": lotus,
        "finetune": {"epochs": 1},
        "lotus-cifake": {**lotus, "method": "lotus", "calibration": "cifake"},
    }
    content["scenarios"]["instance-50"] = {"forget_fraction": 0.5}
    block = content["grid"][0]
    for one in content["grid"]:
        one |= {"methods": ["lotus", "finetune"]}
    content["grid"][1] |= {"protocols": ["corrected"]}
    place = {**block, "scenarios": ["instance-10"], "methods": ["lotus", "lotus-cifake"]}
    place |= {"protocols": ["released"]}
    content["grid"] += [
        {**place, "study": "synthetic-calibration", "tables": ["table2"]},
        {**block, "scenarios": ["instance-50"], "protocols": ["corrected"], "gold": False},
    ]
    for key in ("overrides", "tuning"):
        del content[key]
    (project / "config/mine.yaml").write_text(yaml.safe_dump(content))
    snakemake(project, "--cores", "2", *HERE)
    return project


def test_other_pickles_are_refused_in_one_line_unless_declared(project):
    done = snakemake(
        project, "--cores", "1", "--configfile", SMALL,
        "--config", "limit=12", "data={mirror: mirror}", "seeds=[5]",
        "--", "data/stores/cifar10-limit12/source.json", check=False,
    )  # fmt: skip
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "the images have the content" in line
    assert "cifar10-limit12.store declares 49d85d46d597" in line
    assert not (project / "data/stores/cifar10-limit12").exists()
    assert not list((project / "data").rglob(".*"))


def test_the_report_says_what_the_data_are(finished):
    page = (finished / "results/report/index.html").read_text()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "cifar10-limit12 train 120, test 40 10 32×32, 3 channels" in text
    assert "0.4914, 0.4822, 0.4465; 0.2023, 0.1994, 0.201 nothing: taken as they are" in text
    assert "of these the first 12 of each class, of each part" in text
    assert "not the published one" in text
    assert "CIFAR-10 (first 12 of each class), ResNet18, class cat forgotten" in text
    assert not re.search(r"\b(nan|None(?! of ))\b", text)
    records = finished.glob("results/cifar10-limit12/**/run.json")
    outcomes = {json.loads(path.read_text())["notes"]["outcome"] for path in records}
    assert "sound" in outcomes


def test_a_synthetic_calibration_set_has_its_own_study_and_an_attack_of_its_own(finished):
    place = "results/cifar10-limit12/resnet18/seed13/instance-10/released"
    metrics = json.loads((finished / place / "metrics-synthetic-calibration.json").read_text())
    assert set(metrics["rows"]) == {"original", "gold", "lotus", "lotus-cifake"}
    calibrated, usual = metrics["rows"]["lotus-cifake"], metrics["rows"]["lotus"]
    assert calibrated["mia_released_e5_e6"] is not None
    assert usual["mia_released_e5_e6"] is None
    record = json.loads((finished / place / "lotus-cifake/run.json").read_text())
    assert any("stores/cifake-limit12" in name for name in record["inputs"])
    usual_metrics = json.loads((finished / place / "metrics.json").read_text())
    assert "lotus-cifake" not in usual_metrics["rows"]


def test_a_place_without_gold_has_what_needs_none(finished):
    place = finished / "results/cifar10-limit12/resnet18/seed13/instance-50/corrected"
    assert not (place / "gold").exists()
    metrics = json.loads((place / "metrics.json").read_text())
    assert set(metrics["rows"]) == {"original", "lotus", "finetune"}
    for row in metrics["rows"].values():
        assert row["avg_gap"] is None
        assert row["jsd"] is None
    assert metrics["rows"]["lotus"]["rf_jsd"] is not None


def test_a_store_once_built_needs_no_raw_files(finished):
    (finished / "mirror").rename(finished / "away")
    (finished / "data/raw").rename(finished / "raw-away")
    try:
        done = snakemake(finished, "--dry-run", *HERE)
        assert "Nothing to be done" in done.stdout + done.stderr
        elsewhere = ["data={mirror: nowhere}" if "mirror" in part else part for part in HERE]
        run_file = "results/cifar10-limit12/resnet18/seed13/instance-10/corrected/gold/run.json"
        (finished / run_file).unlink()
        snakemake(finished, "--cores", "1", *elsewhere, "--", run_file)
        assert (finished / run_file).is_file()
    finally:
        (finished / "away").rename(finished / "mirror")
        (finished / "raw-away").rename(finished / "data/raw")


def test_the_papers_first_steps_and_going_on_after_a_break(project):
    """The README's command for a GPU is planned; its first training is broken off twice."""
    paper = [
        "--cores", "1", "--configfile", "config/cifar10-gpu.yaml",
        "--config", "seeds=[3407]", "limit=12", "data={mirror: mirror}",
        "datasets={cifar10: {store: {content: any}}}",
    ]  # fmt: skip
    table = "results/tables/cifar10-limit12-resnet18-instance-10-corrected.csv"
    assert "retrain_gold" in snakemake(project, *paper, "--dry-run", "--", table).stdout
    # One training alone: which of several comes first is Snakemake's choice, at each start anew.
    original = "results/cifar10-limit12/resnet18/seed3407/original/corrected/run.json"
    environment = {"LOTUS_CHECKPOINT_EVERY": "0", "LOTUS_DEVICE": "cpu"}
    said = project / "snakemake.log"

    def training():
        """Returns what the training of the original says."""
        logs = project.glob("logs/*/cifar10-limit12/resnet18/seed3407/**/corrected.log")
        return "".join(log.read_text() for log in logs)

    for expected in ("epoch 3/150", "resumed after epoch"):
        with said.open("w") as file:
            workflow = begin_snakemake(project, *paper, "--", original, output=file, **environment)
        try:
            for _ in range(900):
                if expected in training():
                    break
                assert workflow.poll() is None, said.read_text()
                time.sleep(0.2)
            else:
                pytest.fail(f"no training said {expected!r}: {said.read_text()}")
        finally:
            # As `timeout` does: to snakemake and its jobs.
            os.killpg(workflow.pid, signal.SIGTERM)
            workflow.wait()
    settings = next(line for line in training().splitlines() if '{"architecture"' in line)
    told = json.loads(settings[settings.index("{") :])
    assert told["architecture"]["width"] == 64
    assert told["architecture"]["training"]["epochs"] == 150
    assert told["images"]["augmentation"]["crop_padding"] == 4
    assert not list(project.glob("results/cifar10-limit12/resnet18/seed3407/**/run.json"))
