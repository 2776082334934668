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
    before, judged = {*drawn()}, verdicts(clone)
    for path in (*drawn().values(), clone / "results/claims.json"):
        path.unlink()
    done = lotus(clone, "restore", "--figures", check=False)
    # Another processor may round otherwise, which `restore` reports: numbers are compared below.
    assert "files drawn again" in done.stdout, done.stderr
    assert {*drawn()} == before
    assert all(path.stat().st_size for path in drawn().values())
    assert verdicts(clone) == judged
    for name, expected in tables.items():
        # Tables may have got further columns since.
        for now, then in zip(rows(clone / name), expected, strict=True):
            for column, value in then.items():
                assert is_alike(now[column], value), (name, then)


def verdicts(clone):
    """Claim and where it was judged → its verdict."""
    content = json.loads((clone / "results/claims.json").read_text())
    return {
        (claim["id"], ruling["scope"], ruling["protocol"]): ruling["verdict"]
        for claim in content["claims"]
        for ruling in claim["rulings"]
    }


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file)]


def is_alike(now, then):
    try:
        numbers = float(now), float(then)
    except ValueError:
        return now == then
    return numbers[0] == pytest.approx(numbers[1], rel=1e-6, abs=1e-9, nan_ok=True)
