"""What `lotus restore` refuses before it asks DVC for anything."""

from pathlib import Path

import pytest
from commands import call

from lotus.audit.audit import CHANGED, Artifact
from lotus.errors import LotusError
from lotus.publish.restore import plan_restore, restore
from lotus.records.index import read_index


@pytest.mark.parametrize("name", ["results/a", "data/stores/a", "results"])
def test_nothing_is_restored_through_a_link(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside").mkdir()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).symlink_to(tmp_path.parent)
    with pytest.raises(LotusError, match=f"^{name}: leads out of the project by a link"):
        restore([], "1", recompute=False, only_list=False)


def test_a_raw_file_that_is_another_is_told_though_no_step_makes_it():
    raw = Artifact(
        "data/embedded/fashion.gz", CHANGED, "has other bytes than data/raw/f.json states"
    )
    head, line = plan_restore(read_index([]), [raw], []).lines()
    assert head == "0 steps are up to date; 0 have to run"
    assert line.startswith("data/embedded/fashion.gz: changed (has other bytes than")
    assert line.endswith("no step makes it, so that it stays as it is")


@pytest.mark.parametrize("cores", ["0", "-1", "two", "1.5", "", "9" * 7])
def test_cores_that_snakemake_would_wait_for_are_refused(cores):
    done = call("restore", "--cores", cores)
    assert done.exit_code == 2
    assert f"{cores!r}; accepted: a number from 1, or all" in " ".join(done.output.split())
