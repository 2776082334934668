"""Projects by hand to be compared."""

import pytest
from small_experiment import Experiment


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """Name, and what is set otherwise → a written project of that name."""

    def make(name, **changes):
        made = Experiment(tmp_path / name, monkeypatch)
        for key, value in changes.items():
            old = getattr(made, key)
            setattr(made, key, {**old, **value} if isinstance(old, dict) else value)
        return made.write()

    return make
