"""Grad-CAM: maps in closed form, the choice of images, models as they were, and the figure."""

import json
from itertools import combinations

import numpy as np
import pytest
import torch
from digits import store_of_digits
from torch import nn

from lotus import models
from lotus.config import protocol
from lotus.config.architectures import ARCHITECTURE
from lotus.config.images import Dataset
from lotus.config.scenarios import Scenario
from lotus.data.batches import Batch
from lotus.data.splits import choose_forget_set, load_forget_set, save_forget_set
from lotus.errors import LotusError
from lotus.figures.draw import draw
from lotus.figures.gradcam import gradcam
from lotus.figures.style import style
from lotus.models.tokens import as_map
from lotus.predictions import maps_file
from lotus.predictions.maps_file import Explanations
from lotus.records.files import sha256
from lotus.runs.gradcam import choose_images, explain, grad_cam
from lotus.runs.run import Inputs, Run
from lotus.runs.train import train_run
from lotus.runs.unlearn import unlearn_run

TRAINING = {"epochs": 1, "warmup_epochs": 0, "batch_size": 100}
RESNET = ARCHITECTURE.validate_python(
    {"model": "resnet18", "width": 8, "max_pool": False, "training": TRAINING}
)
VIT = ARCHITECTURE.validate_python(
    {"model": "vit", "patch_size": 4, "embed_dim": 16, "depth": 2, "num_heads": 2}
    | {"training": TRAINING}
)


def batch_of(count, side, classes=3, seed=0):
    rng = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 1, side, side, generator=rng)
    return Batch(images, torch.arange(count) % classes, torch.arange(count))


def network_of(architecture, side):
    return models.build(architecture, (1, side, side), 3, seed=1).eval()


