"""The `released` protocol against behaviour recorded from the published implementation (README.md here)."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lotus.config.images import Augmentation
from lotus.config.protocol import RELEASED
from lotus.data import batches
from lotus.data.batches import ImageSet
from lotus.engine.inference import accuracy, logits, logits_one_by_one
from lotus.methods import unsir
from lotus.methods.base import configured, registry
from lotus.methods.base.task import Task
from lotus.methods.lotus import targets
from lotus.methods.salun import saliency_mask
from lotus.metrics.base.released import (
    entropy32,
    jsd_released_e4,
    mia_released_e6,
    rf_jsd_released_e4,
    round_divergence,
    round_share,
    softmax32,
)

# Every set of a case fits into one batch.
ONE_BATCH = 1000
WEIGHTS = 1e-4
SEEDS_TRIED = 20_000


def pytest_generate_tests(metafunc):
    if "case_file" in metafunc.fixturenames:
        folder = Path(metafunc.config.getoption("--cases"))
        files = sorted(folder.glob("*.npz"))
        assert files, f"{folder}: no parity cases"
        metafunc.parametrize("case_file", files, ids=lambda path: path.stem)


class TinyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        return self.fc(F.relu(self.bn1(self.conv1(x))).mean((2, 3)))


def network(case, prefix="original"):
    net = TinyNet()
    start = f"{prefix}."
    state = {k.removeprefix(start): torch.tensor(case[k]) for k in case if k.startswith(start)}
    net.load_state_dict(state)
    return net.eval()


def image_sets(case):
    """The forget, retain, val and test images of a case, which share their pixels."""
    names = [name for name in ("forget", "retain", "val", "test") if f"{name}_x" in case]
    pixels = torch.tensor(np.concatenate([case[f"{name}_x"] for name in names]))
    sets, first = {}, 0
    for name in names:
        labels = torch.tensor(case[f"{name}_y"])
        index = torch.arange(first, first + len(labels))
        first += len(labels)
        one = torch.ones(1, 1, 1, 1)
        # Recorded images are used as they are: this mean and std undo the scale of bytes.
        sets[name] = ImageSet(pixels, labels, index, 0 * one, one / 255, Augmentation())
    return sets


def close(state, case, prefix, tolerance=WEIGHTS):
    for name, value in state.items():
        np.testing.assert_allclose(
            value.numpy(), case[f"{prefix}.{name}"], rtol=0, atol=tolerance, err_msg=name
        )


def run_method(name, case, hyperparameters, class_forgetting=False, untrained=None):
    """The method as released with its published constants; returns the model and the epochs' reports."""
    reports, sets = [], image_sets(case)
    task = Task(
        original=network(case),
        forget=sets["forget"],
        retain=sets["retain"],
        val=sets["val"],
        num_classes=2,
        class_forgetting=class_forgetting,
        generator=torch.Generator().manual_seed(0),
        progress=lambda epoch, of, report: reports.append(report),
        untrained=lambda: untrained,
        protocol=RELEASED,
    )
    released = registry.constants(name, RELEASED)
    model = configured.make(name, released | hyperparameters).unlearn(task)
    close(model.state_dict(), case, "result")
    if "left_in_train_mode" in case:
        assert model.training == bool(case["left_in_train_mode"])
    return task, reports


def epochs(case):
    return int(case["epochs"]) if "epochs" in case else 3


def check_jsdiv(case, monkeypatch):
    found = jsd_released_e4(case["p"], case["q"])
    assert found == pytest.approx(float(case["value"]), rel=1e-5)


def check_jsd(case, monkeypatch):
    p, q = softmax32(case["unlearned_logits"]), softmax32(case["gold_logits"])
    found = round_divergence(jsd_released_e4(p, q))
    assert found == pytest.approx(float(case["rounded_value"]), abs=1e-6)


def check_rf_jsd(case, monkeypatch):
    found = rf_jsd_released_e4(
        softmax32(case["unlearned_logits_forget"]),
        case["labels_forget"],
        softmax32(case["original_logits_test"]),
        case["labels_test"],
    )
    assert round_divergence(found) == pytest.approx(float(case["rounded_value"]), abs=1e-6)


def check_mia(case, monkeypatch):
    h = {name: entropy32(case[f"logits_{name}"]) for name in ("retain", "forget", "test", "val")}
    unseen = np.concatenate([h["test"], h["val"]])
    assert round_share(mia_released_e6(h["retain"], unseen, h["forget"])) == case["rounded_value"]


def check_accuracy(case, monkeypatch):
    right = (case["logits"].argmax(1) == case["labels"]).mean()
    assert round_share(float(right)) == case["rounded_value"]


def check_lotus_loss(case, monkeypatch):
    student, teacher = torch.tensor(case["student_logits"]), torch.tensor(case["teacher_logits"])
    is_forget, tau = torch.tensor(case["forget_flag"]).bool(), float(case["tau"])
    generator = torch.Generator().manual_seed(int(case["gumbel_global_seed"]))
    for transform in ("softmax", "gumbel"):
        t = targets(teacher, is_forget, tau, transform, generator)
        expected = float(case[f"loss_{transform}"])
        assert F.cross_entropy(student, t).item() == pytest.approx(expected, rel=1e-5)


def plain(name):
    def check(case, monkeypatch):
        run_method(name, case, {"epochs": epochs(case), "batch_size": ONE_BATCH})

    return check


def check_scrub(case, monkeypatch):
    sizes = {"batch_size": ONE_BATCH, "forget_batch_size": ONE_BATCH}
    run_method("scrub", case, {"epochs": epochs(case), **sizes})


def check_ssd(case, monkeypatch):
    run_method("ssd", case, {"passes": epochs(case), "batch_size": ONE_BATCH})


