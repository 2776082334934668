"""What a certificate takes its numbers from: files as they were recorded, of the certified model."""

import shutil
from pathlib import Path

import pytest
from certified import NAME, PLACE, RUN, make, refused, verified
from measured_project import ATTACKS, POWER, PREDICTIONS, edit, write_attacks, write_power
from tiny import CELL, FORGET_SET, LABELS, METRICS, ROWS, SOURCE, step

from lotus.certificate.form import read_certificate
from lotus.layout import record_of
from lotus.lineage.raw_folders import CheckedFolder
from lotus.records.files import sha256


def test_attacks_are_among_the_files_of_a_certificate_that_states_them(project):
    write_attacks()
    make(RUN)
    found = read_certificate(PLACE)
    assert [(line.label, line.after) for line in found.measured.attacks] == [("Entropy", 0.54)]
    assert {file.path: file.sha256 for file in found.files}[ATTACKS.as_posix()] == sha256(ATTACKS)
    assert record_of(ATTACKS).as_posix() in found.records
    edit(ATTACKS, "0.54", "0.5")
    assert verified(PLACE)[0] == 1


@pytest.mark.parametrize("write", [write_attacks, write_power])
def test_of_edited_attacks_and_powers_nothing_is_certified(project, write):
    write()
    path = ATTACKS if write is write_attacks else POWER
    edit(path, "0.05", "0.06")
    said = refused(RUN)
    assert "is not certified, since not all that it was made of is as recorded" in said
    assert f"{path}: its bytes are" in said


@pytest.mark.parametrize("write", [write_attacks, write_power])
def test_attacks_and_powers_without_a_record_are_not_believed(project, write):
    write()
    path = ATTACKS if write is write_attacks else POWER
    record_of(path).unlink()
    assert f"{path}: no record states how it was made" in refused(RUN)


@pytest.mark.parametrize("write", [write_attacks, write_power])
def test_recorded_attacks_and_powers_that_are_gone_are_missed(project, write):
    write()
    path = ATTACKS if write is write_attacks else POWER
    path.unlink()
    assert f"{path}: absent" in refused(RUN)


def test_of_powers_of_another_benchmark_the_file_alone_is_named(project):
    write_power()
    make(RUN)
    with_models = {file.path for file in read_certificate(PLACE).files}
    write_power(scenario="instance-50")
    make(RUN, "--replace")
    found = read_certificate(PLACE)
    assert "another benchmark" in found.strength.unknown
    assert POWER.as_posix() in with_models & {file.path for file in found.files}


def write_run(row, folder=f"{CELL}/other", reads=(SOURCE, FORGET_SET)):
    """A model that is filed under another name than its folder's."""
    shutil.copytree(RUN, folder)
    Path(folder, "run.json").unlink()
    original = ROWS["original"]
    settings = {"method": "lotus", "hyperparameters": {"alpha": 3.0}, "protocol": "corrected"}
    step(
        f"{folder}/run.json",
        "unlearned",
        [*reads, f"{original}/model.safetensors", f"{original}/run.json"],
        [f"{folder}/model.safetensors", f"{folder}/predictions.npz"],
        {**LABELS, "row": row, "seed": 3},
        settings,
    )
    return folder


def test_a_model_that_metrics_do_not_know_is_not_certified(project):
    assert f"{METRICS}: has no row 'other', so nothing was measured of" in refused(
        write_run("other")
    )
    made = make().output
    assert NAME in made
    assert "other" not in made


def test_a_model_is_not_certified_by_the_metrics_of_another(project):
    other = write_run("lotus")
    said = refused(other)
    assert f"{METRICS}: its row 'lotus' was measured on {RUN}/predictions.npz" in said
    assert f"not on {other}/predictions.npz" in said


def test_nor_by_attacks_on_another(project):
    write_attacks(path=PREDICTIONS["gold"])
    assert f"{ATTACKS}: its row 'lotus' was measured on {PREDICTIONS['gold']}" in refused(RUN)


def test_attacks_on_models_of_other_seeds_say_nothing_of_it(project):
    write_attacks(seed=4)
    make(RUN)
    found = read_certificate(PLACE).measured
    assert not found.attacks
    assert "No membership attack was made." in found.absent


def test_a_model_that_did_not_read_the_forget_set_is_not_certified(project):
    other = write_run("lotus", reads=[SOURCE])
    assert f"{other}/run.json: does not name {FORGET_SET} as read" in refused(other)


def test_a_folder_that_images_were_read_from_is_no_file_that_could_be_missed(project, monkeypatch):
    """CIFAR-10 as its publisher's archive unpacks: its members were held against published checksums."""
    raw = Path("data/embedded/toy.gz")
    checked = {raw.as_posix(): CheckedFolder(sha256(raw), note="")}
    monkeypatch.setattr("lotus.lineage.build_tree.folders_of", lambda *_: checked)
    raw.unlink()
    raw.mkdir()
    make(RUN)
    assert raw.as_posix() not in {file.path for file in read_certificate(PLACE).files}
    assert verified(PLACE)[0] == 0
