"""Small image sets, stores and models that several test files use."""

import os

# As `lotus` has it, and before NumPy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# Else DVC starts a process after each command that tells its makers of it.
os.environ["DVC_NO_ANALYTICS"] = "true"

import gc
import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from disturbed import Disturbed, run_disturbed
from hypothesis import settings
from longest_files import LONGEST
from made_once import made_once
from own_file import DIGITS, extend
from project import copy_of_project, run
from shared_results import share
from slurm import missing_programs
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from lotus.config.images import Augmentation
from lotus.config.protocol import CORRECTED
from lotus.data.batches import ImageSet
from lotus.data.store import Store
from lotus.methods.base.task import Task

pytest_plugins = ["keys", "metrics_files", "small_configuration", "template"]

# No test may fail because a machine is slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

DISTURBANCE = "disturbed.json"
"""Name of a file beside the finished project."""


def pytest_addoption(parser):
    parser.addoption(
        "--cases",
        default=str(Path(__file__).parent / "parity" / "cases"),
        help="Folder of parity cases (KIND-NUMBER.npz); see tests/parity/README.md.",
    )
    parser.addoption(
        "--renew-traces",
        action="store_true",
        help="Write tests/methods/traces/*.json anew instead of comparing with them.",
    )
    parser.addoption(
        "--kills",
        type=int,
        default=8,
        help="Processes that are killed while the chain is made again (tests/whole/test_determinism.py).",
    )
    parser.addoption(
        "--results",
        type=Path,
        help="Folder `results` of a finished experiment whose report and tables are looked at; by default "
        "the quick check is run for it.",
    )


