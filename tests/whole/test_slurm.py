"""The profile for Slurm, on a real one; tests/whole/test_determinism.py looks at what it makes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm
from birds import ASKED, begin, kill, project_of_birds, wait_for
from disturbed import ON_SLURM
from project import environment_of_user

pytestmark = pytest.mark.skipif(
    bool(slurm.missing_programs()),
    reason=f"no {', '.join(slurm.missing_programs())}: apt-get install {slurm.PACKAGES}",
)


def started_in(folder):
    """Processes with a file of a folder in their command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(folder) in file.read_bytes():
                found.append(file.parent.name)
        except OSError:
            continue
    return found


def test_it_ends_with_whoever_started_it(tmp_path):
    told = tmp_path / "told"
    # The job leaves a process behind that belongs to nobody.
    job = f"sleep 1000 {tmp_path} & sleep 1000"
    command = f"sbatch --output=/dev/null --wrap '{job}' && echo $SLURM_CONF > {told}; sleep 1000"
    line = [sys.executable, slurm.__file__, "--", "bash", "-c", command]
    asked = subprocess.Popen(line, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        while not (told.exists() and told.read_text()):
            assert asked.poll() is None
            time.sleep(0.2)
        folder = Path(told.read_text().strip()).parent
        assert len(started_in(folder)) >= 3
    finally:
        os.killpg(asked.pid, signal.SIGKILL)
        asked.wait()
    while folder.exists():
        time.sleep(0.2)
    assert started_in(folder) == []
    assert started_in(tmp_path) == []


def test_a_model_asks_for_what_profiles_say_and_its_log_is_found(finished, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(finished, project, ignore=shutil.ignore_patterns("logs"))
    wanted = "results/digits/resnet18/seed3407/original/corrected/run.json"
    for file in (wanted, "results/digits/splits/seed3407/held-out.json"):
        (project / file).unlink()
    own = project / "my-cluster/profile.yaml"
    own.parent.mkdir()
    own.write_text(f"retries: 0\ndefault-resources: {{slurm_partition: {slurm.PARTITION}}}\n")
    options = ["--profile", "my-cluster", "--configfile", "config/digits.yaml"]
    # As on a login node, which has no GPU itself.
    variables = {**environment_of_user(), "LOTUS_DEVICE": "cuda"}
    with slurm.one_node(cores=2, gpus=1) as node:
        done = subprocess.run(
            [*ON_SLURM, *options, "--", wanted],
            cwd=project,
            env=node.environment(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        # The split, a step without a model, was not submitted.
        (submission,) = node.submissions()
    assert (project / "results/digits/splits/seed3407/held-out.json").exists()
    assert "pretrain_original" in submission.comment
    assert submission.devices == "gres:gpu:1"
    assert submission.partition == slurm.PARTITION
    # PyTorch sees no GPU there, and the job's logs say so where the workflow says that they lie.
    assert submission.state == "FAILED"
    assert done.returncode
    (log,) = (project / "logs/slurm").rglob("*.log")
    assert log.stem == submission.number
    assert str(log) in done.stderr
    of_job = "logs/pretrain_original/digits/resnet18/seed3407/corrected.log"
    assert of_job in log.read_text()
    # The Snakemake that Slurm starts there does the job itself, without another one.
    assert log.read_text().count("Building DAG of jobs") == 1
    assert "device 'cuda'" in (project / of_job).read_text()


def test_what_a_killed_workflow_locked_is_free_once_slurm_has_none_of_its_jobs(tmp_path):
    project = project_of_birds(tmp_path / "project")
    command = [*ON_SLURM, *ASKED]
    with slurm.one_node(cores=1, gpus=0) as node:
        variables = node.environment(environment_of_user())
        # So that the job is there for as long as somebody looks.
        node.drain()
        process = begin(project, *command, **variables)
        wait_for(process, node.submissions)
        kill(process)
        (left,) = node.submissions()
        process = begin(project, *command, **variables)
        said = process.communicate()[0]
        assert process.returncode == 1, said
        assert f"`scancel {left.number}`" in said
        assert "--unlock` removes" not in said
        node.ask("scancel", left.number)
        node.resume()
        process = begin(project, *command, **variables)
        said = process.communicate()[0]
        assert process.returncode == 0, said
        assert "what a workflow that was killed had locked here is free again" in said
        assert [it.state for it in node.submissions()] == ["CANCELLED", "COMPLETED"]
