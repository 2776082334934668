"""The identity of a step's code: it follows the syntax of every module that the step can reach."""

import importlib
import sys

import pytest

from lotus.records import code_identity, local_modules
from lotus.records.code_identity import code_digest, module_digests, read_ahead
from lotus.records.sources import source_of


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
    assert "lotus.methods.finetune" not in module_digests("lotus.runs.unlearn")


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
    "deep/__init__.py": "",
    "deep/shared.py": "from .one import three",
    "deep/one/__init__.py": "from . import two",
    "deep/one/two/__init__.py": "",
    "deep/one/two/method.py": "from ... import shared\nfrom .. import beside\nfrom .near import f",
    "deep/one/two/near.py": "from ....outside import x",
    "deep/one/two/far.py": "",
    "deep/one/three.py": "importlib.import_module('..late', __package__)",
    "deep/one/beside.py": "import_module(name='.two.named', package=__package__)",
    "deep/one/two/named.py": "",
    "deep/late.py": "from .many import *",
    "deep/many/__init__.py": "__all__ = ['of_all', 'Klass']",
    "deep/many/of_all.py": "",
    "deep/many/unlisted.py": "",
    "chosen/__init__.py": "def one(name): return importlib.import_module(f'chosen.{name}')",
    "chosen/first.py": "",
    "chosen/second.py": "from importlib import import_module\nimport_module(f'chosen.{x}.{y}')",
    "chosen/below/__init__.py": "",
    "chosen/below/third.py": "",
    "checked.py": "if TYPE_CHECKING:\n    import climb\nelse:\n    import chosen.first",
    "random.py": "",
}
REACHED = {
    "climb": ["climb", "climb_helper", "climb_late"],
    "climbing.method": [
        "climbing",
        *("climbing.base", "climbing.method", "climbing.helper", "climbing.deep.er"),
        *("climbing.other", "climbing.last"),
    ],
    "deep.one.two.method": [
        *("deep", "deep.shared", "deep.late", "deep.many", "deep.many.of_all"),
        *("deep.one", "deep.one.three", "deep.one.beside"),
        *("deep.one.two", "deep.one.two.method", "deep.one.two.near", "deep.one.two.named"),
    ],
    "checked": ["checked", "chosen", "chosen.first", "chosen.second", "chosen.below"],
}


def forget_modules():
    """Has the next digest look for modules anew, as another process does."""
    importlib.invalidate_caches()
    for looked_up in (local_modules.find_module, local_modules.is_local, code_identity._text_of):
        looked_up.cache_clear()


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
    assert list(module_digests(plugin)) == sorted(REACHED[plugin])


@pytest.mark.parametrize(
    ("plugin", "changed"), [("climb", "climb_late.py"), ("climbing.method", "climbing/last.py")]
)
def test_an_edit_beside_a_plugin_is_seen(plugins, plugin, changed):
    before = code_digest(plugin)
    (plugins / changed).write_text("factor = -7")
    forget_modules()
    assert code_digest(plugin) != before


@pytest.mark.parametrize("plugin", REACHED)
def test_rewording_a_plugin_and_what_it_imports_changes_no_digest(plugins, plugin):
    before = code_digest(plugin), module_digests(plugin)
    for file in plugins.rglob("*.py"):
        if file.name != "last.py":
            file.write_text(f'"""New words."""\n# And more.\n{file.read_text()}\n')
    forget_modules()
    assert (code_digest(plugin), module_digests(plugin)) == before


def test_a_source_without_syntax_is_known_by_its_bytes(plugins):
    before = module_digests("climbing.method")["climbing.last"]
    (plugins / "climbing/last.py").write_text("this is no  Python")
    forget_modules()
    assert module_digests("climbing.method")["climbing.last"] != before


READS = {
    "docstring": ("import helper\nprint(helper.f.__doc__)", '"""Old."""\n', '"""New."""\n'),
    "annotation": (
        "import helper\nget_type_hints(helper.f)",
        "def f(x: int): pass\n",
        "def f(x: str): pass\n",
    ),
}


@pytest.mark.parametrize("what", READS)
@pytest.mark.parametrize("is_read", [True, False])
def test_what_a_plugin_reads_of_another_module_counts(plugins, what, is_read):
    reader, old, new = READS[what]
    (plugins / "reader.py").write_text(reader if is_read else "import helper")
    digests = []
    for text in (old, new):
        (plugins / "helper.py").write_text(text)
        forget_modules()
        digests.append((code_digest("reader"), module_digests("reader")["helper"]))
    assert (digests[0] != digests[1]) is is_read
    assert (digests[0][1] != digests[1][1]) is is_read


def test_a_change_of_one_module_changes_its_digest_alone(tmp_path, monkeypatch):
    files = {"__init__.py": "", "a.py": "from somepkg import b", "b.py": "def f(x): return x + 1\n"}
    reload_package(tmp_path, monkeypatch, files)
    before = module_digests("somepkg.a")
    reload_package(tmp_path, monkeypatch, {"b.py": "def f(x): return x - 1\n"})
    after = module_digests("somepkg.a")
    assert [name for name in before if before[name] != after[name]] == ["somepkg.b"]


def test_how_records_are_made_is_no_part_of_a_step_unless_it_is_one():
    assert "lotus.git" not in module_digests("lotus.records.record")
    assert code_identity.BOOKKEEPING.isdisjoint(module_digests("lotus.records.record"))
    assert "lotus.git" in module_digests("lotus.records.environment")


def test_reading_ahead_changes_no_digest_and_hides_no_change(plugins):
    before = code_digest("climb", "lotus.errors")
    read_ahead()
    assert code_digest("climb", "lotus.errors") == before
    (plugins / "climb_helper.py").write_text("factor = 1")
    forget_modules()
    assert code_digest("climb", "lotus.errors") != before


def test_every_source_of_the_package_has_a_syntax():
    """Else it would be known by its bytes, and each of its comments would count."""
    for text in code_identity.sources_of_package().values():
        assert source_of(text).digest == source_of(text + b"\n# A comment.\n").digest