def pytest_collection_modifyitems(items):
    """Test processes that share the files take the longest ones first, and so end together."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = Path(__file__).parent
        ranks = {folder / name: rank for rank, name in enumerate(LONGEST)}
        items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_collection_finish():
    """Keeps Python's collector from looking through modules and tests, which stay to the end."""
    gc.freeze()
    # As the Snakefile has it.
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy of the project with the quick check run to its end, to be looked at only.

    All test processes share one: the first that asks makes it, and others wait. Where Slurm is installed
    the models are made through a Slurm that is disturbed.
    """

    def make(folder):
        project = folder / "project"
        copy_of_project(project)
        if missing_programs():
            run(project, "snakemake", "--cores", "2", *DIGITS)
        else:
            run_disturbed(project, *DIGITS).write(folder / DISTURBANCE)

    return made_once(tmp_path_factory, "finished", make) / "project"


@pytest.fixture(scope="session")
def disturbed(finished):
    """What came of the disturbance while the finished project was made; None where there is no Slurm."""
    told = finished.with_name(DISTURBANCE)
    return Disturbed.read(told) if told.exists() else None


@pytest.fixture(scope="session")
def extended(finished, tmp_path_factory):
    """The same with a claim, a figure, a table and a metric of one's own (`own_file.extend`).

    Returns:
        Its folder, and what was planned when.

    """
    made = made_once(tmp_path_factory, "extended", lambda folder: extend(finished, folder))
    return made / "project", json.loads((made / "noted.json").read_text())


@pytest.fixture(scope="session")
def published(finished, tmp_path_factory):
    """The finished project, published to a remote in a folder and committed twice; to be looked at only."""
    made = made_once(tmp_path_factory, "published", lambda folder: share(finished, folder))
    return made / "project"


@pytest.fixture(scope="session")
def results(request):
    """Results of a finished experiment, to be looked at only."""
    given = request.config.getoption("--results")
    return given.resolve() if given else request.getfixturevalue("finished") / "results"


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def seeded():
    """Seed → generator."""
    return lambda seed=0: torch.Generator().manual_seed(seed)


@pytest.fixture(scope="session")
def image_set():
    """Pixels uint8 `[n, C, H, W]` and labels → a set with mean 0 and std 1."""

    def make(pixels, labels, **augmentation):
        pixels = torch.as_tensor(np.asarray(pixels), dtype=torch.uint8)
        one = torch.ones(1, pixels.shape[1], 1, 1)
        return ImageSet(
            pixels,
            torch.as_tensor(np.asarray(labels), dtype=torch.int64),
            torch.arange(len(pixels)),
            0 * one,
            one,
            Augmentation(**augmentation),
        )

    return make


@pytest.fixture(scope="session")
def cut():
    """Consecutive parts of a set, which share its pixels as all sets of a store do."""

    def make(images, *sizes):
        ends = np.cumsum(sizes)
        assert ends[-1] == len(images)
        parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        return [replace(images, index=images.index[p], labels=images.labels[p]) for p in parts]

    return make


@pytest.fixture(scope="session")
def one_hot_images(image_set):
    """Images that show 1 at one of `size` pixels and 0 elsewhere."""

    def make(positions, labels, size):
        pixels = np.zeros((len(positions), 1, 1, size), np.uint8)
        pixels[np.arange(len(positions)), 0, 0, positions] = 255
        return image_set(pixels, labels)

    return make


@pytest.fixture(scope="session")
def noise(image_set):
    """Random 6×6 images with random labels of 3 classes."""

    def make(count, seed=0, **augmentation):
        rng = np.random.default_rng(seed)
        pixels = rng.integers(256, size=(count, 2, 6, 6))
        return image_set(pixels, rng.integers(3, size=count), **augmentation)

    return make


@pytest.fixture(scope="session")
def linear():
    """Logits = weights · pixels, weights `[classes, pixels]`."""

    def make(weights):
        layer = nn.Linear(len(weights[0]), len(weights), bias=False)
        layer.weight.data = torch.tensor(weights, dtype=torch.float32)
        return nn.Sequential(nn.Flatten(), layer).eval()

    return make


@pytest.fixture(scope="session")
def conv_net():
    """A small network with BatchNorm for the 6×6 images of `noise`; its maps are `7 - kernel` wide."""

    def make(seed=0, kernel=3):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            net = nn.Sequential(
                nn.Conv2d(2, 4, kernel),
                nn.BatchNorm2d(4),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(4 * (7 - kernel) ** 2, 3),
            )
            net(torch.randn(32, 2, 6, 6))
        return net.eval()

    return make


@pytest.fixture(scope="session")
def snapshot():
    """A copy of all parameters and buffers."""
    return lambda model: {k: v.clone() for k, v in model.state_dict().items()}


@pytest.fixture(scope="session")
def same():
    """Whether two states agree bit for bit."""
    return lambda a, b: a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope="session")
def make_store():
    """Labels of the training and held-out part → a store of 4×4 images in memory."""

    def make(train, held_out, classes=("Cat", "Dog", "Ankle boot")):
        labels = np.array([*train, *held_out], dtype=np.int64)
        images = np.random.default_rng(0).integers(256, size=(len(labels), 4, 4, 1), dtype=np.uint8)
        source = {
            "parts": {"train": (0, len(train)), "test": (len(train), len(labels))},
            "mean": [0.0],
            "std": [1.0],
        }
        return Store(Path("nowhere"), images, labels, classes, source)

    return make


class Call(NamedTuple):
    """One call of a watched model."""

    training: bool
    shown: torch.Tensor
    said: torch.Tensor

    @property
    def positions(self):
        """Which pixel each of `one_hot_images` shows."""
        return self.shown.flatten(1).argmax(1).tolist()


@pytest.fixture
def watch():
    """Model → the list of all later calls of it and of its copies."""

    def make(model):
        calls = []

        def keep(module, inputs, output):
            calls.append(Call(module.training, inputs[0].detach().clone(), output.detach().clone()))

        # Copies of a module have its hooks.
        model.register_forward_hook(keep)
        return calls

    return make


@pytest.fixture
def steps():
    """Runs a function with each optimizer after each of its steps."""

    @contextmanager
    def told(keep):
        handle = register_optimizer_step_post_hook(lambda optimizer, *_: keep(optimizer))
        try:
            yield
        finally:
            handle.remove()

    return told


@pytest.fixture(scope="session")
def task_of(seeded):
    """A task with a list `reports` of what the method said of each epoch."""

    def make(original, forget, retain, val=None, seed=0, num_classes=2, **more):
        reports = []
        given = {"class_forgetting": False, "protocol": CORRECTED, **more}
        task = Task(
            original=original,
            forget=forget,
            retain=retain,
            val=val if val is not None else retain,
            num_classes=num_classes,
            generator=seeded(seed),
            progress=lambda epoch, of, report: reports.append({"epoch": epoch, "of": of, **report}),
            **given,
        )
        return task, reports

    return make


@pytest.fixture(scope="session")
def small_task(task_of, conv_net, noise, cut):
    """A task on which every method has something to do: the original is wrong on all of D_v."""

    def make(seed=0, **more):
        original = conv_net()
        images = noise(62, crop_padding=1, horizontal_flip=True)
        forget, retain, val = cut(images, 12, 40, 10)
        with torch.no_grad():
            said = original(next(val.in_order(10)).images).argmax(1)
        val = val.relabelled((said + 1) % 3)
        more = {"untrained": lambda: conv_net(1).train(), **more}
        return task_of(original, forget, retain, val, seed=seed, num_classes=3, **more)[0]

    return make
