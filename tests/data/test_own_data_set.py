"""docs/own-data-set.md, done word by word: one file and one entry, up to the report."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from forked import own_lotus, snakemake
from project import ROOT, copy_of_project

PAGE = (ROOT / "docs/own-data-set.md").read_text()


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", PAGE, re.M | re.S)
    return found


def stripes(count, seed):
    """Noisy stripes in one of three directions, and which."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    down, across = np.mgrid[:16, :16]
    kinds = np.stack([down, across, down + across])[labels] // 2 % 2
    images = np.clip(200 * kinds + rng.integers(0, 56, kinds.shape), 0, 255)
    return images.astype(np.uint8)[..., None], labels


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the page's files, its experiment run to the end."""
    folder = tmp_path_factory.mktemp("data") / "project"
    copy_of_project(folder)
    (folder / "lotus/data/sources/stripes.py").write_text(block("python"))
    (folder / "my-data.yaml").write_text(block("yaml"))
    raw = folder / "data/raw/stripes"
    raw.mkdir(parents=True)
    (train, labels), (test, of_test) = stripes(300, 0), stripes(60, 1)
    arrays = {"train_images": train, "train_labels": labels}
    np.savez(raw / "stripes.npz", **arrays, test_images=test, test_labels=of_test)
    for command in re.findall(r"^lotus (.+)$", block("sh"), re.M):
        assert "stripes" in own_lotus(folder, *command.split()).stdout
    snakemake(folder, "--cores", "2", "--configfile", "my-data.yaml")
    return folder


def test_its_store_has_the_images(project):
    images = np.load(project / "data/stores/stripes/images.npy")
    assert np.array_equal(images, np.concatenate([stripes(300, 0)[0], stripes(60, 1)[0]]))
    source = json.loads((project / "data/stores/stripes/source.json").read_text())
    assert source["parts"] == {"train": [0, 300], "test": [300, 360]}


def test_it_stands_in_the_tables_and_in_the_report(project):
    table = pd.read_csv(project / "results/tables/stripes-resnet18-instance-10-corrected.csv")
    assert list(table["row"]) == ["original", "gold", "finetune"]
    assert table["accuracy_forget"].notna().all()
    page = (project / "results/report/index.html").read_text()
    assert "stripes, ResNet18, 10 % forgotten" in page
    assert "Stripes (16×16 pixels)" in page
