"""Trainings that are killed and go on: as if nothing had happened, or not at all."""

import logging

import pytest
import torch
from torch import nn

from lotus.config.architectures import Training
from lotus.engine.checkpoint import Checkpoint, key_of
from lotus.engine.training import train
from lotus.runs.run import EpochLog

SGD = {"optimizer": "sgd", "lr": 0.2, "momentum": 0.9}
ADAMW = {"optimizer": "adamw", "lr": 0.1, "weight_decay": 0.1}


class KilledError(Exception):
    pass


class Report(EpochLog):
    """Ends the process, so to say, before the checkpoint of epoch `dies_in`."""

    def __init__(self, dies_in=None):
        super().__init__("test")
        self.dies_in = dies_in

    def __call__(self, epoch, of, report):
        super().__call__(epoch, of, report)
        if epoch == self.dies_in:
            raise KilledError

    @property
    def told(self):
        return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in self.epochs]


@pytest.fixture
def trained(noise, conv_net, seeded, snapshot, steps):
    """Trains once, with all that has to be the same however often it is killed."""

    def run(path, recipe, dies_in=None, key="mine", every=0.0, keep_last=False):
        model, report, trajectory = conv_net(), Report(dies_in), []
        images = noise(40, crop_padding=1, horizontal_flip=True)
        checkpoint = Checkpoint(path, key, every, report)

        def keep(optimizer):
            of_parameters = [*optimizer.state_dict()["state"].values()]
            values = [v for state in of_parameters for v in state.values() if v is not None]
            trajectory.append([model.state_dict()["0.weight"].clone(), *map(torch.clone, values)])

        with steps(keep):
            told, val = Training(batch_size=16, **recipe), noise(60, seed=1)
            epoch = train(model, images, val, told, seeded(), report, keep_last, checkpoint)
        assert not model.training
        return epoch, snapshot(model), report, trajectory

    return run


def killed(trained, path, recipe, in_epoch, **more):
    with pytest.raises(KilledError):
        trained(path, recipe, in_epoch, **more)


@pytest.mark.parametrize("keep_last", [False, True])
@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("optimizer", [SGD, ADAMW], ids=["sgd", "adamw"])
def test_a_killed_training_ends_as_an_undisturbed_one(
    tmp_path, trained, same, optimizer, patience, keep_last
):
    recipe = {**optimizer, "epochs": 14, "warmup_epochs": 2, "patience": patience}
    epoch, state, report, trajectory = trained(tmp_path / "a.pt", recipe, keep_last=keep_last)
    last = len(report.epochs) - 1
    assert last >= 3
    assert (epoch < last) is (patience is not None and not keep_last)
    path = tmp_path / "b.pt"
    killed(trained, path, recipe, 1, keep_last=keep_last)
    killed(trained, path, recipe, last, keep_last=keep_last)
    found = trained(path, recipe, keep_last=keep_last)
    assert found[0] == epoch
    assert same(found[1], state)
    assert found[2].told == report.told
    assert found[2].resumed_after == [1, last]
    assert len(found[3]) == 3
    for mine, theirs in zip(found[3], trajectory[-3:], strict=True):
        assert len(mine) == len(theirs) > 1
        assert all(torch.equal(*pair) for pair in zip(mine, theirs, strict=True))


def test_what_layers_draw_by_themselves_goes_on_too(tmp_path, noise, seeded, snapshot, same):
    def run(path, dies_in=None):
        torch.manual_seed(3)
        network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(72, 3))
        report, told = Report(dies_in), Training(batch_size=16, epochs=5, warmup_epochs=0)
        checkpoint = Checkpoint(path, "mine", 0.0, report)
        train(network, noise(40), noise(20, seed=1), told, seeded(), report, checkpoint=checkpoint)
        return snapshot(network)

    undisturbed = run(tmp_path / "a.pt")
    with pytest.raises(KilledError):
        run(tmp_path / "b.pt", dies_in=2)
    assert same(run(tmp_path / "b.pt"), undisturbed)


