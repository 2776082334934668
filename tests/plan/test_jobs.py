"""How the workflow calls `lotus`, and what it was itself asked for."""

import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from project import ROOT

from lotus.engine import gpus
from lotus.engine.asking import MODELS, OF_MODELS, RESULTS
from lotus.errors import LotusError
from lotus.plan import jobs
from lotus.plan.declared import declared
from lotus.plan.jobs import (
    asked_targets,
    computing,
    has_all_to_do,
    is_batch,
    kept_workers,
    launcher,
    number_of_gpus,
    shell_prefix,
)


def test_jobs_run_the_checkouts_code_with_the_python_of_their_environment():
    assert launcher(Path("/a b"), in_conda=False) == [
        sys.executable,
        "-PS",
        "/a b/workflow/run_lotus.py",
    ]
    assert launcher(Path("/a b"), in_conda=True)[0] == "python"


def test_shell_lines_can_begin_with_lotus():
    # Snakemake formats it, and what was doubled is a brace again.
    prefix = shell_prefix(["echo", "{x} y"], Path("/a b/{c}")).format()
    line = f"{prefix}lotus $LOTUS_WARM 'b  c'"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == "{x} y /a b/{c} b  c\n"


@pytest.mark.parametrize(
    "name",
    ["a b", "a'b", 'a"b', "x$(touch F)y", "x`touch F`y", "$HOME", "x{y}z", "{{x", "a;touch F", "é"],
)
def test_a_checkout_of_any_name_is_a_name_to_the_shell(tmp_path, name):
    program = tmp_path / name / "workflow/run_lotus.py"
    program.parent.mkdir(parents=True)
    program.write_text("import sys; print(__file__, *sys.argv[1:])")
    prefix = shell_prefix(launcher(tmp_path / name, in_conda=False)).format()
    done = subprocess.run(
        ["bash", "-c", f"{prefix}lotus 1"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{program} 1\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        ("snakemake -n", []),
        ("snakemake --cores 2 all", []),
        ("snakemake -n table1", ["table1"]),
        (
            "/bin/snakemake --cores all table1 results/claims.json",
            ["table1", "results/claims.json"],
        ),
        ("snakemake -n --configfile config/digits.yaml -- tune", ["tune"]),
        ("snakemake -n --configfile config/digits.yaml", []),
        ("/lib/snakemake/__main__.py --cores 1 claims", ["claims"]),
        ("pytest tests/plan", []),
    ],
)
def test_targets_are_read_from_the_command_line(line, targets):
    assert asked_targets(line.split()) == targets


def computing_by(cores=8, **variables):
    return computing({f"LOTUS_{key}": value for key, value in variables.items()}, cores)


def test_the_runtime_of_all_models_is_looked_at_before_the_first():
    assert computing_by(DEVICE="cpu", RUNTIME="precision=bf16 compile=off").runtime == (
        "precision=bf16"
    )
    assert computing_by(DEVICE="cuda", RUNTIME="compile=on, cuda_graphs=on").runtime == (
        "compile=on,cuda_graphs=on"
    )
    for device, runtime, said in (
        ("gpu", "default", "device 'gpu' is unknown"),
        ("cpu", "precision=half", "accepted: precision="),
        ("cpu", "precision=tf32", "needs CUDA"),
    ):
        with pytest.raises(LotusError, match=said):
            computing_by(DEVICE=device, RUNTIME=runtime)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(jobs, "has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(
    ("variables", "at_once", "workers"),
    [
        ({}, 2, 0),
        ({"GPU_SLOTS": "3"}, 6, 0),
        ({"GPU_SLOTS": "auto"}, 8, 0),
        ({"KEPT_WORKERS": "4"}, 2, 2),
        ({"KEPT_WORKERS": "4", "GPU_SLOTS": "3"}, 6, 4),
        ({"DEVICE": "cuda:1", "GPU_SLOTS": "3"}, 3, 0),
    ],
)
def test_as_many_models_at_a_time_as_there_are_slots(two_gpus, variables, at_once, workers):
    found = computing_by(**variables)
    assert (found.at_once, found.workers) == (at_once, workers)


def test_where_there_is_a_gpu_no_job_takes_the_processor(two_gpus):
    found = computing_by()
    assert (found.device, found.gpus) == ("cuda", 2)
    assert found.said == "Models are made on 2 GPUs, at most 1 on each at a time (LOTUS_GPU_SLOTS)"
    assert computing_by(DEVICE="cpu").device == "cpu"
    assert computing_by(DEVICE="cuda:1").device == "cuda:1"


def test_the_processor_is_said_where_it_was_not_asked_for(monkeypatch):
    monkeypatch.setattr(jobs, "has_driver", lambda: False)
    found = computing_by(KEPT_WORKERS="4")
    assert (found.device, found.gpus, found.workers) == ("auto", 0, 4)
    assert found.said.startswith("Models are made on the processor, since")
    assert computing_by(DEVICE="cpu").said == ""


