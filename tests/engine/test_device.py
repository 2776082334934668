"""Which device a job takes. GPUs are simulated: PyTorch is kept from using them."""

import os

import pytest
import torch
from click.testing import CliRunner

from lotus.cli import know
from lotus.cli.main import main
from lotus.engine import device, gpus, kept
from lotus.engine.device import Device, prepare, present
from lotus.engine.failures import explained_lack_of_memory, is_out_of_gpu_memory
from lotus.engine.lease import Gpu
from lotus.errors import LotusError

GPUS = (Gpu(0, "GPU-a", 16), Gpu(1, "GPU-b", 16))


@pytest.fixture
def next_job():
    """Function: has this process be the next job, which holds nothing; leases of earlier ones stay."""
    device._OWN.set(None)
    yield lambda: device._OWN.set(None)
    device._OWN.set(None)
    prepare("cpu", 1)
    device._set_tf32(False)


@pytest.fixture
def used(tmp_path, monkeypatch, next_job):
    """What PyTorch was told to use, on a machine with two GPUs of which 4 of 16 bytes are taken."""
    told = []
    monkeypatch.setattr(gpus, "usable", lambda: GPUS)
    monkeypatch.setattr(device, "folder_of_user", lambda: tmp_path)
    monkeypatch.setattr(torch.cuda, "set_device", told.append)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (12, 16))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Simulated")
    monkeypatch.delenv("LOTUS_GPU_SLOTS", raising=False)
    return told


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_jobs_take_the_gpu_on_which_fewest_are(used, next_job, monkeypatch, name):
    monkeypatch.setenv("LOTUS_GPU_SLOTS", "2")
    held = []
    for _ in range(4):
        held.append(prepare(name, 1))
        assert used[-1] == held[-1].torch
        next_job()
    assert [it.torch.index for it in held] == [0, 1, 0, 1]


def test_a_record_names_the_gpu_and_not_its_number(used):
    stated = prepare("cuda:1", 1).hardware
    assert (stated["device"], stated["device_name"]) == ("cuda", "Simulated")


def test_a_process_keeps_its_gpu_from_job_to_job(used):
    first = prepare("auto", 1)
    assert kept.has_gpu()
    assert prepare("cuda", 1).lease is first.lease
    other = 1 - first.lease.gpu.index
    with pytest.raises(LotusError, match=f"keeps GPU {first.torch.index} .* wants cuda:{other}"):
        prepare(f"cuda:{other}", 1)
    assert present() == Device(first.torch, 1, first.runtime, first.lease, first.kind)


def test_what_is_forked_from_a_process_with_a_gpu_has_none(used):
    prepare("auto", 1)
    child = os.fork()
    if child == 0:
        os._exit(int(kept.has_gpu()))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_processor_is_said_where_it_was_not_asked_for(next_job, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(gpus, "usable", lambda: ())
    monkeypatch.setattr(gpus, "DRIVERS", ())
    assert prepare("auto", 1).torch.type == "cpu"
    assert "the processor, since PyTorch sees no GPU here" in caplog.text
    caplog.clear()
    monkeypatch.setattr(gpus, "has_driver", lambda: True)
    prepare("auto", 1)
    assert "PyTorch cannot use it" in caplog.text
    caplog.clear()
    prepare("cpu", 1)
    assert caplog.text == ""
    with pytest.raises(LotusError, match=r"usable GPUs of this machine is 0; try cpu"):
        prepare("cuda", 1)


def test_the_first_of_a_kind_is_alone_and_measures_for_the_next(used, next_job, monkeypatch):
    monkeypatch.setenv("LOTUS_GPU_SLOTS", "auto")
    first = prepare("cuda:0", 1, alike=["unlearn", "digits"])
    assert first.lease.slots == 1
    first.note_memory()
    next_job()
    second = prepare("cuda:1", 1, alike=["unlearn", "digits"])
    assert second.lease.slots == 4
    # It may have been in company, so what the GPU had taken was not its own.
    second.kind.forget()
    second.note_memory()
    assert second.kind.measured() is None
    for other in (["unlearn", "mnist"], []):
        next_job()
        second.lease.end()
        second = prepare("cuda:1", 1, alike=other)
        assert second.lease.slots == 1


def test_lack_of_memory_says_what_to_lower_and_has_the_next_job_measure(used, monkeypatch):
    monkeypatch.setenv("LOTUS_GPU_SLOTS", "3")
    ours = prepare("auto", 1, alike=["unlearn", "digits"])
    ours.kind.note(5)
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore.")
    assert is_out_of_gpu_memory(error)
    said = explained_lack_of_memory(error)
    assert "up to 3 models shared it, so lower LOTUS_GPU_SLOTS first" in said
    assert "batch_size" in said
    assert "Tried to allocate 2 GiB" in said
    assert "\n" not in said
    assert ours.kind.measured() is None


def test_a_model_without_company_is_not_told_to_have_less_of_it(used):
    prepare("auto", 1)
    said = explained_lack_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"))
    assert "LOTUS_GPU_SLOTS" not in said
    assert "nvidia-smi" in said
    assert not is_out_of_gpu_memory(RuntimeError("CUDA error: an illegal memory access"))


def test_a_command_that_runs_out_of_gpu_memory_ends_in_one_line(monkeypatch, tmp_path):
    def fails(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(know.datasets, "callback", fails)
    done = CliRunner().invoke(main, ["datasets"])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert line.startswith("Error: the GPU has no memory left")
