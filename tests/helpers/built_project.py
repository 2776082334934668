"""The project by hand, built once, and a copy of it for each test: fixtures of several rooms."""

import shutil
from contextlib import chdir
from pathlib import Path

import pytest
from built_by_hand import (
    METRICS_FILE,
    PLACE,
    ROWS,
    SPLIT,
    STORE,
    TABLE,
    folder_of,
    put,
    step,
    write_run,
    write_store,
)

from lotus.records.files import sha256


@pytest.fixture
def project(built, tmp_path, monkeypatch):
    """A copy of `built`, in which the test runs."""
    folder = tmp_path / "project"
    shutil.copytree(built, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Source file → store → split → four models → metrics → table, with the records of each step."""
    folder = tmp_path_factory.mktemp("built")
    with chdir(folder):
        put("data/embedded/tiny.gz", "pixels")
        write_store({"name": "tiny.gz", "sha256": sha256(Path("data/embedded/tiny.gz"))})
        step("forget-set", [*STORE[1:]], [SPLIT], {"scenario": "instance-10", "seed": 1})
        for row in ROWS:
            write_run(row)
        read = [f"{folder_of(row)}/predictions.npz" for row in ROWS]
        about = {**PLACE, "protocol": "corrected", "seed": 1}
        step("metrics", read, [METRICS_FILE], about, {"rows": list(ROWS)})
        lines = (f"tiny,corrected,{row},1,0.{n},0.9{n}\n" for n, row in enumerate(ROWS))
        put(TABLE, "dataset,protocol,row,n,avg_gap,accuracy_test\n" + "".join(lines))
        step("table", [METRICS_FILE], [TABLE], {"table": "summary"})
    return folder