def test_workers_that_stay_need_a_number_of_slots():
    with pytest.raises(
        LotusError, match=r"LOTUS_KEPT_WORKERS = 2 needs a number as LOTUS_GPU_SLOTS"
    ):
        computing_by(KEPT_WORKERS="2", GPU_SLOTS="auto")
    with pytest.raises(LotusError, match=r"LOTUS_GPU_SLOTS = 'two'"):
        computing_by(DEVICE="cpu", GPU_SLOTS="two")


def test_the_number_of_kept_workers_is_a_whole_number():
    assert kept_workers("0") == 0
    assert kept_workers("4") == 4
    for number in ("", "-1", "two", "1.5", "4\n", "10000"):
        with pytest.raises(LotusError, match=r"LOTUS_KEPT_WORKERS = .*whole number from 0"):
            kept_workers(number)


def test_a_named_device_says_itself_whether_it_is_a_gpu():
    assert number_of_gpus("cuda:1") == 1
    assert number_of_gpus("cpu") == 0


def test_torch_is_asked_for_gpus_only_where_a_driver_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(gpus, "DRIVERS", (str(tmp_path / "nvidiactl"),))
    assert number_of_gpus("auto") == 0
    (tmp_path / "nvidiactl").touch()
    assert number_of_gpus("auto") == 3
    monkeypatch.setattr(gpus, "DRIVERS", ())
    monkeypatch.setattr(sys, "platform", "darwin")
    assert number_of_gpus("auto") == 3


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("snakemake --cores 2 all", False),
        # Two jobs of one group on a node, one job of a group, and a job by itself.
        ("snakemake --target-jobs unlearn:row=a unlearn:row=b --local-groupid x --cores 1", True),
        ("snakemake --target-jobs unlearn:row=a --local-groupid x --cores 1", False),
        ("snakemake --target-jobs unlearn:row=a --cores 1", False),
    ],
)
def test_a_batch_is_told_of_several_jobs(line, is_one):
    assert is_batch(line.split()) == is_one


def test_jobs_on_models_are_those_of_rules_that_may_ask_for_a_gpu():
    asks, asks_not = ({"gpu": 0, "_cores": 1}, {"_cores": 1})
    rules = [SimpleNamespace(rule=SimpleNamespace(resources=it)) for it in (asks_not, asks)]
    assert jobs.jobs_on(rules) == [MODELS, RESULTS]
    assert jobs.jobs_on(rules[:1]) == [RESULTS]
    assert jobs.jobs_on(rules[1:]) == [MODELS]
    assert jobs.jobs_on([]) == []
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.findall(r"^rule .+?(?=^rule |\Z)", file.read_text(), re.M | re.S):
            (called,) = re.findall(r'"lotus --log \{log\} ([\w-]+)', rule) or [""]
            # Of steps whose command is looked up, the rule has the name.
            name = called or re.findall(r"rule ([a-z]+)", rule)[0]
            assert (name in OF_MODELS) == ("gpu=GPU" in rule), rule


def test_the_networks_of_an_experiment_are_named_once_each():
    plan = declared([ROOT / "config/fashion-mini.yaml"], {}).plan
    assert jobs.modules_of_networks(plan) == ["lotus.models.resnet18", "lotus.models.vit"]


@pytest.mark.parametrize(
    ("line", "is_so"),
    [
        ("snakemake --cores all", True),
        ("snakemake -c2 --configfile config/digits.yaml --config seeds=[1]", True),
        ("/bin/snakemake all --cores=4 --keep-going", True),
        ("snakemake --cores 2 table1", False),
        ("snakemake --cores 2 --dry-run", False),
        ("snakemake -n", False),
        ("snakemake --cores 2 --touch", False),
        ("snakemake --cores 2 --profile profiles/slurm", False),
        ("pytest --cores 2", False),
    ],
)
def test_a_line_that_plainly_asks_for_a_whole_experiment(tmp_path, monkeypatch, line, is_so):
    monkeypatch.chdir(tmp_path)
    assert has_all_to_do(line.split()) == is_so
    (tmp_path / "results").mkdir()
    assert not has_all_to_do(line.split())


def test_a_sigterm_is_heard_while_the_lock_of_who_hears_it_is_held():
    program = """
import os, signal, threading
from lotus.plan.jobs import hear_the_end_beside_work

lock, heard = threading.Lock(), threading.Event()

def hears(number, frame):
    with lock:
        heard.set()

signal.signal(signal.SIGTERM, hears)
hear_the_end_beside_work()
with lock:
    os.kill(os.getpid(), signal.SIGTERM)
    print(heard.wait(0.2))
print(heard.wait(10))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\nTrue\n"


def test_a_sigterm_that_nobody_hears_ends_as_before():
    program = """
import os, signal
from lotus.plan.jobs import hear_the_end_beside_work

hear_the_end_beside_work()
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    assert done.returncode == -signal.SIGTERM
