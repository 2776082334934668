"""Where artifacts lie: paths that a plan's tests do not see."""

from pathlib import Path

import pytest

from lotus import layout
from lotus.config.cells import Benchmark

CELL = Benchmark("digits", "resnet18", "instance-10", "corrected")


@pytest.mark.parametrize("row", ["lotus", "original"])
def test_the_files_of_a_run_have_one_record(row):
    files = layout.run_files(layout.run_folder(CELL, 3, row))
    record = files["record"]
    assert {layout.record_of(files[name]) for name in ("model", "predictions")} == {record}
    assert layout.is_record(record)
    assert layout.record_of(record) is None


def test_the_original_is_shared_by_scenarios_and_no_other_model_is():
    other = Benchmark("digits", "resnet18", "class-three", "corrected")
    for row in ("original", "gold"):
        is_same = layout.run_folder(CELL, 3, row) == layout.run_folder(other, 3, row)
        assert is_same == (row == "original")


@pytest.mark.parametrize("form", ["table", "figure"])
def test_the_files_of_a_table_or_figure_have_the_record_of_its_form(form):
    files = layout.item_files(f"{form}s", "summary", form).values()
    assert {layout.record_of(path) for path in files} == {
        layout.item_record(f"{form}s", "summary", form)
    }


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "results",
        "data/stores/digits",
        "results/attestations/one.json",
        "data/raw/x.json",
    ],
)
def test_what_no_step_writes_has_no_record(path):
    assert layout.record_of(Path(path)) is None
    assert not layout.is_record(Path(path))


def test_golds_of_other_seeds_are_known_by_their_names():
    assert layout.seed_of_gold(layout.gold_of_seed(13)) == 13
    assert layout.seed_of_gold(layout.further_gold(2)) is None
    assert layout.is_further_gold(layout.further_gold(2))
    assert not layout.is_further_gold(layout.gold_of_seed(13))


def test_a_link_is_no_signature(tmp_path):
    attestation = tmp_path / "one.json"
    layout.signature_of(attestation).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").touch()
    assert not layout.is_signed(attestation)
