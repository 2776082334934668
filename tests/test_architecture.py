"""The house: imports point down, nothing right of the predictions needs torch, no text is printed."""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from lotus import layout

PACKAGE = Path(__file__).parents[1] / "lotus"
# Ground floor first; a room may use its own floor and those below.
FLOORS = [
    ["errors", "lazy_torch", "names", "surroundings", "wording"],
    ["formats", "git", "plugin_files", "private_folder"],
    ["config"],
    ["layout"],
    ["records"],
    ["data", "models", "predictions"],
    ["attacks", "engine", "metrics", "tracking"],
    ["methods", "results"],
    ["runs", "published"],
    ["tables"],
    ["figures", "claims", "plan"],
    ["diff", "page", "audit"],
    ["lineage", "impact", "crate", "publish", "attest"],
    ["adopt", "certificate"],
    ["cli"],
    ["__main__"],
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module):
    return module.split(".")[1] if "." in module else ""


def module_of(path):
    return "lotus." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "lotus":
                yield from (f"lotus.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: module_of(path))
def test_imports_point_down(path):
    if path == PACKAGE / "__init__.py":
        return
    own = room_of(module_of(path))
    assert own in FLOOR, f"give {own} a floor in this test"
    for name in imports_of(path):
        if name.startswith("lotus."):
            assert FLOOR[room_of(name)] <= FLOOR[own], f"{path.name} imports {name} from above"


def test_no_two_rooms_import_each_other():
    used = {
        (room_of(module_of(path)), room_of(name))
        for path in FILES
        for name in imports_of(path)
        if name.startswith("lotus.")
    }
    assert not [pair for pair in used if pair[0] < pair[1] and pair[::-1] in used]


@pytest.mark.parametrize("room", sorted(room for room in FLOOR if (PACKAGE / room).is_dir()))
def test_a_room_says_what_it_uses(room):
    """ "Uses A, B and what lies below": it uses A and B, and besides them only rooms below one of these."""
    text = " ".join(ast.get_docstring(tree_of(PACKAGE / room / "__init__.py")).split())
    (said,) = re.findall(r"Uses (.*?)[.;]", text)
    named = set(re.findall(r"\w+", said)) & FLOOR.keys()
    files = (PACKAGE / room).rglob("*.py")
    imported = {name for path in files for name in imports_of(path) if name.startswith("lotus.")}
    used = {room_of(name) for name in imported} - {room}
    assert named <= used, f"{room} does not use {sorted(named - used)}"
    if "all that lies below" not in said:
        highest = max(map(FLOOR.get, named)) if "what lies below" in said else 0
        assert {each for each in used - named if FLOOR[each] >= highest} == set()


@pytest.mark.parametrize(
    ("above", "below"),
    [("methods", "metrics"), ("metrics", "methods")]
    + [
        (room, "methods")
        for room in ("results", "published", "tables", "figures", "claims", "page")
    ],
)
def test_rooms_that_must_not_know_each_other(above, below):
    for path in (PACKAGE / above).rglob("*.py"):
        assert not [name for name in imports_of(path) if name.startswith(f"lotus.{below}")]


@pytest.mark.parametrize(
    "modules",
    [
        "lotus.runs.evaluation",
        "lotus.tables.write",
        "lotus.figures.draw",
        "lotus.page.labels",
        "lotus.page.report",
        "lotus.records.reading",
        "lotus.audit.audit",
        "lotus.publish.replay",
        "lotus.attest.attest",
        "lotus.attest.verify",
        "lotus.impact.impact",
        "lotus.cli.main",
    ],
)
def test_nothing_right_of_the_predictions_loads_torch(modules):
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("experiment", ["digits", "fashion-mini"])
def test_a_plan_and_all_its_steps_are_made_without_torch_and_scikit_learn(experiment, tmp_path):
    # Elsewhere than in a checkout that has stores: these would spare the raw files.
    for folder in ("config", "data/embedded"):
        (tmp_path / folder).parent.mkdir(exist_ok=True)
        (tmp_path / folder).symlink_to(PACKAGE.parent / folder)
    code = (
        "import sys; from pathlib import Path; from lotus.plan.declared import declared; "
        "from lotus.plan.feasible import refuse_nonsense; from lotus.plan.steps import expected_records; "
        "found = declared([Path(sys.argv[1])], {}); refuse_nonsense(found.plan, found.origins); "
        "assert len(expected_records(found.plan)) > 50; "
        "sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    )
    command = [sys.executable, "-c", code, f"config/{experiment}.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)


def test_a_job_loads_next_to_nothing_to_ask_the_warm_process():
    code = (
        "import sys; was = {*sys.modules}; import lotus.engine.asking; print(*{*sys.modules} - was)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("lotus")} == {
        *("lotus", "lotus.engine", "lotus.engine.asking")
    }
    assert not {"subprocess", "logging", "inspect", "dataclasses", "typing"} & loaded


# Each imports what its step is told (a method, a network, a source, a table), or what no result rests on.
IMPORT_COMPUTED_NAMES = {
    *("attest/again.py", "data/sources/__init__.py", "engine/warm.py", "lazy_torch.py"),
    *("methods/base/registry.py", "models/__init__.py", "plugin_files.py"),
    *("publish/replay.py", "tables/discovery.py"),
}


def test_names_that_are_put_together_for_an_import_are_seen_by_the_identity_of_code():
    """It reads the call itself: a name in a variable tells it nothing (`lotus.records.sources`)."""
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("import_module")
        and not isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    }
    assert found == IMPORT_COMPUTED_NAMES


def test_every_room_has_its_tests():
    """Those of files that are tested elsewhere `CONTRIBUTING.md` names."""
    tests, page = Path(__file__).parent, (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    for room in FLOOR.keys() - {"__main__"}:
        is_folder = (PACKAGE / room).is_dir()
        own = tests / room if is_folder else tests / f"test_{room}.py"
        assert own.exists() or (not is_folder and f"`{room}.py` " in page), room


def test_methods_do_not_reach_for_files():
    for path in (PACKAGE / "methods").glob("*.py"):
        assert "pathlib" not in set(imports_of(path))


def test_names_no_machine_and_no_registry():
    root = PACKAGE.parent
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()
    forbidden = ["--" + "index-url", "extra-" + "index", "/" + "root/", "/" + "work/"]
    for name in listed:
        if name.endswith((".gz", ".png", ".npz", ".pdf")) or not (root / name).is_file():
            continue
        text = (root / name).read_text(encoding="utf-8")
        hits = [word for word in forbidden if word in text.replace("--no-emit-index-url", "")]
        assert not hits, f"{name}: {hits}"


@pytest.mark.parametrize("folder", ["lotus", "tests", "workflow", "benchmarks"])
def test_no_file_is_too_long_to_be_read_at_once(folder):
    files = [path for kind in ("*.py", "*.smk") for path in (PACKAGE.parent / folder).rglob(kind)]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert lengths
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_class_is_too_long_to_be_read_at_once():
    lengths = {
        f"{path}: {node.name}": node.end_lineno - node.lineno + 1
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: length for name, length in lengths.items() if length > 250} == {}


# Models are made by both classes of each: another name would have all models made anew.
NAMED_TWICE = {"Entry", "Form", "Known"}


def test_no_two_classes_have_one_name():
    files_of = {}
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                files_of.setdefault(node.name, []).append(module_of(path))
    twice = {name: modules for name, modules in files_of.items() if len(modules) > 1}
    assert {name: twice[name] for name in twice if name not in NAMED_TWICE} == {}
    assert twice.keys() >= NAMED_TWICE, "take those that are named once by now off the list"


def test_docstrings_of_functions_are_sentences():
    """They say what it returns or does: "Returns the runs of a cell", not "What runs a cell has"."""
    found = [
        f"{path}:{node.lineno}: {text.splitlines()[0]}"
        for path in FILES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (text := ast.get_docstring(node) or "").startswith(("What ", "Of ", "Who "))
    ]
    assert found == []


def test_files_of_runs_are_named_in_one_place():
    """But in an example that is shown, and where a change would have all models made anew."""
    elsewhere = ("layout.py", "cli/results.py", "records/reading.py")
    found = [
        f"{path}:{node.lineno}: {node.value}"
        for path in FILES
        if path.relative_to(PACKAGE).as_posix() not in elsewhere
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant)
        and str(node.value).strip("/") in (*layout.RUN_FILES.values(), layout.MAPS_FILE)
    ]
    assert found == []
