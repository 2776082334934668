"""benchmarks/gpu.py goes on where a part fails, and counts the time in which a device is busy once."""

import importlib
import json
import warnings
from time import monotonic
from types import SimpleNamespace

import pytest
import torch
from project import ROOT
from torch.autograd import DeviceType

from lotus.engine.device import Device


@pytest.fixture
def benchmark(monkeypatch):
    """Name → module of `benchmarks`."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


def test_a_part_that_fails_is_told_and_the_others_go_on(benchmark, tmp_path, capsys):
    def broken():
        raise RuntimeError("CUDA error: an illegal\n  memory access")

    path = tmp_path / "gpu.json"
    report = benchmark("gpu").Report(path, monotonic() + 60)
    report.part("first", broken)
    assert (
        "RuntimeError: CUDA error: an illegal memory access"
        in json.loads(path.read_text())["first"]
    )
    report.part("second", lambda: {"rate": 1.0})
    report.part("third", lambda: 2, takes=90)
    found = json.loads(path.read_text())
    assert found["second"] == {"rate": 1.0}
    assert found["third"] == "left out: no time"
    assert list(found["seconds"]) == ["first", "second", "third"]


def test_a_run_that_fails_has_a_line_and_a_late_one_is_left_out(benchmark):
    attempted = benchmark("gpu_runs").attempted

    def broken(run):
        raise ValueError("no such kernel")

    assert attempted(broken, None, monotonic() + 9).startswith(
        "failed: ValueError: no such kernel ("
    )
    assert attempted(broken, None, monotonic() - 1) == "left out: no time"


def test_what_torch_says_of_waits_is_counted_by_line(benchmark):
    with benchmark("gpu_runs").waits_counted() as counted:
        for _ in range(3):
            warnings.warn("called a synchronizing CUDA operation (function x)", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    ((place, count),) = counted.items()
    assert place.startswith("tests/engine/test_gpu_benchmark.py:")
    assert count == 3


def test_kernels_that_overlap_count_once_and_annotations_and_the_host_not_at_all(benchmark):
    def event(start, end, kind=DeviceType.CUDA, is_annotation=False):
        return SimpleNamespace(
            time_range=SimpleNamespace(start=start, end=end),
            device_type=kind,
            is_user_annotation=is_annotation,
        )

    events = [event(5, 9), event(0, 4), event(2, 3), event(3, 6), event(20, 21)]
    events += [event(0, 100, is_annotation=True), event(0, 50, DeviceType.CPU)]
    seen, gpu = SimpleNamespace(events=lambda: events), Device(torch.device("cuda"), 1)
    assert benchmark("gpu_speed").busy_seconds(seen, gpu) == pytest.approx(10e-6)


def test_its_images_can_be_learned_from_and_are_those_of_a_store(benchmark, tmp_path):
    store = benchmark("gpu_problem").random_store(tmp_path / "store", 40, 28, 1)
    assert store.images.shape == (240, 28, 28, 1)
    first, again, other = (store.images[row].astype(int) for row in (0, 10, 1))
    assert abs(first - again).mean() < abs(first - other).mean()
