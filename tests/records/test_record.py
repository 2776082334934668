"""Records: written last, whole or not at all; digests follow the code."""

import importlib
import json
import sys

import pytest
from project import run

from lotus.records import code_identity
from lotus.records.code_identity import code_digest, module_digests
from lotus.records.environment import git_state
from lotus.records.files import as_text, atomic, sha256, write_json
from lotus.records.record import identity, is_sealed, sealed, write_record


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_record_names_what_was_read_and_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_text("in")
    (tmp_path / "out").write_text("out")
    write_record(
        tmp_path / "run.json",
        kind="test",
        modules=["lotus.errors"],
        about={"seed": 1},
        settings={"a": 1},
        inputs=[tmp_path / "in"],
        outputs=[tmp_path / "out"],
        seconds={"prepare": 1.0},
    )
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["inputs"] == {"in": sha256(tmp_path / "in")}
    assert record["outputs"] == {"out": sha256(tmp_path / "out")}
    assert record["versions"]["python"]
    assert record["time"]["prepare"] == 1.0
    assert record["code"]["step"] == code_digest("lotus.errors")


def reload_package(tmp_path, monkeypatch, files):
    package = tmp_path / "somepkg"
    package.mkdir(exist_ok=True)
    for name, text in files.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith("somepkg")]:
        del sys.modules[name]
    forget_modules()
    return code_digest("somepkg.a")


def test_the_digest_follows_imports_also_inside_functions(tmp_path, monkeypatch):
    files = {
        "__init__.py": "",
        "a.py": "def f():\n    from somepkg import b\n",
        "b.py": "x = 1\n",
        "c.py": "y = 1\n",
    }
    before = reload_package(tmp_path, monkeypatch, files)
    assert reload_package(tmp_path, monkeypatch, {"c.py": "y = 2\n"}) == before
    changed = reload_package(tmp_path, monkeypatch, {"b.py": "x = 2\n"})
    assert changed != before
    assert reload_package(tmp_path, monkeypatch, {"b.py": "x = 1\n"}) == before


def test_a_methods_digest_is_its_own():
    from lotus.methods.base import registry

    lotus, finetune = (code_digest(registry.module_of(name)) for name in ("lotus", "finetune"))
    assert lotus != finetune
    assert "lotus.methods.finetune" not in code_identity._imports("lotus.runs.unlearn")


def test_figures_do_not_depend_on_the_report_nor_tables_on_figures():
    assert code_digest("lotus.tables.summary") != code_digest("lotus.figures.avg_gap")
    for module in (
        "lotus.tables.summary",
        "lotus.page.report",
        "lotus.runs.evaluation",
        "lotus.runs.run",
    ):
        assert "lotus.figures.avg_gap" not in module_digests(module)


FORMS = {
    "climb.py": "from climb_helper import factor\nimport torch, yaml, random",
    "climb_helper.py": "def factor(): return importlib.import_module('climb_late').factor",
    "climb_late.py": "",
    "climbing/__init__.py": "from . import base",
    "climbing/base.py": "",
    "climbing/method.py": "def f():\n    from .helper import factor\n    from ..climbing.deep.er import x",
    "climbing/helper.py": "from .deep import er",
    "climbing/deep/er.py": "from ..other import y",
    "climbing/other.py": "import climbing.last as last",
    "climbing/last.py": "this is no Python",
    "climbing/unused.py": "",
    "random.py": "",
}
REACHED = {
    "climb": {"climb", "climb_helper", "climb_late"},
    "climbing.method": {f"climbing{name}" for name in ("", ".base", ".method", ".helper", ".deep.er",
                                                       ".other", ".last")},
}  # fmt: skip


def forget_modules():
    """Has the next digest look for modules anew, as another process does."""
    for name in ("_find", "_source", "_imports", "_is_local"):
        getattr(code_identity, name).cache_clear()


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    for name, source in FORMS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    forget_modules()
    yield tmp_path
    forget_modules()


