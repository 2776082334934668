"""Specs and files agree; a file that states none that can be used is refused by its name."""

import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from project import ROOT

from lotus import figures, tables
from lotus.errors import LotusError
from lotus.figures.registry import FIGURES
from lotus.figures.registry import SHARED as SHARED_BY_FIGURES
from lotus.figures.spec import FigureSpec, OnPage
from lotus.plan.contents import check_specs
from lotus.records.code_identity import module_digests
from lotus.tables import paper
from lotus.tables.discovery import Registry, refuse_shared_targets
from lotus.tables.registry import PAPER_TABLES, TABLES
from lotus.tables.registry import SHARED as SHARED_BY_TABLES

FOLDERS = [
    (FIGURES, figures, SHARED_BY_FIGURES),
    (TABLES, tables, SHARED_BY_TABLES),
    (PAPER_TABLES, paper, {"spec"}),
]
EVERY = [(registry, name) for registry, *_ in FOLDERS for name in registry.names]


@pytest.mark.parametrize(("registry", "package", "shared"), FOLDERS)
def test_every_file_is_shared_or_states_a_spec(registry, package, shared):
    folder = Path(package.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    files |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert shared <= files, "a shared file is named that is not there"
    assert {name.replace("-", "_") for name in registry.names} == files - shared
    assert set(registry.specs) == set(registry.names)


@pytest.mark.parametrize(("registry", "name"), EVERY)
def test_a_file_reaches_no_other_of_its_kind(registry, name):
    reached = module_digests(registry.module_of(name)).keys()
    assert reached & {*FIGURES.modules, *TABLES.modules, *PAPER_TABLES.modules} == {
        registry.module_of(name)
    }


@pytest.mark.parametrize("name", FIGURES.names)
def test_the_code_of_a_figure_has_what_saves_it(name):
    assert "lotus.figures.style" in module_digests(FIGURES.module_of(name))


def test_targets_are_those_of_one_thing_each():
    check_specs()


def test_specs_are_read_without_matplotlib_and_one_without_the_others():
    code = (
        "import sys\n"
        "from lotus.plan.contents import check_specs\n"
        "check_specs()\n"
        "assert not {'matplotlib', 'seaborn', 'scipy'} & {*sys.modules}, 'slow libraries'\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    code = (
        "import sys\n"
        "from lotus.figures.draw import FIGURES\n"
        "FIGURES.spec('avg-gap')\n"
        "others = {*FIGURES.modules} & {*sys.modules} - {'lotus.figures.avg_gap'}\n"
        "assert not others, others\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("name", FIGURES.names)
def test_a_caption_says_something_wherever_it_stands(name):
    about = {"dataset": "mnist", "protocol": "released"}
    for first in (True, False):
        for both in (True, False):
            for gold in (True, False):
                assert len(FIGURES.spec(name).caption_on(OnPage(about, first, both, gold))) > 20


def test_every_figure_and_table_is_a_target_that_the_readme_names():
    text = (ROOT / "README.md").read_text()
    for spec in FIGURES.specs.values():
        for target in spec.targets:
            assert target in text, target
    for name in PAPER_TABLES.names:
        known = name in text or name.removeprefix("table") in "1234567"
        assert known, name


GOOD = """
from lotus.figures.spec import FigureSpec
def draw(sources):
    raise NotImplementedError
SPEC = FigureSpec(
    name="mine", draw=draw, label="Mine", summary="It.", caption="It is drawn.", alt="Lines"
)
"""
numbers = count()


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Files by name → a registry of them."""

    def registry(**files):
        package = f"figures_of_test_{next(numbers)}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return Registry(package, [str(folder)], FigureSpec, "figure", {"shared"})

    return registry


def test_a_good_file_is_found_and_a_shared_one_is_not(registry):
    found = registry(mine=GOOD, shared="")
    assert found.names == ("mine",)
    assert found.spec("mine").title == "Mine"
    assert found.specs["mine"].targets == ("mine",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "states no SPEC"),
        ("SPEC = 3", "SPEC = 3; every file of this folder states a FigureSpec"),
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("def draw(:", "SyntaxError"),
        (GOOD.replace('name="mine", ', ""), "missing 1 required keyword-only argument: 'name'"),
        (GOOD.replace("mine", "other"), "name = 'other', but the file is called 'mine'"),
        (GOOD.replace('"Mine"', '""'), "label is empty"),
        (GOOD.replace('"Mine"', "None"), "label = None is not text"),
        (GOOD.replace("draw=draw", "draw=None"), "draw = None is not a function"),
        (GOOD.replace('alt="Lines"', 'alt="Lines", each="method"'), "each = 'method'; accepted: "),
        (GOOD.replace('alt="Lines"', 'alt="Lines", folder="plots"'), "folder = 'plots'; accepted"),
        (GOOD.replace('alt="Lines"', 'alt="Lines", section="top"'), "section = 'top'; accepted"),
        (
            GOOD.replace('alt="Lines"', 'alt="Lines", order="first"'),
            "order = 'first' is not a whole",
        ),
        (GOOD.replace('alt="Lines"', 'alt="Lines", cells=()'), "cells = () is not a function"),
        (GOOD.replace('alt="Lines"', 'alt=""'), "neither may be empty"),
    ],
)
def test_a_file_with_a_mistake_is_refused_in_one_line(registry, text, said):
    found = registry(mine=text)
    with pytest.raises(LotusError) as error:
        found.specs  # noqa: B018
    assert "/mine.py: " in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_two_files_with_one_target_are_refused(registry):
    other = GOOD.replace('name="mine"', 'name="other", target="mine"')
    found = registry(mine=GOOD, other=other)
    with pytest.raises(LotusError, match=r"\.mine and .*\.other: both would be the target 'mine'"):
        refuse_shared_targets(found)


def test_an_unknown_name_is_refused_with_those_that_there_are(registry):
    with pytest.raises(LotusError, match="unknown figure 'mime'; did you mean 'mine'"):
        registry(mine=GOOD).module_of("mime")
