"""A small project to be damaged."""

import tempfile
from contextlib import chdir

import pytest
from tiny import write_project


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template") / "project"
    folder.mkdir()
    with chdir(folder):
        write_project()
    return folder


@pytest.fixture
def no_repository(monkeypatch):
    """Temporary folders lie in no git repository."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", tempfile.gettempdir())