class Sides(nn.Module):
    """Channel 0 is x, channel 1 is −x; the logit of a class is the mean of its channel."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)

    def forward(self, x):
        return self.conv(x).mean(dim=(2, 3))


def test_the_map_of_a_network_of_known_form():
    network, batch = Sides(), batch_of(4, 5, classes=2)
    maps, said = grad_cam(network, network.conv, batch)
    sign = 1 - 2 * batch.labels.reshape(-1, 1, 1)
    assert maps == pytest.approx((sign * batch.images[:, 0]).clamp(min=0).numpy() / 25, abs=1e-7)
    means = 2 * sign.flatten() * batch.images.mean(dim=(1, 2, 3))
    assert said == pytest.approx(torch.sigmoid(means).numpy(), abs=1e-6)


def test_the_map_of_the_resnet_is_that_of_its_class_weights():
    network, batch = network_of(RESNET, 32), batch_of(3, 32)
    with models.last_map(RESNET, network, batch.images) as layer:
        maps, _ = grad_cam(network, layer, batch)
    kept = []
    network.layer4.register_forward_hook(lambda *args: kept.append(args[-1]))
    network(batch.images)
    weights = network.fc.weight[batch.labels][..., None, None]
    expected = (weights * kept[0]).sum(1).clamp(min=0) / 16
    assert maps.shape == (3, 4, 4)
    assert maps == pytest.approx(expected.detach().numpy(), abs=1e-6)
    assert maps.max() > 0


def test_the_map_of_the_transformer_is_that_of_its_patches_tokens():
    network, batch = network_of(VIT, 12), batch_of(3, 12)
    with models.last_map(VIT, network, batch.images) as layer:
        maps, _ = grad_cam(network, layer, batch)
    kept = []
    network.blocks[-1].norm1.register_forward_hook(lambda *args: kept.append(args[-1]))
    chosen = network(batch.images).gather(1, batch.labels[:, None]).sum()
    (derived,) = torch.autograd.grad(chosen, kept)
    patches, derived = kept[0][:, 1:], derived[:, 1:]
    expected = (derived.mean(1, keepdim=True) * patches).sum(2).clamp(min=0).reshape(3, 3, 3)
    assert maps == pytest.approx(expected.detach().numpy(), abs=1e-7)
    assert maps.max() > 0


@pytest.mark.parametrize("model", ["vit-b16", "torchvision-vit-b16"])
def test_the_large_transformers_have_maps_of_their_patches(model):
    given = {"model": model, "weights": None, "training": TRAINING}
    architecture = ARCHITECTURE.validate_python(given)
    network = models.build(architecture, (3, 224, 224), 3, seed=1).eval()
    images, kept = torch.zeros(1, 3, 224, 224), []
    with models.last_map(architecture, network, images) as layer, torch.no_grad():
        layer.register_forward_hook(lambda *args: kept.append(args[-1].shape))
        network(images)
    assert kept == [(1, 768, 14, 14)]


def test_tokens_pass_unchanged_row_after_row_and_nothing_is_left():
    layer, kept = nn.Identity(), []
    tokens = torch.arange(2 * 7 * 5.0).reshape(2, 7, 5)
    with as_map(layer, (2, 3)) as passed:
        passed.register_forward_hook(lambda *args: kept.append(args[-1]))
        assert torch.equal(layer(tokens), tokens)
    assert torch.equal(kept[0][0, :, 1, 0], tokens[0, 1 + 3])
    layer(tokens)
    assert len(kept) == 1


@pytest.mark.parametrize("architecture", [RESNET, VIT], ids=["resnet18", "vit"])
def test_explaining_changes_no_model(architecture, snapshot, same):
    network, batch = network_of(architecture, 16), batch_of(2, 16)
    before, said = snapshot(network), network(batch.images)
    with models.last_map(architecture, network, batch.images) as layer:
        grad_cam(network, layer, batch)
    assert same(before, snapshot(network))
    assert torch.equal(said, network(batch.images))
    assert not network.training
    assert all(weight.grad is None for weight in network.parameters())


@pytest.mark.parametrize(
    ("forget", "count", "expected"),
    [
        ([9, 8, 7, 2, 1, 0], 3, [0, 2, 7]),
        ([9, 8, 7, 2, 1, 0], 5, [0, 2, 7, 1, 8]),
        ([4, 0, 1, 3], 2, [0, 1]),
        ([4, 0, 1], 9, [0, 1, 4]),
    ],
)
def test_images_are_of_different_classes_as_far_as_there_are(forget, count, expected):
    labels = np.array([5, 5, 2, 5, 5, 0, 0, 1, 1, 2])
    assert choose_images(np.array(forget), labels, count).tolist() == expected


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Digits at 16×16, with an original, a gold model and a finetuned one."""
    folder = tmp_path_factory.mktemp("digits")
    store = store_of_digits(folder)
    chosen = choose_forget_set(store, Scenario(forget_fraction=0.1), 1)
    save_forget_set(folder / "forget.json", chosen)
    given = folder / "store", folder / "held-out.json"
    for kind, inputs in (("original", given), ("gold", (*given, folder / "forget.json"))):
        run = Run(folder / kind, seed=1, device="cpu", threads=1)
        train_run(kind, Inputs(*inputs), run, RESNET, Dataset(resize=16))
    run = Run(folder / "finetune", seed=1, device="cpu", threads=1)
    inputs = Inputs(*given, folder / "forget.json")
    unlearn_run(inputs, run, folder / "original", "finetune", {"epochs": 1})
    return folder


def explained(folder, out, rows=("original", "gold", "finetune"), name="corrected"):
    runs = {row: folder / row for row in rows}
    forget, switches = folder / "forget.json", protocol.parse(name)
    explain(folder / "store", forget, runs, switches, "cpu", 1, 4, {"dataset": "digits"}, out)
    return maps_file.load(out)


def test_maps_of_real_runs(finished, tmp_path):
    files = sorted(finished.glob("*/model.safetensors"))
    before = [sha256(path) for path in files]
    found = explained(finished, tmp_path / "maps.npz")
    assert [sha256(path) for path in files] == before
    assert found.maps.shape == (3, 4, 2, 2)
    assert found.maps.dtype == np.float32
    assert found.pixels.shape == (4, 16, 16, 1)
    assert len(set(found.labels)) == 4
    assert set(found.indices) <= set(load_forget_set(finished / "forget.json").forget)
    record = json.loads((tmp_path / "maps.json").read_text())
    assert record["notes"]["chosen"]["indices"] == found.indices.tolist()
    for row in ("original", "gold", "finetune"):
        read = [path for path in record["inputs"] if path.endswith(f"{row}/model.safetensors")]
        assert len(read) == 1
    explained(finished, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "maps.npz").read_bytes()


def test_probabilities_are_those_of_the_predictions(finished, tmp_path):
    from lotus.metrics.base.probabilities import softmax
    from lotus.predictions import predictions_file

    found = explained(finished, tmp_path / "maps.npz")
    for row, said in zip(found.rows, found.probabilities, strict=True):
        split = "train" if row == "original" else "forget"
        recorded = predictions_file.load(finished / row / "predictions.npz")[split].at(
            found.indices
        )
        expected = softmax(recorded.logits)[np.arange(4), found.labels]
        assert said == pytest.approx(expected, abs=1e-5)


