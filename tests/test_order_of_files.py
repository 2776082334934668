"""Files that are to come first are there."""

from pathlib import Path

from longest_files import LONGEST


def test_files_that_come_first_exist():
    assert [name for name in LONGEST if not (Path(__file__).parent / name).is_file()] == []