def test_a_training_that_had_ended_is_not_trained_again(tmp_path, trained, same):
    recipe = {**SGD, "epochs": 30, "warmup_epochs": 0, "patience": 2}
    first, again = (trained(tmp_path / "c.pt", recipe) for _ in range(2))
    assert len(first[2].epochs) < 30
    assert again[3] == []
    assert again[0] == first[0]
    assert same(again[1], first[1])
    assert again[2].epochs == first[2].epochs


def test_seconds_include_those_before_the_kill(tmp_path, trained):
    recipe, path = {**SGD, "epochs": 3, "warmup_epochs": 0}, tmp_path / "c.pt"
    killed(trained, path, recipe, 2)
    saved = torch.load(path, weights_only=True)
    saved["report"]["seconds"] = 1000.0
    torch.save(saved, path)
    _, _, report, _ = trained(path, recipe)
    assert report.earlier == 1000
    seconds = [epoch["seconds"] for epoch in report.epochs]
    assert seconds[:2] == [epoch["seconds"] for epoch in saved["report"]["epochs"]]
    assert 1000 < seconds[2] < 1100


def test_a_checkpoint_of_something_else_is_not_used(tmp_path, trained, same, caplog):
    caplog.set_level(logging.INFO)
    recipe, path = {**SGD, "epochs": 3, "warmup_epochs": 0}, tmp_path / "c.pt"
    undisturbed = trained(tmp_path / "other.pt", recipe)
    killed(trained, path, {**recipe, "lr": 0.1}, 2, key="theirs")
    found = trained(path, recipe)
    assert "c.pt: of other settings, inputs or code, not used" in caplog.text
    assert same(found[1], undisturbed[1])
    assert found[2].resumed_after == []
    assert torch.load(path, weights_only=True)["key"] == "mine"


def damages(whole):
    middle = len(whole) // 2
    yield from (b"", whole[:20], whole[:middle], whole[:-1], b"\xff" * 100)
    yield whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]


def test_a_damaged_checkpoint_is_not_used(tmp_path, trained, same, caplog):
    caplog.set_level(logging.INFO)
    recipe, path = {**SGD, "epochs": 2, "warmup_epochs": 0}, tmp_path / "c.pt"
    undisturbed = trained(tmp_path / "other.pt", recipe)
    killed(trained, path, recipe, 1)
    for damaged in damages(path.read_bytes()):
        caplog.clear()
        path.write_bytes(damaged)
        found = trained(path, recipe)
        assert "c.pt: damaged, not used" in caplog.text
        assert same(found[1], undisturbed[1])
    torch.save(["no", "mapping"], path)
    trained(path, recipe)
    assert "c.pt: damaged, not used" in caplog.text


def test_it_is_not_written_more_often_than_told(tmp_path, trained, monkeypatch):
    seconds = iter(range(100))
    monkeypatch.setattr("lotus.engine.checkpoint.monotonic", lambda: next(seconds))
    written = []
    monkeypatch.setattr("torch.save", lambda state, _: written.append(state["training"]["done"]))
    monkeypatch.setattr("os.replace", lambda *_: None)
    # A second passes with each look at the clock, and one more with each writing.
    trained(tmp_path / "c.pt", {**SGD, "epochs": 9, "warmup_epochs": 0}, every=3.0)
    assert written == [3, 6, 9]
    written.clear()
    trained(tmp_path / "c.pt", {**SGD, "epochs": 9, "warmup_epochs": 0}, every=60.0)
    assert written == []


def test_nothing_is_left_behind(tmp_path, trained):
    path = tmp_path / "c.pt"
    trained(path, {**SGD, "epochs": 1, "warmup_epochs": 0})
    (tmp_path / ".123-c.pt").write_bytes(b"half-written")
    (tmp_path / "model").touch()
    checkpoint = Checkpoint(path, "mine", 0, Report())
    checkpoint.remove()
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    checkpoint.remove()


def test_key_tells_apart():
    what = {"seed": 1, "settings": {"lr": 0.1, "epochs": 3}}
    turned = {"settings": {"epochs": 3, "lr": 0.1}, "seed": 1}
    assert key_of(what) == key_of(turned) != key_of({**what, "seed": 2})
