"""A small project, a copy of it to work in, and its crate."""

import shutil
from pathlib import Path

import pytest
from project_for_crates import LIMIT, write_project
from run_crate import Metadata

from lotus.crate.export import export_crate


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A project with a record of each sort; its original model and its unlearned one are the same bytes."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_project()
    return folder


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A copy of it, to work in."""
    folder = tmp_path / "project"
    shutil.copytree(template, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def crate(project):
    export_crate(Path("../crate"), LIMIT)
    return Metadata("../crate")