@pytest.mark.parametrize("plugin", REACHED)
def test_every_local_module_that_a_plugin_imports_is_part_of_its_identity(plugins, plugin):
    assert set(module_digests(plugin)) == REACHED[plugin]


@pytest.mark.parametrize(
    ("plugin", "changed"), [("climb", "climb_late.py"), ("climbing.method", "climbing/last.py")]
)
def test_an_edit_beside_a_plugin_is_seen(plugins, plugin, changed):
    before = code_digest(plugin)
    (plugins / changed).write_text("factor = -7")
    forget_modules()
    assert code_digest(plugin) != before


def test_a_repository_that_tracks_nothing_of_the_project_is_none_of_its_own(tmp_path, monkeypatch):
    run(tmp_path, "git", "init", "--quiet")
    inside = tmp_path / "unpacked"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert git_state() == {"commit": None, "dirty": None}
    (inside / "code.py").write_text("")
    run(inside, "git", "add", "code.py")
    assert git_state() == {"commit": None, "dirty": True}


def test_variables_of_a_hook_do_not_point_git_elsewhere(tmp_path, monkeypatch):
    run(tmp_path, "git", "init", "--quiet")
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert git_state() == {"commit": None, "dirty": False}


def test_a_seal_breaks_with_every_byte(tmp_path):
    text = as_text(sealed({"kind": "test", "notes": {"a": [1, 2.5, "ä"]}})).encode()
    digest = json.loads(text)["digest"]
    assert is_sealed(text, digest)
    for place in range(len(text)):
        changed = bytearray(text)
        changed[place] ^= 1
        assert not is_sealed(bytes(changed), digest)
    assert not is_sealed(text + b"\n", digest)
    assert sealed(json.loads(text)) == json.loads(text)


def test_records_are_chained_by_what_was_made_of_what(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "results/d/net/seed1/original/corrected/model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_text("weights")
    about = {"kind": "original", "modules": ["lotus.errors"], "about": {"seed": 1}}
    first = model.with_name("run.json")
    write_record(first, **about, settings={"lr": 1}, inputs=[], outputs=[model])
    out = tmp_path / "results/d/net/seed1/s/corrected/metrics.json"
    second = tmp_path / "results/records/d/net/seed1/s/corrected/metrics.json"
    write_json(out, {})
    write_record(second, **about, settings={}, inputs=[model], outputs=[out])
    (link,) = json.loads(second.read_text())["records"].items()
    assert link == (first.relative_to(tmp_path).as_posix(), identity(json.loads(first.read_text())))
    # The same step at another time is the same link; with another parameter it is another.
    write_record(first, **about, settings={"lr": 1}, inputs=[], outputs=[model], seconds={"a": 2.0})
    assert identity(json.loads(first.read_text())) == link[1]
    write_record(first, **about, settings={"lr": 2}, inputs=[], outputs=[model])
    assert identity(json.loads(first.read_text())) != link[1]


def test_published_results_do_not_make_the_code_dirty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("code.py", "results/records/a.json", "data/raw/a.json", "models.dvc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    run(tmp_path, "git", "init", "--quiet")
    run(tmp_path, "git", "add", "--all")
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    run(tmp_path, "git", *author, "commit", "--quiet", "--message", "all")
    assert git_state()["dirty"] is False
    for name in ("results/records/a.json", "data/raw/a.json", "models.dvc"):
        (tmp_path / name).write_text("after")
    assert git_state()["dirty"] is False
    (tmp_path / "code.py").write_text("after")
    assert git_state() == {
        "commit": run(tmp_path, "git", "rev-parse", "HEAD").stdout.strip(),
        "dirty": True,
    }


def test_where_there_is_no_commit_or_no_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert git_state() == {"commit": None, "dirty": None}
    run(tmp_path, "git", "init", "--quiet")
    assert git_state() == {"commit": None, "dirty": False}
    (tmp_path / "code.py").write_text("new")
    run(tmp_path, "git", "add", "code.py")
    assert git_state() == {"commit": None, "dirty": True}
