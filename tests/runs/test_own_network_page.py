"""docs/own-network.md, done word by word."""

import sys

import pytest
import torch
import yaml
from commands import call
from own_models import inputs_of_pictures, used
from pages import blocks
from project import ROOT
from runs_on_digits import run_in
from safetensors.torch import load_file

from lotus import models
from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.records.files import sha256
from lotus.runs.run import Inputs
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run

PAGE = (ROOT / "docs/own-network.md").read_text(encoding="utf-8")
NETWORK, LOADING = blocks(PAGE, "python")
NETWORKS, CHECKPOINT = blocks(PAGE, "yaml")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_net", raising=False)
    (tmp_path / "my_net.py").write_text(NETWORK)
    yield tmp_path
    sys.modules.pop("my_net", None)


def test_each_network_of_the_page_is_built(project):
    for section in yaml.safe_load(NETWORKS)["architectures"].values():
        architecture = ARCHITECTURE.validate_python(section)
        models.check_known(architecture)
        network, images = (
            models.build(architecture, (3, 32, 32), 3, seed=1),
            torch.zeros(1, 3, 32, 32),
        )
        assert network.eval()(images).shape == (1, 3)
        if section["model"] == "plugin":
            with models.last_map(architecture, network, images) as layer:
                assert layer is network[1]


def test_a_model_goes_in_and_comes_back(project):
    images = inputs_of_pictures(project)
    sys.path.append(str(project))
    from my_net import build

    theirs = used(build((3, 32, 32), 3))
    torch.save(theirs.state_dict(), "my_model.pth")
    given = CHECKPOINT.replace("SHA256", sha256(project / "my_model.pth"))
    section = yaml.safe_load(given)["architectures"]["mine"]
    plain = Inputs(images.store, images.held_out)
    original, run = project / "original", project / "run"
    train_run("original", plain, run_in(original), ARCHITECTURE.validate_python(section), Dataset())
    unlearn_run(images, run_in(run), original, "finetune", {"epochs": 1}, network_file="my_net.py")
    (line,) = blocks(PAGE, "sh")
    _, command, folder, *options = line.split()
    assert folder.endswith("/lotus")
    done = call(command, run, *options)
    assert done.exit_code == 0, done.output
    found = {}
    exec(LOADING, found)
    written = load_file(run / "model.safetensors")
    for key, value in found["network"].state_dict().items():
        assert torch.equal(value, written[key])
    assert not torch.equal(written["4.weight"], theirs[4].weight)