def check_salun(case, monkeypatch):
    given = {"epochs": epochs(case), "batch_size": ONE_BATCH}
    task, _ = run_method("salun", case, given)
    share = registry.constants("salun", RELEASED)["mask_share"]
    for name, mask in saliency_mask(task, share, ONE_BATCH).items():
        assert np.array_equal(mask.numpy(), case[f"mask.{name}"].astype(bool)), name


def check_bad_teacher(case, monkeypatch):
    drawn = torch.tensor(case["retain_subset"])

    def sample(images, share, generator):
        assert len(drawn) == int(share * len(images))
        return images.part(drawn)

    monkeypatch.setattr(ImageSet, "sample", sample)
    given = {"epochs": epochs(case), "batch_size": ONE_BATCH}
    run_method("bad-teacher", case, given, untrained=network(case, "bad_teacher"))


def check_unsir(case, monkeypatch):
    # Here shuffling does matter: it decides which label and which forget image each noise image meets.
    orders = iter(recorded_orders(case))
    monkeypatch.setattr(batches, "deal", lambda *_: [next(orders)])
    drawn = iter(torch.tensor(case["noise"]))
    monkeypatch.setattr(unsir, "initial_noise", lambda shape, generator: next(drawn).clone())
    given = {"rounds": epochs(case), "batch_size": len(case["forget_y"])}
    run_method("unsir", case, given)
    assert not list(drawn)
    assert not list(orders)


def recorded_orders(case):
    """Orders of the retain, forget and repair batch of each epoch, as the recording shuffled them.

    They were drawn from the stream that the recorded noise was drawn from, whose seed the noise betrays.
    """
    noise, count = torch.tensor(case["noise"]), len(case["forget_y"])
    generator = torch.Generator()

    def draw():
        return torch.empty((), dtype=torch.int64).random_(generator=generator).item()

    def order(seed):
        return torch.randperm(count, generator=torch.Generator().manual_seed(seed))

    for seed in range(SEEDS_TRIED):
        generator.manual_seed(seed)
        orders = []
        for wanted in noise:
            # Two loaders each draw a seed for workers, then one for their order.
            _, _, of_retain, of_forget = (draw() for _ in range(4))
            if not torch.equal(torch.randn(wanted.shape, generator=generator), wanted):
                break
            _, of_repair = draw(), draw()
            orders += [order(of_retain), order(of_forget), order(of_repair)]
        else:
            return orders
    return pytest.fail(f"the noise was drawn with none of the seeds below {SEEDS_TRIED}")


def check_lotus_softmax(case, monkeypatch, class_forgetting=False):
    given = {key: float(case[key]) for key in ("alpha", "lr", "weight_decay")}
    given |= {"epochs": epochs(case), "batch_size": ONE_BATCH}
    given |= {"transform": "softmax", "retain_fraction": 1}
    _, reports = run_method("lotus", case, given, class_forgetting)
    told = {"temperature": "temperature", "acc_forget": "forget_accuracy"}
    for key, report in told.items():
        found, recorded = [r[report] for r in reports], case[key]
        if len(found) < given["epochs"]:
            # The loop was left early; what was measured for the exit may have been recorded too.
            recorded = recorded[: len(found)]
        np.testing.assert_allclose(found, recorded, rtol=1e-6, atol=1e-6)
    if "acc_val_teacher" in case:
        unseen = np.array([r["forget_accuracy"] - r["gap"] for r in reports])
        np.testing.assert_allclose(unseen, case["acc_val_teacher"][: len(unseen)], atol=1e-6)


def check_lotus_softmax_class(case, monkeypatch):
    check_lotus_softmax(case, monkeypatch, class_forgetting=True)


def check_evaluation_in_train_mode(case, monkeypatch):
    model, sets = network(case).train(), image_sets(case)
    order = ("retain", "forget", "test", "val")
    h = {name: entropy32(logits_one_by_one(model, sets[name])) for name in order}
    unseen = np.concatenate([h["test"], h["val"]])
    mia = round_share(mia_released_e6(h["retain"], unseen, h["forget"]))
    assert mia == pytest.approx(float(case["mia"]), abs=WEIGHTS)
    close(model.state_dict(), case, "after_mia")
    for name in order:
        said = logits(model.eval(), sets[name]).argmax(1) == sets[name].labels.numpy()
        assert round_share(float(said.mean())) == case[f"acc_{name}"]
        assert round_share(float(accuracy(model, sets[name]))) == case[f"acc_{name}"]


CHECKS = {
    "jsdiv": check_jsdiv,
    "jsd": check_jsd,
    "rf-jsd": check_rf_jsd,
    "mia": check_mia,
    "accuracy": check_accuracy,
    "lotus-loss": check_lotus_loss,
    "finetune": plain("finetune"),
    "neggrad": plain("neggrad-plus"),
    "random-label": plain("random-labeling"),
    "scrub": check_scrub,
    "ssd": check_ssd,
    "ssd-one-epoch": check_ssd,
    "salun": check_salun,
    "bad-teacher": check_bad_teacher,
    "unsir": check_unsir,
    "lotus-softmax": check_lotus_softmax,
    "lotus-softmax-class": check_lotus_softmax_class,
    "evaluation-in-train-mode": check_evaluation_in_train_mode,
}


def test_parity(case_file, monkeypatch):
    kind = re.fullmatch(r"(.+)-\d+", case_file.stem)
    assert kind, f"{case_file.name}: a case is named KIND-NUMBER.npz"
    assert kind[1] in CHECKS, f"{case_file.name}: unknown kind; known: {', '.join(CHECKS)}"
    with np.load(case_file) as arrays:
        CHECKS[kind[1]](dict(arrays), monkeypatch)
