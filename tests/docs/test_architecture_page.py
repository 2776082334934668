"""docs/architecture.md: its table is that of the floors, its files exist, its number has this history."""

import importlib.util
import re

import pytest
from pages import blocks, summary_of
from project import ROOT

from lotus.lineage.lookup import look_up

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^\d+\. \*\*.+?(?=^\d+\. |\n\n)", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def floors():
    spec = importlib.util.spec_from_file_location("floors", ROOT / "tests/test_architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FLOORS


def lines_of(floors):
    """The table of rooms as it has to stand on the page."""
    for number, rooms in enumerate(floors, 1):
        for room in rooms:
            folder = ROOT / "lotus" / room
            path = folder if folder.is_dir() else folder.with_suffix(".py")
            name = f"{room}/" if path.is_dir() else path.name
            yield f"| {number} | `{name}` | {summary_of(path)} |"


def test_the_table_of_rooms_is_that_of_the_floors(floors):
    expected = list(lines_of(floors))
    written = re.findall(r"^\| \d+ \|.*$", PAGE, re.MULTILINE)
    assert written == expected, "out of date; it has to be:\n" + "\n".join(expected)


def test_a_number_comes_about_in_ten_steps_whose_code_exists():
    assert len(STEPS) == 10
    for step in STEPS:
        named = re.findall(r"`((?:lotus|config|workflow)/[\w./-]+|data\.dvc)`", step)
        assert [name for name in named if not (ROOT / name).exists()] == []
    assert all(re.search(r"`lotus/", step) for step in STEPS)


def test_the_command_tells_the_same_history(finished, monkeypatch):
    (command,) = (block for block in blocks(PAGE, "sh") if block.startswith("lotus lineage"))
    monkeypatch.chdir(finished)
    tree = look_up(command.split()[2]).tree
    named = {path for step in STEPS for path in re.findall(r"`((?:results|data)/[\w./-]+)`", step)}
    assert len(named) > 10
    assert [path for path in sorted(named) if not (finished / path).exists()] == []
    # Beside the history of a number stand the page, which shows it, and the records, which tell it.
    of_history = {path for path in named if not path.endswith(("store.json", "run.json", ".html"))}
    assert of_history <= set(tree.nodes)
