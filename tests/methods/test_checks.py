"""What is checked of a method's work: what it returns, what it leaves alone, what it reports."""

import copy
import json
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest
import torch
from digits import store_of_digits
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.config.scenarios import Scenario
from lotus.data.splits import choose_forget_set, save_forget_set
from lotus.engine.failures import explained_failures
from lotus.errors import LotusError
from lotus.methods.base import registry
from lotus.methods.base.checks import CheckedProgress, check_original, check_returned
from lotus.runs import run as runs
from lotus.runs import train, unlearn
from lotus.runs.tuning import try_candidates

SECTION = {
    "model": "resnet18",
    "width": 8,
    "max_pool": False,
    "training": {"epochs": 0, "warmup_epochs": 0, "batch_size": 100},
}


def refused(call, *args):
    with pytest.raises(LotusError) as caught:
        call(*args)
    (line,) = str(caught.value).splitlines()
    return line


# Returned networks


def test_a_copy_of_the_original_is_accepted_and_left_as_it_was(small_task, snapshot, same):
    task = small_task()
    student = task.student().train()
    student[1].eval()
    before, modes = snapshot(student), [module.training for module in student.modules()]
    states = torch.get_rng_state(), task.generator.get_state()
    check_returned("mine", student, task)
    assert same(before, snapshot(student))
    assert modes == [module.training for module in student.modules()]
    assert torch.equal(states[0], torch.get_rng_state())
    assert torch.equal(states[1], task.generator.get_state())
    assert all(parameter.grad is None for parameter in student.parameters())


def test_values_that_are_not_finite_are_accepted(small_task):
    task = small_task()
    student = task.student()
    student[-1].weight.data.fill_(float("nan"))
    check_returned("mine", student, task)


def generator():
    yield nn.Linear(1, 1)


@pytest.mark.parametrize(
    ("returned", "named"),
    [
        (None, "None"),
        (nn.Linear, "the class Linear"),
        (generator(), "a value of type generator"),
        ({"weight": torch.ones(1)}, "a value of type dict"),
        (torch.zeros(2, 3), "a tensor [2, 3] of torch.float32"),
        ((nn.Linear(1, 1), 0.5), "a value of type tuple"),
        (True, "a value of type bool"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_what_is_no_network_is_named(small_task, returned, named):
    line = refused(check_returned, "forgetful", returned, small_task())
    assert line == (
        f"method forgetful returned {named} instead of a network; its `unlearn` must end in "
        "`return student`"
    )


class Answers(nn.Sequential):
    """A network that says something else."""

    def __init__(self, layers, answer):
        super().__init__(*layers)
        self.answer = answer

    def forward(self, x):
        return self.answer(super().forward(x))


def fail(_):
    raise KeyError("no such layer")


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (lambda y: y.argmax(1), "a tensor [2] of torch.int64"),
        (lambda y: y[:, :2], "a tensor [2, 2] of torch.float32"),
        (lambda y: y[:1], "a tensor [1, 3] of torch.float32"),
        (lambda y: y.long(), "a tensor [2, 3] of torch.int64"),
        (lambda y: (y, y), "a value of type tuple"),
        (lambda y: {"logits": y}, "a value of type dict"),
        (lambda _: None, "a value of type NoneType"),
        (fail, "cannot be used: KeyError: 'no such layer'"),
    ],
)
def test_answers_that_are_no_logits_are_refused(small_task, answer, named):
    task = small_task()
    line = refused(check_returned, "mine", Answers(task.student(), answer), task)
    assert line.startswith("method mine: the network that it returned ")
    assert named in line


def altered(change):
    def make(task):
        student = task.student()
        return change(student) or student

    return make


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (nn.DataParallel, "lacks '0.weight', '0.bias', '1.weight' and 6 more; has also 'module.0"),
        (lambda s: s.append(nn.Linear(3, 3)), "has also '5.weight', '5.bias'"),
        (lambda s: s.__delitem__(4), "lacks '4.weight', '4.bias'"),
        (lambda s: s.__setitem__(4, nn.Linear(64, 2)), "has 4.weight of shape [2, 64] instead of"),
        (lambda s: s.half(), "has 0.weight of torch.float16 instead of torch.float32"),
        (lambda s: s.to("meta"), "has 0.weight on meta instead of cpu"),
        (lambda s: nn.utils.parametrizations.weight_norm(s[4]) and None, "lacks '4.weight'"),
    ],
)
def test_networks_unlike_the_original_are_refused(small_task, change, named):
    task = small_task()
    line = refused(check_returned, "mine", altered(change)(task), task)
    assert named in line
    assert "`task.student()`" in line


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ODD)
def test_odd_values_are_refused_in_a_line(odd):
    assert "method mine returned" in refused(check_returned, "mine", odd, None)


