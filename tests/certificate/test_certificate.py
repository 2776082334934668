"""Certificates of a hand-made model: what they say, what is not certified, and what verifying finds."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from certified import NAME, PLACE, RUN, make, refused, verified
from commands import call
from safetensors.torch import load_file
from tiny import CELL, FORGET_SET, METRICS, ROWS, SOURCE

from lotus.certificate.form import Strength
from lotus.certificate.look_alikes import find_look_alikes
from lotus.certificate.page import page_of
from lotus.certificate.worth import does_not_prove
from lotus.data.hashes import hash_store
from lotus.data.store import Store
from lotus.records.files import as_text, sha256, write_json
from lotus.records.seal import sealed


def test_it_names_the_images_that_the_split_forgets(certificate):
    split = json.loads(Path(FORGET_SET).read_text())
    assert [image.id for image in certificate.asked.images] == split["forget"]
    assert certificate.asked.digest == split["digest"]
    assert certificate.asked.rule == split["rule"]
    assert certificate.asked.kept == len(split["retain"])


def test_it_states_the_weights_and_what_made_them(certificate):
    assert certificate.done.unlearned.path == f"{RUN}/model.safetensors"
    assert certificate.done.unlearned.sha256 == sha256(Path(RUN, "model.safetensors"))
    assert certificate.done.original.sha256 == sha256(Path(ROWS["original"], "model.safetensors"))
    assert certificate.done.hyperparameters == {"alpha": 2.0}
    assert certificate.done.checkpoint is None


def test_its_numbers_are_those_of_the_metrics(certificate):
    rows = json.loads(Path(METRICS).read_text())["rows"]
    (line,) = [line for line in certificate.measured.lines if line.label == "Forget acc."]
    for key, row in (("before", "original"), ("after", "lotus"), ("gold", "gold")):
        assert getattr(line, key) == rows[row]["accuracy_forget"]
    (gap,) = [line for line in certificate.measured.lines if line.label == "Avg Gap"]
    assert (gap.after, gap.gold) == (rows["lotus"]["avg_gap"], None)


def test_it_says_what_was_not_measured_and_is_not_known(certificate):
    said = " ".join([*certificate.measured.absent, certificate.strength.unknown])
    assert "No membership attack was made." in said
    assert "the floor" in said
    assert "no check was tried on models whose truth is known" in said
    assert any("would have noticed" in line for line in certificate.does_not_prove)


def test_it_lists_every_file_down_to_the_sources(certificate):
    listed = {file.path: file.sha256 for file in certificate.files}
    for path in (f"{RUN}/model.safetensors", METRICS, FORGET_SET, SOURCE, "data/embedded/toy.gz"):
        assert listed[path] == sha256(Path(path))
    assert f"{RUN}/run.json" in certificate.records


def test_the_page_says_the_same(certificate):
    page = PLACE.with_suffix(".html").read_text()
    for text in (
        "What was done to forget 20 images of toy",
        certificate.asked.rule,
        certificate.digest,
        certificate.done.unlearned.sha256,
        *certificate.does_not_prove[:2],
    ):
        assert text in page
    for image in certificate.asked.images:
        assert image.sha256 in page


def test_the_page_says_on_what_the_checks_were_not_tried(certificate):
    """Under released conventions no model is left in train mode."""
    checks = content_of(train_mode={"alarms": 0, "models": 0})["strength"]
    strength = Strength.model_validate(checks)
    page = page_of(certificate.model_copy(update={"strength": strength}))
    assert page.count("<td>10 of 10</td>") == 5
    assert page.count("<td>not tried</td>") == 1


def test_all_measured_models_are_certified_unless_some_are_named(project):
    assert NAME in make().output
    assert [path.name for path in sorted(Path("certificates").iterdir())] == [
        f"{NAME}.html",
        f"{NAME}.json",
    ]


def test_a_certificate_is_written_over_only_if_that_is_said(certificate):
    before = PLACE.read_bytes()
    done = call("certificate", "make", RUN, "--workers", "1")
    assert done.exit_code == 1
    assert f"{PLACE}: is there already" in done.output
    assert PLACE.read_bytes() == before
    make(RUN, "--replace")


def test_none_is_written_among_the_results(project):
    done = call("certificate", "make", RUN, "--out", "results/report", "--replace")
    assert done.exit_code == 1
    assert "--out: results/report lies in results; accepted: a folder outside" in done.output


def test_a_sound_one_holds(certificate):
    code, said = verified(PLACE)
    assert code == 0
    assert "LoTUS was to forget 20 images of toy" in said
    assert "not signed: anybody could have written it" in said
    assert said.endswith(f"{PLACE}: holds\n")


@pytest.mark.parametrize(
    "path", [f"{RUN}/model.safetensors", METRICS, FORGET_SET, "data/embedded/toy.gz"]
)
def test_a_changed_file_is_named(certificate, path):
    Path(path).write_bytes(b"other")
    code, said = verified(PLACE)
    assert code == 1
    assert f"{path}: now has sha256" in said
    assert "does not hold" in said


def test_absent_files_are_said_to_be_unchecked(certificate, tmp_path, monkeypatch):
    shutil.copytree("certificates", tmp_path / "certificates")
    monkeypatch.chdir(tmp_path)
    code, said = verified(PLACE)
    assert code == 1
    assert "cannot be checked, since they are not here" in said


def test_an_edited_one_certifies_nothing(certificate):
    text = PLACE.read_text()
    PLACE.write_text(text.replace('"seed": 3', '"seed": 4', 1))
    code, said = verified(PLACE)
    assert code == 1
    assert "was edited" in said


def test_a_page_that_says_something_else_is_noticed(certificate):
    page = PLACE.with_suffix(".html")
    page.write_text(page.read_text().replace("What it does not show", "What it shows too"))
    code, said = verified(PLACE)
    assert code == 1
    assert f"{page.name}: does not say what the certificate says" in said


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda content: content | {"format": 7}, "is a certificate of format 7"),
        (lambda content: content | {"kind": "record"}, "is not a certificate: kind"),
        (lambda content: content | {"proves": "all"}, "is not a certificate: proves"),
        (lambda content: [content], "is not a certificate"),
    ],
)
def test_what_is_no_certificate_is_refused_by_its_place(certificate, edit, told):
    content = edit(json.loads(PLACE.read_text()))
    write_json(PLACE, sealed(content) if isinstance(content, dict) else content)
    code, said = verified(PLACE)
    assert code == 1
    assert told in said
    assert "Traceback" not in said


def test_other_weights_are_not_the_certified_ones(certificate):
    own, other = f"{RUN}/model.safetensors", f"{ROWS['gold']}/model.safetensors"
    assert verified(PLACE, "--weights", own)[0] == 0
    code, said = verified(PLACE, "--weights", other)
    assert code == 1
    assert "but the certified weights have" in said


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_the_certified_weights_are_known_again_in_another_file(certificate, prefix):
    own = load_file(f"{RUN}/model.safetensors")
    torch.save({"state_dict": {f"{prefix}{key}": own[key] for key in own}}, "back.pt")
    assert verified(PLACE, "--weights", "back.pt")[0] == 0
    own["layer.weight"][0] += 1
    torch.save({"state_dict": own}, "back.pt")
    code, said = verified(PLACE, "--weights", "back.pt")
    assert code == 1
    assert "the numbers in it are others, too" in said


def test_what_is_no_file_of_weights_is_refused(certificate):
    Path("back.txt").write_text("weights")
    code, said = verified(PLACE, "--weights", "back.txt")
    assert code == 1
    assert "must end in" in said


def test_a_signature_says_who_wrote_it(project, key):
    secret, signers = key
    make(RUN, "--sign", secret)
    code, said = verified(PLACE, "--signers", signers)
    assert code == 0
    assert "signed by auditor@example.org" in said
    PLACE.with_name(f"{PLACE.name}.sig").unlink()
    code, said = verified(PLACE, "--signers", signers)
    assert (code, "not signed" in said) == (1, True)


def test_a_signature_of_something_else_is_none(project, key):
    secret, signers = key
    make(RUN, "--sign", secret)
    content = json.loads(PLACE.read_text())
    PLACE.write_text(as_text(sealed({**content, "proves": []})))
    code, said = verified(PLACE, "--signers", signers)
    assert code == 1
    assert "no good signature" in said


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ("results/toy", f"is not the folder of an unlearned model; there are {RUN}"),
        ("elsewhere/lotus", "is not the folder of an unlearned model"),
        (ROWS["original"], "holds the original model"),
        (ROWS["gold"], "holds the gold model"),
    ],
)
def test_only_unlearned_models_are_certified(project, run, told):
    assert told in refused(run)


def test_what_was_not_measured_is_not_certified(project):
    Path(METRICS).unlink()
    assert f"{METRICS}: is absent, so nothing was measured" in refused(RUN)


@pytest.mark.parametrize("path", [f"{RUN}/model.safetensors", FORGET_SET])
def test_what_does_not_verify_is_not_certified(project, path):
    Path(path).write_bytes(Path(path).read_bytes() + b" ")
    said = refused(RUN)
    assert "is not certified, since not all that it was made of is as recorded" in said
    assert path in said


def test_an_edited_record_is_not_certified(project):
    record = Path(CELL, "lotus/run.json")
    record.write_text(record.read_text().replace('"alpha": 2.0', '"alpha": 3.0'))
    assert "so its model is not certified" in refused(RUN)


def test_a_project_without_models_says_what_makes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("certificate", "make")
    assert done.exit_code == 1
    assert "there is no unlearned model here" in done.output


def test_look_alikes_are_found_the_nearest_first(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(6, 32, 32, 3), dtype=np.uint8)
    images[3] = images[0]
    images[4] = images[1]
    images[4, :2, :2] ^= 1
    np.save(tmp_path / "images.npy", images)
    store = Store(tmp_path, images, np.zeros(6, np.int64), ("a",), {})
    found, pairs = find_look_alikes(
        store, hash_store(store, 1), np.array([0, 1]), np.array([2, 3, 4, 5])
    )
    assert found == len(pairs) == 2
    assert [(pair.forgotten, pair.kept) for pair in pairs] == [(0, 3), (1, 4)]
    assert [pair.same_pixels for pair in pairs] == [True, False]


def content_of(**others):
    check = {
        group: {"alarms": 10, "models": 10}
        for group in ("golds", "nothing", "half", "lookup", "temperature", "train_mode")
    }
    return {
        "asked": {"images": [1], "kept": 9},
        "done": {"checkpoint": None},
        "look_alikes": {"found": 0, "pairs": [], "within": 4},
        "strength": {"unknown": "", "checks": [{"label": "JSD", **check, **others}]},
    }


def test_weak_checks_are_named_and_strong_ones_are_not():
    assert not [line for line in does_not_prove(content_of()) if "JSD" in line]
    blind = {"alarms": 3, "models": 10}
    (said,) = [line for line in does_not_prove(content_of(nothing=blind)) if "JSD" in line]
    assert "noticed it too seldom" in said
    (said,) = [line for line in does_not_prove(content_of(lookup=blind)) if "JSD" in line]
    assert "not faked" in said


def test_weights_that_were_brought_along_say_nothing_of_their_training():
    content = content_of()
    content["done"] = {"checkpoint": {"path": "mine.pt", "sha256": "0" * 64}}
    assert any("their training left no record here" in line for line in does_not_prove(content))
