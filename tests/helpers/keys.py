"""A key that signs."""

import shutil

import pytest
from project import run


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
