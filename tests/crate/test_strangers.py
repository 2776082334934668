"""Nothing of this machine goes into a crate that is none of the project's."""

from pathlib import Path

import pytest
from hand_made import digest_of, write_by_hand
from project_for_crates import LIMIT

from lotus.crate.export import export_crate
from lotus.errors import LotusError


def test_no_home_is_named(project):
    write_by_hand(
        Path("results/records/x.json"),
        kind="x",
        command="lotus x --raw /home/ann/raw",
        inputs={"/home/ann/w.bin": digest_of("w")},
        settings={"raw": "/home/ann/raw", "several": ["/Users/bob/a"]},
        hardware={"device": "/home/ann/dev"},
    )
    export_crate(Path("../crate"), LIMIT)
    said = Path("../crate/ro-crate-metadata.json").read_text()
    assert "~/w.bin" in said
    assert "~/raw" in said
    assert "ann" not in said
    assert "bob" not in said


@pytest.mark.parametrize("name", ["LICENSE", "CITATION.cff", "data/raw/tiny.json"])
def test_a_file_that_is_a_link_out_of_the_project_is_not_shared(project, tmp_path, name):
    outside = tmp_path / "outside"
    Path(name).rename(outside)
    Path(name).symlink_to(outside)
    with pytest.raises(LotusError, match=f"^{name}: leads out of the project by a link"):
        export_crate(Path("../crate"), LIMIT)
    assert not Path("../crate").exists()
