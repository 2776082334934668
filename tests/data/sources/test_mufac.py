"""MUFAC and its cleaned form, from files to a store."""

import shutil

import pytest
import raw_files
from stores import build, refused, shown

from lotus.config.scenarios import Scenario
from lotus.data import splits

pytestmark = pytest.mark.usefixtures("empty_project")

# Layouts


@pytest.mark.parametrize("suffix", ["", "-clean"])
@pytest.mark.parametrize("form", ["folder", "zip", "archive of its files alone"])
def test_mufac(mirror, suffix, form):
    name = f"custom_korean_family_dataset_resolution_128{suffix.replace('-', '_')}"
    folder = raw_files.mufac(mirror / name)
    options = {"content": "any"}
    if form == "zip":
        shutil.make_archive(str(folder), "zip", mirror, name)
        shutil.rmtree(folder)
    elif form != "folder":
        shutil.make_archive(str(mirror / "other"), "gztar", folder)
        shutil.rmtree(folder)
        options["raw"] = "other.tar.gz"
    store = build(f"mufac{suffix}", mirror, **options)
    assert store.source["parts"] == {"train": [0, 8], "val": [8, 16], "test": [16, 24]}
    assert shown(store) == list(range(24))
    assert store.labels.tolist() == 3 * [7, 6, 5, 4, 3, 2, 1, 0]
    assert (store.mean, store.std) == ((0, 0, 0), (1, 1, 1))
    chosen = splits.choose_forget_set(store, Scenario(forget_first=3), 0)
    assert sorted(chosen.forget) == [0, 1, 2]


# What readers refuse


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda root: (root / "custom_val_dataset.csv").unlink(),
            "custom_val_dataset.csv: was not found",
        ),
        (lambda root: (root / "test_images" / "Fd.jpg").unlink(), "line 6: image"),
        (
            lambda root: raw_files.mufac(root, "abcdefgi"),
            "line 9: age_class 'i'; accepted: a, b, c",
        ),
        (lambda root: raw_files.mufac(root, ["a", "ab"]), "line 3: age_class 'ab'"),
        (lambda root: raw_files.mufac(root, "abcdefg"), "no training image of the class 67-80"),
    ],
)
def test_spoilt_mufac_is_refused(mirror, spoil, message):
    spoil(raw_files.mufac(mirror / "custom_korean_family_dataset_resolution_128"))
    assert message in refused("mufac", mirror, content="any")