@given(ODD)
def test_odd_answers_are_refused_in_a_line(small_task, odd):
    task = small_task()
    assert "method mine: " in refused(
        check_returned, "mine", Answers(task.student(), lambda _: odd), task
    )


# The original


@pytest.mark.parametrize("key", ["0.weight", "1.running_mean", "1.num_batches_tracked"])
def test_a_changed_original_is_refused(conv_net, snapshot, key):
    original = conv_net()
    original[-1].bias.data[0] = float("nan")
    before = snapshot(original)
    check_original("mine", original, before)
    original.state_dict()[key].view(-1)[0] += 1
    line = refused(check_original, "mine", original, before)
    assert f"method mine changed task.original ({key} differs)" in line
    assert "`task.student()`" in line


# Progress


@pytest.fixture
def progress():
    told = []
    return CheckedProgress("mine", lambda *report: told.append(report)), told


def test_reports_are_passed_on_as_numbers(progress):
    call, told = progress
    call(np.int64(0), 5, {"loss": torch.tensor(0.5), "acc": np.float32(0.25)})
    call(3, torch.tensor(5), MappingProxyType({"loss": float("nan"), "right": 3}))
    call(4, 5, {})
    assert told[0] == (0, 5, {"loss": 0.5, "acc": 0.25})
    assert told[1][:2] == (3, 5)
    assert told[1][2]["right"] == 3
    assert told[2] == (4, 5, {})
    assert all(type(v) is float for _, _, report in told for v in report.values())


@pytest.mark.parametrize(
    ("reports", "named"),
    [
        ([(0.5, 2, {})], "epoch = 0.5: must be a whole number"),
        ([("1", 2, {})], "epoch = '1'"),
        ([(0, None, {})], "of = None"),
        ([(-1, 2, {})], "epoch -1 of 2"),
        ([(2, 2, {})], "epoch 2 of 2: epochs count from 0"),
        ([(1, 3, {}), (1, 3, {})], "epoch 1 of 3 after epoch 1"),
        ([(1, 3, {}), (0, 3, {})], "epoch 0 of 3 after epoch 1"),
        ([(0, 2, 0.5)], "a value of type float: the report must be a mapping"),
        ([(0, 2)], "a value of type NoneType: the report must be a mapping"),
        ([(0, 2, {"loss": "low"})], "loss = 'low': must be a number"),
        ([(0, 2, {"loss": None})], "loss = None: must be a number"),
        ([(0, 2, {"loss": torch.zeros(2)})], "loss = tensor([0., 0.]): must be a number"),
        ([(0, 2, {"loss": 1 + 2j})], "loss = (1+2j)"),
        ([(0, 2, {"epoch": 1})], "the key 'epoch'"),
        ([(0, 2, {1: 1})], "the key 1"),
    ],
)
def test_reports_that_are_none_are_refused(progress, reports, named):
    call, _ = progress
    for report in reports[:-1]:
        call(*report)
    line = refused(call, *reports[-1])
    assert line.startswith("method mine: task.progress(epoch, of, report) was given ")
    assert named in line


@given(ODD, ODD, ODD)
def test_odd_reports_are_refused_or_numbers(epoch, of, report):
    told = []
    call = CheckedProgress("mine", lambda *given: told.append(given))
    try:
        call(epoch, of, report)
    except LotusError:
        assert not told
    else:
        json.dumps(told)


# What trains


def test_a_batch_of_one_image_is_explained():
    net = nn.BatchNorm2d(3)

    def train():
        with explained_failures("method mine"):
            net(torch.zeros(1, 3, 1, 1))

    line = refused(train)
    for part in (
        "method mine: BatchNorm cannot normalise a batch of a single image",
        "1×1",
        "`resize`",
        "`max_pool: false`",
    ):
        assert part in line


def test_other_errors_of_a_method_stay_what_they_are():
    with pytest.raises(ValueError, match="of my own"), explained_failures("method mine"):
        raise ValueError("of my own")


