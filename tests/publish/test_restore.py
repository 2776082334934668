"""What `lotus restore` refuses before it asks DVC for anything."""

from pathlib import Path

import pytest

from lotus.errors import LotusError
from lotus.publish.restore import restore


@pytest.mark.parametrize("name", ["results/a", "data/stores/a", "results"])
def test_nothing_is_restored_through_a_link(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside").mkdir()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).symlink_to(tmp_path.parent)
    with pytest.raises(LotusError, match=f"^{name}: leads out of the project by a link"):
        restore([], "1", recompute=False, only_list=False)
