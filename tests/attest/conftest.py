"""A finished project that is forged, attested and put back; a key that signs."""

import shutil

import pytest
from copies import Copy
from project import run


@pytest.fixture(scope="session")
def copy(finished, tmp_path_factory):
    return Copy(finished, tmp_path_factory.mktemp("attested") / "project")


@pytest.fixture
def project(copy, monkeypatch):
    """A copy of the finished project, to be changed; the present folder."""
    monkeypatch.chdir(copy.folder)
    yield copy.folder
    copy.reset()


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    """An SSH key, and who may sign with it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("OpenSSH is not installed")
    place = tmp_path_factory.mktemp("keys") / "key"
    run(place.parent, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place)
    signers = place.with_name("signers")
    signers.write_text(f"auditor@example.org {place.with_name('key.pub').read_text()}")
    return place, signers