def test_a_method_that_ends_the_process_is_named():
    def leave():
        with explained_failures("method mine"):
            raise SystemExit(3)

    assert refused(leave) == "method mine: ended the process (exit code 3), which it must not do"


# In a run, and in tuning


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """Inputs of an unlearning, and an original."""
    folder = tmp_path_factory.mktemp("scenario")
    store = store_of_digits(folder)
    for name, chosen in (("ten", {"forget_fraction": 0.1}), ("one", {"forget_first": 1})):
        save_forget_set(folder / f"{name}.json", choose_forget_set(store, Scenario(**chosen), 1))
    plain = runs.Inputs(folder / "store", folder / "held-out.json")
    section = {**SECTION, "training": {**SECTION["training"], "epochs": 1}}
    architecture = ARCHITECTURE.validate_python(section)
    run = runs.Run(folder / "original", 1, "cpu", 1)
    train.train_run("original", plain, run, architecture, Dataset())
    return folder, plain


@pytest.fixture
def method(monkeypatch):
    """Function of a task → a method `mine` that does it."""

    def make(work):
        monkeypatch.setattr(registry, "entries", copy.copy(registry.entries))

        @registry.register("mine")
        @dataclass(frozen=True)
        class Mine:
            strength: int = 0

            def unlearn(self, task):
                return work(task, self.strength)

        return "mine"

    return make


def unlearned(scenario, out, name, forget="ten", **given):
    folder, plain = scenario
    inputs = runs.Inputs(plain.store, plain.held_out, folder / f"{forget}.json")
    run = runs.Run(out, 1, "cpu", 1)
    unlearn.unlearn_run(inputs, run, folder / "original", name, given)


def tuned(scenario, out, name, *candidates):
    folder, plain = scenario
    inputs = runs.Inputs(plain.store, plain.held_out, folder / "ten.json")
    run = runs.Run(out / "trials.json", 1, "cpu", 1)
    try_candidates(inputs, run, folder / "original", name, candidates)


def spoil(task, strength):
    task.original.fc.bias.data += strength
    task.original.train().requires_grad_(False)
    return task.student()


def report_junk(task, _):
    task.progress(0, "many", {})


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda *_: None, "method mine returned None instead of a network"),
        (lambda task, _: task.student().half(), "torch.float16 instead of torch.float32"),
        (lambda task, _: spoil(task, 1), "method mine changed task.original (fc.bias differs)"),
        (report_junk, "method mine: task.progress"),
    ],
)
def test_a_run_and_a_tuning_refuse_it_by_name(scenario, tmp_path, method, work, said):
    name = method(work)
    assert said in refused(unlearned, scenario, tmp_path / "run", name)
    assert said in refused(tuned, scenario, tmp_path, name, {"strength": 1})
    # The run is recorded as failed (`test_failed.py`); of a tuning nothing is left.
    assert [*tmp_path.iterdir()] == [tmp_path / "run"]


def test_what_a_candidate_leaves_behind_does_not_reach_the_next(scenario, tmp_path, method):
    seen = []

    def work(task, strength):
        seen.append(
            (task.original.training, *(p.requires_grad for p in task.original.parameters()))
        )
        return spoil(task, strength)

    refused(
        tuned, scenario, tmp_path, method(work), {"strength": 0}, {"strength": 0}, {"strength": 1}
    )
    assert len(seen) == 3
    assert all(not training and all(wanted) for training, *wanted in seen)


@pytest.mark.parametrize("name", ["neggrad-plus", "scrub", "salun"])
def test_a_single_image_is_explained(scenario, tmp_path, name):
    line = refused(lambda: unlearned(scenario, tmp_path / "run", name, "one"))
    assert f"method {name}: BatchNorm cannot normalise a batch of a single image" in line


def test_training_on_batches_of_one_image_is_explained(scenario, tmp_path):
    _, plain = scenario
    section = {**SECTION, "training": {**SECTION["training"], "epochs": 1, "batch_size": 1}}
    run = runs.Run(tmp_path, 1, "cpu", 1)
    architecture = ARCHITECTURE.validate_python(section)
    line = refused(train.train_run, "original", plain, run, architecture, Dataset())
    assert line.startswith(
        "training of the original model: BatchNorm cannot normalise a batch of a single image"
    )
