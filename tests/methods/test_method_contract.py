"""The contract that every method keeps, under both protocols."""

import ast
import types
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made import write_by_hand
from small_methods import NAMES, SMALL, both_protocols, every_method, of_method
from torch import nn

from lotus import methods, models
from lotus.config.architectures import ResNet18
from lotus.config.images import Augmentation, Dataset
from lotus.config.protocol import CORRECTED, RELEASED, SWITCHES, Protocol
from lotus.config.register import REGISTER
from lotus.config.scenarios import Scenario
from lotus.data.content import Content
from lotus.data.splits import choose_forget_set, halve_held_out, save_forget_set, save_held_out
from lotus.data.store import open_store, write_store
from lotus.engine.device import Device
from lotus.errors import LotusError
from lotus.methods.base import configured, described, registry
from lotus.methods.base.task import Task
from lotus.runs import run as runs
from lotus.runs.bench import set_up

NONE = dict.fromkeys(
    ("epochs", "passes", "rounds", "class_impair_epochs", "repair_epochs", "class_noise_steps"), 0
)
UNCHANGED = {("scrub", "released")}


def test_all_ten_methods_are_found():
    assert {
        *("finetune", "neggrad-plus", "random-labeling", "bad-teacher", "scrub", "ssd", "unsir"),
        *("salun", "lotus", "salun-lotus"),
    } <= {*NAMES}


@both_protocols
@every_method
@pytest.mark.parametrize("class_forgetting", [False, True])
def test_weights_depend_on_the_seed_alone(
    small_task, snapshot, same, name, protocol, class_forgetting
):
    found = []
    for seed, elsewhere in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(elsewhere)
        np.random.seed(elsewhere)
        task = small_task(seed, protocol=protocol, class_forgetting=class_forgetting)
        found.append(snapshot(of_method(name, protocol).unlearn(task)))
    assert same(found[0], found[1])
    assert same(found[0], found[2]) == ((name, protocol.name) in UNCHANGED)


@both_protocols
@every_method
def test_original_and_global_state_stay_as_they_were(small_task, snapshot, same, name, protocol):
    task, rng = small_task(protocol=protocol), torch.get_rng_state()
    np_rng = np.random.get_state()[1].copy()
    before = snapshot(task.original)
    unlearned = of_method(name, protocol).unlearn(task)
    assert same(before, snapshot(task.original))
    assert not any(module.training for module in task.original.modules())
    assert all(p.grad is None and p.requires_grad for p in task.original.parameters())
    assert torch.equal(rng, torch.get_rng_state())
    assert np.array_equal(np_rng, np.random.get_state()[1])
    assert torch.equal(task.forget.pixels, small_task().forget.pixels)
    assert same(before, snapshot(unlearned)) == ((name, protocol.name) in UNCHANGED)
    places = {t.data_ptr() for t in task.original.state_dict().values()}
    assert places.isdisjoint(t.data_ptr() for t in unlearned.state_dict().values())
    assert all(p.requires_grad for p in unlearned.parameters())


@both_protocols
@every_method
def test_mode_in_which_the_model_is_left(small_task, name, protocol):
    unlearned = of_method(name, protocol).unlearn(small_task(protocol=protocol))
    in_eval_mode = {"lotus", "salun-lotus", "ssd", "scrub" if protocol == RELEASED else "unsir"}
    modes = {module.training for module in unlearned.modules()}
    assert modes == {name not in in_eval_mode}


@both_protocols
@every_method
def test_students_learn_in_train_mode(small_task, name, protocol):
    """Dropping `.train()` from a method freezes BatchNorm's running statistics."""
    task = small_task(protocol=protocol)
    before = {key: value.clone() for key, value in task.original.named_buffers()}
    after = dict(of_method(name, protocol).unlearn(task).named_buffers())
    # UNSIR's notebook for instances never leaves eval mode.
    frozen = name == "ssd" or (name, protocol.name) in {*UNCHANGED, ("unsir", "corrected")}
    for key in before:
        assert torch.equal(after[key], before[key]) == frozen, key


@both_protocols
@every_method
@pytest.mark.parametrize("class_forgetting", [False, True])
def test_without_any_work_a_copy_of_the_original_is_returned(
    small_task, snapshot, same, name, protocol, class_forgetting
):
    task = small_task(protocol=protocol, class_forgetting=class_forgetting)
    unlearned = of_method(name, protocol, SMALL | NONE).unlearn(task)
    assert unlearned is not task.original
    assert same(snapshot(unlearned), snapshot(task.original))


@both_protocols
@every_method
def test_progress_is_told_of_each_round(task_of, small_task, name, protocol):
    small, told = small_task(protocol=protocol), []
    task, _ = task_of(small.original, small.forget, small.retain, small.val, num_classes=3)
    task = Task(
        **{
            **vars(task),
            "protocol": protocol,
            "untrained": small.untrained,
            "progress": lambda *report: told.append(report),
        }
    )
    of_method(name, protocol).unlearn(task)
    assert [(epoch, of) for epoch, of, _ in told] == [(0, 2), (1, 2)]
    assert all(isinstance(v, float) for _, _, report in told for v in report.values())