def test_what_is_missing_is_named(finished, tmp_path):
    with pytest.raises(LotusError, match="--of original is needed"):
        explained(finished, tmp_path / "maps.npz", ["gold"])
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "model.safetensors").write_bytes((finished / "gold" / "model.safetensors").read_bytes())
    runs = {"original": finished / "original", "mine": bare}
    forget = finished / "forget.json"
    with pytest.raises(LotusError, match=r"bare/run\.json: the record cannot be read"):
        explain(
            *(finished / "store", forget, runs, protocol.parse("corrected")),
            *("cpu", 1, 4, {}, tmp_path / "maps.npz"),
        )


def maps(height=2, collapsed=""):
    rng = np.random.default_rng(0)
    values = rng.random((3, 2, height, height)).astype(np.float32)
    values[1, 0] = 0
    return Explanations(
        rows=np.array(["original", "gold", "lotus"]),
        collapsed=np.array(["", "", collapsed]),
        maps=values,
        probabilities=np.array([[0.9, 0.8], [0.1, 0.2], [0.5, 0.6]], np.float32),
        pixels=rng.integers(256, size=(2, 6, 6, 1), dtype=np.uint8),
        indices=np.array([11, 12]),
        labels=np.array([0, 1]),
        classes=np.array(["Cat", "Dog"]),
    )


def drawn(tmp_path, found):
    """The figure, the words below images `[line, column]`, the heads, and the pictures by place."""
    maps_file.save(tmp_path / "maps.npz", found)
    figure = gradcam([tmp_path / "maps.npz"])
    (axes,) = figure.axes
    words = [text.get_text() for text in axes.texts]
    pictures = {}
    for image in axes.images:
        pictures.setdefault(tuple(image.get_extent()), []).append(image)
    in_order = sorted(pictures, key=lambda extent: (extent[2], extent[0]))
    lines = np.array([len(pictures[extent]) for extent in in_order]).reshape(2, 4)
    return figure, np.array(words[:8]).reshape(2, 4), words[8:], lines, pictures[in_order[-1]]


def test_figure_says_each_model_and_what_it_says(tmp_path):
    _, words, heads, _, last = drawn(tmp_path, maps())
    assert heads == ["Image", "Original", "Gold", "LoTUS"]
    assert words[1, 0] == "Dog\nno. 12"
    assert words[0, 1] == "p = 0.90"
    assert words[0, 2] == "p = 0.10\nnothing for it"
    over, found = np.asarray(last[1].get_array()), maps().maps[2, 1]
    assert over[..., 3] == pytest.approx(0.75 * found / found.max())


def test_figure_of_collapsed_models_and_of_single_cells(tmp_path):
    _, words, _, counts, _ = drawn(tmp_path, maps(collapsed="weights are not finite"))
    assert words[0, 3].startswith("collapsed")
    assert counts.tolist() == [[1, 2, 1, 1], [1, 2, 2, 1]]
    figure, _, _, counts, _ = drawn(tmp_path, maps(height=1))
    assert "one cell" in figure.get_suptitle()
    assert counts.tolist() == [[1] * 4] * 2


@pytest.mark.parametrize("collapsed", ["", "weights are not finite"])
def test_words_and_pictures_stand_inside_the_figure_and_apart(collapsed, tmp_path):
    with style():
        figure, *_ = drawn(tmp_path, maps(collapsed=collapsed))
        figure.draw_without_rendering()
        (axes,) = figure.axes
        # A map lies on its image.
        pictures = {tuple(image.get_extent()): image for image in axes.images}
        shown = (*axes.texts, *figure.texts, *pictures.values())
        boxes = [artist.get_window_extent() for artist in shown]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_equal_maps_are_equal_figures(tmp_path):
    maps_file.save(tmp_path / "maps.npz", maps())
    for name in ("a", "b"):
        draw("gradcam", [tmp_path / "maps.npz"], tmp_path / name, tmp_path / f"{name}.json")
    for ending in ("svg", "pdf", "png"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_other_files_are_refused(tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, maps=np.zeros(3))
    with pytest.raises(LotusError, match="not a file of `lotus gradcam`"):
        gradcam([other])
    with pytest.raises(LotusError, match="cannot be read"):
        gradcam([tmp_path / "absent.npz"])
    with pytest.raises(LotusError, match="one file"):
        gradcam([other, other])
