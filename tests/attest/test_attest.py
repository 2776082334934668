"""`lotus attest`, by forgery: what is consistent in all records, and yet does not come out again."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from attested import attest_by_hand, attestation_of
from forked import lotus

from lotus import layout
from lotus.attest import attest as attesting
from lotus.attest.attest import AttestationWish, attest
from lotus.cli.share import in_this_process
from lotus.errors import LotusError
from lotus.predictions import predictions_file
from lotus.records.attestations import SAME, find_attestation
from lotus.records.digests import digests
from lotus.records.draws import draw
from lotus.records.files import as_text, sha256, write_json
from lotus.records.ledger import seal
from lotus.records.seal import sealed

CELL = Path("results/digits/resnet18/seed13/instance-10/corrected")
FINETUNE, NEGGRAD = CELL / "finetune", CELL / "neggrad-plus"


def population():
    return [path.parent.as_posix() for path in Path("results").rglob(layout.RUN_RECORD)]


def seed_that_draws(*folders):
    """The first seed of which these runs are drawn."""
    wanted = {str(folder) for folder in folders}
    runs = population()
    return next(seed for seed in range(10**6) if {*draw(runs, len(wanted), seed)} == wanted)


def resealed(folder, edit):
    """Changes a run's record as one who knows how to would, and writes the ledger anew."""
    path = folder / layout.RUN_RECORD
    content = json.loads(path.read_text())
    edit(content)
    for name in content["outputs"]:
        content["outputs"][name] = sha256(Path(name))
    path.write_text(as_text(sealed(content)))
    seal(layout.LEDGER)


def written(done):
    """The attestation that a call wrote."""
    (place,) = (line for line in done.stdout.splitlines() if line.startswith("written to "))
    return Path(place.removeprefix("written to "))


def test_undisturbed_results_give_a_clean_attestation_that_is_signed(project, key):
    """And of each run as many bytes lie there as before; an altered one does not hold."""
    secret, signers = key
    before = {path: sha256(path) for path in Path("results").rglob("*") if path.is_file()}
    done = lotus(project, "attest", "--runs", 2, "--seed", 3, "--sign", secret)
    assert f"2 of {len(population())} runs (seed 3) made again whole: 2 same bytes" in done.stdout
    assert "everything was compared by bytes" in done.stdout
    assert {path: sha256(path) for path in before} == before

    place = written(done)
    content = find_attestation(place).content
    assert content.draw.drawn == draw(population(), 2, 3)
    assert {Path(path).name for path in content.files} == {*layout.RUN_FILES.values()}
    held = lotus(project, "attest", "verify", "--signers", signers)
    assert f"{place}: signed by auditor@example.org, ED25519 SHA256:" in held.stdout
    assert held.stdout.endswith(f"{place}: holds\n")
    assert "--signers FILE would say" in lotus(project, "attest", "verify", place).stdout

    # Sealed anew, so that only the signature tells.
    altered = json.loads(place.read_text())
    altered["made"]["hardware"]["processor"] = "another"
    place.write_text(as_text(sealed(altered)))
    for more in ((), ("--signers", signers)):
        done = lotus(project, "attest", "verify", *more, check=False)
        assert done.returncode == 1
        assert "no good signature" in done.stdout
        assert done.stdout.endswith(f"{place}: does not hold\n")


