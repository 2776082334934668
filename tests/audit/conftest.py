"""A finished project that is damaged and mended."""

import os
import shutil
from pathlib import Path

import pytest

from lotus.audit.project import audit_project


@pytest.fixture(scope="session")
def project(finished, tmp_path_factory):
    """A copy of the finished project, which is damaged and mended."""
    folder = tmp_path_factory.mktemp("audited") / "project"
    shutil.copytree(finished, folder)
    return folder


@pytest.fixture(autouse=True)
def here(request, monkeypatch):
    if "project" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("project"))


@pytest.fixture(scope="session")
def paths(project):
    """Everything that the audit of the sound project speaks of."""
    before = Path.cwd()
    os.chdir(project)
    try:
        found = audit_project()
    finally:
        os.chdir(before)
    assert found.ok, [it for it in found.artifacts if it.status != "verified"]
    return [artifact.path for artifact in found.artifacts]