# Hyper-parameters


@every_method
def test_unknown_hyperparameter_is_refused(name):
    with pytest.raises(LotusError, match=rf"method {name}: speed = 3: unknown") as caught:
        configured.make(name, {"speed": 3})
    assert len(str(caught.value).splitlines()) == 1


def test_misspelt_hyperparameter_is_answered_with_the_likely_one():
    with pytest.raises(LotusError, match=r"method lotus: epoch = 3: .*did you mean 'epochs'"):
        configured.make("lotus", {"epoch": 3})


EVERY_FIELD = [(name, f.name) for name in NAMES for f in fields(registry.method_class(name))]


@pytest.mark.parametrize(("name", "key"), EVERY_FIELD)
def test_ill_typed_hyperparameter_is_refused(name, key):
    default = configured.hyperparameters(configured.make(name, {}))[key]
    values = ["nonsense", None, {"a": 1}, [[]], -1, float("nan"), float("inf")]
    values += [] if isinstance(default, bool) else [True]
    values += [1.5, 1e400] if type(default) is int else []
    values += [[0], ["x"]] if isinstance(default, tuple) else []
    for value in values:
        with pytest.raises(LotusError) as caught:
            configured.make(name, {key: value})
        (line,) = str(caught.value).splitlines()
        assert line.startswith(f"method {name}: {key} = ")
        assert "must be" in line


@pytest.mark.parametrize(
    ("name", "given", "accepted"),
    [
        ("neggrad-plus", {"alpha": 1.01}, "less than or equal to 1"),
        ("neggrad-plus", {"alpha": 0}, "greater than 0"),
        ("random-labeling", {"labels": "some"}, "'wrong' or 'any'"),
        ("random-labeling", {"optimizer": "lamb"}, "'adam' or 'sgd'"),
        ("salun", {"order": "mixed"}, "'separate' or 'union'"),
        ("salun", {"mask_share": 0}, "greater than 0"),
        ("salun-lotus", {"mask_share": 1.1}, "less than or equal to 1"),
        ("bad-teacher", {"temperature": 0}, "greater than 0"),
        ("scrub", {"milestones": [3, 0]}, "greater than 0"),
        ("ssd", {"passes": -1}, "greater than or equal to 0"),
        ("unsir", {"class_copies": 0}, "greater than 0"),
        ("lotus", {"transform": "hard"}, "'gumbel' or 'softmax'"),
        ("lotus", {"alpha": -1}, "greater than or equal to 0"),
        ("lotus", {"alpha": 701}, "less than or equal to 700"),
        ("lotus", {"retain_fraction": 1.5}, "less than or equal to 1"),
        ("finetune", {"lr": float("nan")}, "number"),
        ("finetune", {"lr": 0}, "greater than 0"),
    ],
)
def test_refusal_says_what_is_accepted(name, given, accepted):
    with pytest.raises(LotusError) as caught:
        configured.make(name, given)
    message = str(caught.value)
    assert message.startswith(f"method {name}: {next(iter(given))} = ")
    assert accepted in message


def test_every_mistake_has_a_line():
    with pytest.raises(LotusError) as caught:
        configured.make("finetune", {"lr": -1, "epochs": "x", "speed": 2})
    lines = str(caught.value).splitlines()
    assert {line.split()[2] for line in lines} == {"lr", "epochs", "speed"}


@every_method
def test_scientific_text_is_a_number(name):
    for key, value in configured.hyperparameters(configured.make(name, {})).items():
        if isinstance(value, float):
            method = configured.make(name, {key: "5e-1"})
            assert configured.hyperparameters(method)[key] == 0.5
            assert configured.make(name, configured.hyperparameters(method)) == method


def test_unknown_method_is_answered_with_the_known():
    with pytest.raises(LotusError, match="unknown method 'finetun'; did you mean 'finetune'"):
        configured.make("finetun", {})


# Registration and documentation


@every_method
def test_constants_of_every_switch_are_accepted(name):
    entry = registry.entry_of(name)
    known = {field.name for field in fields(entry.cls)}
    assert {*entry.released} <= {*REGISTER}
    for switch, values in entry.released.items():
        assert {*values} <= known
        one = Protocol("corrected", frozenset({switch}))
        assert registry.constants(name, one) == values
        configured.make(name, values)
        assert switch not in entry.switches or SWITCHES[switch] == "method"
    assert "T2" in entry.switches
    assert registry.constants(name, CORRECTED) == {}
    configured.make(name, registry.constants(name, RELEASED))


def test_every_switch_of_a_method_is_obeyed_by_one():
    obeyed = {switch for name in NAMES for switch in registry.entry_of(name).released}
    of_methods = {name for name in REGISTER if name.startswith("M")}
    assert of_methods | {"R1"} <= obeyed


@every_method
def test_docstring_says_what_a_reader_must_know(name):
    said = described.describe(name)
    assert said.idea.endswith(".")
    assert all([said.loss, said.reads, said.source, said.not_for])
    switches = {*registry.entry_of(name).released} - {"M8", "R1"}
    assert all(f"({switch})" in said.loss or switch == "M8" for switch in switches)


