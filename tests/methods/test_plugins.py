"""Plug-ins as people write them: loaded, or refused in one line that names the plug-in."""

import copy
import itertools
import re
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lotus.errors import LotusError
from lotus.methods.base import configured, described, registry
from lotus.methods.base.plugins import load_plugins, plugins_for

PAGE = (Path(__file__).parents[2] / "docs/own-method.md").read_text()
(ASCENT,) = re.findall(r"^```python\n(@?.+?)^```", PAGE, re.M | re.S)
HEAD = """
from dataclasses import dataclass, field
from lotus.methods.base import register
"""
MINE = """
@register("mine")
@dataclass(frozen=True)
class Mine:
    strength: float = 0.5
    def unlearn(self, task):
        return task.student()
"""


@pytest.fixture(autouse=True)
def undone(monkeypatch, tmp_path):
    """Nothing that a test loads stays, but for methods of ours that it is the first to load."""
    for name in registry.available():
        registry.entry_of(name)
    monkeypatch.setattr(registry, "entries", copy.copy(registry.entries))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    before = {*sys.modules}
    yield
    for name in {*sys.modules} - before:
        if (
            getattr(sys.modules[name], "__file__", None)
            and str(tmp_path) in sys.modules[name].__file__
        ):
            del sys.modules[name]


def write(name, text):
    Path(name).write_text(text, encoding="utf-8")
    return name


def refused(plugin):
    before = registry.registered()
    with pytest.raises(LotusError) as caught:
        load_plugins([plugin])
    (line,) = str(caught.value).splitlines()
    assert f"plugin '{plugin}': " in line
    assert registry.registered() == before
    return line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys\nsys.exit()", "it ended the process (exit code None) (line 2)"),
        ("raise SystemExit(3)", "it ended the process (exit code 3)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit('x')", "GeneratorExit: x"),
        ("class Odd(BaseException): pass\nraise Odd('one\\ntwo')", "Odd: one two (line 2)"),
        ("x = 1\n\ndef f(:\n  pass", "SyntaxError: invalid syntax (mine_odd.py, line 3)"),
        ("if 1:\nx = 1", "IndentationError"),
        ("x = '\0'", "null bytes"),
        ("1 / 0", "ZeroDivisionError: division by zero (line 1)"),
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("", "registers no method"),
        (HEAD + MINE.replace('@register("mine")', ""), "registers no method"),
        (HEAD + MINE.replace('("mine")', ""), "a method needs a name: @register"),
        (HEAD + MINE.replace('"mine"', "'  '"), "a method needs a name: @register"),
        (HEAD + MINE.replace('"mine"', "'a\\nb'"), "a method needs a name: @register"),
        (HEAD + MINE.replace("(frozen=True)", ""), "must be a frozen dataclass"),
        (HEAD + MINE.replace("self, task", "self"), "a function unlearn(self, task)"),
        (HEAD + MINE.replace("unlearn", "forget"), "a function unlearn(self, task)"),
        (
            HEAD + MINE + MINE.replace("class Mine", "class Other"),
            "two classes under this name, Mine and",
        ),
        (HEAD + MINE + MINE, "two classes under this name, Mine and Mine"),
        (HEAD + MINE.replace("strength", "method"), "has a field `method`"),
        (HEAD + MINE.replace("strength", "calibration"), "has a field `calibration`"),
        (
            HEAD + MINE.replace("= 0.5", "= 'much'"),
            "default strength = 'much': must be a valid number",
        ),
        (HEAD + MINE.replace("= 0.5", "= None"), "default strength = None: must be a valid number"),
        (HEAD + MINE.replace("= 0.5", "= object()"), "its fields cannot be read: TypeError"),
        (HEAD + MINE.replace("float", "'Flaot'"), "its fields cannot be read"),
        (HEAD + MINE.replace("float = 0.5", "list = []"), "mutable default"),
        (
            HEAD + "import torch\n" + MINE.replace("float", "torch.Tensor"),
            "its fields cannot be read",
        ),
        (
            HEAD + MINE + "    def __post_init__(self): 1 / 0",
            "its fields cannot be read: ZeroDivision",
        ),
        (HEAD + MINE.replace('"mine"', '"LoTUS"'), "'lotus' and 'LoTUS' look alike"),
        (HEAD + MINE.replace('"mine"', '"scrub\\u00ad"'), "a method needs a name"),
        (
            HEAD + MINE + MINE.replace('"mine"', '"Mine"').replace("class Mine", "class B"),
            "look alike",
        ),
        (
            HEAD + MINE.replace('"mine"', '"mine", released={"M77": {}}'),
            "'M77': not among the switches",
        ),
        (
            HEAD + MINE.replace('"mine"', '"mine", alone=("test",)'),
            "alone = ('test',): accepted:",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used(text, said):
    assert said in refused(write("mine_odd.py", text))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "print('hello')\n" + MINE,
        "from __future__ import annotations\n" + HEAD + MINE,
        HEAD + MINE.replace("= 0.5", ""),
        HEAD + MINE.replace("float = 0.5", "tuple[int, ...] = (1, 2)"),
        HEAD + MINE.replace("float = 0.5", "list = field(default_factory=list)"),
        HEAD + MINE.replace("strength: float", "constant = 3\n    strength: float"),
        HEAD + MINE.replace("frozen=True", "frozen=True, slots=True"),
        HEAD + MINE.replace('"mine"', '"mine", alone=lambda *_: ("forget",)'),
        ASCENT.replace('"ascent"', '"mine"'),
    ],
)
def test_a_plugin_that_is_loaded(text, capsys):
    load_plugins([write("mine_fine.py", text)] * 2)
    assert "mine" in registry.available()
    assert capsys.readouterr().out == ""
    if "= 0.5" in text:
        method = configured.make("mine", {"strength": 2.0})
        assert configured.hyperparameters(method)["strength"] == 2.0


