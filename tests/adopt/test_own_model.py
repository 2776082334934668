"""docs/own-model.md, done word by word: from a checkpoint, photos and a list to the certificate."""

import json
import re
import sys

import numpy as np
import pytest
import torch
from forked import python
from PIL import Image
from project import ROOT, copy_of_project, run
from safetensors.torch import load_file
from shell_lines import commands_of, run_commands

PAGE = (ROOT / "docs/own-model.md").read_text()
TRAINING, LOADING = re.findall(r"^```python\n(.+?)^```", PAGE, re.M | re.S)
_, LIST = re.findall(r"^```text\n(.+?)^```", PAGE, re.M | re.S)
RUN = "results/photos/my-model/seed13/requests-listed/corrected/lotus"


def photo(kind, rng):
    """32×32 pixels of a cross, a ring or stripes in some colour, with noise."""
    down, across = np.mgrid[-16:16, -16:16]
    shape = {
        "cross": (abs(down) < 4) | (abs(across) < 4),
        "ring": abs(np.hypot(down, across) - 9) < 3,
        "stripe": (down + across) // 4 % 2 == 0,
    }[kind]
    colour = rng.integers(120, 256, 3)
    noise = rng.integers(0, 60, (32, 32, 3))
    return np.clip(shape[..., None] * colour + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in which every command of the page was run."""
    folder = tmp_path_factory.mktemp("own-model") / "project"
    folder.mkdir()
    copy_of_project(folder)
    rng = np.random.default_rng(0)
    for part, count in (("train", 50), ("test", 16)):
        for kind in ("cross", "ring", "stripe"):
            place = folder / "photos" / part / kind
            place.mkdir(parents=True)
            for number in range(1, count + 1):
                Image.fromarray(photo(kind, rng)).save(place / f"{number:04}.png")
    python(folder, TRAINING)
    (folder / "requests.txt").write_text(LIST)
    return folder, run_commands(folder, commands_of(PAGE))


@pytest.fixture(scope="module")
def certificate(project):
    (path,) = (project[0] / "certificates").glob("*.json")
    return json.loads(path.read_text())


def test_the_first_check_says_what_the_model_knows(project):
    (said,) = [done.stdout for line, done in project[1].items() if line.startswith("lotus adopt")]
    right, asked = map(int, re.search(r"gets (\d+) of (\d+) held-out images right", said).groups())
    assert asked == 48
    assert right / asked > 0.7
    assert "WARNING" not in said


def test_the_original_is_the_checkpoint(project):
    folder, _ = project
    ours = load_file(folder / "results/photos/my-model/seed13/original/corrected/model.safetensors")
    theirs = torch.load(folder / "mine.pt", weights_only=True)["state_dict"]
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_images_of_the_list_are_forgotten(certificate):
    assert {image["name"] for image in certificate["asked"]["images"]} == {*LIST.split()}
    assert all(image["of"] == "file" for image in certificate["asked"]["images"])
    assert certificate["done"]["checkpoint"]["path"] == "mine.pt"


def test_the_certificate_says_that_nothing_was_retrained(project, certificate):
    assert any("No gold model was retrained" in line for line in certificate["measured"]["absent"])
    assert any("training left no record" in line for line in certificate["does_not_prove"])
    (said,) = [done.stdout for line, done in project[1].items() if "verify" in line]
    assert said.strip().endswith("holds")


def test_the_report_says_what_cannot_be_known(project):
    page = (project[0] / "results/report/index.html").read_text()
    assert "A trained model, and images that it was asked to forget." in page
    assert "No gold model was retrained here" in page
    assert 'class="counts"' not in page
    assert not re.search(r"\b(nan|None(?! of the paper))\b", re.sub(r"<[^>]+>", " ", page))


def test_the_weights_that_are_handed_back_load_with_timm_alone(project):
    folder, _ = project
    check = "\nassert not any(name.startswith('lotus') for name in __import__('sys').modules)"
    run(folder, sys.executable, "-c", LOADING + check)
    theirs = torch.load(folder / "forgotten.pt", weights_only=True)["state_dict"]
    ours = load_file(folder / RUN / "model.safetensors")
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
