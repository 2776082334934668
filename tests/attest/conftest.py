"""A finished project that is forged, attested and put back."""

import pytest
from copies import Copy


@pytest.fixture(scope="session")
def copy(finished, tmp_path_factory):
    return Copy(finished, tmp_path_factory.mktemp("attested") / "project")


@pytest.fixture
def project(copy, monkeypatch):
    """A copy of the finished project, to be changed; the present folder."""
    monkeypatch.chdir(copy.folder)
    yield copy.folder
    copy.reset()
