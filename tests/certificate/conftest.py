"""A small project whose model is certified, and put back."""

from contextlib import chdir

import pytest
from certified import PLACE, RUN, make
from copies import Copy
from tiny import write_project

from lotus.certificate.form import read_certificate


@pytest.fixture(scope="session")
def copy(tmp_path_factory):
    made = tmp_path_factory.mktemp("made") / "project"
    made.mkdir()
    with chdir(made):
        write_project()
    return Copy(made, tmp_path_factory.mktemp("copy") / "project")


@pytest.fixture
def project(copy, monkeypatch):
    """The small project, to be changed; the present folder."""
    monkeypatch.chdir(copy.folder)
    yield copy.folder
    copy.reset()


@pytest.fixture
def certificate(project):
    make(RUN)
    return read_certificate(PLACE)