@every_method
def test_modules_reach_for_neither_metrics_nor_files(name):
    folder = Path(methods.__file__).parent
    tree = ast.parse((folder / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8"))
    imported, called = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called.add(node.func.id)
    forbidden = (
        "lotus.metrics",
        "lotus.runs",
        "lotus.predictions",
        "lotus.data.store",
        "lotus.models",
    )
    for module in imported:
        assert not module.startswith(forbidden), module
        assert module.split(".")[0] not in {"os", "io", "pathlib", "shutil", "builtins", "numpy"}
    assert called.isdisjoint({"open", "exec", "eval", "__import__"})


# Test images are out of reach


@pytest.fixture
def bench(tmp_path):
    """A scenario set up from files, with images that all differ."""
    count, held_out = 60, 20
    images = np.random.default_rng(0).integers(
        256, size=(count + held_out, 8, 8, 1), dtype=np.uint8
    )
    labels = np.arange(count + held_out) % 3
    parts = {"train": (0, count), "test": (count, count + held_out)}
    source = {"dataset": "toy", "mean": [0.5], "std": [0.25]}
    content = Content(images, labels, parts, ("a", "b", "c"))
    write_store(tmp_path / "store", images, content, source, locked=None)
    store = open_store(tmp_path / "store")
    save_held_out(tmp_path / "held-out.json", halve_held_out(store, 0))
    chosen = choose_forget_set(store, Scenario(forget_fraction=0.2), 0)
    save_forget_set(tmp_path / "forget.json", chosen)
    architecture = ResNet18(model="resnet18", width=8, max_pool=False)
    (tmp_path / "original").mkdir()
    models.save_weights(
        tmp_path / "original" / runs.MODEL, models.build(architecture, (1, 8, 8), 3, 0)
    )
    settings = {
        "architecture": architecture.model_dump(),
        "images": Dataset(augmentation=Augmentation(crop_padding=1)).model_dump(),
    }
    write_by_hand(
        tmp_path / "original" / runs.RECORD, kind="original", about={"seed": 0}, settings=settings
    )
    inputs = runs.Inputs(tmp_path / "store", tmp_path / "held-out.json", tmp_path / "forget.json")
    device = Device(torch.device("cpu"), 1)
    found = set_up(inputs, tmp_path / "original", device, CORRECTED)
    return found, runs.Run(tmp_path / "run", 0, "cpu", 1)


def reached(thing, seen):
    """All arrays and tensors that lie in a value, however deep."""
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    if isinstance(thing, torch.Tensor | np.ndarray):
        yield np.asarray(thing.detach() if isinstance(thing, torch.Tensor) else thing)
        return
    inside = []
    if isinstance(thing, dict | types.MappingProxyType):
        inside = [*thing.values()]
    elif isinstance(thing, list | tuple | set | frozenset):
        inside = [*thing]
    elif isinstance(thing, types.FunctionType):
        inside = [c.cell_contents for c in thing.__closure__ or ()] + [thing.__defaults__]
    elif isinstance(thing, partial):
        inside = [thing.func, *thing.args, *thing.keywords.values()]
    elif isinstance(thing, types.MethodType):
        inside = [thing.__self__]
    elif (
        is_dataclass(thing) or isinstance(thing, nn.Module) or type(thing).__module__ != "builtins"
    ):
        inside = [*getattr(thing, "__dict__", {}).values()]
    for value in inside:
        if not isinstance(value, type | types.ModuleType):
            yield from reached(value, seen)


def images_in(arrays):
    """All 8×8 images of bytes, in whichever order of axes."""
    stacks = [a for a in arrays if a.dtype == np.uint8 and a.ndim == 4]
    return {image.tobytes() for stack in stacks for image in stack.reshape(len(stack), -1)}


def given_images(bench):
    chosen = [bench.chosen.forget, bench.chosen.retain, bench.held_out.val]
    return images_in([np.asarray(bench.store.images)[np.concatenate(chosen)]])


def test_no_other_image_than_those_given_can_be_reached_from_a_task(bench):
    bench, run = bench
    found = images_in(reached(bench.task(run, lambda *_: None, nullcontext), {}))
    assert len(found) == 60 + 10
    assert found == given_images(bench)
    # What this looks for is found where it is.
    assert images_in(reached(lambda: bench, {})) > found


def test_set_up_loads_exactly_the_images_of_the_scenario(bench):
    bench, _ = bench
    pixels = bench.images._pixels.permute(0, 2, 3, 1).contiguous().numpy()
    assert len(pixels) == 60 + 10
    assert images_in([pixels]) == given_images(bench)
    with pytest.raises(LotusError, match="not loaded"):
        bench.images.take(bench.held_out.test)


@every_method
def test_methods_run_on_a_real_task(bench, name):
    bench, run = bench
    task = bench.task(run, lambda *_: None)
    unlearned = of_method(name, CORRECTED, SMALL | {"epochs": 1}).unlearn(task)
    assert all(torch.isfinite(value).all() for value in unlearned.state_dict().values())
