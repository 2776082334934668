"""docs/own-faces.md, done word by word, on faces that are drawn here."""

import csv
import json
import re

import numpy as np
import pytest
from forked import python
from PIL import Image
from project import ROOT, copy_of_project
from shell_lines import commands_of, run_commands

PAGE = (ROOT / "docs/own-faces.md").read_text()
(TRAINING,) = re.findall(r"^```python\n(.+?)^```", PAGE, re.M | re.S)
SUBJECTS, EACH = 16, 8


def face(subject, is_child, rng):
    """32×32 pixels: a head of the person's colour, large eyes in a child's."""
    down, across = np.mgrid[-16:16, -16:16]
    person = np.random.default_rng(subject)
    image = np.full((32, 32, 3), person.integers(0, 90, 3), float)
    image[np.hypot(down / 1.2, across) < 12] = person.integers(110, 256, 3)
    for side in (-5, 5):
        image[np.hypot(down + 3, across - side) < (4 if is_child else 2)] = 20
    return np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "project"
    (folder / "faces").mkdir(parents=True)
    copy_of_project(folder)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(SUBJECTS * EACH):
        subject, is_child = number // EACH, number % 2 == 1
        path = f"faces/{number:03}.png"
        Image.fromarray(face(subject, is_child, rng)).save(folder / path)
        split = "test" if number % EACH >= 6 else "train"
        rows.append([path, "child" if is_child else "adult", split, subject])
    with (folder / "faces.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "split", "subject"], *rows])
    python(folder, TRAINING)
    return folder, run_commands(folder, commands_of(PAGE))


def test_the_pictures_of_the_person_and_no_others_are_forgotten(project):
    folder, _ = project
    (path,) = (folder / "certificates").glob("*.json")
    asked = json.loads(path.read_text())["asked"]
    with (folder / "faces.csv").open() as file:
        theirs = [
            row["path"]
            for row in csv.DictReader(file)
            if row["subject"] == "7" and row["split"] == "train"
        ]
    assert sorted(image["name"] for image in asked["images"]) == theirs
    assert "subject = 7" in asked["rule"]
    assert asked["kept"] == SUBJECTS * 6 - len(theirs)


def test_the_prefix_of_the_checkpoint_is_no_matter(project):
    (said,) = [done.stdout for line, done in project[1].items() if line.startswith("lotus adopt")]
    assert "with the prefix module." in said
    right, asked = map(int, re.search(r"gets (\d+) of (\d+) held-out images right", said).groups())
    assert asked == 32
    assert right > 24
