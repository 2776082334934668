"""What lies under docs/results: drawn again by a clone without a model, and not edited."""

import csv
import json
import shutil

import pytest
from forked import lotus
from project import ROOT, copy_of_project

PUBLISHED = sorted(path.parent for path in ROOT.glob("docs/results/*/results"))
OLDER = ("code: ", "parameters: ")


@pytest.fixture(scope="module", params=PUBLISHED, ids=lambda path: path.name)
def clone(request, tmp_path_factory):
    """A clone of the project with published results in its `results`."""
    folder = tmp_path_factory.mktemp("clone")
    copy_of_project(folder)
    shutil.copytree(request.param / "results", folder / "results")
    return folder


def test_there_are_published_results():
    assert [path.name for path in PUBLISHED] == ["cifar10-cpu"]


def test_nothing_was_edited_and_nothing_is_missing(clone):
    found = json.loads(lotus(clone, "audit", "--json", check=False).stdout)["artifacts"]
    by_status = {it["status"] for it in found}
    # Stale: the package goes on, and the results stay those of their commit.
    assert by_status <= {"verified", "left out", "stale"}
    assert all(it["reason"].startswith(OLDER) for it in found if it["status"] == "stale"), found


def test_every_figure_and_table_is_drawn_again(clone):
    def drawn():
        return {
            path.relative_to(clone).as_posix(): path
            for folder in ("figures", "tables", "paper", "timings", "report")
            for path in (clone / "results" / folder).rglob("*.*")
        }

    tables = {name: rows(path) for name, path in drawn().items() if path.suffix == ".csv"}
    before = {*drawn()}
    for path in drawn().values():
        path.unlink()
    done = lotus(clone, "restore", "--figures", check=False)
    # Another processor may round otherwise, which `restore` reports: numbers are compared below.
    assert "files drawn again" in done.stdout, done.stderr
    assert {*drawn()} == before
    assert all(path.stat().st_size for path in drawn().values())
    for name, expected in tables.items():
        found = rows(clone / name)
        assert len(found) == len(expected)
        for now, then in zip(found, expected, strict=True):
            assert [as_number(cell) for cell in now] == pytest.approx(
                [as_number(cell) for cell in then], rel=1e-6, abs=1e-9, nan_ok=True
            ), name


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.reader(file)]


def as_number(cell):
    try:
        return float(cell)
    except ValueError:
        return cell
