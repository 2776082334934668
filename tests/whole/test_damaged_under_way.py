"""What is damaged or breaks off under a workflow is made good by the same command, byte for byte."""

import shlex
import shutil

import numpy as np
import pytest
from birds import ASKED, EACH_EPOCH, ORIGINAL, damage, draw, kill, project_of_birds, wait_for
from forked import begin_snakemake, snakemake
from project import environment_of_user
from small_disk import CANNOT_MOUNT, on_small_disk

COMMAND = ["snakemake", "--cores", "1", *ASKED]
COMPARED = [
    *(f"{ORIGINAL}/{name}" for name in ("model.safetensors", "predictions.npz")),
    "results/birds/splits/seed1/held-out.json",
    *(
        f"data/stores/birds/{name}"
        for name in ("images.npy", "labels.npy", "names.json", "source.json")
    ),
]


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A project in which nothing was run, to be copied."""
    return project_of_birds(tmp_path_factory.mktemp("begun") / "project")


@pytest.fixture(scope="module")
def undisturbed(begun, tmp_path_factory):
    """The same after an undisturbed run."""
    project = shutil.copytree(begun, tmp_path_factory.mktemp("undisturbed") / "project")
    snakemake(project, *COMMAND[1:])
    return project


def begin(project, said):
    """The command, begun, with a checkpoint after each epoch; what it says goes to a file."""
    with said.open("w") as output:
        return begin_snakemake(project, *COMMAND[1:], output=output, **EACH_EPOCH)


@pytest.mark.skipif(bool(CANNOT_MOUNT), reason=CANNOT_MOUNT)
def test_a_workflow_whose_disk_was_full_goes_on_once_there_is_room(begun, undisturbed, tmp_path):
    project = shutil.copytree(begun, tmp_path / "project")
    # Splits and the store's record fit, the weights do not.
    there, kept = (shlex.quote(str(path)) for path in (project, tmp_path / "kept"))
    run = f"cd {there} && {shlex.join(COMMAND)}; code=$?; cp -a results {kept}; exit $code"
    full = on_small_disk(project / "results", "500k", run, environment_of_user())
    assert full.returncode == 1, full.stderr
    assert "Traceback" not in full.stderr
    log = project / "logs/pretrain_original/birds/resnet18/seed1/corrected.log"
    assert "the disk is full, or your share of it (" in log.read_text()
    shutil.copytree(tmp_path / "kept", project / "results", dirs_exist_ok=True)
    assert [path.name for path in (project / ORIGINAL).glob("*") if path.is_file()] == []

    snakemake(project, *COMMAND[1:])
    for name in COMPARED:
        assert (project / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_the_same_command_finishes_and_all_bytes_are_those_of_an_undisturbed_run(
    begun, undisturbed, tmp_path
):
    project = shutil.copytree(begun, tmp_path / "project")
    checkpoint = project / ORIGINAL / "checkpoint.pt"
    process = begin(project, tmp_path / "first.txt")
    wait_for(process, checkpoint.exists)
    kill(process)
    damage(checkpoint)
    damaged = checkpoint.read_bytes()

    # The store is damaged while a model is trained of it, and the same run says so.
    process = begin(project, tmp_path / "second.txt")
    wait_for(process, lambda: checkpoint.exists() and checkpoint.read_bytes() != damaged)
    damage(project / "data/stores/birds/images.npy")
    said = process.communicate()[0]
    assert process.returncode == 1, said
    assert (
        "images.npy is not what results/birds/store.json states: it was changed or damaged while"
        in said
    )
    log = project / "logs/pretrain_original/birds/resnet18/seed1/corrected.log"
    assert "checkpoint.pt: damaged, not used" in log.read_text()

    # Nobody but the user knows whether an image was changed on purpose.
    image = project / "birds/train/ant/0003.png"
    kept = image.read_bytes()
    draw(image, np.random.default_rng(1))
    done = snakemake(project, *COMMAND[1:], check=False)
    assert done.returncode == 1
    assert "nor what its raw files give now (train/ant/0003.png changed)" in done.stderr
    image.write_bytes(kept)

    done = snakemake(project, *COMMAND[1:])
    assert (
        "images.npy is not what results/birds/store.json states: it is built again" in done.stderr
    )
    for name in COMPARED:
        assert (project / name).read_bytes() == (undisturbed / name).read_bytes(), name
    aside = project / ".lotus/set-aside"
    (images,) = aside.rglob("images.npy")
    assert images.read_bytes() != (project / "data/stores/birds/images.npy").read_bytes()
    assert (aside / images.relative_to(aside).parts[0] / ORIGINAL / "model.safetensors").is_file()
