"""The benchmark: that it runs and what it writes; how fast anything is, no test says."""

import ast
import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from project import ROOT, run

from lotus.models.weights_file import read_safetensors, write_safetensors

KEYS = {
    "evaluation",
    "evaluation_released",
    "lotus_epoch_fp32",
    "lotus_epoch_bf16",
    "lotus_vit_teacher_cache",
    "default_run_over_compute",
    "seeds_32_over_8",
    "plan_ms_per_job",
    "audit_seconds",
}
BENCHMARKS = ROOT / "benchmarks"


def loaded(name):
    """A script that uses no other, without its folder on the path."""
    described = importlib.util.spec_from_file_location(
        f"of_benchmarks_{name}", BENCHMARKS / f"{name}.py"
    )
    module = sys.modules[described.name] = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def test_a_quick_benchmark_writes_all_ratios(tmp_path):
    """Of one part, with what did not run and why; nothing is written into the project."""
    out = tmp_path / "new" / "latest.json"
    script = BENCHMARKS / "bench.py"
    asked = ("--quick", "--only", "lotus_vit", "audit", "--out", out)
    printed = run(ROOT, sys.executable, script, *asked, PYTHONPATH=ROOT).stdout
    written = json.loads(out.read_text())
    assert written["ratios"].keys() == KEYS
    measured = {name: value for name, value in written["ratios"].items() if value is not None}
    assert list(measured) == ["lotus_vit_teacher_cache"]
    assert measured["lotus_vit_teacher_cache"] > 0
    assert written["figures"].keys() == {"lotus_vit"}
    assert "default_run" in written["not_measured"]["audit"]
    assert written["not_measured"]["evaluation"] == "it was not asked for: --only"
    assert written["hardware"]["cores"] > 0
    assert {"torch", "numpy"} <= written["versions"].keys()
    assert "lotus_vit_teacher_cache" in printed
    assert str(out) in printed


def test_a_ratio_is_the_median_of_rounds():
    """Not the quotient of two medians: a slow round is slow for both."""
    rounds = loaded("paired").Rounds(
        {"ours": [1.0, 9.0, 2.0], "other": [2.0, 36.0, 10.0], "part": [1.0, 9.0, 2.0]}
    )
    assert rounds.ratio("other", "ours") == 4
    assert rounds.ratio("other", "ours", {"part": 2}) == 2


def test_ways_run_in_turn_and_in_both_orders():
    order = []
    found = loaded("paired").in_turn(
        {name: lambda name=name: order.append(name) for name in "ab"}, 2
    )
    assert "".join(order) == "ab" + "ab" + "ba"
    assert [len(seconds) for seconds in found.seconds.values()] == [2, 2]


def test_an_exponent_is_a_slope_in_logarithms(monkeypatch):
    monkeypatch.setitem(sys.modules, "paired", loaded("paired"))
    growth = loaded("growth")
    assert growth.exponent([1, 2, 4], [3.0, 12.0, 48.0]) == 2
    assert growth.SIZES.keys() == growth.CURVES.keys()


def test_the_page_names_every_script():
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in BENCHMARKS.glob("*.py")}
    assert {name for name in scripts if f"`{name}`" not in text} == set()


def test_what_the_benchmark_writes_is_not_tracked():
    assert not run(
        ROOT, "git", "check-ignore", "benchmarks/results/latest.json", check=False
    ).returncode


def test_the_cost_of_an_experiment_is_told_before_it_is_run(tmp_path):
    """Weights that two protocols share are trained once: three originals and two golds beside each."""
    out = tmp_path / "cost.json"
    asked = ("config/cifar10-cpu.yaml", "--images", 16_000, "--out", out)
    printed = run(ROOT, sys.executable, BENCHMARKS / "cost.py", *asked, PYTHONPATH=ROOT).stdout
    found = json.loads(out.read_text())["estimate"]["resnet18"]
    assert found["models"] == 78
    assert found["training"] == (3 + 3 * 2) * 30
    corrected = 10 + 10 + 5 + 3 + 1 + 3 + 1 + 1 + 10 + 10
    assert found["unlearning"] == 3 * (corrected + 10 * 10)
    steps = 16_000 * (found["training"] + found["unlearning"]) + 78 * 2 * 26_000 / 3
    assert found["steps"] == round(steps)
    rate = found["images_per_second_and_core"]
    assert found["core_minutes"] == pytest.approx(steps / rate / 60, rel=0.01)
    assert f"{steps / 1e6:.1f} million training steps" in printed


def test_what_an_experiment_took_its_records_say(tmp_path):
    for number, (kind, start, total) in enumerate(
        [("original", "10:00:00", 60), ("gold", "10:01:00", 120), ("gold", "10:01:30", 30)]
    ):
        record = {"kind": kind, "time": {"started": f"2026-01-01T{start}+00:00", "total": total}}
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "run.json").write_text(json.dumps(record))
    program = (
        f"from cost import took; from pathlib import Path; print(took(Path({str(tmp_path)!r})))"
    )
    paths = f"{BENCHMARKS}:{ROOT}"
    said = run(tmp_path, sys.executable, "-c", program, PYTHONPATH=paths).stdout
    assert ast.literal_eval(said) == {
        "models": 3,
        "core_minutes": {"gold": 2.5, "original": 1.0},
        "minutes": 3.0,
    }


def test_what_a_rehearsal_puts_in_place_of_work_is_there():
    """A function of another name would not be put aside, and a rehearsal of days would do the work."""
    instant = loaded("instant")
    for module, lines in instant.HOOKS.items():
        body = ast.parse((ROOT / module).read_text()).body
        own = {node.name for node in body if isinstance(node, ast.FunctionDef)}
        taken = {
            alias.asname or alias.name
            for node in body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for line in lines:
            (statement,) = ast.parse(line).body
            assert {target.id for target in statement.targets} <= own | taken, line
            named = [node for node in ast.walk(statement.value) if isinstance(node, ast.Attribute)]
            assert [hasattr(instant, node.attr) for node in named] == [True], line


def test_a_rehearsed_model_is_as_large_as_a_real_one_and_takes_no_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    instant = loaded("instant")
    monkeypatch.setattr(instant, "numbers", lambda: {"model_bytes": {"resnet18": 10_000_000}})
    path = Path("results/cifar10/resnet18/model.safetensors")
    path.parent.mkdir(parents=True)
    weights = {"a": torch.arange(5.0), "b": torch.arange(3)}
    instant.padded(write_safetensors)(weights, path)
    assert 10_000_000 < path.stat().st_size < 10_001_000
    assert path.stat().st_blocks * 512 < 100_000
    found = instant.without_padding(read_safetensors)(path)
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], value) for name, value in weights.items())