def test_two_methods_whose_folders_were_exchanged_are_found(project):
    """Models, predictions and what trainings report of themselves; every digest is in order."""
    records = [json.loads((it / layout.RUN_RECORD).read_text()) for it in (FINETUNE, NEGGRAD)]
    for name in (layout.MODEL_FILE, layout.PREDICTIONS_FILE):
        kept = (FINETUNE / name).read_bytes()
        shutil.copyfile(NEGGRAD / name, FINETUNE / name)
        (NEGGRAD / name).write_bytes(kept)
    for folder, other in zip((FINETUNE, NEGGRAD), records[::-1], strict=True):
        resealed(folder, lambda content, notes=other["notes"]: content.update(notes=notes))
    seed = seed_that_draws(FINETUNE)
    done = lotus(project, "attest", "--runs", 1, "--seed", seed, check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    for line, name in zip(lines, (layout.MODEL_FILE, layout.PREDICTIONS_FILE), strict=False):
        assert line.startswith(f"{FINETUNE / name}: made again, it has other bytes")
    assert lines[2].startswith(f"{FINETUNE / layout.RUN_RECORD}: notes: epochs: other than")
    # What was found is written down, and does not hold either.
    assert lotus(project, "attest", "verify", check=False).returncode == 1


def test_edited_predictions_are_found_from_the_weights(project):
    path = FINETUNE / layout.PREDICTIONS_FILE
    said = predictions_file.load(path)
    said["forget"].logits[:5] = np.roll(said["forget"].logits[:5], 1, axis=1)
    predictions_file.save(path, said)
    resealed(FINETUNE, lambda content: None)
    seed = seed_that_draws(FINETUNE, NEGGRAD)
    arguments = ("attest", "--runs", 2, "--seed", seed, "--from-weights")
    done = lotus(project, *arguments, check=False)
    assert done.returncode == 1
    first, second = done.stdout.splitlines()[:2]
    assert first.startswith(f"{path}: made again, it has other bytes")
    assert second == "everything was compared by bytes"
    assert "2 of" in done.stdout
    assert "asked for predictions again: 1 same bytes, 1 other" in done.stdout


def test_metrics_and_what_is_made_of_them_are_found_whatever_digests_say(project, monkeypatch):
    """A number in a metrics file and a verdict, with records to match."""
    metrics = CELL / "metrics.json"
    monkeypatch.setattr(attesting, "RESULTS", ("evaluate", "judge_claims"))
    for path, was, now in ((metrics, '"jsd": 0', '"jsd": 1'), (layout.CLAIMS, "holds", "fails")):
        text = path.read_text()
        assert was in text
        path.write_text(text.replace(was, now, 1))
        record = layout.record_of(path)
        content = json.loads(record.read_text())
        content["outputs"][path.as_posix()] = sha256(path)
        record.write_text(as_text(sealed(content)))
    _, found = attest((), AttestationWish(0, 1, results=True, workers=2), in_this_process)
    refuted = {
        path for step in found.steps for path, it in step.files.items() if it.finding != SAME
    }
    assert {str(metrics), str(layout.CLAIMS)} <= refuted
    others = [
        step for step in found.results if step.kind == "evaluate" and step.about != str(metrics)
    ]
    assert len(others) > 5
    assert {step.finding for step in others} == {SAME}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sign", "nowhere"], "--sign: nowhere: no file; accepted: an SSH key"),
        (["--out", "results/claims.json"], "--out: results/claims.json: exists"),
        (["--out", "results/mine.json"], "results/mine.json lies in results; accepted: a new file"),
        (["--out", ""], "accepted: a new file"),
        (
            ["--runs", "0"],
            "--runs 0: nothing is asked for; accepted: 1 or more, or 0 with --metrics",
        ),
        (
            ["--out", "Snakefile/a.json"],
            "--out: Snakefile/a.json: cannot be written: Not a directory",
        ),
        (["--out", "Snakefile/b/a.json"], "cannot be written: Not a directory; accepted: a new"),
        (["--out", f"{'a' * 255}.json"], "cannot be written: File name too long; accepted: a new"),
        (["--device", "abacus"], "device 'abacus' is unknown; accepted: auto, cpu, cuda"),
        (
            ["--device", "cuda:99"],
            "device 'cuda:99': the number of usable GPUs of this machine is ",
        ),
        (["--device", "cpu", "--runtime", "precision=tf32"], "precision=tf32 needs CUDA"),
        (
            ["--configfile", "config/fashion-mini.yaml"],
            "no results lie here that the configuration",
        ),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_computed(project, arguments, said):
    done = lotus(project, "attest", *arguments, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert not layout.ATTESTATIONS.exists()


def test_a_machine_without_ssh_keygen_gets_one_line(project, tmp_path, monkeypatch):
    (tmp_path / "key").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    done = lotus(project, "attest", "--sign", tmp_path / "key", check=False)
    assert done.returncode == 1
    # A copy of a project has code of its own, which is told first.
    (line,) = (
        it for it in done.stderr.splitlines() if not it.startswith(("lotus: ", "project's "))
    )
    assert line.startswith("Error: ssh-keygen is not here, by which signatures are made")


def test_a_step_that_fails_is_a_finding(project):
    """Here since the original's weights are gone, of which the drawn run is made."""
    original = Path("results/digits/resnet18/seed13/original/corrected") / layout.MODEL_FILE
    original.unlink()
    wish = AttestationWish(1, seed_that_draws(FINETUNE), workers=1)
    place, found = attest((), wish, in_this_process)
    (line,) = found.differences()
    assert line.startswith(f"{FINETUNE}: cannot be made again: ")
    assert str(original) in line
    assert find_attestation(place).content == found
    assert os.listdir(layout.ATTESTATIONS) == [place.name]


def test_what_a_clone_has_not_pulled_is_told_before_anything_is_computed(project):
    """Else the attestation would be one of runs that failed."""
    absent = [FINETUNE / layout.MODEL_FILE, Path("data/stores/digits/images.npy")]
    for path, tracks in zip(absent, (layout.MODELS, layout.LOCK), strict=True):
        place = path if tracks == layout.MODELS else path.parent
        path.unlink()
        tracks.write_text(f"outs:\n- path: {place}\n  md5: {'a' * 32}\n  hash: md5\n")
    done = lotus(project, "attest", "--runs", 1, "--seed", seed_that_draws(FINETUNE), check=False)
    assert done.returncode == 1
    # A copy of a project has code of its own, which is told first.
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"Error: 2 files ({absent[1]}, {absent[0]}), of which results would be ")
    assert line.endswith("are in DVC and not here; `dvc pull` brings them")
    assert not layout.ATTESTATIONS.exists()


def test_a_long_command_is_cut_between_its_words():
    words = [f"word{number}" for number in range(100)]
    with pytest.raises(LotusError, match=r"^lotus nothing( word\d+)* …: No such command") as told:
        in_this_process(["nothing", *words])
    assert {*str(told.value).partition(" …: ")[0].split()} <= {"lotus", "nothing", *words}


def test_what_attests_nothing_does_not_hold(project):
    write_json(layout.ATTESTATIONS / "empty.json", attestation_of({}, population()))
    done = lotus(project, "attest", "verify", check=False)
    assert done.returncode == 1
    assert "attests nothing" in done.stdout


def test_a_run_that_is_not_said_to_be_made_of_what_its_record_names_does_not_hold(project):
    place = attest_by_hand([FINETUNE])
    done = lotus(project, "attest", "verify", check=False)
    assert done.returncode == 1
    line, *_ = done.stdout.splitlines()
    assert line.startswith(f"{place}: {FINETUNE}: made of data/stores/digits/")
    assert line.endswith(" by its record, and of other bytes, or none, by the attestation")


def test_nothing_is_written_over(project):
    place = Path("mine.json")
    place.write_text("mine")
    with pytest.raises(LotusError, match=r"mine\.json: exists; accepted: a new file"):
        attest((), AttestationWish(1, 1, out=place), in_this_process)
    assert place.read_text() == "mine"
    assert digests([str(place)])[str(place)].sha256 == sha256(place)