def test_a_class_without_docstring_has_no_description():
    load_plugins([write("mine_plain.py", HEAD + MINE)])
    assert described.describe("mine").idea == ""


def test_a_value_without_a_type_is_explained_where_it_is_set():
    text = HEAD + MINE.replace("strength: float", "lr = 3\n    strength: float")
    load_plugins([write("mine_bare.py", text)])
    with pytest.raises(LotusError, match=r"lr = 1: unknown hyper-parameter.*write `lr: float = …`"):
        configured.make("mine", {"lr": 1})


@pytest.mark.parametrize(
    "name", ["my-method.py", "my method.py", "größe.py", "méthode.py", "猫.py", "1st.py"]
)
def test_names_of_files_that_can_be_imported(name):
    load_plugins([write(name, HEAD + MINE)])
    assert registry.module_of("mine") == name.removesuffix(".py")


@pytest.mark.parametrize("name", ["my.method.py", ".py.py"])
def test_a_dot_in_a_file_name_is_refused(name):
    assert "name the file" in refused(write(name, HEAD + MINE))


@pytest.mark.parametrize("name", ["random", "torch", "sys", "this", "lotus", "yaml"])
def test_a_file_called_like_another_module_is_refused_without_loading_that(name, capsys):
    was_loaded = name in sys.modules
    assert "already has this name" in refused(write(f"{name}.py", HEAD + MINE))
    assert (name in sys.modules) == was_loaded
    assert "Zen" not in "".join(capsys.readouterr())


def test_two_files_of_one_name_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(f"{folder}/twin.py", HEAD + MINE)
    load_plugins(["a/twin.py", "a/../a/twin.py"])
    assert f"{tmp_path / 'a/twin.py'} already has this name" in refused("b/twin.py")


def test_a_plugin_may_import_what_lies_beside_it():
    write("mine_helper.py", HEAD + MINE)
    load_plugins([write("mine_all.py", "import mine_helper")])
    load_plugins(["mine_all.py"])
    assert registry.module_of("mine") == "mine_helper"


def test_a_run_loads_the_plugins_of_its_method_and_those_that_register_none(monkeypatch):
    """What registers nothing can have changed any method, so that it belongs to the code of all."""
    monkeypatch.syspath_prepend(".")
    Path("inner").mkdir()
    write("inner/__init__.py", "")
    write("inner/theirs.py", HEAD + MINE.replace('"mine"', '"theirs"').replace("Mine", "Theirs"))
    plugins = [write("mine.py", HEAD + MINE), "patching", "inner.theirs"]
    write("patching.py", "import lotus.methods.finetune\n")
    assert load_plugins(plugins) == ("mine", "patching", "inner.theirs")
    assert plugins_for("mine", plugins) == ("mine.py", "patching")
    assert plugins_for("theirs", plugins) == ("patching", "inner.theirs")
    assert plugins_for("finetune", plugins) == ("patching",)


def test_names_are_compared_in_composed_form():
    load_plugins([write("mine_accent.py", HEAD + MINE.replace('"mine"', '"me\u0301thode"'))])
    assert "m\u00e9thode" in registry.available()
    assert configured.make("me\u0301thode", {}) == configured.make("m\u00e9thode", {})
    text = HEAD + MINE.replace('"mine"', '"m\u00e9thode"')
    assert "has this name" in refused(write("mine_again.py", text))


NUMBERS = itertools.count()
PIECES = ["(", ")", ":", "\n", "    ", "@register", "frozen", "None", "'", '"', "\0", "é", "=", "-"]


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, len(ASCENT)), st.integers(0, 25), st.sampled_from(["", *PIECES])),
        min_size=1,
        max_size=3,
    )
)
def test_a_plugin_with_random_edits_is_loaded_or_refused(tmp_path, edits):
    text = ASCENT
    for place, length, piece in edits:
        text = text[:place] + piece + text[place + length :]
    plugin = tmp_path / f"edited_{next(NUMBERS)}.py"
    plugin.write_text(text, encoding="utf-8")
    before = dict(registry.entries)
    with suppress(LotusError):
        load_plugins([str(plugin)])
        for name in registry.registered() - {*before}:
            described.describe(name)
            configured.problems(name, {"epochs": 1})
    registry.entries.clear()
    registry.entries.update(before)
